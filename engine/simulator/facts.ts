/**
 * What the simulated world knows: patients (as PDS has them), practices (as SDS has them), the
 * organisations that may ask, and each patient's record. Read from a folder.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle, FhirResource, HumanName, Patient as FhirPatient } from 'fhir/r3.js';
import { parse } from 'yaml';
import { z } from 'zod';
import { nhsNumberValid } from '../hl7/nhs-number.ts';
import { readOnce } from './read-once.ts';

/** GP Connect 1.6, Access Record Structured: the only interaction the simulated practices offer. */
export const structuredInteraction =
  'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1';

const date = z.iso.date();
const nhsNumber = z.string().refine(isNhsNumber, 'fails the check digit of NHS numbers');
const asid = z.string().regex(/^\d{12}$/, 'an ASID has 12 digits');

const practiceFacts = z.strictObject({
  ods: z.string(),
  name: z.string(),
  /** Service root in SDS; nothing is ever connected to it. */
  address: z.url({ protocol: /^https$/ }),
  partyKey: z.string(),
  /** ASIDs of the accredited systems: one as a rule, none or two where SDS is wrong. */
  devices: z.array(asid).default([]),
  interactions: z.array(z.string()).default([structuredInteraction]),
  /** Clinical areas switched off at the practice, for example `includeProblems`. */
  disabled: z.array(z.string()).default([]),
});

const patientFacts = z.strictObject({
  nhsNumber,
  /** Without it PDS knows no name at all. */
  family: z.string().optional(),
  given: z.array(z.string()).default([]),
  prefix: z.string().optional(),
  gender: z.enum(['male', 'female', 'other', 'unknown']).optional(),
  birthDate: z.string().optional(),
  /** Registrations, as PDS states them. */
  practices: z.array(z.strictObject({ ods: z.string(), from: date, to: date.optional() })),
  /** Sensitive: PDS keeps address and GP back, the practice denies knowing the patient. */
  restricted: z.boolean().default(false),
  /** The number that replaced this one. */
  supersededBy: nhsNumber.optional(),
  deceased: date.optional(),
  /** A notice of death without a date (UK Core DeathNotificationStatus): 1 informal, 2 formal. */
  deathNotice: z.enum(['1', '2']).optional(),
  invalidated: z.boolean().default(false),
  /** File of the record, in the same folder. */
  record: z.string().optional(),
  /** Scenario at the start, see scenarios.ts. */
  scenario: z.string().optional(),
});

const consumerFacts = z.strictObject({ asid, ods: z.string() });

const folderFacts = z.strictObject({
  consumers: z.array(consumerFacts),
  practices: z.array(practiceFacts),
  patients: z.array(patientFacts),
});

export type Practice = z.infer<typeof practiceFacts>;
export type Patient = z.infer<typeof patientFacts>;
export type Consumer = z.infer<typeof consumerFacts>;

export interface World {
  patients: Map<string, Patient>;
  practices: Map<string, Practice>;
  consumers: Consumer[];
  /** The full record by NHS number. */
  records: Map<string, Bundle>;
  /** Files that could not be used, and why; file names only. */
  skipped: { file: string; why: string }[];
}

/** The organisation that may ask where a folder names none. */
const onlyConsumer: Consumer = { asid: '200000000115', ods: 'R0A' };

/**
 * Read a folder of synthetic patients: `patients.yaml` with one JSON Bundle a patient, or bare
 * Bundles, whose facts are then taken from the Patient and Organization inside.
 * @throws Error naming the file where patients.yaml or a file it names cannot be used
 */
export function loadWorld(folder: string): World {
  const files = readdirSync(folder);
  if (!files.includes('patients.yaml')) return worldOfBundles(folder, files);
  const where = join(folder, 'patients.yaml');
  const facts = folderFacts.safeParse(readOnce(where, parse));
  if (!facts.success) throw new Error(`${where}: ${z.prettifyError(facts.error)}`);
  const { patients, practices, consumers } = facts.data;
  const world: World = {
    patients: new Map(patients.map((patient) => [patient.nhsNumber, patient])),
    practices: new Map(practices.map((practice) => [practice.ods, practice])),
    consumers,
    records: new Map(),
    skipped: [],
  };
  for (const patient of patients) {
    if (patient.record === undefined) continue;
    world.records.set(patient.nhsNumber, readBundle(join(folder, patient.record)));
  }
  return world;
}

/** The practice the patient is registered with on this day (`YYYY-MM-DD`). */
export function currentPractice(patient: Patient, today: string): string | undefined {
  return patient.practices.find((practice) => isCurrent(practice, today))?.ods;
}

/** Whether a registration holds on this day. */
export function isCurrent({ from, to }: { from: string; to?: string }, today: string): boolean {
  return from <= today && (to === undefined || today <= to);
}

/** Ten digits with a right check digit, and nothing else: these interfaces overlook no spaces. */
export function isNhsNumber(text: string): boolean {
  return /^\d{10}$/.test(text) && nhsNumberValid(text);
}

function worldOfBundles(folder: string, files: string[]): World {
  const world: World = {
    patients: new Map(),
    practices: new Map(),
    consumers: [onlyConsumer],
    records: new Map(),
    skipped: [],
  };
  for (const file of files.filter((name) => name.endsWith('.json')).sort()) {
    const why = addBundle(world, join(folder, file));
    if (why) world.skipped.push({ file, why });
  }
  return world;
}

/** Take one bare Bundle into the world; gives the reason where it cannot be used. */
function addBundle(world: World, file: string): string | undefined {
  let bundle: Bundle;
  try {
    bundle = readBundle(file);
  } catch {
    return 'it is not a FHIR Bundle in JSON';
  }
  const resources = (bundle.entry ?? []).flatMap((entry) => entry.resource ?? []) as FhirResource[];
  const person = resources.find((resource) => resource.resourceType === 'Patient');
  const number = person?.identifier?.find((id) => id.system?.endsWith('/nhs-number'))?.value;
  if (!person || !number) return 'it holds no Patient with an NHS number';
  if (!isNhsNumber(number)) return 'its NHS number fails the check digit';
  const known = world.records.get(number);
  if (known && (known.entry?.length ?? 0) >= resources.length) return 'a fuller record is used';
  const organisation = resources.find((resource) => resource.resourceType === 'Organization');
  const ods =
    organisation?.identifier?.find((id) => id.system?.endsWith('/ods-organization-code'))?.value ??
    'Z99999';
  const facts = patientFacts.safeParse(factsOf(person, number, ods));
  if (!facts.success) return 'its Patient cannot be read';
  if (!world.practices.has(ods)) addPractice(world, ods, organisation?.name ?? ods);
  world.patients.set(number, facts.data);
  world.records.set(number, bundle);
  return undefined;
}

function addPractice(world: World, ods: string, name: string): void {
  const serial = String(world.practices.size + 1).padStart(6, '0');
  world.practices.set(ods, {
    ods,
    name,
    address: `https://gp.example/${ods}/STU3/1/gpconnect/structured/fhir`,
    partyKey: `${ods}-${serial}`,
    devices: [`918999${serial}`],
    interactions: [structuredInteraction],
    disabled: [],
  });
}

/** What PDS would know of a Patient: unchecked, records in circulation differ from their profile. */
function factsOf(person: FhirPatient, number: string, ods: string): unknown {
  const names = ([] as HumanName[]).concat(person.name ?? []);
  const name = names.find((each) => each.use === 'official') ?? names[0];
  return {
    nhsNumber: number,
    family: name?.family ?? '',
    given: name?.given,
    prefix: name?.prefix?.[0],
    gender: person.gender,
    birthDate: person.birthDate,
    practices: [{ ods, from: '2000-01-01' }],
  };
}

function readBundle(file: string): Bundle {
  const parsed: unknown = readOnce(file, JSON.parse);
  if (!isBundle(parsed)) throw new Error(`${file}: it is not a FHIR Bundle`);
  return parsed;
}

function isBundle(value: unknown): value is Bundle {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as { resourceType?: unknown }).resourceType === 'Bundle'
  );
}
