/** Values that the engine's files and journal know: channels, destinations, faults, messages. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { faults } from '../../../engine/faults.ts';
import { exchangeName } from '../../../engine/journal/journal.ts';
import { withJournal } from '../journals.ts';
import { siteFolder } from '../site-folder.ts';
import { time } from '../times.ts';
import type { Candidate, Wanted } from './words.ts';

/** Messages offered at most: the last ones. */
const mostMessages = 50;

/** The shell is to offer its own: names of files, or of folders. */
export type OfShell = 'files' | 'folders';

export interface Values {
  words: Candidate[];
  shell?: OfShell;
}

/** What can stand in a place. @param given options typed so far (`site`, `data`) */
export async function valuesFor(
  wanted: Wanted,
  given: Readonly<Record<string, string>>,
): Promise<Values> {
  if (wanted.choices) return { words: wanted.choices.map((word) => ({ word })) };
  switch (kindOf(wanted)) {
    case 'channel':
      return { words: channelsOf(given).map(({ name, says }) => ({ word: name, says })) };
    case 'destination':
      return {
        words: channelsOf(given).flatMap(({ name, feeds }) =>
          feeds.map((to) => ({ word: `${name}/${to}` })),
        ),
      };
    case 'fault':
      return { words: Object.values(faults).map(({ code, says }) => ({ word: code, says })) };
    case 'message':
      return { words: await messagesIn(given) };
    case 'message or file':
      // Without a journal a file can be named all the same.
      return { words: await messagesIn(given).catch(() => []), shell: 'files' };
    case 'route':
      return { words: namesIn(given, join('channels', 'routes')) };
    case 'files':
    case 'folders':
      return { words: [], shell: kindOf(wanted) as OfShell };
    default:
      return { words: [] };
  }
}

/** What a place takes, going by what it is called. */
function kindOf({ name, option, command }: Wanted) {
  if (name === 'channel/destination') return 'destination';
  if (option === 'channel' || name === 'channel') return 'channel';
  if (name === 'name' && option === undefined && command.startsWith('channel ')) return 'channel';
  if (name === 'code' && (option === 'fault' || command === 'explain')) return 'fault';
  if (name === 'id' || name === 'ids') return option === 'control-id' ? undefined : 'message';
  if (command === 'message diff') return 'message or file';
  if (name === 'route') return 'route';
  if (name === 'folder') return 'folders';
  return /file|cases|bundle|csv|pem/.test(name) ? 'files' : undefined;
}

interface KnownChannel {
  name: string;
  says?: string;
  /** Destinations that have a queue. */
  feeds: string[];
}

/** The channel files of a site, sound or not: who completes a line does not check it. */
function channelsOf(given: Readonly<Record<string, string>>): KnownChannel[] {
  return namesIn(given, 'channels').map(({ word: name }) => {
    try {
      const text = readFileSync(join(siteFolder(given.site), 'channels', `${name}.yaml`), 'utf8');
      const { description: says, destinations = {} } = parse(text) as {
        description?: string;
        destinations?: Record<string, { kind?: string }>;
      };
      const feeds = Object.keys(destinations).filter((to) => destinations[to]?.kind === 'feed');
      return { name, says, feeds };
    } catch {
      return { name, feeds: [] };
    }
  });
}

function namesIn(given: Readonly<Record<string, string>>, part: string): Candidate[] {
  return readdirSync(join(siteFolder(given.site), part))
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({ word: name.slice(0, -'.yaml'.length) }));
}

/** The last messages, newest first. */
async function messagesIn({ data = 'data', keyFile }: Readonly<Record<string, string>>) {
  return withJournal({ data, keyFile }, async (journal) => {
    const last = await journal.list({ limit: mostMessages });
    return last.map(({ id, channel, type, state }): Candidate => {
      const says = [time(id), channel, type, state].filter(Boolean).join(' ');
      return { word: exchangeName(id), says };
    });
  });
}
