/** A message as people read and write it: one segment a line. */
import type { Message } from './message.ts';

/** The segments of a message, one a line, decoded and still escaped. */
export function segmentLines(message: Message): string {
  const seen: Record<string, number> = {};
  return message
    .segmentNames()
    .map((name) => {
      const occurrence = (seen[name] = (seen[name] ?? 0) + 1);
      return name === '' ? '' : (message.raw(`${name}[${occurrence}]`) ?? '');
    })
    .join('\n');
}
