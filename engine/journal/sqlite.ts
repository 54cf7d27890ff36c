/**
 * The journal on SQLite. This file puts its parts together:
 *
 *     append → commit (gathers) → writer thread → journal.sqlite
 *                                                      ↓ half a second later
 *     read, list ← search ← keys.sqlite ←───────── indexer thread
 *
 * Why it is laid out so, with the measurements: docs/decisions/0002-journal.md.
 */
import { statSync } from 'node:fs';
import type { Emit } from '../events.ts';
import { FaultError, faults } from '../faults.ts';
import { createGroupCommit } from './commit.ts';
import { faultOf, filesOf, holdFolder } from './database.ts';
import type { Channel } from './gather.ts';
import type { IndexerData, IndexerReply, IndexerRequest } from './indexer.ts';
import { createIndexing } from './indexing.ts';
import type { Journal, Retention } from './journal.ts';
import { openReaders, prepareFolder, readKeysOf } from './open.ts';
import type { Readers } from './open.ts';
import { createRecent, fingerprintNumber } from './recent.ts';
import type { Recent } from './recent.ts';
import { createSearch } from './search.ts';
import { find, read } from './sql.ts';
import { createThread, threadFile } from './thread.ts';
import type { WriterData, WriterReply, WriterRequest } from './writer.ts';

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

/** Fingerprints kept in memory at most: 32 to 64 MB. */
const mostRecent = 1_000_000;
const dayMs = 86_400_000;

/**
 * Open the journal in a folder, for writing (one process) or for reading (any number, beside it).
 * After a crash, or without keys.sqlite, the index is first brought up to date.
 * @throws FaultError journalHeld, journalKeyUnreadable, journalKeyExposed, journalKeyWrong,
 *   journalVersion, journalFull, journalLocked, journalUnavailable
 */
export async function openJournal(options: JournalOptions): Promise<Journal & Retention> {
  try {
    return options.readOnly === true ? openForReaders(options) : await openForWriter(options);
  } catch (error) {
    if (error instanceof FaultError) throw error;
    throw new FaultError(faultOf(error), { cause: error });
  }
}

function openForReaders({ folder, key, busyMs = 2000 }: JournalOptions): Journal & Retention {
  const readers = openReaders(folder, readKeysOf(folder, key?.file), busyMs);
  const search = createSearch(readers.journal, readers.keys, readers.opener);
  const refused = (): FaultError =>
    new FaultError({ name: 'journalUnavailable', detail: 'the journal is open for reading only' });
  const refuse = (): never => {
    throw refused();
  };
  return {
    mint: refuse,
    append: () => Promise.reject(refused()),
    settle: refuse,
    forget: () => Promise.reject(refused()),
    read: async (exchange) => search.read(exchange),
    list: async (filter = {}) => search.list(filter),
    repeats: (fingerprint, since) => search.repeats(fingerprint, since),
    practiceOf: async (patient) => search.practiceOf(patient),
    stats: async () => ({ ...search.stats(), bytes: bytesOf(folder) }),
    async close() {
      closeReaders(readers);
    },
  };
}

async function openForWriter(options: JournalOptions): Promise<Journal & Retention> {
  const { folder, emit, busyMs = 2000, maxBytes } = options;
  const startedAt = Date.now();
  const lock = holdFolder(folder);
  const died = (detail: string): void => emit('journal.fault', { detail });
  let stop = async (): Promise<void> => void lock.close();
  try {
    const keyFile = options.key?.file;
    const ring = prepareFolder(folder, { busyMs, maxBytes, keyFile, emit });
    const current = ring[ring.length - 1] ?? Buffer.alloc(0);
    const writerData: WriterData = { folder, key: current, busyMs, maxBytes };
    const indexerData: IndexerData = { folder, keys: ring, busyMs };
    const writer = createThread<WriterRequest, WriterReply>(threadFile('writer'), writerData, died);
    const indexer = createThread<IndexerRequest, IndexerReply>(
      threadFile('indexer'),
      indexerData,
      died,
    );
    stop = async () => {
      await Promise.all([writer.stop(), indexer.stop()]);
      lock.close();
    };
    const [merged] = await Promise.all([
      indexer.call({ do: 'merge' }),
      writer.call({ do: 'commit', channels: [], blocks: [] }),
    ]);
    if (merged.after === 0 && merged.appends > 0) {
      emit('journal.indexRebuilt', { count: merged.appends, ms: Date.now() - startedAt });
    }
    if (merged.damaged > 0) {
      emit('journal.fault', { code: faults.journalDamaged.code, count: merged.damaged });
    }

    const readers = openReaders(folder, ring, busyMs);
    const search = createSearch(readers.journal, readers.keys, readers.opener);
    const next = clock(Number(readers.journal.prepare(read.lastBlock).pluck().get() ?? 0));
    const recent = loadRecent(readers, options.repeatWindowMs ?? dayMs, next(), emit);
    const indexing = createIndexing({ indexer, indexed: merged.mark, emit });
    const channelRows = readers.journal.prepare<[], Channel>(read.channels).all();
    const channels = new Map(channelRows.map(({ id, name }) => [name, id]));
    const block = readers.journal.prepare(read.block);
    const commit = createGroupCommit({
      writer,
      next,
      channels,
      isStored: (id) => block.get(id) !== undefined,
      committed: (id, appends) => indexing.committed(id, appends),
      emit,
    });
    let closing: Promise<void> | undefined;
    emit('journal.opened', {
      file: folder,
      count: search.stats().exchanges,
      ms: Date.now() - startedAt,
    });

    return {
      mint: next,
      append(exchange, channel, entries, keys) {
        if (closing) return Promise.reject(closed());
        const fingerprint = keys?.fingerprint && fingerprintNumber(keys.fingerprint);
        if (!fingerprint || !recent.add(fingerprint, exchange)) {
          return commit.append(exchange, channel, entries, keys);
        }
        const stored = commit.append(exchange, channel, entries, keys);
        stored.catch(() => recent.remove(fingerprint, exchange));
        return stored;
      },
      settle(exchange, outcome) {
        if (closing) throw closed();
        commit.mark(exchange, outcome);
      },
      async read(exchange) {
        await indexing.catchUp();
        return search.read(exchange);
      },
      async list(filter = {}) {
        await indexing.catchUp();
        return search.list(filter);
      },
      repeats(fingerprint, since) {
        const found = recent.find(fingerprintNumber(fingerprint), since);
        if (since >= recent.coveredSince()) return found;
        return indexing.catchUp().then(() => {
          const all = new Set([...found, ...search.repeats(fingerprint, since)]);
          return [...all].sort((a, b) => b - a);
        });
      },
      async practiceOf(patient) {
        await indexing.catchUp();
        return search.practiceOf(patient);
      },
      async stats() {
        await indexing.catchUp();
        return { ...search.stats(), bytes: bytesOf(folder) };
      },
      async forget(channel, before) {
        const number = channels.get(channel);
        if (number === undefined) return 0;
        await indexing.catchUp();
        // Not beyond now: what is still to come must not count as forgotten.
        const request = {
          do: 'forget',
          channel: number,
          before: Math.min(before, next()),
        } as const;
        while ((await writer.call(request)) > 0);
        let exchanges = 0;
        for (let dropped = -1; dropped !== 0; exchanges += dropped) {
          dropped = (await indexer.call(request)).forgotten;
        }
        return exchanges;
      },
      close() {
        closing ??= (async () => {
          await commit.flush();
          await indexing.catchUp();
          indexing.stop();
          closeReaders(readers);
          await Promise.allSettled([writer.call({ do: 'close' }), indexer.call({ do: 'close' })]);
          await stop();
        })();
        return closing;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Microseconds since 1970, each greater than the one before and than `last`. */
function clock(last: number): () => number {
  let latest = last;
  return () => {
    latest = Math.max(latest + 1, Date.now() * 1000);
    return latest;
  };
}

function loadRecent(readers: Readers, windowMs: number, now: number, emit: Emit): Recent {
  const window = windowMs * 1000;
  const rows = readers.keys
    .prepare<[number, number], { id: number; fingerprint: number }>(find.fingerprints)
    .all(now - window, mostRecent / 2);
  const oldest = rows[rows.length - 1];
  const since = oldest && rows.length === mostRecent / 2 ? oldest.id : now - window;
  const shortened = (): void => emit('journal.repeatsShortened', { count: mostRecent });
  const recent = createRecent({ window, most: mostRecent, since, shortened });
  for (const { id, fingerprint } of rows.reverse()) recent.add(fingerprint, id);
  return recent;
}

function closeReaders({ journal, keys }: Readers): void {
  journal.close();
  keys.close();
}

function bytesOf(folder: string): number {
  const { journal, keys } = filesOf(folder);
  let bytes = 0;
  for (const file of [journal, `${journal}-wal`, keys, `${keys}-wal`]) {
    bytes += statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

function closed(): FaultError {
  return new FaultError({ name: 'journalUnavailable', detail: 'the journal is closed' });
}
