/**
 * How SQLite is opened here, and what its errors mean. There is no other place that opens one,
 * so that durability is set, and checked, every time.
 */
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { FaultError } from '../faults.ts';
import type { Fault } from '../faults.ts';

/** Of both databases, in bytes. */
export const pageSize = 8192;

/** The journal's files, by what they hold. */
export function filesOf(folder: string) {
  return {
    journal: join(folder, 'journal.sqlite'),
    keys: join(folder, 'keys.sqlite'),
    lock: join(folder, 'journal.lock'),
    key: join(folder, 'journal.key'),
    /** There while the journal is open for writing: what ends without removing it, crashed. */
    open: join(folder, 'journal.open'),
  };
}

/** What the databases of a folder take up on the disk, in bytes. */
export function bytesOf(folder: string): number {
  const { journal, keys } = filesOf(folder);
  const files = [journal, `${journal}-wal`, keys, `${keys}-wal`];
  return files.reduce(
    (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

export interface WriteOptions {
  /** How long to wait for another process's lock, in milliseconds. */
  busyMs: number;
  /** The most the file may grow to, in bytes. */
  maxBytes?: number;
  /**
   * What is in it can be built again, so a power cut may take the last commits (never more): then a
   * commit waits for no disk, and stalls no other that does.
   */
  rebuildable?: boolean;
}

/**
 * Open a database for writing, durably: WAL with synchronous=FULL.
 *
 * better-sqlite3 is built with DEFAULT_WAL_SYNCHRONOUS=1, so a WAL database that is opened again
 * runs at NORMAL, where a power cut loses committed (and acknowledged) messages. Hence FULL is
 * set and read back on every connection to what cannot be built again.
 */
export function openForWriting(file: string, options: WriteOptions): Database {
  // SQLite gives the WAL the mode of the database, so the mode is set before SQLite makes it.
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  const database = new SQLite(file, { timeout: options.busyMs });
  try {
    // Both hold only if set before the first table. 8 KB: an exchange alone in its block leaves
    // a sixth of a page empty, and a third with 4 KB.
    database.pragma(`page_size = ${pageSize}`);
    database.pragma('auto_vacuum = incremental');
    database.pragma('journal_mode = wal');
    database.pragma(`synchronous = ${options.rebuildable ? 'normal' : 'full'}`);
    // macOS needs its own call to reach the disk; nothing elsewhere.
    database.pragma('fullfsync = on');
    database.pragma('checkpoint_fullfsync = on');
    database.pragma('foreign_keys = on');
    // The default 1000 stalls commits so often that p99 doubles.
    database.pragma('wal_autocheckpoint = 8000');
    database.pragma('journal_size_limit = 67108864');
    if (options.maxBytes !== undefined) {
      database.pragma(`max_page_count = ${Math.max(1, Math.floor(options.maxBytes / pageSize))}`);
    }
    if (!options.rebuildable) assertDurable(database, file);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** @throws FaultError journalUnavailable unless a commit on this connection reaches the disk */
export function assertDurable(database: Database, file: string): void {
  const mode = String(database.pragma('journal_mode', { simple: true }));
  const synchronous = Number(database.pragma('synchronous', { simple: true }));
  if (mode === 'wal' && synchronous === 2) return;
  const detail = `${file}: journal_mode=${mode} synchronous=${synchronous}, needed are wal and 2`;
  throw new FaultError({ name: 'journalUnavailable', detail });
}

/** Of a database's pages, one in so many may lie free: what comes next is written there. */
const freeShare = 8;

/**
 * Give some free pages at the end of a database back to the disk, if more than a few lie free.
 * @returns how many; 0 when there is no more to do
 */
export function giveBack(database: Database, pages: number): number {
  const free = Number(database.pragma('freelist_count', { simple: true }));
  const all = Number(database.pragma('page_count', { simple: true }));
  if (free * freeShare <= all) return 0;
  database.pragma(`incremental_vacuum(${pages})`);
  return Math.min(free, pages);
}

/** Open a database for reading only; others may write meanwhile. */
export function openForReading(file: string, busyMs: number): Database {
  return new SQLite(file, { readonly: true, fileMustExist: true, timeout: busyMs });
}

/** A database in memory, for a reader that finds no file. */
export function openInMemory(): Database {
  return new SQLite(':memory:');
}

/**
 * Be the only writer of a folder until the returned database is closed or the process ends,
 * however it ends: an exclusive SQLite lock is a lock of the operating system.
 * @throws FaultError journalHeld when there is one already
 */
export function holdFolder(folder: string): Database {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = new SQLite(filesOf(folder).lock, { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if (faultOf(error).name !== 'journalLocked') throw error;
    throw new FaultError({ name: 'journalHeld', detail: folder }, { cause: error });
  }
  return lock;
}

/** Whether another process is the writer of a folder at this moment. Changes nothing there. */
export function isHeld(folder: string): boolean {
  const { lock } = filesOf(folder);
  if (!existsSync(lock)) return false;
  const looking = openForReading(lock, 0);
  try {
    looking.prepare('select count(*) from sqlite_schema').get();
    return false;
  } catch (error) {
    if (faultOf(error).name === 'journalLocked') return true;
    throw error;
  } finally {
    looking.close();
  }
}

/** What an error of SQLite, or any other, means for the message that was to be stored. */
export function faultOf(error: unknown): Fault {
  if (error instanceof FaultError) return error.fault;
  const code = codeOf(error);
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') return { name: 'journalFull', detail: code };
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return { name: 'journalLocked', detail: code };
  }
  if (isCorrupt(error)) return { name: 'journalCorrupt', detail: code };
  return { name: 'journalUnavailable', detail: code };
}

/** Whether SQLite found that a file is not, or not any more, what it wrote. */
export function isCorrupt(error: unknown): boolean {
  const code = codeOf(error);
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}

/**
 * Read something of journal.sqlite where keys.sqlite is read too, so that damage is known for what
 * it is: the one cannot be built again.
 * @throws FaultError journalCorrupt
 */
export function ofJournal<R>(look: () => R): R {
  try {
    return look();
  } catch (error) {
    if (isCorrupt(error)) throw new FaultError(faultOf(error), { cause: error });
    throw error;
  }
}

/** The error's code, or its name: never its text, which could quote what was stored. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
