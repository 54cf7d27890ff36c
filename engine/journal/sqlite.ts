/**
 * The journal on SQLite: see docs/decisions for why it is laid out as it is.
 */
import type { Emit } from '../events.ts';
import { FaultError } from '../faults.ts';
import type { Journal, Retention } from './journal.ts';

/** Where the journal's keys come from: a file of mode 0600, one key a line, the last one current. */
export interface KeySource {
  file: string;
}

export interface JournalOptions {
  /** Folder of the journal's files; made (mode 0700) when it is not there. */
  folder: string;
  /** Where none is named, `journal.key` in the folder, made on the first start. */
  key?: KeySource;
  /** Read beside a running engine, or when none runs; nothing is written. */
  readOnly?: boolean;
  /** How long `repeats` answers from memory, in milliseconds; 24 hours unless told. */
  repeatWindowMs?: number;
  /** The most the journal may grow to, in bytes; then appends fail with journalFull. */
  maxBytes?: number;
  /** How long a commit waits for another process's lock, in milliseconds; 2000 unless told. */
  busyMs?: number;
  emit: Emit;
}

/** Open the journal in a folder. */
export async function openJournal(options: JournalOptions): Promise<Journal & Retention> {
  throw new FaultError({ name: 'journalUnavailable', detail: options.folder });
}
