/**
 * Answers in parts: a query with a quantity (RCP-2) gets so many clinical items and a pointer
 * (DSC-1); the same query with that pointer gets the next ones, from the record that was fetched
 * for the first (HL7 v2.5 §5.6.3, interactive continuation).
 */
import type { Performed } from './asking.ts';
import type { Fault } from './faults.ts';
import { contentVersion } from './hl7/version.ts';
import { itemsOf, partOf } from './query/in-parts.ts';
import type { ReadWork, Work } from './work.ts';

/** The one answer to every pointer that leads nowhere. */
export const pointerUnknown: Fault = {
  name: 'pointerUnknown',
  at: [{ segment: 'DSC', sequence: 1, field: 1 }],
};

/**
 * Find the record a query continues. A pointer that is unknown, expired or another asker's, or from
 * before a restart, is answered in the same words, so that nobody learns which it was.
 */
export function resume(work: ReadWork): Performed {
  const { query, held } = work;
  const [, name = '', from] = /^(\w+)-(\d{1,9})$/.exec(query?.pointer ?? '') ?? [];
  const found = held.find(name, askerOf(work));
  if (!found || Number(from) < 1 || Number(from) >= itemsOf(found.record)) {
    return { event: 'refused', fault: pointerUnknown };
  }
  work.record = found.record;
  work.cautions.push(...found.cautions);
  work.keys.practice = found.practice;
  work.continues = { name, from: Number(from) };
  return { event: 'found' };
}

/**
 * Cut this answer's part from the record, and hold the record where there is more. What cannot be
 * held is given whole: more than was wanted, and nothing is lost.
 */
export function takePart(work: ReadWork): void {
  const { query, record, continues, cautions, keys } = work;
  if (!query || !record || !canResume(work)) return;
  if (query.quantity === undefined && !continues) return;
  const { name, from } = continues ?? { name: work.name, from: 0 };
  const part = partOf(record, from, query.quantity ?? Infinity);
  const { items } = part;
  if (items.left > 0 && !continues) {
    const held = { record, cautions: [...cautions], practice: keys.practice };
    if (!work.held.hold(name, askerOf(work), held)) return;
  }
  work.record = part.record;
  work.part = { items, ...(items.left > 0 && { pointer: `${name}-${from + items.here}` }) };
}

/**
 * Who may fetch the rest, and of what: the same user of the same facility, about the same patient,
 * with the same query. Other datasets would read as if they had been asked for; and what is held may
 * be written already, with the delimiters of the first query.
 */
function askerOf({ message, query }: ReadWork): string {
  const { asker, nhsNumber, datasets, from, to, kind } = query ?? {};
  const who = [message.get('MSH-4'), asker?.user.id, asker?.user.localId, asker?.organisation.ods];
  const version = contentVersion(message.get('MSH-12'));
  const { delimiters } = message;
  return JSON.stringify([...who, nhsNumber, kind?.type, version, datasets, from, to, delimiters]);
}

/** Whether a route can give the rest of an answer; without it, answers are whole. */
export function canResume({ route }: Work): boolean {
  return Object.values(route.definition.states).some((s) => 'do' in s && s.do === 'resume');
}
