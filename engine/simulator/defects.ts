/**
 * Replies that differ from a good one the way real replies do: warnings, and the defects that were
 * found in records in circulation. Each takes the Bundle about to be sent and gives another.
 */
import type { AllergyIntolerance, Bundle, FhirResource, List } from 'fhir/r3.js';
import { areas } from './areas.ts';
import { bundleOf, emptied } from './record.ts';
import type { Scenario, ScenarioName } from './scenarios.ts';

type Defect = (resources: FhirResource[], scenario: Scenario) => FhirResource[];

/** The texts GP Connect 1.6 lays down for each warning code. */
const warnings = {
  'confidential-items': 'Items excluded due to confidentiality and/or patient preferences.',
  'data-in-transit':
    'Patient record transfer from previous GP practice not yet complete; information recorded before 01-Apr-2026 may be missing.',
  'data-awaiting-filing':
    'Patient data may be incomplete as there is data supplied by a third party awaiting review before becoming available.',
};

const primaryCodes: string[] = [
  ...Object.values(areas).map(({ list }) => list),
  '1103671000000101',
];
/** The Lists that the scenario areaSilent leaves in. */
const spoken: string[] = [
  areas.includeAllergies.list,
  '1103671000000101',
  areas.includeMedication.list,
];
const people = ['Patient', 'Organization', 'Practitioner', 'PractitionerRole', 'Location'];

const defects: Partial<Record<ScenarioName, Defect>> = {
  nothingRecorded: (resources) =>
    eachList(
      resources.filter((each) => people.includes(each.resourceType) || isPrimary(each)),
      emptied,
    ),
  confidentialItems: (resources) => eachList(resources, warn('confidential-items')),
  dataInTransit: (resources) => eachList(resources, warn('data-in-transit')),
  dataAwaitingFiling: (resources) => eachList(resources, warn('data-awaiting-filing')),
  areaSilent: (resources) =>
    resources.filter(
      (resource) =>
        resource.resourceType !== 'Condition' &&
        (!isPrimary(resource) || spoken.includes(listCode(resource) ?? '')),
    ),
  disabledAndConfidential: (resources) =>
    eachList(resources, (list) => {
      const warned = warn('confidential-items')(list);
      const item = { display: 'Referral items have been disabled' };
      return { ...warned, entry: [...(warned.entry ?? []), { item }] };
    }),
  resolvedTwice,
  danglingReference: (resources) =>
    eachList(
      resources.filter(({ resourceType }) => !resourceType.startsWith('Practitioner')),
      (list) => {
        const type = list.entry?.[0]?.item.reference?.split('/')[0] ?? 'Observation';
        const item = { reference: `${type}/00000000-0000-4000-8000-000000000000` };
        return { ...list, entry: [...(list.entry ?? []), { item }] };
      },
    ),
  repeatedId: (resources) => [
    ...resources,
    ...resources.filter(({ resourceType }) => resourceType.startsWith('Practitioner')),
    ...resources.filter(({ resourceType }) => resourceType === 'AllergyIntolerance').slice(0, 1),
  ],
  listsWithoutId: (resources) => eachList(resources, ({ id: _id, ...list }) => list),
  otherName: (resources) =>
    resources.map((resource) =>
      resource.resourceType === 'Patient'
        ? { ...resource, name: [{ use: 'official', family: 'Otherwise' }], birthDate: '1901-01-01' }
        : resource,
    ),
  large,
};

/** The reply as this scenario spoils it; unchanged where the scenario is no defect of a reply. */
export function spoilRecord(bundle: Bundle, scenario: Scenario): Bundle {
  const defect = defects[scenario.name];
  if (!defect) return bundle;
  const resources = (bundle.entry ?? []).flatMap(
    ({ resource }) => (resource as FhirResource) ?? [],
  );
  return bundleOf(defect(resources, scenario));
}

/** Change the List of every area; secondary Lists stay. */
function eachList(resources: FhirResource[], change: (list: List) => List): FhirResource[] {
  return resources.map((resource) =>
    resource.resourceType === 'List' && isPrimary(resource) ? change(resource) : resource,
  );
}

function isPrimary(resource: FhirResource): boolean {
  return primaryCodes.includes(listCode(resource) ?? '');
}

function listCode(resource: FhirResource): string | undefined {
  return resource.resourceType === 'List' ? resource.code?.coding?.[0]?.code : undefined;
}

function warn(code: keyof typeof warnings): (list: List) => List {
  const url =
    'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-ListWarningCode-1';
  return (list) => {
    const text = [list.note?.[0]?.text, warnings[code]].filter(Boolean).join(' ');
    return {
      ...list,
      extension: [...(list.extension ?? []), { url, valueCode: code }],
      note: [{ text }],
    };
  };
}

/** As one system sends them: ended allergies contained, and again in the List of active ones. */
function resolvedTwice(resources: FhirResource[]): FhirResource[] {
  const ended = resources
    .flatMap((resource) => (resource.resourceType === 'List' ? (resource.contained ?? []) : []))
    .filter((each): each is AllergyIntolerance => each.resourceType === 'AllergyIntolerance');
  const entries = ended.map(({ id }) => ({
    item: { reference: `AllergyIntolerance/${id ?? ''}` },
  }));
  const listed = eachList(resources, (list) =>
    listCode(list) === areas.includeAllergies.list
      ? { ...list, entry: [...(list.entry ?? []), ...entries] }
      : list,
  );
  return [...listed, ...ended];
}

/**
 * The same record with copies of one issue of a prescription, or of one resource, up to the size
 * asked for in bytes (3 MB unless told).
 */
function large(resources: FhirResource[], { bytes = 3_000_000 }: Scenario): FhirResource[] {
  const model =
    resources.find(
      (resource) => resource.resourceType === 'MedicationRequest' && resource.intent === 'order',
    ) ?? resources.find(({ resourceType }) => resourceType === 'Practitioner');
  if (!model) return resources;
  const missing = bytes - JSON.stringify(bundleOf(resources)).length;
  const count = Math.max(0, Math.ceil(missing / (JSON.stringify(model).length + 15)));
  const copies = Array.from({ length: count }, (_, at) => ({
    ...model,
    id: `${model.id ?? 'copy'}-${at + 1}`,
  }));
  return [...resources, ...copies];
}
