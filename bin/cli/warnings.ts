/** Where a stored message leaves the standard, for `message explain`. */
import { profileStructures } from '../../engine/hl7/definitions/profile.ts';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { validateMessage } from '../../engine/hl7/validate.ts';
import type { Entry } from '../../engine/journal/journal.ts';

/** One line a finding of the received message and of our answer; names and places, never values. */
export function warningsOf(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ kind, body }) => {
    if (!body || (kind !== 'received' && kind !== 'answer')) return [];
    const message = readable(body);
    if (!message) return [];
    const id = message.get('MSH-9.3');
    const structure = Object.entries(profileStructures).find(([name]) => name === id)?.[1];
    const tolerated = message.warnings.map((code) => `${kind}: ${code}`);
    const findings = validateMessage(message, { structure }).map(
      ({ says, times }) => `${kind}: ${says}${times > 1 ? ` (${times} places)` : ''}`,
    );
    return [...tolerated, ...findings];
  });
}

function readable(body: Uint8Array): Message | undefined {
  try {
    return parseMessage(body);
  } catch {
    return undefined;
  }
}
