/**
 * What is asked for when a structured record is: the clinical areas each dataset is made from, the
 * parameters of each area, and how they are spread over at most two requests (GP Connect 1.6,
 * "Retrieve a patient's structured record"; docs/decisions/0014-two-requests.md).
 */
import type { Dataset, RecordRequest } from './port.ts';

/** The datasets that are areas of GP Connect; the others are made from these. */
export type Area = 'ALL' | 'MED' | 'PRB' | 'IMM' | 'OBS' | 'INV' | 'ENC' | 'REF' | 'DRY';

/**
 * The areas each dataset is made from, in the order of the answer. A view is made from several, and
 * where it alone is asked for, they are asked for. PAT comes with every reply; documents are no
 * area of the structured record.
 */
export const sources: Readonly<Record<Dataset, readonly Area[]>> = {
  PAT: [],
  ALL: ['ALL'],
  RSK: ['ALL', 'PRB', 'OBS'],
  MED: ['MED'],
  PRB: ['PRB'],
  DIA: ['PRB'],
  IMM: ['IMM'],
  OBS: ['OBS'],
  INV: ['INV'],
  PROC: ['PRB', 'OBS'],
  ENC: ['ENC'],
  ADM: ['PRB', 'OBS', 'ENC'],
  REF: ['REF'],
  DRY: ['DRY'],
  DOC: [],
};

interface Parameter {
  name: string;
  valueIdentifier?: { system: string; value: string };
  valueBoolean?: boolean;
  valueDate?: string;
  valuePeriod?: Dates;
  part?: Parameter[];
}

/** A FHIR STU3 Parameters resource: the body of one request. */
export interface Parameters {
  resourceType: 'Parameters';
  parameter: Parameter[];
}

/** Whole days, `YYYY-MM-DD`, both included; a missing one is open. */
interface Dates {
  start?: string;
  end?: string;
}

interface AreaRequest {
  parameter: string;
  /** Parts that are always sent. */
  parts?: readonly Parameter[];
  /** The part that takes dates, and the sentence that says what they leave out. */
  dates?: { part: string; takes: 'start' | 'end' | 'period'; leavesOut: (dates: Dates) => string };
}

const yes = (name: string): Parameter => ({ name, valueBoolean: true });

/** `before 2025-01-01 and after 2025-06-30`: what lies outside of a period. */
const outside = ({ start, end }: Dates) =>
  [start && `before ${start}`, end && `after ${end}`].filter(Boolean).join(' and ');

/** Every area with all it holds: ended allergies, every issue, what was not given and why. */
const areas: Readonly<Record<Area, AreaRequest>> = {
  ALL: { parameter: 'includeAllergies', parts: [yes('includeResolvedAllergies')] },
  MED: {
    parameter: 'includeMedication',
    parts: [yes('includePrescriptionIssues')],
    dates: {
      part: 'medicationSearchFromDate',
      takes: 'start',
      leavesOut: ({ start }) => `Medication that ended before ${start} was not asked for`,
    },
  },
  // Valid without a part, although FHIR wants one (same page, "Important").
  PRB: { parameter: 'includeProblems' },
  IMM: {
    parameter: 'includeImmunisations',
    parts: [yes('includeNotGiven'), yes('includeStatus')],
  },
  OBS: {
    parameter: 'includeUncategorisedData',
    dates: {
      part: 'uncategorisedDataSearchPeriod',
      takes: 'period',
      leavesOut: (dates) => `Items dated ${outside(dates)} were not asked for`,
    },
  },
  INV: {
    parameter: 'includeInvestigations',
    dates: {
      part: 'investigationSearchPeriod',
      takes: 'period',
      leavesOut: (dates) => `Investigations issued ${outside(dates)} were not asked for`,
    },
  },
  ENC: {
    parameter: 'includeConsultations',
    dates: {
      part: 'consultationSearchPeriod',
      takes: 'period',
      leavesOut: (dates) => `Consultations ${outside(dates)} were not asked for`,
    },
  },
  REF: {
    parameter: 'includeReferrals',
    dates: {
      part: 'referralSearchPeriod',
      takes: 'period',
      leavesOut: (dates) => `Referrals made ${outside(dates)} were not asked for`,
    },
  },
  DRY: {
    parameter: 'includeDiaryEntries',
    dates: {
      part: 'diaryEntriesSearchDate',
      takes: 'end',
      leavesOut: ({ end }) => `Diary entries due after ${end} were not asked for`,
    },
  },
};

/**
 * Parts a provider refuses beside consultations or problems with 422 INVALID_PARAMETER: they would
 * leave gaps in what those link to ("Not permitted parameter combinations").
 */
const notBesideLinks: ReadonlySet<string> = new Set([
  'medicationSearchFromDate',
  'uncategorisedDataSearchPeriod',
  'referralSearchPeriod',
  'diaryEntriesSearchDate',
  'includeNotGiven',
  'includeStatus',
]);

/** What is asked for one record, and what is thereby left out of it. */
export interface RecordRequests {
  /** One body a request; at least one. */
  requests: Parameters[];
  /**
   * What was not asked for because of the dates, by dataset asked for, in words for the clinician; a
   * view has the words of the areas it is made from.
   */
  limits: Partial<Record<Dataset, string>>;
  /** Something asked for is not limited to the dates asked for. */
  datesIgnored: boolean;
}

/**
 * All areas the datasets need: in one wide request, or in two where consultations or problems are
 * asked for and an area has parts that must not stand beside them. A request is never one that a
 * provider refuses.
 *
 * A date goes to the areas that take it, where the provider allows it (a period ends today at the
 * latest, a diary search today at the earliest). Where it is not sent, the record holds more than
 * was asked for, never less; `datesIgnored` says so.
 * @param today `YYYY-MM-DD` in Europe/London
 */
export function recordRequests(request: RecordRequest, today: string): RecordRequests {
  const needed = new Set(request.datasets.flatMap((dataset) => sources[dataset]));
  const { start, end } = wholeDays(request);
  const left: Partial<Record<Area, string>> = {};
  let datesIgnored = false;
  const parameters: Parameter[] = [];
  for (const [area, { parameter: name, parts = [], dates }] of Object.entries(areas)) {
    if (!needed.has(area as Area)) continue;
    const sent: Dates = {};
    if (start && start <= today && dates && dates.takes !== 'end') sent.start = start;
    if (end && dates?.takes === 'period' && end <= today) sent.end = end;
    if (end && dates?.takes === 'end' && end >= today) sent.end = end;
    const part = [...parts];
    if (dates && (sent.start || sent.end)) {
      part.push(dated(dates.part, dates.takes, sent));
      left[area as Area] = dates.leavesOut(sent);
    }
    // Nothing is recorded after today: a period that ends later needs no end.
    const endNeeded = request.to && !(dates?.takes === 'period' && end && end > today);
    if ((request.from && !sent.start) || (endNeeded && !sent.end)) datesIgnored = true;
    parameters.push(part.length > 0 ? { name, part } : { name });
  }
  const linked = needed.has('PRB') || needed.has('ENC');
  const isApart = ({ part = [] }: Parameter) => part.some((one) => notBesideLinks.has(one.name));
  const groups =
    linked && parameters.some(isApart)
      ? [parameters.filter((one) => !isApart(one)), parameters.filter(isApart)]
      : [parameters];
  const requests = groups.map((group) => body(request.nhsNumber, group));
  const limits = Object.fromEntries(
    request.datasets.flatMap((dataset) => {
      const words = sources[dataset].flatMap((area) => left[area] ?? []);
      return words.length > 0 ? [[dataset, words.join('; ')]] : [];
    }),
  );
  return { requests, limits, datesIgnored };
}

/** The dates asked for, where they are whole days and in their order. */
function wholeDays({ from, to }: RecordRequest): Dates {
  const whole = (date: string | undefined) =>
    date !== undefined && /^\d{4}-\d\d-\d\d$/.test(date) ? date : undefined;
  const [start, end] = [whole(from), whole(to)];
  return start && end && start > end ? {} : { start, end };
}

function dated(name: string, takes: 'start' | 'end' | 'period', sent: Dates): Parameter {
  if (takes === 'period') return { name, valuePeriod: sent };
  return { name, valueDate: takes === 'start' ? sent.start : sent.end };
}

function body(value: string, parameters: readonly Parameter[]): Parameters {
  const valueIdentifier = { system: 'https://fhir.nhs.uk/Id/nhs-number', value };
  const parameter = [{ name: 'patientNHSNumber', valueIdentifier }, ...parameters];
  return { resourceType: 'Parameters', parameter };
}
