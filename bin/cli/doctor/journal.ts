/** What the doctor looks at of the journal: its folder, key, durability, and how far its index is. */
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { silent } from '../../../engine/events.ts';
import { FaultError, faults } from '../../../engine/faults.ts';
import { filesOf, openForWriting } from '../../../engine/journal/database.ts';
import { openJournal } from '../../../engine/journal/sqlite.ts';
import { amount } from '../../../engine/watch/words.ts';
import { asItsUser, isAnothers } from '../anothers.ts';
import { type Check, sound, wrong } from './check.ts';

/** An index this far behind is not catching up by itself. */
const appendsBehind = 100_000;

/** What is known of a journal. */
export interface JournalLook {
  checks: Check[];
  /** When the newest exchange began, milliseconds since 1970. */
  newest?: number;
}

/** Look at the journal in a folder, which may not be there yet. */
export async function ofJournal(folder: string, keyFile?: string): Promise<JournalLook> {
  const checks: Check[] = [];
  if (!existsSync(folder)) {
    return { checks: [sound('journal', `no folder ${folder} yet; serve makes it`)] };
  }
  if (isAnothers(folder)) {
    return { checks: [wrong('journal', `${folder} belongs to another user`, asItsUser)] };
  }
  checks.push(ofMode(folder), durability(folder));
  if (!existsSync(filesOf(folder).journal)) {
    return { checks: [...checks, sound('journal', `none in ${folder} yet; serve makes it`)] };
  }
  const key = keyFile ?? filesOf(folder).key;
  try {
    const journal = await openJournal({
      folder,
      key: keyFile === undefined ? undefined : { file: keyFile },
      readOnly: true,
      emit: silent,
    });
    try {
      checks.push(sound('key', `${key} opens the journal, and nobody else may read it`));
      const { exchanges, bytes, unindexed } = await journal.stats();
      const says = `${exchanges} exchanges in ${amount(bytes)}, ${unindexed} appends not yet indexed`;
      const next = 'gatehouse status; an engine that runs indexes them';
      checks.push(
        unindexed < appendsBehind ? sound('journal', says) : wrong('journal', says, next),
      );
      const [last] = await journal.list({ limit: 1 });
      return { checks, newest: last && last.id / 1000 };
    } finally {
      await journal.close();
    }
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    const { code, says, next } = faults[error.fault.name];
    const isKey = error.fault.name.startsWith('journalKey');
    const detail = error.fault.detail ? ` (${error.fault.detail})` : '';
    return {
      checks: [...checks, wrong(isKey ? 'key' : 'journal', `${code} ${says}${detail}`, next)],
    };
  }
}

function ofMode(folder: string): Check {
  const mode = statSync(folder).mode & 0o777;
  const says = `${folder} has mode 0${mode.toString(8)}`;
  return (mode & 0o007) === 0 || process.platform === 'win32'
    ? sound('folder', says)
    : wrong('folder', `${says}: everybody may look into it`, `chmod 0700 ${folder}`);
}

/**
 * Whether the disk takes what a commit of the journal asks of it: a write-ahead log with
 * synchronous=FULL. Tried with a database of its own beside the journal, for some file systems (of the
 * network above all) take no such log.
 */
function durability(folder: string): Check {
  const file = join(folder, `.doctor-${randomUUID()}.sqlite`);
  try {
    const database = openForWriting(file, { busyMs: 1000 });
    try {
      database.exec('create table tried (at integer)');
      const began = performance.now();
      database.exec('insert into tried values (1)');
      const ms = (performance.now() - began).toFixed(1);
      return sound('durability', `WAL with synchronous=FULL; a commit took ${ms} ms`);
    } finally {
      database.close();
    }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const detail = error instanceof FaultError ? (error.fault.detail ?? '') : `${code} ${message}`;
    return wrong(
      'durability',
      `${folder} takes no durable commit: ${detail}`,
      'name a folder on a local disk that this user may write to: --data',
    );
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
  }
}
