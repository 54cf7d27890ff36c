/** The filters of the clinical areas (GP Connect 1.6, "Retrieve a patient's structured record"). */
import type { FhirResource, MedicationStatement } from 'fhir/r3.js';
import type { Filters, Period } from './areas.ts';
import { encounterOf } from './consultations.ts';
import type { RecordIndex } from './references.ts';

/** Whether a resource listed in an area passes the filters given for that area. */
export function passesFilters(
  resource: FhirResource,
  filters: Filters,
  index: RecordIndex,
): boolean {
  switch (resource.resourceType) {
    case 'MedicationStatement': {
      const from = filters.medicationSearchFromDate;
      return typeof from !== 'string' || isActiveFrom(resource, from, index);
    }
    case 'Condition':
      return filters.filterStatus === undefined || resource.clinicalStatus === filters.filterStatus;
    case 'Immunization':
      return filters.includeNotGiven === true || !resource.notGiven;
    case 'Encounter':
    case 'List':
      return within(encounterOf(resource, index)?.period?.start, filters.consultationSearchPeriod);
    case 'Observation':
      // Consent and dissent stand among the immunisations unless they are not wanted.
      if (filters.includeStatus === false) return false;
      return within(
        resource.effectiveDateTime ?? resource.effectivePeriod?.start,
        filters.uncategorisedDataSearchPeriod,
      );
    case 'DiagnosticReport':
      return within(resource.issued, filters.investigationSearchPeriod);
    case 'ReferralRequest':
      return within(resource.authoredOn, filters.referralSearchPeriod);
    case 'ProcedureRequest':
      return within(
        resource.occurrenceDateTime ?? resource.occurrencePeriod?.start,
        typeof filters.diaryEntriesSearchDate === 'string'
          ? { end: filters.diaryEntriesSearchDate }
          : undefined,
      );
    default:
      return true;
  }
}

/**
 * Active on or after the day: until its end; without one, a repeat for ever and an acute on its
 * first day only. Medication prescribed elsewhere is always returned.
 */
function isActiveFrom(statement: MedicationStatement, from: string, index: RecordIndex): boolean {
  const codes = (statement.extension ?? []).map(
    (extension) => extension.valueCodeableConcept?.coding?.[0]?.code,
  );
  if (codes.some((code) => code?.startsWith('prescribed-by-another'))) return true;
  const { start, end } = statement.effectivePeriod ?? {};
  if (end !== undefined) return end.slice(0, 10) >= from;
  const isAcute = index
    .findAll(statement.basedOn)
    .some(
      (plan) =>
        plan.resourceType === 'MedicationRequest' &&
        plan.extension?.some(({ valueCodeableConcept }) =>
          valueCodeableConcept?.coding?.some(({ code }) => code === 'acute'),
        ),
    );
  return !isAcute || start === undefined || start.slice(0, 10) >= from;
}

/** Whether a date, as precise as it is, can lie in the period; undated items are never left out. */
function within(date: string | undefined, filter: Filters[string] | undefined): boolean {
  if (date === undefined || typeof filter !== 'object') return true;
  const { start, end }: Period = filter;
  const day = date.slice(0, 10);
  const fromOk = start === undefined || day >= start.slice(0, day.length);
  return fromOk && (end === undefined || day <= end.slice(0, day.length));
}
