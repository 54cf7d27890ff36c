/**
 * The clinical areas of Access Record Structured (GP Connect 1.6), the filters each takes, and the
 * combinations of filters that are not permitted because they would hide gaps in the record.
 */
import type { Refusal } from './outcome.ts';

export type PartKind =
  | 'boolean'
  | 'status' // active or inactive
  | 'positiveInt'
  | 'dateToToday' // a whole date, not in the future
  | 'dateFromToday' // a whole date, not in the past
  | 'period'; // whole dates, not in the future, start not after end

export interface AreaDefinition {
  /** SNOMED CT code of the primary List. */
  list: string;
  parts: Record<string, PartKind>;
  required?: string;
}

/** The clinical areas, the List each is answered with, and the filters each takes. */
export const areas = {
  includeAllergies: {
    list: '886921000000105',
    parts: { includeResolvedAllergies: 'boolean' },
    required: 'includeResolvedAllergies',
  },
  includeMedication: {
    list: '933361000000108',
    parts: { includePrescriptionIssues: 'boolean', medicationSearchFromDate: 'dateToToday' },
  },
  includeConsultations: {
    list: '1149501000000101',
    parts: { consultationSearchPeriod: 'period', includeNumberOfMostRecent: 'positiveInt' },
  },
  includeProblems: { list: '717711000000103', parts: { filterStatus: 'status' } },
  includeImmunisations: {
    list: '1102181000000102',
    parts: { includeNotGiven: 'boolean', includeStatus: 'boolean' },
  },
  includeUncategorisedData: {
    list: '826501000000100',
    parts: { uncategorisedDataSearchPeriod: 'period' },
  },
  includeInvestigations: {
    list: '887191000000108',
    parts: { investigationSearchPeriod: 'period' },
  },
  includeReferrals: { list: '792931000000107', parts: { referralSearchPeriod: 'period' } },
  includeDiaryEntries: {
    list: '714311000000108',
    parts: { diaryEntriesSearchDate: 'dateFromToday' },
  },
} satisfies Record<string, AreaDefinition>;

export type Area = keyof typeof areas;
export type Period = { start?: string; end?: string };
export type Filters = Record<string, boolean | string | number | Period>;

export interface Asked {
  nhsNumber: string;
  areas: Map<Area, Filters>;
  /** Parameters and parts (`a.b`) this version does not know. */
  unknown: string[];
}

/** Filters that would leave dangerous gaps beside consultations or problems. */
const unsafe: [Area, string][] = [
  ['includeMedication', 'medicationSearchFromDate'],
  ['includeUncategorisedData', 'uncategorisedDataSearchPeriod'],
  ['includeReferrals', 'referralSearchPeriod'],
  ['includeDiaryEntries', 'diaryEntriesSearchDate'],
  ['includeImmunisations', 'includeNotGiven'],
  ['includeImmunisations', 'includeStatus'],
];

/** GP Connect 1.6: "Not permitted parameter combinations" and the two predefined searches. */
export function refuseCombination({ areas: asked }: Asked): Refusal | undefined {
  const consultations = asked.get('includeConsultations');
  if (
    consultations &&
    'consultationSearchPeriod' in consultations &&
    'includeNumberOfMostRecent' in consultations
  ) {
    return {
      code: 'INVALID_RESOURCE',
      why: 'includeConsultations.consultationSearchPeriod and .includeNumberOfMostRecent exclude each other',
    };
  }
  if (isPredefined(asked)) return undefined;
  const forbidden: [Area, string][] = consultations
    ? [...unsafe, ['includeProblems', 'filterStatus']]
    : asked.has('includeProblems')
      ? unsafe
      : [];
  for (const [area, part] of forbidden) {
    if (part in (asked.get(area) ?? {})) {
      const other = consultations ? 'includeConsultations' : 'includeProblems';
      return {
        code: 'INVALID_PARAMETER',
        why: `${area}.${part} must not be combined with ${other}`,
      };
    }
  }
  return undefined;
}

/** The last three consultations, a year's medication, allergies, problems, and the paediatric one. */
function isPredefined(asked: Asked['areas']): boolean {
  const names = [...asked.keys()].sort().join();
  const small = [
    'includeAllergies',
    'includeConsultations',
    'includeMedication',
    'includeProblems',
  ];
  const large = [...small, 'includeImmunisations', 'includeUncategorisedData'].sort();
  if (names !== small.join() && names !== large.join()) return false;
  const filtered = [...asked].flatMap(([area, filters]) =>
    Object.keys(filters).map((name) => `${area}.${name}`),
  );
  const allowed = [
    'includeAllergies.includeResolvedAllergies',
    'includeConsultations.includeNumberOfMostRecent',
    'includeMedication.medicationSearchFromDate',
    'includeMedication.includePrescriptionIssues',
  ];
  return (
    asked.get('includeConsultations')?.includeNumberOfMostRecent === 3 &&
    filtered.every((name) => allowed.includes(name))
  );
}
