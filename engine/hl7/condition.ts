/** Conditions on a message, as channels and mappings state them. */
import type { Message } from './message.ts';

/** By place or segment: one of these values, or whether it is there at all. */
export type Condition = Readonly<Record<string, readonly string[] | 'present' | 'absent'>>;

/**
 * The first part of a condition that does not hold; undefined where all of it does. HL7 holds an
 * empty field to be the same as one that is absent (v2.5 §2.5.3).
 * @param resolve what a place means here; itself unless told
 * @returns in words that name places and the wanted values, never the message's own
 */
export function unmet(
  message: Message,
  condition: Condition,
  resolve: (place: string) => string = (place) => place,
): string | undefined {
  for (const [place, wanted] of Object.entries(condition)) {
    const at = resolve(place);
    if (typeof wanted === 'string') {
      const there = isThere(message, at);
      if (there !== (wanted === 'present')) return `${at} is ${there ? 'present' : 'absent'}`;
    } else if (!wanted.includes(message.get(at) ?? '')) {
      return `${at} is none of ${wanted.join(', ')}`;
    }
  }
  return undefined;
}

function isThere(message: Message, place: string): boolean {
  const text = message.raw(place);
  return text !== undefined && text !== '';
}
