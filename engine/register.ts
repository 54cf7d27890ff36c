/**
 * The patient index, kept from ADT: which practice each patient is registered with (PD1-3), and
 * which identities were merged (MRG-1). It serves where PDS cannot be reached; see docs/lookup.md.
 *
 * A patient is known by the NHS number, and by hospital numbers only while a message names no NHS
 * number. Of two NHS numbers in one PID nobody can say which is meant, so nothing is kept.
 */
import type { Message } from './hl7/message.ts';
import { findNhsNumbers } from './hl7/nhs-number.ts';
import type { Journal, Registration } from './journal/journal.ts';

/** Events in which MRG names patients, not accounts or visits (HL7 v2.5 §3.3, table 0003). */
const merges: ReadonlySet<string> = new Set(['A18', 'A30', 'A34', 'A36', 'A39', 'A40']);

/** Whether a message merges patients. */
export function isMerge(message: Message): boolean {
  return merges.has(message.get('MSH-9.2') ?? '') && message.count('MRG') > 0;
}

/** The practice a PD1 names; empty where it says that there is none any more (the HL7 null). */
export function practiceIn(message: Message, pd1 = 'PD1'): string | undefined {
  const named = message.get(`${pd1}-3.3`) || message.get(`${pd1}-3.10`);
  if (named) return named === '""' ? '' : named;
  return message.get(`${pd1}-3.1`) === '""' ? '' : undefined;
}

/** What a message says of where its patients are registered. A merge says it of each of its patients. */
export function registrationsIn(message: Message): Registration[] {
  return groupsOf(message).flatMap(({ pid, pd1 }) => {
    const practice = pd1 && practiceIn(message, pd1);
    if (practice === undefined) return [];
    return identitiesOf(message, [`${pid}-3`]).map((patient) => ({ patient, practice }));
  });
}

/**
 * What a merge says: the merged identities point to the survivor, and a survivor whose practice
 * nobody has named inherits theirs. What an identity only points to is not handed on: hospital
 * numbers are given again.
 * @param practiceOf as the journal's
 */
export async function mergesIn(
  message: Message,
  practiceOf: Journal['practiceOf'],
): Promise<Registration[]> {
  const found: Registration[] = [];
  for (const { pid, pd1, mrg } of groupsOf(message)) {
    const survivors = identitiesOf(message, [`${pid}-3`]);
    const [survivor] = survivors;
    if (!mrg || survivor === undefined) continue;
    const kept = new Set([...survivors, ...allIdentities(message, [`${pid}-3`])]);
    const merged = allIdentities(message, [`${mrg}-1`, `${mrg}-4`]).filter((id) => !kept.has(id));
    const isNamed = pd1 !== undefined && practiceIn(message, pd1) !== undefined;
    if (!isNamed && !(await practiceOf(survivor))) {
      const known = await Promise.all(merged.map(practiceOf));
      const own = known.filter((one) => one !== undefined && !one.merged);
      const newest = own.reduce((a, b) => ((b?.at ?? 0) > (a?.at ?? 0) ? b : a), undefined);
      if (newest) {
        found.push(...survivors.map((patient) => ({ patient, practice: newest.practice })));
      }
    }
    found.push(...merged.map((patient) => ({ patient, practice: '', into: survivor })));
  }
  return found;
}

interface Group {
  pid: string;
  /** Undefined where it cannot be told whose PD1 it is. */
  pd1?: string;
  mrg?: string;
}

/** A40 repeats PID, PD1 and MRG; other messages have one patient. */
function groupsOf(message: Message): Group[] {
  const count = message.count('PID');
  const numbered = (name: string, i: number) =>
    message.count(name) === count ? `${name}[${i + 1}]` : undefined;
  return Array.from({ length: count }, (_, i) => ({
    pid: `PID[${i + 1}]`,
    pd1: numbered('PD1', i),
    mrg: numbered('MRG', i),
  }));
}

/** By whom a message means its patient: the one NHS number, or else the hospital's numbers. */
function identitiesOf(message: Message, fields: readonly string[]): string[] {
  const numbers = nhsNumbers(message, fields);
  if (numbers.length > 1) return [];
  return numbers.length === 1 ? numbers : localIds(message, fields);
}

const allIdentities = (message: Message, fields: readonly string[]): string[] => [
  ...nhsNumbers(message, fields),
  ...localIds(message, fields),
];

const nhsNumbers = (message: Message, fields: readonly string[]): string[] => [
  ...new Set(findNhsNumbers(message, fields).map(({ number }) => number)),
];

/** Numbers with their authority: `633481^R0A`. One without belongs to nobody. */
function localIds(message: Message, fields: readonly string[]): string[] {
  const nhs = new Set(findNhsNumbers(message, fields).map(({ path }) => path));
  return fields.flatMap((field) =>
    Array.from({ length: message.repetitions(field) }, (_, i) => `${field}[${i + 1}]`)
      .filter((place) => !nhs.has(place))
      .flatMap((place) => {
        const id = message.get(`${place}.1`)?.trim();
        const authority =
          message.get(`${place}.4.1`)?.trim() || message.get(`${place}.4.2`)?.trim();
        return id && id !== '""' && authority ? [`${id}^${authority.toUpperCase()}`] : [];
      }),
  );
}
