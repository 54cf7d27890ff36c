/**
 * Secondary Lists: what a reply holds beside its answer because a problem links to it or a
 * consultation holds it. An item that stands only here is context, never an answer to "current
 * medication" or "allergies" (GP Connect 1.6, "Lists for message structure").
 */
import type { Condition, FhirResource, List, Reference } from 'fhir/r3.js';
import type { RecordIndex } from './references.ts';

const system = 'https://fhir.hl7.org.uk/STU3/CodeSystem/GPConnect-SecondaryListValues-1';
const linkExtensions = ['ActualProblem-1', 'RelatedClinicalContent-1'];

/** Kind of resource → the word for it in titles and codes. */
const nouns: Partial<Record<FhirResource['resourceType'], string>> = {
  AllergyIntolerance: 'allergies',
  Condition: 'problems',
  DiagnosticReport: 'investigations',
  DocumentReference: 'documents',
  Encounter: 'consultations',
  Immunization: 'immunisations',
  MedicationStatement: 'medications',
  Observation: 'uncategorised data',
  ProcedureRequest: 'diary entries',
  ReferralRequest: 'outbound referrals',
};

/** With problems asked for: what the chosen problems link to, added to `chosen` and listed. */
export function relatedToProblems(chosen: Set<FhirResource>, index: RecordIndex): List[] {
  const links = [...chosen].flatMap((problem) =>
    problem.resourceType === 'Condition' ? index.findAll(linksOf(problem)) : [],
  );
  return listed(links, chosen, index, (noun) =>
    // Problems that belong together are in no secondary List of their own kind.
    noun === 'problems' ? undefined : `Problems - ${noun} related to problems`,
  );
}

/** With consultations asked for: what they hold, added to `chosen` and listed. */
export function inConsultations(
  items: ReadonlySet<FhirResource>,
  chosen: Set<FhirResource>,
  index: RecordIndex,
): List[] {
  return listed([...items], chosen, index, (noun) =>
    noun === 'outbound referrals'
      ? `Consultations - ${noun} in consultations`
      : `Consultations - ${noun} contained in consultations`,
  );
}

/** One List for each kind of item; a plan or an issue is listed by the statement it belongs to. */
function listed(
  items: readonly FhirResource[],
  chosen: Set<FhirResource>,
  index: RecordIndex,
  titleOf: (noun: string) => string | undefined,
): List[] {
  const linked = new Set(
    items.flatMap((item) =>
      item.resourceType === 'MedicationRequest' ? statementsOf(item, chosen, index) : [item],
    ),
  );
  for (const resource of linked) chosen.add(resource);
  return Object.entries(nouns).flatMap(([kind, noun]) => {
    const own = [...linked].filter(({ resourceType }) => resourceType === kind);
    const title = titleOf(noun);
    return own.length === 0 || title === undefined ? [] : [secondaryList(title, own, index)];
  });
}

/** Without: the problems that link to something chosen, added to `chosen` and listed. */
export function linkedProblems(chosen: Set<FhirResource>, index: RecordIndex): List[] {
  const problems = index.resources.filter(
    (resource): resource is Condition =>
      resource.resourceType === 'Condition' &&
      linksOf(resource).some((link) => {
        const target = index.find(link);
        return target !== undefined && chosen.has(target);
      }),
  );
  if (problems.length === 0) return [];
  for (const problem of problems) chosen.add(problem);
  return [
    secondaryList('Problems - linked problems not relating to the primary query', problems, index),
  ];
}

function linksOf(problem: Condition): Reference[] {
  return (problem.extension ?? []).flatMap(({ url, valueReference }) =>
    valueReference && linkExtensions.some((name) => url?.endsWith(name)) ? [valueReference] : [],
  );
}

/** The statements of a plan or an issue; they bring the plan and its medication along. */
function statementsOf(
  request: FhirResource,
  chosen: Set<FhirResource>,
  index: RecordIndex,
): FhirResource[] {
  chosen.add(request);
  const isIssue = request.resourceType === 'MedicationRequest' && request.intent === 'order';
  const plans = isIssue ? index.findAll(request.basedOn) : [request];
  for (const plan of plans) chosen.add(plan);
  return index.resources.filter((resource) => {
    if (resource.resourceType !== 'MedicationStatement') return false;
    if (!index.findAll(resource.basedOn).some((plan) => plans.includes(plan))) return false;
    const medication = resource.medicationReference && index.find(resource.medicationReference);
    if (medication) chosen.add(medication);
    return true;
  });
}

function secondaryList(title: string, items: FhirResource[], index: RecordIndex): List {
  const code = title.toLowerCase().replace(' - ', '-').replaceAll(' ', '-');
  const model = index.lists[0];
  const patient = index.resources.find(({ resourceType }) => resourceType === 'Patient');
  return {
    resourceType: 'List',
    meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-List-1'] },
    status: 'current',
    mode: 'snapshot',
    title,
    code: { coding: [{ system, code, display: title }] },
    subject: { reference: `Patient/${patient?.id ?? ''}` },
    ...(model?.date === undefined ? {} : { date: model.date }),
    entry: items.map(({ resourceType, id }) => ({
      item: { reference: `${resourceType}/${id ?? ''}` },
    })),
  };
}
