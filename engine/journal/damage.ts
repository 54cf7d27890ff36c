/**
 * Damage that SQLite would not tell of. Without its write-ahead log, or with a damaged one, a
 * database opens as it was some time ago: what was committed and acknowledged since would be missing
 * without a word.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { FaultError } from '../faults.ts';
import { filesOf, pageSize } from './database.ts';
import { syncFolder } from './durable-file.ts';
import { readWal } from './wal.ts';

/**
 * Look at the files of a journal that nobody has open, before SQLite does.
 * @returns how many transactions at the end of the log are not complete: none, or one after a power
 *   cut, of which nothing was acknowledged
 * @throws FaultError journalCorrupt where a file is gone, or more than that would be passed over
 */
export function inspectFiles(folder: string): number {
  const { journal, keys, open } = filesOf(folder);
  // SQLite takes a file without one whole page for a new database. With a rollback journal it is one:
  // only the first page of all is written so, and a power cut then has left a part of it.
  const size = statSync(journal, { throwIfNoEntry: false })?.size ?? 0;
  const isBeginning = size > 0 && existsSync(`${journal}-journal`) && !existsSync(keys);
  if (isBeginning) return 0;
  if (size < pageSize && (size > 0 || existsSync(keys))) {
    throw corrupt(`${journal} is gone or cut off, and what belongs to it is still there`);
  }
  const file = `${journal}-wal`;
  const wal = readWal(file);
  if (wal?.headerDamaged) {
    throw corrupt(`${file}: its header is damaged, so none of it would be read`);
  }
  if (existsSync(open) && !existsSync(file)) {
    throw corrupt(
      `${file} is not there, though the engine did not end properly: ` +
        `what it held last is missing, unless another program has put it into journal.sqlite`,
    );
  }
  // With a log, a power cut while it was being put into the database: it will be put there again.
  if (wal === undefined && size % pageSize !== 0) {
    throw corrupt(`${journal} ends within a page, at ${size} bytes`);
  }
  if (wal === undefined || wal.ignored < 2) return wal?.ignored ?? 0;
  const all = wal.taken + wal.ignored;
  throw corrupt(`${file}: the last ${wal.ignored} of ${all} transactions would not be read`);
}

/** Say that the journal is open, durably, its log with it. */
export function markOpen(folder: string): void {
  const { journal, open } = filesOf(folder);
  for (const [file, mode] of [
    [`${journal}-wal`, 'r+'],
    [open, 'w'],
  ] as const) {
    const descriptor = openSync(file, mode, 0o600);
    if (file === open) writeSync(descriptor, `${process.pid}\n`);
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
  syncFolder(folder);
}

/** Say that the journal is closed, durably, before SQLite removes its log. */
export function markClosed(folder: string): void {
  rmSync(filesOf(folder).open, { force: true });
  syncFolder(folder);
}

/** Put keys.sqlite, which can be built again, out of the way. @returns where it is now */
export function setIndexAside(folder: string): string {
  const { keys } = filesOf(folder);
  const aside = `${keys}.damaged-${stamp()}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(keys + suffix)) renameSync(keys + suffix, aside + suffix);
  }
  return aside;
}

/** The present time as part of a file's name. */
export function stamp(): string {
  return new Date().toISOString().replace(/[:.]/g, '-');
}

function corrupt(detail: string): FaultError {
  return new FaultError({ name: 'journalCorrupt', detail });
}
