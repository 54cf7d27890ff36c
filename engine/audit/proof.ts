/**
 * Whether a text of the answer is a value of the source: the same text, the same date in HL7's
 * writing, the row of a table, or the value whole within words that a rule puts around it. Written
 * apart from the code that formats, so that a mistake there is found here.
 */
import type { Table } from '../mapping/tables.ts';

/**
 * @param value as it stands in the source
 * @param texts what stands in the answer
 * @param table the code table the rule names, where it names one
 */
export function proves(value: string, texts: readonly string[], table?: Table): boolean {
  const tabulated = table?.rows.get(value)?.value;
  return texts.some(
    (text) =>
      text === value ||
      (tabulated !== undefined && (text === tabulated || holdsWhole(text, tabulated))) ||
      holdsDate(text, value) ||
      holdsWhole(text, value),
  );
}

/** Whether a text holds a value that nothing of the same kind adjoins: `28` in `D28`, not in `128`. */
export function holdsWhole(text: string, value: string): boolean {
  if (value === '' || text.length <= value.length) return false;
  return (
    finds(text, value) ||
    // What a field could not hold may be shown as JSON.
    (/["\\\u0000-\u001f]/.test(value) && finds(text, JSON.stringify(value).slice(1, -1)))
  );
}

function finds(text: string, value: string): boolean {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    const end = at + value.length;
    if (!adjoins(text[at - 1], value[0]) && !adjoins(text[end], value.at(-1))) return true;
  }
  return false;
}

/** Whether a character beside a value makes another word or another number of it. */
function adjoins(beside: string | undefined, end: string | undefined): boolean {
  const kind = /\p{N}/u.test(end ?? '') ? /\p{N}/u : /[\p{L}\p{N}]/u;
  return /[\p{L}\p{N}]/u.test(end ?? '') && kind.test(beside ?? '');
}

const fhirDate = /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
const hl7Date = /(?<!\d)\d{4,14}(\.\d+)?([+-]\d{4})?(?!\d)/g;

/** Whether a text holds a FHIR date as a TS or DT; a midnight may be left out, nothing else. */
function holdsDate(text: string, value: string): boolean {
  if (!fhirDate.test(value)) return false;
  const whole = bare(value);
  const day = /^(\d{8})0{4}(?:00(?:\.0+)?)?(?:[+-]\d{4})?$/.exec(whole)?.[1];
  return [...text.matchAll(hl7Date)].some(([date]) => date === whole || date === day);
}

/** `2011-03-04T05:06:07.1230Z` as `20110304050607.123+0000`. */
function bare(value: string): string {
  const [date = '', time = ''] = value.split('T');
  const [, clock = '', fraction = '', zone = ''] = /^([\d:]*)(\.\d+)?(.*)$/.exec(time) ?? [];
  const digits = date.replaceAll('-', '') + clock.replaceAll(':', '');
  // A TS holds four decimals (HL7 v2.4 §2.9.47); what goes beyond is left in a note as it came.
  return digits + fraction.slice(0, 5) + (zone === 'Z' ? '+0000' : zone.replace(':', ''));
}
