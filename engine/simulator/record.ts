/**
 * Cuts a reply out of a full GP record: the areas asked for, each with its List and what hangs on
 * it, the people and places always, and for all else a stated silence (GP Connect 1.6, "Payload
 * response body" and "Configuration for supported clinical areas").
 */
import type { Bundle, FhirResource, List, ListEntry, Reference } from 'fhir/r3.js';
import { areas } from './areas.ts';
import type { Area, Asked, Filters } from './areas.ts';
import { contentsOf, encounterOf } from './consultations.ts';
import { inConsultations, linkedProblems, relatedToProblems } from './linked.ts';
import { outcomeProfile, providerSystem } from './outcome.ts';
import { createIndex } from './references.ts';
import type { RecordIndex } from './references.ts';
import { passesFilters } from './filters.ts';

/** A record as a list of resources, and what the practice does not offer. */
export interface Offer {
  /** Areas switched off at this practice. */
  disabled: string[];
  /** Areas the practice's system does not know. */
  unknown: string[];
}

const always = [
  'Patient',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Location',
  'HealthcareService',
];

/** What an area that cannot be answered says instead: disabled, or never heard of. */
interface Silence {
  parameter: string;
  text: string;
}

/**
 * The Bundle that answers a request.
 * @param record the patient's full record; an area without a List in it is one the practice's
 *   system does not know
 */
export function answerFrom(record: Bundle, asked: Asked, offer: Offer): Bundle {
  const index = createIndex(record);
  const silences: Silence[] = asked.unknown.map(unrecognised);
  const lists: List[] = [];
  const chosen = new Set<FhirResource>();
  for (const [area, filters] of asked.areas) {
    const found = index.lists.filter((list) => codeOf(list) === areas[area].list);
    if (offer.disabled.includes(area)) {
      silences.push({ parameter: area, text: `${area} has been disabled` });
    } else if (found.length === 0 || offer.unknown.includes(area)) {
      silences.push(unrecognised(area));
    } else {
      for (const list of found) lists.push(chooseFrom(list, filters, index, chosen));
      if (area === 'includeAllergies' && filters.includeResolvedAllergies === true) {
        lists.push(...index.lists.filter((list) => codeOf(list) === endedAllergies));
      }
    }
  }
  addIssues(chosen, index, issuesWanted(asked.areas));
  const secondary: List[] = [];
  if (asked.areas.has('includeConsultations')) {
    secondary.push(...inConsultations(contentsOf(chosen, index), chosen, index));
  }
  if (asked.areas.has('includeProblems')) secondary.push(...relatedToProblems(chosen, index));
  addWhatHangsOn(chosen, index);
  if (!asked.areas.has('includeProblems')) secondary.push(...linkedProblems(chosen, index));
  const people = index.resources.filter(({ resourceType }) => always.includes(resourceType));
  return bundleOf([
    ...people,
    ...lists,
    ...secondary,
    ...index.resources.filter((resource) => chosen.has(resource)),
    ...(silences.length > 0 ? [outcomeOf(silences)] : []),
  ]);
}

/** SNOMED CT code of the List whose entries are contained. */
const endedAllergies = '1103671000000101';

/** A copy of the List with the entries that pass, which are added to `chosen`. */
function chooseFrom(
  list: List,
  filters: Filters,
  index: RecordIndex,
  chosen: Set<FhirResource>,
): List {
  const entries = list.entry ?? [];
  let kept = entries.filter(({ item }) => {
    const resource = index.find(item);
    return !resource || passesFilters(resource, filters, index);
  });
  const most = filters.includeNumberOfMostRecent;
  if (typeof most === 'number') {
    const startOf = ({ item }: ListEntry) => {
      const resource = index.find(item);
      return (resource && encounterOf(resource, index)?.period?.start) ?? '';
    };
    kept = [...kept].sort((a, b) => startOf(b).localeCompare(startOf(a))).slice(0, most);
  }
  for (const { item } of kept) for (const resource of index.findAll(item)) chosen.add(resource);
  if (kept.length === entries.length) return list;
  if (kept.length > 0) return { ...list, entry: kept };
  return emptied(list);
}

/** The List with nothing recorded: a reason, and the note "Information not available". */
export function emptied({ entry: _entry, contained: _contained, ...list }: List): List {
  const before = list.note?.[0]?.text;
  const text = 'Information not available';
  return {
    ...list,
    note: [{ text: before === undefined ? text : `${before} ${text}` }],
    emptyReason: {
      coding: [
        {
          system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-ListEmptyReasonCode-1',
          code: 'no-content-recorded',
          display: 'No Content Recorded',
        },
      ],
    },
  };
}

/** includePrescriptionIssues is true unless it is told to be false. */
function issuesWanted(asked: Map<Area, Filters>): boolean {
  const medication = asked.get('includeMedication');
  return medication === undefined || medication.includePrescriptionIssues !== false;
}

/** The issues of chosen statements, where they are wanted. */
function addIssues(chosen: Set<FhirResource>, index: RecordIndex, wanted: boolean): void {
  const plans = new Set(
    [...chosen].flatMap((one) =>
      one.resourceType === 'MedicationStatement' ? index.findAll(one.basedOn) : [],
    ),
  );
  for (const request of wanted ? index.resources : []) {
    if (request.resourceType !== 'MedicationRequest' || request.intent !== 'order') continue;
    if (index.findAll(request.basedOn).some((plan) => plans.has(plan))) chosen.add(request);
  }
}

/** Plans, medications, results and specimens of reports, letters of referrals. */
function addWhatHangsOn(chosen: Set<FhirResource>, index: RecordIndex): void {
  const add = (...groups: (Reference | Reference[] | undefined)[]): void => {
    for (const resource of groups.flatMap(index.findAll)) {
      if (chosen.has(resource)) continue;
      chosen.add(resource);
      follow(resource);
    }
  };
  const follow = (resource: FhirResource): void => {
    switch (resource.resourceType) {
      case 'MedicationStatement':
        return add(resource.medicationReference, resource.basedOn);
      case 'MedicationRequest':
        return add(resource.medicationReference);
      case 'DiagnosticReport':
        return add(resource.result, resource.specimen, resource.basedOn);
      case 'Observation':
        return add(
          resource.specimen,
          (resource.related ?? []).map(({ target }) => target),
        );
      case 'ReferralRequest':
      case 'ProcedureRequest':
        return add(resource.supportingInfo);
    }
  };
  for (const resource of [...chosen]) follow(resource);
}

function unrecognised(parameter: string): Silence {
  return { parameter, text: `${parameter} is an unrecognised parameter` };
}

function outcomeOf(silences: Silence[]): FhirResource {
  const coding = [{ system: providerSystem, code: 'NOT_IMPLEMENTED', display: 'Not implemented' }];
  return {
    resourceType: 'OperationOutcome',
    meta: { profile: [outcomeProfile] },
    issue: silences.map(({ parameter, text }) => ({
      severity: 'warning',
      code: 'not-supported',
      details: { coding, text },
      diagnostics: parameter,
    })),
  };
}

/** A reply Bundle: collection, no fullUrl, no paging. */
export function bundleOf(resources: FhirResource[]): Bundle {
  return {
    resourceType: 'Bundle',
    meta: {
      profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-StructuredRecord-Bundle-1'],
    },
    type: 'collection',
    entry: resources.map((resource) => ({ resource })),
  };
}

function codeOf(list: List): string | undefined {
  return list.code?.coding?.[0]?.code;
}
