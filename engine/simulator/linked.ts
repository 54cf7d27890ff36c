/**
 * Secondary Lists: what a reply holds beside its answer because a problem links to it. An item that
 * stands only here is context, never an answer to "current medication" or "allergies" (GP Connect
 * 1.6, "Lists for message structure").
 */
import type { Condition, FhirResource, List, Reference } from 'fhir/r3.js';
import type { RecordIndex } from './references.ts';

const system = 'https://fhir.hl7.org.uk/STU3/CodeSystem/GPConnect-SecondaryListValues-1';
const linkExtensions = ['ActualProblem-1', 'RelatedClinicalContent-1'];

/** Kind of linked resource → code and title of its secondary List. */
const secondaryLists: Partial<Record<FhirResource['resourceType'], [string, string]>> = {
  AllergyIntolerance: ['allergies-related-to-problems', 'allergies related to problems'],
  MedicationStatement: ['medications-related-to-problems', 'medications related to problems'],
  Immunization: ['immunisations-related-to-problems', 'immunisations related to problems'],
  Observation: ['uncategorised-data-related-to-problems', 'uncategorised data related to problems'],
  DiagnosticReport: ['investigations-related-to-problems', 'investigations related to problems'],
  ReferralRequest: [
    'outbound-referrals-related-to-problems',
    'outbound referrals related to problems',
  ],
  ProcedureRequest: ['diary-entries-related-to-problems', 'diary entries related to problems'],
};

/** With problems asked for: what the chosen problems link to, added to `chosen` and listed. */
export function relatedToProblems(chosen: Set<FhirResource>, index: RecordIndex): List[] {
  const linked = new Set<FhirResource>();
  for (const problem of [...chosen]) {
    if (problem.resourceType !== 'Condition') continue;
    for (const link of linksOf(problem)) {
      const resource = index.find(link);
      if (!resource) continue;
      // A plan is listed by the statement that stands for it.
      for (const each of resource.resourceType === 'MedicationRequest'
        ? statementsOf(resource, chosen, index)
        : [resource]) {
        linked.add(each);
      }
    }
  }
  for (const resource of linked) chosen.add(resource);
  return Object.entries(secondaryLists).flatMap(([kind, [code, title]]) => {
    const items = [...linked].filter(({ resourceType }) => resourceType === kind);
    return items.length === 0
      ? []
      : [secondaryList(`problems-${code}`, `Problems - ${title}`, items, index)];
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
    secondaryList(
      'problems-linked-problems-not-relating-to-the-primary-query',
      'Problems - linked problems not relating to the primary query',
      problems,
      index,
    ),
  ];
}

function linksOf(problem: Condition): Reference[] {
  return (problem.extension ?? []).flatMap(({ url, valueReference }) =>
    valueReference && linkExtensions.some((name) => url?.endsWith(name)) ? [valueReference] : [],
  );
}

/** The statements of a plan, which brings the plan and its medication along. */
function statementsOf(
  plan: FhirResource,
  chosen: Set<FhirResource>,
  index: RecordIndex,
): FhirResource[] {
  chosen.add(plan);
  return index.resources.filter((resource) => {
    if (resource.resourceType !== 'MedicationStatement') return false;
    if (!index.findAll(resource.basedOn).includes(plan)) return false;
    const medication = resource.medicationReference && index.find(resource.medicationReference);
    if (medication) chosen.add(medication);
    return true;
  });
}

function secondaryList(
  code: string,
  title: string,
  items: FhirResource[],
  index: RecordIndex,
): List {
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
