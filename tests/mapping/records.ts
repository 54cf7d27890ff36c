/** Records for the tests of the mapping: small ones of our own, and real ones where they are at hand. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type MapOptions, mapRecord } from '../../engine/mapping/apply.ts';
import { type CompiledMappings, loadMappings } from '../../engine/mapping/load.ts';
import type { MappedRecord, MappedSegment } from '../../engine/mapping/mapped.ts';

const root = join(import.meta.dirname, '../..');

let compiled: CompiledMappings | undefined;
/** The mapping the project ships. */
export function shipped(): CompiledMappings {
  compiled ??= loadMappings(join(root, 'mappings/gp-record'));
  return compiled;
}

export const now = new Date('2026-06-04T10:15:00Z');

/** Map with the mapping the project ships; every dataset and RSP_K11 unless told. */
export function map(bundle: unknown, options: Partial<MapOptions> = {}): MappedRecord {
  const datasets = ['PAT', 'ALL', 'MED', 'PRB'] as const;
  return mapRecord(shipped(), bundle, {
    datasets,
    profile: 'rsp',
    version: '2.4',
    now,
    ...options,
  });
}

/** Published records, or a skipped test that says why. */
export function realBundles(test: Mocha.Context): { name: string; bundle: unknown }[] {
  const folder = join(root, '../shared/data/gpconnect/structured');
  if (!existsSync(folder)) {
    console.log('      skipped: ../shared/data/gpconnect/structured is not here');
    test.skip();
  }
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({
      name,
      bundle: JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown,
    }));
}

export type Json = Record<string, unknown>;

export const codes = {
  active: '886921000000105',
  ended: '1103671000000101',
  medication: '933361000000108',
  problems: '717711000000103',
} as const;

/** Lists of the areas whose items are one resource each. */
export const areaCodes = {
  immunisations: '1102181000000102',
  referrals: '792931000000107',
  diary: '714311000000108',
} as const;

export const bundle = (...resources: Json[]): Json => ({
  resourceType: 'Bundle',
  type: 'collection',
  entry: resources.map((resource) => ({ resource })),
});

export const patient: Json = {
  resourceType: 'Patient',
  id: 'p1',
  identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9000000009' }],
  name: [{ use: 'official', family: 'Marsh', given: ['Ada', 'Jo'], prefix: ['Ms'] }],
  gender: 'female',
  birthDate: '1980-02',
};

/** A primary (or other) list of references. */
export function list(code: string, references: string[], more: Json = {}): Json {
  return {
    resourceType: 'List',
    status: 'current',
    code: { coding: [{ system: 'http://snomed.info/sct', code }] },
    entry: references.map((reference) => ({ item: { reference } })),
    ...more,
  };
}

export const warningCode = (valueCode: string) => ({
  url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-ListWarningCode-1',
  valueCode,
});

export const emptyReason = (code: string) => ({
  emptyReason: { coding: [{ system: 'https://fhir.nhs.uk/x', code }] },
});

export function allergy(id: string, more: Json = {}): Json {
  return {
    resourceType: 'AllergyIntolerance',
    id,
    clinicalStatus: 'active',
    verificationStatus: 'unconfirmed',
    category: ['medication'],
    code: {
      coding: [{ system: 'http://snomed.info/sct', code: '91936005', display: `Term ${id}` }],
    },
    patient: { reference: 'Patient/p1' },
    onsetDateTime: '2010',
    assertedDate: '2011-03-04T05:06:07+00:00',
    ...more,
  };
}

export function problem(id: string, more: Json = {}): Json {
  return {
    resourceType: 'Condition',
    id,
    clinicalStatus: 'active',
    code: {
      coding: [{ system: 'http://snomed.info/sct', code: '195967001', display: `Term ${id}` }],
    },
    subject: { reference: 'Patient/p1' },
    onsetDateTime: '2010-05',
    assertedDate: '2011-03-04',
    ...more,
  };
}

/** A statement, its plan, its drug and as many issues as asked for. */
export function medication(id: string, issues = 0, more: Json = {}, plan: Json = {}): Json[] {
  const request = (own: string, intent: string, rest: Json): Json => ({
    resourceType: 'MedicationRequest',
    id: own,
    intent,
    status: 'active',
    medicationReference: { reference: `Medication/${id}-drug` },
    dosageInstruction: [{ text: `Take ${id}` }],
    ...rest,
  });
  const drug = { system: 'http://snomed.info/sct', code: '322236009', display: `Drug ${id}` };
  return [
    {
      resourceType: 'MedicationStatement',
      id,
      status: 'active',
      taken: 'unk',
      basedOn: [{ reference: `MedicationRequest/${id}-plan` }],
      medicationReference: { reference: `Medication/${id}-drug` },
      subject: { reference: 'Patient/p1' },
      dosage: [{ text: `Take ${id}` }],
      ...more,
    },
    request(`${id}-plan`, 'plan', plan),
    ...Array.from({ length: issues }, (_, i) =>
      request(`${id}-issue${i + 1}`, 'order', {
        basedOn: [{ reference: `MedicationRequest/${id}-plan` }],
      }),
    ),
    { resourceType: 'Medication', id: `${id}-drug`, code: { coding: [drug] } },
  ];
}

/** All segments of a record, in order. */
export const segmentsOf = (record: MappedRecord): MappedSegment[] => [
  ...record.patient,
  ...record.datasets.flatMap(({ segments }) => segments),
];

/** Text of a field's component, first repetition: `at(segment, 3, 2)`. */
export function at(segment: MappedSegment | undefined, field: number, component = 1): string {
  const value = segment?.fields[field];
  if (typeof value !== 'object') return component === 1 ? (value ?? '') : '';
  const part = value[0]?.[component - 1];
  return (Array.isArray(part) ? part[0] : part) ?? '';
}

/** Every single text in a segment. */
export function texts(segment: MappedSegment): string[] {
  const open = (value: unknown): string[] =>
    Array.isArray(value) ? value.flatMap(open) : typeof value === 'string' ? [value] : [];
  return segment.fields.slice(1).flatMap(open);
}

export const named = (segments: readonly MappedSegment[], name: string) =>
  segments.filter((segment) => segment.name === name);
