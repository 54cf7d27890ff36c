/**
 * A practice's own view of a record (GP Connect 0.7, Access Record HTML): one section a request, as
 * XHTML inside a DSTU2 Composition. The sections of a patient stand in `html/{nhs}.yaml` of the
 * simulator's folder; a section that is not there has nothing recorded.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Patient as FhirPatient } from 'fhir/r3.js';
import { parse } from 'yaml';
import { z } from 'zod';
import { londonDate } from '../gp/london-date.ts';
import { checkCareRecordClaims } from './care-record-token.ts';
import { currentPractice, isNhsNumber } from './facts.ts';
import type { Patient, Practice, World } from './facts.ts';
import type { Answer, Request } from './http.ts';
import { providerErrors } from './outcome.ts';
import type { ProviderCode, Refusal } from './outcome.ts';
import type { ProviderContext } from './provider.ts';
import { readOnce } from './read-once.ts';
import { isObject } from './token.ts';

export const careRecordInteraction =
  'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord';

/** The sections, their titles, and those that take no dates. */
const sections = {
  SUM: ['Summary', 'undated'],
  ENC: ['Encounters'],
  CLI: ['Clinical Items'],
  PRB: ['Problems and Issues'],
  ALL: ['Allergies and Adverse Reactions', 'undated'],
  MED: ['Medications'],
  REF: ['Referrals'],
  OBS: ['Observations'],
  IMM: ['Immunisations', 'undated'],
  ADM: ['Administrative Items'],
} as const satisfies Record<string, readonly [string, 'undated'?]>;
type SectionCode = keyof typeof sections;

/** The sections of each patient, by NHS number: code to XHTML. */
export type Views = ReadonlyMap<string, Partial<Record<SectionCode, string>>>;

const codes = Object.keys(sections) as [SectionCode, ...SectionCode[]];
const viewFacts = z.partialRecord(z.enum(codes), z.string());

/** @throws Error naming the file that cannot be used */
export function loadViews(folder: string, world: World): Views {
  const views = new Map<string, Partial<Record<SectionCode, string>>>();
  for (const nhsNumber of world.patients.keys()) {
    const file = join(folder, 'html', `${nhsNumber}.yaml`);
    if (!existsSync(file)) continue;
    const read = viewFacts.safeParse(readOnce(file, parse));
    if (!read.success) throw new Error(`${file}: ${z.prettifyError(read.error)}`);
    views.set(nhsNumber, read.data);
  }
  return views;
}

/**
 * Answer one request the proxy has passed on.
 * @param path below the service root
 */
export function answerCareRecord(
  request: Request,
  path: string,
  context: ProviderContext & { views: Views },
): Answer {
  const { world, practice, views, scenario, now } = context;
  if (path !== 'Patient/$gpc.getcarerecord') {
    return refused({ code: 'NOT_IMPLEMENTED', why: 'There is no such operation here' });
  }
  const asked = checkParameters(request.body);
  if ('why' in asked) return refused(asked);
  const refusal = checkCareRecordClaims(context.claims, {
    nhsNumber: asked.nhsNumber,
    organisation: context.consumer.ods,
    now: Math.floor(now.getTime() / 1000),
  });
  if (refusal) return refused(refusal);
  if (scenario && Object.hasOwn(providerErrors, scenario.name)) {
    return refused({ code: scenario.name as ProviderCode, why: 'Scenario of the simulator' });
  }
  const patient = world.patients.get(asked.nhsNumber);
  const today = londonDate(now.getTime());
  const registered = patient && currentPractice(patient, today) === practice.ods;
  if (!registered || patient.restricted || patient.deceased !== undefined) {
    const why = 'No patient with this NHS number is registered and active here';
    return refused({ code: 'PATIENT_NOT_FOUND', why });
  }
  const other = scenario?.name === 'otherPatient' && someoneElse(world, asked.nhsNumber);
  const shown = other || patient;
  const div =
    scenario?.name === 'htmlBroken'
      ? '<div><p>Cut short <b>here</p></div>'
      : (views.get(shown.nhsNumber)?.[asked.section] ?? nothing(asked.section));
  return bundle(shown, practice, asked.section, div, now);
}

/** GP Connect 0.7, "Supported but hasn't been recorded". */
function nothing(section: SectionCode): string {
  const [title] = sections[section];
  return `<div><h1>${title}</h1><div><p>No '${title}' data is recorded for this patient.</p></div></div>`;
}

function someoneElse(world: World, nhsNumber: string): Patient {
  for (const patient of world.patients.values()) {
    if (patient.nhsNumber !== nhsNumber) return patient;
  }
  throw new Error('The scenario otherPatient needs a second patient');
}

function checkParameters(body: Buffer): { nhsNumber: string; section: SectionCode } | Refusal {
  let resource: unknown;
  try {
    resource = JSON.parse(body.toString('utf8'));
  } catch {
    return { code: 'BAD_REQUEST', why: 'The body is not JSON' };
  }
  const list = isObject(resource) && Array.isArray(resource.parameter) ? resource.parameter : [];
  const parameters = list.filter(isObject);
  const known = ['patientNHSNumber', 'recordSection', 'timePeriod'];
  for (const { name } of parameters) {
    if (known.includes(String(name))) continue;
    return { code: 'INVALID_PARAMETER', why: `${String(name)} is not a parameter` };
  }
  const [number, section, period] = known.map((name) => parameters.filter((p) => p.name === name));
  if (number?.length !== 1 || section?.length !== 1 || (period?.length ?? 0) > 1) {
    return { code: 'INVALID_PARAMETER', why: 'one patientNHSNumber, one recordSection' };
  }
  const identifier = number[0]?.valueIdentifier;
  if (!isObject(identifier) || identifier.system !== 'http://fhir.nhs.net/Id/nhs-number') {
    return { code: 'INVALID_IDENTIFIER_SYSTEM', why: 'patientNHSNumber' };
  }
  const nhsNumber = String(identifier.value);
  if (!isNhsNumber(nhsNumber)) return { code: 'INVALID_NHS_NUMBER', why: 'patientNHSNumber' };
  const concept = section[0]?.valueCodeableConcept;
  const coding = isObject(concept) && Array.isArray(concept.coding) ? concept.coding : [];
  const first: unknown = coding[0];
  const system = 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1';
  const code =
    isObject(first) && first.system === system ? codes.find((c) => c === first.code) : undefined;
  if (!code) return { code: 'INVALID_PARAMETER', why: 'recordSection' };
  return (
    wrongPeriod(code, period?.[0]?.valuePeriod, period?.length === 1) ?? {
      nhsNumber,
      section: code,
    }
  );
}

function wrongPeriod(section: SectionCode, value: unknown, given: boolean): Refusal | undefined {
  if (!given) return undefined;
  if (sections[section].length > 1) {
    return { code: 'BAD_REQUEST', why: `timePeriod must not be given for ${section}` };
  }
  const { start, end } = isObject(value) ? value : {};
  const dates = [start, end].filter((date) => date !== undefined);
  const isDate = (date: unknown) => /^\d{4}(-\d\d(-\d\d)?)?$/.test(String(date));
  const inOrder = start === undefined || end === undefined || String(start) <= String(end);
  return dates.length > 0 && dates.every(isDate) && inOrder
    ? undefined
    : { code: 'INVALID_PARAMETER', why: 'timePeriod' };
}

/** A searchset with the Composition and who it is about (GP Connect 0.7, "Payload response body"). */
function bundle(
  patient: Patient,
  practice: Practice,
  section: SectionCode,
  div: string,
  now: Date,
): Answer {
  const [title] = sections[section];
  const system = 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1';
  const reference = (type: string) => ({ reference: `${type}/${practice.ods}-1` });
  const { nhsNumber, family = '', given, prefix, gender, birthDate } = patient;
  const about: Partial<FhirPatient> = { gender, birthDate };
  const resources = [
    {
      resourceType: 'Composition',
      date: now.toISOString(),
      title: 'Patient Care Record',
      status: 'final',
      subject: { reference: `Patient/${nhsNumber}` },
      author: [reference('Device')],
      custodian: reference('Organization'),
      section: [
        {
          title,
          code: { coding: [{ system, code: section, display: title }], text: title },
          text: { status: 'generated', div },
        },
      ],
    },
    {
      resourceType: 'Patient',
      id: nhsNumber,
      identifier: [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: nhsNumber }],
      name: [{ use: 'usual', family: [family], given, ...(prefix && { prefix: [prefix] }) }],
      ...about,
      managingOrganization: reference('Organization'),
    },
    {
      resourceType: 'Organization',
      id: `${practice.ods}-1`,
      identifier: [{ system: 'http://fhir.nhs.net/Id/ods-organization-code', value: practice.ods }],
      name: practice.name,
    },
    {
      resourceType: 'Device',
      id: `${practice.ods}-1`,
      identifier: [{ system: 'https://gp.example/Id/system', value: 'simulated' }],
    },
  ];
  return dstu2(200, {
    resourceType: 'Bundle',
    type: 'searchset',
    entry: resources.map((resource) => ({ resource })),
  });
}

/** An error in the coding system of 0.7, which states no display. */
function refused({ code, why }: Refusal): Answer {
  const [status, type] = providerErrors[code];
  const system = 'http://fhir.nhs.net/ValueSet/gpconnect-error-or-warning-code-1';
  return dstu2(status, {
    resourceType: 'OperationOutcome',
    meta: { profile: ['http://fhir.nhs.net/StructureDefinition/gpconnect-operationoutcome-1'] },
    issue: [
      {
        severity: 'error',
        code: type,
        details: { coding: [{ system, code }] },
        diagnostics: why,
      },
    ],
  });
}

function dstu2(status: number, resource: object): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json+fhir', 'cache-control': 'no-store' },
    body: JSON.stringify(resource),
  };
}
