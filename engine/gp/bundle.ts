/** Reading a FHIR Bundle whose shape nobody has vouched for. */

import type { GpRecord } from './port.ts';

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const objectsIn = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** The type of a Bundle (`collection`, `searchset`); undefined where this is no Bundle. */
export function bundleType(json: unknown): string | undefined {
  return isObject(json) && json.resourceType === 'Bundle' ? String(json.type) : undefined;
}

/** The resource of an entry; one that stands in `entry` itself occurs, and is read so everywhere. */
const resourceIn = (entry: Json): Json =>
  typeof entry.resourceType === 'string' || !isObject(entry.resource) ? entry : entry.resource;

/** The resources of one type in a Bundle, in their order; none where this is no Bundle. */
export function resourcesOf(bundle: unknown, type: string): Json[] {
  return objectsIn(isObject(bundle) ? bundle.entry : undefined)
    .map(resourceIn)
    .filter((resource) => resource.resourceType === type);
}

/**
 * The replies to several requests for one record as one Bundle. What came twice (the patient, the
 * staff) stands in it twice, as repeated ids do in many a reply.
 */
export function oneBundle(bundles: readonly unknown[]): unknown {
  const [first, ...others] = bundles;
  if (others.length === 0 || !isObject(first)) return first;
  return { ...first, entry: bundles.flatMap((one) => objectsIn(isObject(one) ? one.entry : [])) };
}

/** What is looked at before a record is mapped: whose it is, its lists, and what is said of it. */
const openingTypes = new Set(['Patient', 'List', 'OperationOutcome']);

/**
 * A Bundle without the resources that its lists name: whose it is, the lists, and what the GP system
 * says of it. Whatever is no Bundle is given back as it is.
 */
export function openingOf(json: unknown): unknown {
  if (!isObject(json) || json.resourceType !== 'Bundle' || !Array.isArray(json.entry)) return json;
  const entry = objectsIn(json.entry).filter((one) =>
    openingTypes.has(String(resourceIn(one).resourceType)),
  );
  return { ...json, entry };
}

/** The reply to one of the requests for a record. */
export interface RecordPart {
  json: unknown;
  /** `json` is only its opening. */
  isOpening?: boolean;
  /** The bytes it came in. */
  text: Uint8Array;
}

/** The replies to the requests for one record as that record. */
export function recordOf(parts: readonly RecordPart[]): GpRecord {
  const opening = oneBundle(parts.map(({ json }) => json));
  const bundle = parts.some(({ isOpening }) => isOpening) ? undefined : opening;
  return { kind: 'bundle', opening, bundle, texts: parts.map(({ text }) => text) };
}

/**
 * The NHS numbers of a Patient, without spaces; those marked as old are left out. The identifier
 * system is matched loosely (STU3 and DSTU2 roots differ).
 */
export function nhsNumbersOf(patient: Json): string[] {
  return objectsIn(patient.identifier)
    .filter(({ system, use }) => /\/Id\/nhs-number$/i.test(String(system)) && use !== 'old')
    .map(({ value }) => (typeof value === 'string' ? value.replace(/\s/g, '') : ''))
    .filter((value) => value !== '');
}

/** The name a Patient goes by: `official`, else `usual`, else the first that is not old. */
export function nameOf(patient: Json): Json | undefined {
  const names = objectsIn(patient.name).filter(({ use }) => use !== 'old' && use !== 'maiden');
  const called = (use: string) => names.find((name) => name.use === use);
  return called('official') ?? called('usual') ?? names[0];
}
