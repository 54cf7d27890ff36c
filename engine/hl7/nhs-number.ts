/**
 * NHS numbers: ten digits, the last a check digit modulus 11 (NHS Data Dictionary, NHS NUMBER).
 * In a message they are known by their authority, never by where they stand.
 */
import type { Message } from './message.ts';
import { formatPath, parsePath } from './path.ts';

export interface NhsNumber {
  /** Digits as sent, without spaces and hyphens; not yet checked. */
  number: string;
  /** Where it stands, for example `PID-3[2]`. */
  path: string;
  /** It was sent with spaces or hyphens in it; worth telling, they do not belong there. */
  spaced: boolean;
}

/** True for ten digits whose last is the right check digit; spaces and hyphens are overlooked. */
export function nhsNumberValid(text: string): boolean {
  const digits = compact(text);
  if (!/^\d{10}$/.test(digits)) return false;
  let sum = 0;
  for (let at = 0; at < 9; at++) sum += Number(digits.charAt(at)) * (10 - at);
  const check = (11 - (sum % 11)) % 11;
  return check === Number(digits.charAt(9));
}

/**
 * Every identifier of these fields whose authority is the NHS, in order: `…^^^NHS^NH` (HL7 UK A.3),
 * `…^^^NHS` (ITK) and `…^^^^NH`.
 * @param paths fields, for example `PID-3`; all their repetitions are read. QRD-8 is an XCN
 *   (authority in component 9, type in 13), though CX is met there too.
 */
export function findNhsNumbers(message: Message, paths: readonly string[]): NhsNumber[] {
  const found: NhsNumber[] = [];
  for (const text of paths) {
    const repetitions = message.repetitions(text);
    for (let repetition = 1; repetition <= repetitions; repetition++) {
      const { path, identifier, authorities, types } = placesOf(text, repetition);
      const number = message.get(identifier);
      if (number === undefined || number === '""') continue;
      const reads = (value: string) => (place: string) =>
        message.get(place)?.trim().toUpperCase() === value;
      if (!authorities.some(reads('NHS')) && !types.some(reads('NH'))) continue;
      found.push({ number: compact(number), path, spaced: compact(number) !== number });
    }
  }
  return found;
}

/** Where the parts of one repetition stand. */
interface Places {
  path: string;
  identifier: string;
  authorities: string[];
  types: string[];
}

/** By field, of which few hold patients: the same paths are read in every message. */
const known = new Map<string, Places[]>();

function placesOf(text: string, repetition: number): Places {
  let all = known.get(text);
  if (!all) known.set(text, (all = []));
  const seen = all[repetition];
  if (seen) return seen;
  const { segment, occurrence, field } = parsePath(text);
  const layouts = segment === 'QRD' && field === 8 ? [cx, xcn] : [cx];
  const path = formatPath({ segment, occurrence, field, repetition });
  const places = {
    path,
    identifier: `${path}.1`,
    authorities: layouts.map(({ authority }) => `${path}.${authority}`),
    types: layouts.map(({ type }) => `${path}.${type}`),
  };
  // A field that repeats more often is rare, and must not fill the memory.
  if (repetition <= 10) all[repetition] = places;
  return places;
}

/**
 * The first NHS number of these fields, without spaces and hyphens, not yet checked; undefined
 * when none of them has the authority NHS or the type NH.
 */
export function findNhsNumber(message: Message, paths: readonly string[]): string | undefined {
  return findNhsNumbers(message, paths)[0]?.number;
}

/** Components of the assigning authority and the identifier type code. */
const cx = { authority: 4, type: 5 };
const xcn = { authority: 9, type: 13 };

function compact(text: string): string {
  return text.replace(/[\s-]/g, '');
}
