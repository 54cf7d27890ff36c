/** What a journal holds and takes up, told without counting it: beside a running engine or alone. */
import { existsSync, statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { filesOf } from './database.ts';
import { createGatherer, mostUnindexed } from './gather.ts';
import type { Channel } from './gather.ts';
import type { Progress } from './journal.ts';
import type { IndexedOutline, Mark } from './keyindex.ts';
import { closeReaders, openReaders, readKeysOf } from './open.ts';
import { combine } from './outline.ts';
import { find, index, read, statistics as sql } from './sql.ts';

/** Of one channel; times are microseconds since 1970. */
export interface ChannelStatistics {
  channel: string;
  exchanges: number;
  /** By state; states that no exchange is in are left out. */
  states: Partial<Record<Progress, number>>;
  /** Of its blocks, as they are stored. */
  bytes: number;
  oldest: number | null;
  newest: number | null;
}

/** Of one database, in bytes. */
export interface FileStatistics {
  file: string;
  bytes: number;
  /** Of its pages, those that lie free: what comes next is written there. */
  free: number;
  /** Its write-ahead log beside it. */
  log: number;
}

export interface Statistics {
  channels: ChannelStatistics[];
  files: FileStatistics[];
  exchanges: number;
  /** Appends that are stored and not yet indexed. */
  unindexed: number;
  /** How long ago what is stored and not yet indexed began, microseconds; 0 where all is. */
  lag: number;
  /** Exchanges that were spared when all that is older was deleted: open, parked, or kept by a person. */
  spared: number;
}

/**
 * Look at the journal in a folder.
 * @throws FaultError journalUnavailable where there is none, journalKey…, journalVersion,
 *   indexIncomplete
 */
export function statisticsOf(
  folder: string,
  options: { keyFile?: string; busyMs?: number; now?: number } = {},
): Statistics {
  const { keyFile, busyMs = 2000, now = Date.now() * 1000 } = options;
  const readers = openReaders(folder, readKeysOf(folder, keyFile), busyMs);
  try {
    const { journal, keys, opener } = readers;
    const look = keys.transaction(() => channelsOf(journal, keys));
    const { channels, mark } = look.deferred();
    const tail = createGatherer(journal, opener, mostUnindexed)(mark, Infinity);
    const exchange = keys.prepare<[number], IndexedOutline>(index.exchange);
    for (const [id, outline] of tail.outlines) {
      const stored = exchange.get(id);
      const combined = combine(stored, outline);
      const one = channels.get(combined.channel);
      if (!one) continue;
      if (stored) count(one, stored.state, -1);
      else {
        one.exchanges += 1;
        one.oldest = Math.min(one.oldest ?? id, id);
        one.newest = Math.max(one.newest ?? id, id);
      }
      count(one, combined.state, 1);
    }
    for (const { channel, bytes } of tail.usage.values()) {
      const one = channels.get(channel);
      if (one) one.bytes += bytes;
    }
    const all = [...channels.values()].filter(({ channel }) => channel !== '');
    const next = journal.prepare<[number], number | null>(sql.blockAfter).pluck().get(mark);
    return {
      channels: all.filter(({ exchanges, bytes }) => exchanges > 0 || bytes > 0),
      files: filesIn(folder, journal, keys),
      exchanges: all.reduce((sum, { exchanges }) => sum + exchanges, 0),
      unindexed: tail.appends,
      lag: next == null ? 0 : Math.max(0, now - next),
      spared: journal.prepare<[], number>(sql.spared).pluck().get() ?? 0,
    };
  } finally {
    closeReaders(readers);
  }
}

interface KindRow {
  channel: number;
  state: Progress;
  exchanges: number;
  oldest: number;
  newest: number;
}

/** By number, as the index has them. */
function channelsOf(journal: Database, keys: Database) {
  const mark = keys.prepare<[], Mark>(index.mark).get()?.block ?? 0;
  const channels = new Map<number, ChannelStatistics>();
  for (const { id, name } of journal.prepare<[], Channel>(read.channels).all()) {
    const nothing = { exchanges: 0, bytes: 0, oldest: null, newest: null };
    channels.set(id, { channel: name, states: {}, ...nothing });
  }
  for (const kind of keys.prepare<[], KindRow>(sql.kinds).all()) {
    const one = channels.get(kind.channel);
    if (!one) continue;
    count(one, kind.state, kind.exchanges);
    one.exchanges += kind.exchanges;
    one.oldest = Math.min(one.oldest ?? kind.oldest, kind.oldest);
    one.newest = Math.max(one.newest ?? kind.newest, kind.newest);
  }
  const used = keys.prepare<[], { channel: number; bytes: number }>(find.usageByChannel);
  for (const { channel, bytes } of used.all()) {
    const one = channels.get(channel);
    if (one) one.bytes += bytes;
  }
  return { channels, mark };
}

function count({ states }: ChannelStatistics, told: Progress | null, by: number): void {
  const state = told ?? 'received';
  const exchanges = (states[state] ?? 0) + by;
  if (exchanges === 0) delete states[state];
  else states[state] = exchanges;
}

function filesIn(folder: string, journal: Database, keys: Database): FileStatistics[] {
  const files = filesOf(folder);
  const size = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const pragma = (database: Database, name: string) =>
    Number(database.pragma(name, { simple: true }));
  const of = (file: string, path: string, database: Database): FileStatistics => ({
    file,
    bytes: size(path),
    free: pragma(database, 'freelist_count') * pragma(database, 'page_size'),
    log: size(`${path}-wal`),
  });
  return [
    of('journal.sqlite', files.journal, journal),
    ...(existsSync(files.keys) ? [of('keys.sqlite', files.keys, keys)] : []),
  ];
}
