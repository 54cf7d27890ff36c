/** The patient index, read: a patient who was merged into another is where that one is. */
import type { KnownPractice } from './journal.ts';

/** What is stored of one patient: a practice, or none, or the patient they were merged into. */
export interface PracticeRow<Patient = Buffer> {
  practice: string;
  at: number;
  into?: Patient | null;
  /** Null: ADT; others by `sources`. */
  source?: number | null;
}

/** How the index says where a row came from. */
export const sources = { list: 1, pds: 2 } as const;

/** More merges in a row than any patient has; what goes round in a circle ends here. */
const mostMerges = 20;

/** Where a patient is registered. @param rowOf the last word on one patient */
export function followed<Patient>(
  patient: Patient,
  rowOf: (patient: Patient) => PracticeRow<Patient> | undefined,
): KnownPractice | undefined {
  let row = rowOf(patient);
  let merges = 0;
  while (row?.into && merges < mostMerges) {
    row = rowOf(row.into);
    merges += 1;
  }
  if (!row || row.into || row.practice === '') return undefined;
  const { practice, at, source } = row;
  const from = (['list', 'pds'] as const).find((name) => sources[name] === source);
  return { practice, at, ...(merges > 0 && { merged: true }), ...(from && { source: from }) };
}
