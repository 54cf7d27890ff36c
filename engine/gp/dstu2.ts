/**
 * The people and places of a DSTU2 reply in the shape of STU3, so that one mapping serves both: a
 * family name is one text, a practitioner's name a list, the usual GP `generalPractitioner`. Nothing
 * else is changed, and nothing is added.
 */

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];

/** The resources of a reply that say who the patient is and where, as a STU3 collection Bundle. */
export function demographicsAsStu3(bundle: unknown): Json {
  const entries = isObject(bundle) ? list(bundle.entry) : [];
  const resources = entries
    .map((entry) => (isObject(entry) ? entry.resource : undefined))
    .filter(isObject)
    .flatMap((resource) => shapes[String(resource.resourceType)]?.(resource) ?? []);
  return {
    resourceType: 'Bundle',
    type: 'collection',
    entry: resources.map((resource) => ({ resource })),
  };
}

const shapes: Readonly<Record<string, (resource: Json) => Json>> = {
  Patient: ({ careProvider, ...patient }) => ({
    ...patient,
    ...names(patient.name),
    ...(careProvider !== undefined && { generalPractitioner: careProvider }),
  }),
  // Roles and languages stand inside; they are not part of the patient's record.
  Practitioner: ({ practitionerRole: _role, communication: _languages, ...practitioner }) => ({
    ...practitioner,
    ...names(practitioner.name),
  }),
  Organization: (organisation) => organisation,
};

function names(value: unknown): Json {
  if (value === undefined) return {};
  return {
    name: list(value).map((name) => {
      if (!isObject(name) || !Array.isArray(name.family)) return name;
      return { ...name, family: name.family.map(String).join(' ') };
    }),
  };
}
