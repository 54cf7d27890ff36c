/** How two messages differ, field by field, for a person who changes one. */
import { isHeader } from './node.ts';
import type { Message } from './message.ts';

export interface FieldDifference {
  /** `PID-5`, `OBX[3]-5`; a segment alone (`ZPV`) where only one of the messages has it. */
  at: string;
  /** As sent: decoded and still escaped; undefined where it is not there. */
  before?: string;
  after?: string;
}

/** The fields in which two messages differ; segments are compared by name and occurrence. */
export function differences(before: Message, after: Message): FieldDifference[] {
  const found: FieldDifference[] = [];
  const names = new Set([...before.segmentNames(), ...after.segmentNames()].filter(Boolean));
  for (const name of names) {
    const count = Math.max(before.count(name), after.count(name));
    for (let occurrence = 1; occurrence <= count; occurrence++) {
      const at = occurrence === 1 ? name : `${name}[${occurrence}]`;
      const [a, b] = [before.raw(at), after.raw(at)];
      if (a === b) continue;
      if (a === undefined || b === undefined) found.push({ at, before: a, after: b });
      else found.push(...fieldsDiffering(at, before, after));
    }
  }
  return found;
}

function fieldsDiffering(segment: string, before: Message, after: Message): FieldDifference[] {
  const found: FieldDifference[] = [];
  const fields = Math.max(before.fields(segment), after.fields(segment)) + 1;
  for (let field = isHeader(segment) ? 2 : 1; field <= fields; field++) {
    const at = `${segment}-${field}`;
    const [a, b] = [before.raw(at), after.raw(at)];
    if ((a ?? '') !== (b ?? '')) found.push({ at, before: a, after: b });
  }
  return found;
}
