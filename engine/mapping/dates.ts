/**
 * FHIR dates as HL7 TS and DT (HL7 v2.4 §2.9.16, §2.9.47). A partial date stays partial, an offset
 * is kept as it was stated, nothing is padded and no time zone is assumed.
 */
const fhir =
  /^(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01])(?:T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d|60)(?:\.(\d+))?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?)?)?$/;

export type DateFormat = 'dateTime' | 'date' | 'day';
export const dateFormats = ['dateTime', 'date', 'day'] as const;

/** A formatted date, and whether something the source said had to stay behind. */
export interface FormattedDate {
  text: string;
  lossy: boolean;
}

/**
 * Format a FHIR date, dateTime or instant.
 *
 * - `dateTime` (TS): everything; seconds keep up to four decimals, which is all a TS can hold.
 * - `date` (DT): the date alone; lossy where a time of day other than midnight is left behind.
 * - `day`: for elements that GP systems fill with the midnight of a day (last issue date, end of an
 *   allergy). Exactly midnight in the offset stated with it is the day, whatever the offset; any
 *   other time is kept. Midnight UTC in summer is therefore taken as that day too, and
 *   23:00 UTC stays an instant: which local day it meant is not ours to guess.
 * @returns undefined where the value is not a FHIR date
 */
export function formatDate(value: string, format: DateFormat): FormattedDate | undefined {
  const match = fhir.exec(value);
  if (!match) return undefined;
  const [, year = '', month = '', day = '', hour, minute, second, fraction, zone] = match;
  const date = year + month + day;
  if (hour === undefined || minute === undefined) return { text: date, lossy: false };
  const midnight = Number(hour + minute + (second ?? '') + (fraction ?? '')) === 0;
  if (format === 'date') return { text: date, lossy: !midnight };
  if (format === 'day' && midnight) return { text: date, lossy: false };
  const decimals = fraction ? `.${fraction.slice(0, 4)}` : '';
  const offset = zone === 'Z' ? '+0000' : (zone ?? '').replace(':', '');
  return {
    text: date + hour + minute + (second ?? '') + decimals + offset,
    lossy: /[1-9]/.test(fraction?.slice(4) ?? ''),
  };
}

/** The HL7 type of a formatted date: DT without a time of day, else TS. */
export function dateType(text: string): 'DT' | 'TS' {
  return text.length > 8 ? 'TS' : 'DT';
}
