/**
 * A copy of a journal while an engine serves from it. Each database is copied page by page from one
 * snapshot: what was committed when it was taken is in the copy, also what still lies in the
 * write-ahead log, and no commit waits. Why so: docs/decisions/0040-backup.md.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  globSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  statfsSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FaultError } from '../faults.ts';
import { bytesOf, faultOf, filesOf, openForReading } from './database.ts';
import { syncFolder } from './durable-file.ts';
import { readKeysOf } from './open.ts';

export interface BackupOptions {
  /** The folder's own unless named. */
  keyFile?: string;
  /** Copy the key file as well. */
  withKey?: boolean;
  busyMs?: number;
  /**
   * Called, and waited for, after each step of the copying; what it throws ends the backup, of
   * which then nothing is left.
   * @param bytes that were copied in it
   */
  step?(bytes: number): Promise<void>;
}

/** What was copied, in bytes. */
export interface BackedUp {
  target: string;
  /** What is stored before this, microseconds since 1970, is in it. */
  at: number;
  files: { file: string; bytes: number }[];
}

/** Between two of them the process hears signals, and shows how far it has come. */
const pagesPerStep = 2048;

/** What belongs to the process that runs, or is copied apart. */
const apart =
  /^(journal|keys)\.sqlite|-(wal|shm|journal)$|\.(lock|open|sock|path|salvaged)$|\.key\b/;

/** How many bytes a backup of a folder will copy. */
export function bytesToCopy(folder: string): number {
  const files = [...otherFiles(folder), ...revisionsIn(folder)];
  const others = files.map((file) => statSync(join(folder, file)).size);
  return others.reduce((sum, bytes) => sum + bytes, bytesOf(folder));
}

/**
 * Copy the journal in a folder, and what lies beside it, into a new folder.
 * @param target is there only once the copy is complete and on the disk
 * @throws FaultError journalUnavailable where there is no journal, journalKey… where its key is
 *   not at hand, journalFull where there is not enough room
 */
export async function backUp(
  folder: string,
  target: string,
  options: BackupOptions = {},
): Promise<BackedUp> {
  const { keyFile, withKey = false, busyMs = 2000, step = async () => {} } = options;
  const files = filesOf(folder);
  // A copy that nobody can open is none.
  readKeysOf(folder, keyFile);
  const made = join(dirname(resolve(target)), `.${basename(target)}.partial`);
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true, mode: 0o700 });
  const done: BackedUp['files'] = [];
  try {
    assertRoom(made, bytesToCopy(folder));
    // The index first: what it names and the journal does not hold would count as lost.
    if (existsSync(files.keys)) done.push(await copyDatabase('keys.sqlite'));
    for (const file of otherFiles(folder)) {
      if (file.endsWith('.sqlite')) done.push(await copyDatabase(file));
      else done.push(copyFile(join(folder, file), file));
    }
    const revisions = revisionsIn(folder).map((file) => copyFile(join(folder, file), file));
    if (revisions.length > 0) done.push({ file: 'revisions', bytes: sum(revisions) });
    if (withKey) done.push(copyFile(keyFile ?? files.key, 'journal.key'));
    const at = Date.now() * 1000;
    done.push(await copyDatabase('journal.sqlite'));
    const folders = revisions.map(({ file }) => dirname(join(made, file)));
    for (const one of new Set([...folders, made])) syncFolder(one);
    if (existsSync(target)) rmdirSync(target);
    renameSync(made, target);
    syncFolder(dirname(resolve(target)));
    return { target, at, files: done };
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw error;
  }

  async function copyDatabase(file: string): Promise<BackedUp['files'][number]> {
    const copy = join(made, file);
    closeSync(openSync(copy, 'wx', 0o600));
    const database = openForReading(join(folder, file), busyMs);
    try {
      // One snapshot for all steps: without it each commit meanwhile would begin the copy anew.
      database.exec('begin');
      database.prepare('select count(*) from sqlite_schema').get();
      const pageSize = Number(database.pragma('page_size', { simple: true }));
      const pages = Number(database.pragma('page_count', { simple: true }));
      await copyPages(database, copy, pageSize);
      if (statSync(copy).size !== pages * pageSize) {
        const detail = `${file} has ${pages} pages, its copy has not`;
        throw new FaultError({ name: 'journalUnavailable', detail });
      }
    } catch (error) {
      throw (error as Error).name === 'SqliteError'
        ? new FaultError(faultOf(error), { cause: error })
        : error;
    } finally {
      database.close();
    }
    sync(copy);
    return { file, bytes: statSync(copy).size };
  }

  /** @throws what `step` throws */
  async function copyPages(
    database: ReturnType<typeof openForReading>,
    copy: string,
    pageSize: number,
  ): Promise<void> {
    let left: number | undefined;
    let waiting: Promise<void> = Promise.resolve();
    let ended: unknown;
    await database.backup(copy, {
      progress({ totalPages, remainingPages }) {
        // The first call has copied nothing yet.
        waiting = step(((left ?? totalPages) - remainingPages) * pageSize);
        left = remainingPages;
        waiting.catch((error: unknown) => (ended = error));
        if (ended !== undefined) throw ended;
        return pagesPerStep;
      },
    });
    await waiting;
    if (ended !== undefined) throw ended;
    await step((left ?? 0) * pageSize);
  }

  function copyFile(from: string, file: string): BackedUp['files'][number] {
    const copy = join(made, file);
    mkdirSync(dirname(copy), { recursive: true, mode: 0o700 });
    copyFileSync(from, copy);
    sync(copy);
    return { file, bytes: statSync(copy).size };
  }
}

function otherFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !apart.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** The configurations that ran; one that is just being kept is not yet among them. */
function revisionsIn(folder: string): string[] {
  return globSync('revisions/**', { cwd: folder }).filter(
    (file) => statSync(join(folder, file)).isFile() && !/\.part\/|\.new-/.test(file),
  );
}

function assertRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= bytes) return;
  const detail = `the backup takes ${bytes} bytes, there are ${bavail * bsize} free`;
  throw new FaultError({ name: 'journalFull', detail });
}

const sum = (files: BackedUp['files']): number => files.reduce((all, { bytes }) => all + bytes, 0);

function sync(file: string): void {
  const descriptor = openSync(file, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
