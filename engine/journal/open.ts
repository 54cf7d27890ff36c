/**
 * What must be true before the journal is used: one writer, a key file that is ours alone and
 * holds the right keys, databases of this code's version.
 */
import { existsSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import type { Emit } from '../events.ts';
import { FaultError, faults } from '../faults.ts';
import { markClosed, setIndexAside } from './damage.ts';
import {
  faultOf,
  filesOf,
  isCorrupt,
  openForReading,
  openForWriting,
  openInMemory,
} from './database.ts';
import type { WriteOptions } from './database.ts';
import { exchangeName } from './journal.ts';
import type { Mark } from './keyindex.ts';
import { createKeyFile, readKeys } from './keyring.ts';
import { assertVersion, migrate } from './migrate.ts';
import { createOpener, ringValue } from './seal.ts';
import type { Opener, Session } from './seal.ts';
import { index, read } from './sql.ts';

/** The two databases, open for reading, and the keys. */
export interface Readers {
  journal: Database;
  keys: Database;
  opener: Opener;
}

/**
 * Bring a folder's databases up to date; make them, and a key file where none is named, on the
 * first start.
 * @returns the keys, oldest first
 * @throws FaultError journalKey…, journalVersion, journalFull, journalLocked, journalUnavailable
 */
export function prepareFolder(
  folder: string,
  options: WriteOptions & { keyFile?: string; emit: Emit },
): Buffer[] {
  const files = filesOf(folder);
  const keyFile = options.keyFile ?? files.key;
  // Never a new key beside a journal that was written with another one.
  if (options.keyFile === undefined && !existsSync(keyFile) && !existsSync(files.journal)) {
    createKeyFile(keyFile);
    options.emit('journal.keyCreated', { file: keyFile });
  }
  const ring = readKeys(keyFile);
  const journal = openForWriting(files.journal, options);
  try {
    migrate(journal, 'journal');
    assertKeys(journal, ring, keyFile);
  } finally {
    // Closing takes up what a crash has left and removes the log: a crash after that left nothing.
    markClosed(folder);
    journal.close();
  }
  try {
    prepareIndex(folder, options.busyMs);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    const { code } = faults.indexDamaged;
    options.emit('journal.indexDamaged', { code, file: setIndexAside(folder) });
    prepareIndex(folder, options.busyMs);
  }
  return ring;
}

/**
 * Before anything is changed: that the journal reaches as far as its index. What is indexed was committed
 * and perhaps acknowledged, so a journal that ends before it was cut off, or is an older copy.
 * @throws FaultError journalCorrupt
 */
export function assertReach(folder: string, busyMs: number): void {
  const files = filesOf(folder);
  if (!existsSync(files.journal) || !existsSync(files.keys)) return;
  const open: Database[] = [];
  let short: { end: number; exchanges: number } | undefined;
  try {
    const journal = openForReading(files.journal, busyMs);
    open.push(journal);
    const keys = openForReading(files.keys, busyMs);
    open.push(keys);
    const mark = keys.prepare<[], Mark>(index.mark).get();
    const identity = journal.prepare<[], Buffer>(read.identity).pluck().get();
    if (!identity || mark?.journal?.equals(identity) !== true) return;
    const end = journal.prepare<[], number>(read.end).pluck().get() ?? 0;
    if (mark.block <= end) return;
    const after = keys.prepare<[number], number>(index.exchangesAfter).pluck();
    short = { end, exchanges: after.get(end) ?? 0 };
  } catch {
    // Whatever else is wrong with them is told by who opens them next.
    return;
  } finally {
    for (const one of open) one.close();
  }
  const detail =
    `${files.journal} ends at ${exchangeName(short.end)}, and keys.sqlite knows of more: ` +
    `${short.exchanges} exchanges began after that. Its end is missing, or it is an older copy; ` +
    `where that is meant, move keys.sqlite out of the folder`;
  throw new FaultError({ name: 'journalCorrupt', detail });
}

/** Bring keys.sqlite up to date, or make it. */
export function prepareIndex(folder: string, busyMs: number): void {
  const keys = openForWriting(filesOf(folder).keys, { busyMs, rebuildable: true });
  try {
    migrate(keys, 'keys');
  } finally {
    keys.close();
  }
}

/**
 * The keys for a reader that may change nothing.
 * @throws FaultError journalUnavailable where there is no journal, journalKey…, journalVersion
 */
export function readKeysOf(folder: string, keyFile?: string): Buffer[] {
  const files = filesOf(folder);
  if (!existsSync(files.journal)) {
    throw new FaultError({ name: 'journalUnavailable', detail: `no journal in ${folder}` });
  }
  return readKeys(keyFile ?? files.key);
}

/**
 * Open both databases for reading. Without a keys.sqlite that belongs to this journal an empty
 * one in memory stands in: then everything is found in the blocks, slowly.
 */
export function openReaders(folder: string, ring: Buffer[], busyMs: number): Readers {
  const files = filesOf(folder);
  const journal = openForReading(files.journal, busyMs);
  try {
    assertVersion(journal, 'journal');
    assertKeys(journal, ring, 'the key file');
    const session = journal.prepare<[number], Session>(read.session);
    const opener = createOpener(ring, (id) => session.get(id));
    return { journal, keys: openKeys(files.keys, journal, busyMs), opener };
  } catch (error) {
    journal.close();
    throw error;
  }
}

/**
 * Open keys.sqlite for writing beside a running engine, or when none runs.
 * @throws FaultError journalUnavailable where it is not the index of this journal; journalKey…,
 *   journalVersion
 */
export function openIndex(
  folder: string,
  busyMs: number,
  keyFile?: string,
): { keys: Database; opener: Opener } {
  const ring = readKeysOf(folder, keyFile);
  const readers = openReaders(folder, ring, busyMs);
  const isInMemory = readers.keys.memory;
  closeReaders(readers);
  if (isInMemory) {
    const detail = `${filesOf(folder).keys} is not the index of this journal; start the engine once`;
    throw new FaultError({ name: 'journalUnavailable', detail });
  }
  const none = (): undefined => undefined;
  return {
    keys: openForWriting(filesOf(folder).keys, { busyMs }),
    opener: createOpener(ring, none),
  };
}

/** Close both databases. */
export function closeReaders({ journal, keys }: Readers): void {
  keys.close();
  journal.close();
}

function openKeys(file: string, journal: Database, busyMs: number): Database {
  if (existsSync(file)) {
    let keys: Database | undefined;
    try {
      keys = openForReading(file, busyMs);
      assertVersion(keys, 'keys');
      const identity = journal.prepare<[], Buffer>(read.identity).pluck().get();
      const of = keys.prepare<[], { journal: Buffer | null }>(index.mark).get()?.journal;
      if (identity && of?.equals(identity) === true) return keys;
    } catch (error) {
      // The engine builds a damaged one again; until then everything is found in the blocks.
      if (!isCorrupt(error) && faultOf(error).name !== 'indexDamaged') {
        keys?.close();
        throw error;
      }
    }
    keys?.close();
  }
  const empty = openInMemory();
  migrate(empty, 'keys');
  return empty;
}

/** Every key that the journal was written with has to be in the file. */
function assertKeys(journal: Database, ring: Buffer[], file: string): void {
  const held = new Set(ring.map((key) => ringValue(key).toString('hex')));
  for (const value of journal.prepare<[], Buffer>(read.rings).pluck().all()) {
    if (held.has(value.toString('hex'))) continue;
    const detail = `${file} lacks the key ${value.toString('hex')}`;
    throw new FaultError({ name: 'journalKeyWrong', detail });
  }
}
