/** Reading a FHIR Bundle whose shape nobody has vouched for. */

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const objectsIn = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** The type of a Bundle (`collection`, `searchset`); undefined where this is no Bundle. */
export function bundleType(json: unknown): string | undefined {
  return isObject(json) && json.resourceType === 'Bundle' ? String(json.type) : undefined;
}

/** The resources of one type in a Bundle, in their order; none where this is no Bundle. */
export function resourcesOf(bundle: unknown, type: string): Json[] {
  return objectsIn(isObject(bundle) ? bundle.entry : undefined)
    .map((entry) => entry.resource)
    .filter(isObject)
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
