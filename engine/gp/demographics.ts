/**
 * Is the record's patient the one PDS knows, and the one the query means? GP Connect 1.6 requires that every difference in
 * family name, given name, gender or date of birth is shown to the user ("Patient demographic
 * cross-checking").
 */
import { nameOf, resourcesOf } from './bundle.ts';
import type { Trace } from './port.ts';

export type Demographic = 'family' | 'given' | 'gender' | 'birthDate';

const collator = new Intl.Collator('en', { sensitivity: 'base', ignorePunctuation: true });

/**
 * Equal but for case, accents, spaces, hyphens and apostrophes: `O’Brien` and `OBRIEN`, `Müller`
 * and `MULLER` (Unicode collation, primary strength, punctuation ignored).
 */
export function sameText(a: string, b: string): boolean {
  return collator.compare(a, b) === 0;
}

/**
 * Which of the four differ between the trace and the record's Patient; names only, never values.
 * What the trace does not know is not compared; what it knows and the record lacks differs. Of
 * given names the shorter list decides, since middle names are often left out; of dates the
 * coarser one. A record without a Patient differs in everything the trace knows.
 */
export function differences(trace: Trace, bundle: unknown): Demographic[] {
  const patient = resourcesOf(bundle, 'Patient')[0] ?? {};
  const name = nameOf(patient) ?? {};
  const differing: Demographic[] = [];
  const compare = (what: Demographic, known: string[], recorded: string[]) => {
    if (known.length > 0 && !sameStart(known, recorded)) differing.push(what);
  };
  compare('family', texts(trace.family), texts(name.family));
  compare('given', words(trace.given), words(name.given));
  compare('gender', texts(trace.gender), texts(patient.gender));
  compare('birthDate', dateParts(trace.birthDate), dateParts(patient.birthDate));
  return differing;
}

/** What a query says of the patient it asks for. */
export interface Claimed {
  family?: string;
  /** One or several, separated by spaces. */
  given?: string;
  /** HL7 table 0001, or the NHS codes 1, 2 and 9. */
  gender?: string;
  /** `YYYYMMDD`, or only its beginning. */
  birthDate?: string;
}

/**
 * Which of the four differ between the query and the trace, by the same rules; what one of them
 * does not say is not compared.
 */
export function claimsDiffering(claimed: Claimed, trace: Trace): Demographic[] {
  const born = /^(\d{4})(\d\d)?(\d\d)?/.exec(claimed.birthDate ?? '')?.slice(1) ?? [];
  const sides: Record<Demographic, [string[], string[]]> = {
    family: [texts(claimed.family), texts(trace.family)],
    given: [words([claimed.given]), words(trace.given)],
    gender: [texts(genders[claimed.gender?.toUpperCase() ?? '']), texts(trace.gender)],
    birthDate: [born.filter(Boolean), dateParts(trace.birthDate)],
  };
  return (Object.keys(sides) as Demographic[]).filter((what) => {
    const [said, known] = sides[what];
    const unsaid = said.length === 0 || known.length === 0;
    return !unsaid && trace[what] !== 'unknown' && !sameStart(said, known);
  });
}

/** Whether a date of birth that was sent, if any, is one that can be compared. */
export function isBirthDate(text: string | undefined): boolean {
  return text === undefined || /^\d{4}(?:\d\d){0,2}$/.test(text);
}

const genders: Readonly<Record<string, string>> = {
  M: 'male',
  F: 'female',
  O: 'other',
  A: 'other',
  1: 'male',
  2: 'female',
  9: 'other',
};

/** Whether a trace says anything that a record could be compared with. */
export function isComparable({ family, given, gender, birthDate }: Trace): boolean {
  return [texts(family), words(given), texts(gender), texts(birthDate)].flat().length > 0;
}

/** Whether two lists agree as far as the shorter one goes, and both say something. */
function sameStart(a: string[], b: string[]): boolean {
  const length = Math.min(a.length, b.length);
  if (length === 0) return false;
  return a.slice(0, length).every((item, at) => sameText(item, b[at] ?? ''));
}

const texts = (value: unknown): string[] =>
  typeof value === 'string' && value.trim() !== '' ? [value] : [];

/** Given names one by one: some systems send all of them as one. */
const words = (value: unknown): string[] =>
  (Array.isArray(value) ? value : []).flatMap((item: unknown) =>
    texts(item).flatMap((text) => text.trim().split(/\s+/)),
  );

/** Year, month and day, as far as they are given. */
const dateParts = (value: unknown): string[] =>
  texts(value).flatMap((text) => text.slice(0, 10).split('-'));
