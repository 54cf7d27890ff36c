/**
 * A list of where patients are registered, as hospitals have it from their own system: NHS number, ODS
 * code of the practice, and the date on which that was known. Read in pieces, however long it is; of
 * what is wrong only the line is told, never the content.
 */
import { parse } from 'csv-parse/sync';
import { nhsNumberValid } from '../hl7/nhs-number.ts';

/** Why a row is not taken. */
export const patientSkips = {
  nhsNumber: 'no NHS number, or one that fails its check digit',
  practice: 'no ODS code of a practice',
  date: 'no date, and none given with --as-of',
  future: 'a date that is still to come',
} as const;
export type PatientSkip = keyof typeof patientSkips;

export interface PatientRows {
  rows: number;
  skipped: Record<PatientSkip, number>;
  /** The first rows that were not taken, by line. */
  first: { line: number; why: PatientSkip }[];
}

/** A value as it stands between quotes. */
const unquoted = (cell: string): string =>
  cell.startsWith('"') && cell.endsWith('"') ? cell.slice(1, -1).trim() : cell;

const mostTold = 10;
const dayMs = 86_400_000;

/**
 * Read a list row by row.
 * @param asOf milliseconds since 1970, for rows without a date
 * @param now milliseconds since 1970
 */
export function createPatientList({ asOf, now }: { asOf?: number; now: number }) {
  const read: PatientRows = {
    rows: 0,
    skipped: { nhsNumber: 0, practice: 0, date: 0, future: 0 },
    first: [],
  };
  let rest = '';
  let line = 0;
  const dates = new Map<string, number | undefined>();
  const dateOf = (text: string): number | undefined => {
    if (text === '') return asOf;
    if (!dates.has(text)) dates.set(text, parseDate(text));
    return dates.get(text);
  };

  function* taken(text: string): Generator<[patient: string, practice: string, at: number]> {
    const records: string[][] = parse(text, {
      delimiter: [',', ';', '\t'],
      trim: true,
      relax_column_count: true,
      // No value that is read here has a delimiter in it: one that is never closed spoils its own row alone.
      quote: null,
      skip_empty_lines: false,
    });
    for (const record of records) {
      const [number = '', code = '', date = ''] = record.map(unquoted);
      line += 1;
      if (number === '' && code === '') continue;
      // A first line that names the columns.
      if (line === 1 && !/\d/.test(number)) continue;
      read.rows += 1;
      const skip = (why: PatientSkip): void => {
        read.skipped[why] += 1;
        if (read.first.length < mostTold) read.first.push({ line, why });
      };
      const patient = number.replace(/[ -]/g, '');
      const at = dateOf(date);
      if (!nhsNumberValid(patient)) skip('nhsNumber');
      else if (!/^[A-Za-z0-9]{3,10}$/.test(code)) skip('practice');
      else if (at === undefined) skip('date');
      else if (at > now) skip('future');
      // The index knows no time before 1970.
      else yield [patient, code.toUpperCase(), Math.max(at, 1) * 1000];
    }
  }

  return {
    read,
    /** The rows of the next piece of the file. */
    *piece(text: string): Generator<[patient: string, practice: string, at: number]> {
      const all = rest + (line === 0 && rest === '' ? text.replace(/^\ufeff/, '') : text);
      const end = all.lastIndexOf('\n') + 1;
      rest = all.slice(end);
      if (end > 0) yield* taken(all.slice(0, end));
    },
    /** What stands behind the last line's end. */
    *end(): Generator<[patient: string, practice: string, at: number]> {
      if (rest.trim() !== '') yield* taken(rest);
      rest = '';
    },
  };
}

/**
 * A date as lists have it: `2026-06-04`, `20260604`, `04/06/2026` (day first), each with a time after it
 * or not.
 * @returns milliseconds since 1970 of the beginning of the day (UTC); undefined where it is no date
 */
export function parseDate(text: string): number | undefined {
  const iso = /^(\d{4})-?(\d{2})-?(\d{2})(?:[T ]?[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)?$/.exec(text);
  const british = /^(\d{2})\/(\d{2})\/(\d{4})(?: [\d:]+)?$/.exec(text);
  const [year, month, day] = iso
    ? [iso[1], iso[2], iso[3]]
    : [british?.[3], british?.[2], british?.[1]];
  const at = Date.UTC(Number(year), Number(month) - 1, Number(day));
  if (Number.isNaN(at)) return undefined;
  // 31 February is no day.
  return new Date(at).getUTCDate() === Number(day) && Number(month) <= 12 ? at : undefined;
}

/** The beginning of today (UTC): the latest date that a list may have. */
export const startOfDay = (now: number): number => Math.floor(now / dayMs) * dayMs;
