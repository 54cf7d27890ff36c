/** Reading a journal beside a running engine, or when none runs. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Journal, exchangeOf } from '../../engine/journal/journal.ts';
import { openBeside } from '../../engine/journal/beside.ts';
import { refuseAnothers } from './anothers.ts';
import { CommandError } from './output.ts';

export interface JournalOptions {
  data: string;
  keyFile?: string;
}

/**
 * The folder of a journal.
 * @param files one of which must be in it
 * @throws CommandError exit 3 where there is none
 */
export function journalFolder(
  options: Pick<JournalOptions, 'data'>,
  files: readonly string[] = ['journal.sqlite'],
): string {
  const folder = resolve(options.data);
  refuseAnothers(options.data);
  if (files.some((file) => existsSync(join(folder, file)))) return folder;
  throw new CommandError(
    `there is no journal in ${options.data}`,
    'name its folder with --data',
    'journalNotFound',
  );
}

/** Open a journal for reading, use it, close it. */
export async function withJournal<T>(
  options: JournalOptions,
  use: (journal: Journal) => Promise<T>,
): Promise<T> {
  const folder = journalFolder(options);
  // Without the parts that write, which take long to load.
  const journal = openBeside(folder, undefined, options.keyFile);
  try {
    return await use(journal);
  } finally {
    await journal.close();
  }
}

/** One exchange by the name people see. @throws CommandError exit 3 where there is none */
export async function exchangeNamed(journal: Journal, name: string) {
  const id = exchangeOf(name);
  const found = id === undefined ? undefined : await journal.read(id);
  if (!found) {
    throw new CommandError(
      `there is no exchange ${name}`,
      'gatehouse message list',
      'exchangeNotFound',
    );
  }
  return found;
}

/** Microseconds since 1970 for `15m`, `12h`, `7d` ago or an ISO time. */
export function since(text: string): number {
  const [, number, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const ms = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 }[unit ?? ''];
  const at = ms ? Date.now() - Number(number) * ms : Date.parse(text);
  if (Number.isNaN(at)) {
    throw new CommandError(
      `"${text}" is no time`,
      'write it as 15m, 12h, 7d or 2026-06-04T10:15',
      'valueNotAllowed',
    );
  }
  return at * 1000;
}
