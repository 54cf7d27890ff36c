/**
 * The journal for a process that only reads it: beside a running engine, or when none runs. What
 * is committed is found at once, indexed or not; nothing is written.
 */
import { FaultError } from '../faults.ts';
import { bytesOf, faultOf } from './database.ts';
import type { Retention } from './deletion.ts';
import { mostUnindexed } from './gather.ts';
import type { Journal } from './journal.ts';
import type { Rekeying } from './rekey.ts';
import { closeReaders, openReaders, readKeysOf } from './open.ts';
import { createSearch, receivedOf } from './search.ts';

/**
 * @param keyFile the folder's own unless named
 * @returns a journal whose `append`, `settle`, `mint`, `forget` and `remove` fail with journalUnavailable
 * @throws FaultError journalUnavailable where there is no journal, journalKey…, journalVersion; its
 *   functions indexIncomplete where the index is missing or far behind
 */
export function openBeside(
  folder: string,
  busyMs = 2000,
  keyFile?: string,
): Journal & Retention & Rekeying {
  try {
    return reading(folder, busyMs, keyFile);
  } catch (error) {
    if (error instanceof FaultError) throw error;
    throw new FaultError(faultOf(error), { cause: error });
  }
}

function reading(folder: string, busyMs: number, keyFile?: string): Journal & Retention & Rekeying {
  const readers = openReaders(folder, readKeysOf(folder, keyFile), busyMs);
  const search = createSearch(readers.journal, readers.keys, readers.opener, mostUnindexed);
  const refuse = (): never => {
    const detail = 'the journal is open for reading only';
    throw new FaultError({ name: 'journalUnavailable', detail });
  };
  return {
    mint: refuse,
    append: async () => refuse(),
    adoptKeys: async () => refuse(),
    reencrypt: async () => refuse(),
    settle: refuse,
    forget: async () => refuse(),
    remove: async () => refuse(),
    read: async (exchange) => search.read(exchange),
    received: async (exchange) => receivedOf(search.beginning(exchange)),
    beginning: async (exchange) => search.beginning(exchange),
    list: async (filter = {}) => search.list(filter),
    repeats: (of, since) => search.repeats(of, since),
    outbound: async (filter = {}) => search.outbound(filter),
    outboundCounts: async () => search.outboundCounts(),
    stored: async () => search.stored(),
    practiceOf: async (patient) => search.practiceOf(patient),
    stats: async () => ({ ...search.stats(), bytes: bytesOf(folder) }),
    async close() {
      closeReaders(readers);
    },
  };
}
