/** Where a stored message leaves the standard, for `message explain`. */
import { declaredDeviations } from '../../engine/hl7/definitions/declared.ts';
import { profileStructures } from '../../engine/hl7/definitions/profile.ts';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { type Finding, validateMessage } from '../../engine/hl7/validate.ts';
import type { Entry } from '../../engine/journal/journal.ts';
import { queryKinds } from '../../engine/query/kinds.ts';

/**
 * One line a finding: where what was received leaves the standard, and where our answer leaves the
 * profile (docs/profile.md). Names and places, never values.
 */
export function warningsOf(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ kind, body }) => {
    if (!body || (kind !== 'received' && kind !== 'answer')) return [];
    const message = readable(body);
    if (!message) return [];
    const found = kind === 'answer' ? beyondProfile(message) : validateMessage(message);
    const tolerated = message.warnings.map((code) => `${kind}: ${code}`);
    const findings = found.map(
      ({ says, times }) => `${kind}: ${says}${times > 1 ? ` (${times} places)` : ''}`,
    );
    return [...tolerated, ...findings];
  });
}

/** Where an answer is otherwise than the profile says. */
function beyondProfile(answer: Message): Finding[] {
  const [code, event] = [answer.get('MSH-9.1'), answer.get('MSH-9.2')];
  // By the event: up to 2.3 an answer does not name its structure.
  const kind = queryKinds.find((one) => one.answer.code === code && one.answer.event === event);
  const named = Object.entries(profileStructures).find(([id]) => id === kind?.answer.structure);
  return validateMessage(answer, { structure: named?.[1] }).filter(
    ({ says }) => !declaredDeviations.some(({ finding }) => finding.test(says)),
  );
}

function readable(body: Uint8Array): Message | undefined {
  try {
    return parseMessage(body);
  } catch {
    return undefined;
  }
}
