/** The practice table of a channel, and whether the channel can ask as its rows say. */
import { existsSync } from 'node:fs';
import { dirname, resolve as resolvePath } from 'node:path';
import type { Channel } from '../channel.ts';
import { type Practice, type Practices, loadPractices, practiceHeader } from '../gp/practices.ts';
import { shortPath } from './yaml.ts';

/** The path of a channel's practice table, where it names one. @param file of the channel */
export function tableOf(channel: Channel, file: string): string | undefined {
  return channel.ask.practices && resolvePath(dirname(file), channel.ask.practices);
}

/**
 * Load and check the table.
 * @param file of the channel
 * @param error told of what is wrong, with its place in the channel file
 * @throws ConfigError with every finding of the table itself
 */
export function loadTable(
  channel: Channel,
  file: string,
  error: (path: PropertyKey[], says: string, next?: string) => void,
): Practices | undefined {
  const at = ['ask', 'practices'];
  const table = tableOf(channel, file);
  if (table === undefined) {
    if (channel.ask.unlisted === 'refuse') {
      const next = `add practices: practices.csv, a file that begins with ${practiceHeader}`;
      error(['ask', 'unlisted'], 'there is no practice table, so no practice could be asked', next);
    }
    return undefined;
  }
  if (!existsSync(table)) return undefined;
  const practices = loadPractices(table);
  // Seven thousand rows that are wrong alike are one mistake.
  const wrong = new Map<string, Practice[]>();
  const found = (says: string, row: Practice) => wrong.set(says, [...(wrong.get(says) ?? []), row]);
  for (const row of practices.values()) {
    const { kind, destination, address } = row;
    if (destination && channel.destinations[destination]?.kind !== kind) {
      found(`"${destination}", which is no ${kind} destination here`, row);
    }
    if (kind === 'gpconnect' && !address && !channel.ask.locate) {
      found('no address, and the channel has no directory to ask for it (ask.locate)', row);
    }
  }
  for (const [says, [first, ...others]] of wrong) {
    if (!first) continue;
    const row = `practice ${first.ods} (${shortPath(table)}:${first.line})`;
    const more = others.length > 0 ? ` and ${others.length} others name ` : ' names ';
    const next = `destinations: ${Object.keys(channel.destinations).join(', ')}`;
    error(at, `${row}${more}${says}`, next);
  }
  return practices;
}
