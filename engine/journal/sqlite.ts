/**
 * The journal on SQLite. This file puts its parts together:
 *
 *     append → commit (gathers) → writer thread → journal.sqlite
 *                                                      ↓ in a quiet moment
 *     read, list ← search ← keys.sqlite ←───────── indexer thread
 *
 * Why it is laid out so, with the measurements: docs/decisions/0002-journal.md.
 */
import type { Emit } from '../events.ts';
import { FaultError, faults } from '../faults.ts';
import { openBeside } from './beside.ts';
import { createGroupCommit } from './commit.ts';
import type { GroupCommit } from './commit.ts';
import { inspectFiles, markClosed, markOpen } from './damage.ts';
import { bytesOf, filesOf, faultOf, holdFolder } from './database.ts';
import type { Channel } from './gather.ts';
import type { IndexerData, IndexerReply, IndexerRequest } from './indexer.ts';
import { createIndexing } from './indexing.ts';
import type { Indexing } from './indexing.ts';
import type { Forgotten, Retention } from './deletion.ts';
import type { ExchangeId, Journal } from './journal.ts';
import { openLookup } from './lookup.ts';
import { assertReach, prepareFolder } from './open.ts';
import type { Readers } from './open.ts';
import { createRecent, fingerprintNumber } from './recent.ts';
import type { Recent } from './recent.ts';
import { type RekeyParts, type Rekeying, createRekeying } from './rekey.ts';
import { forget, remove } from './retention.ts';
import { receivedOf } from './search.ts';
import type { Search } from './search.ts';
import { find, read } from './sql.ts';
import { createThread, threadFile } from './thread.ts';
import type { Thread } from './thread.ts';
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
  /** Microseconds since 1970, as exchanges are timed with; `Date.now` unless told. */
  now?: () => number;
  /** Fingerprints kept in memory at most, at 32 to 64 bytes each; a million unless told. */
  mostRecent?: number;
  /** The most the journal may grow to, in bytes; then appends fail with journalFull. */
  maxBytes?: number;
  /** How long a commit waits for another process's lock, in milliseconds; 2000 unless told. */
  busyMs?: number;
  emit: Emit;
}

type Writer = Thread<WriterRequest, WriterReply>;
type Indexer = Thread<IndexerRequest, IndexerReply>;

const dayMs = 86_400_000;

/**
 * Open the journal in a folder, for writing (one process) or for reading (any number, beside it).
 * After a crash, or without keys.sqlite, the index is first brought up to date.
 * @throws FaultError journalHeld, journalKeyUnreadable, journalKeyExposed, journalKeyWrong,
 *   journalVersion, journalFull, journalLocked, journalUnavailable
 */
export async function openJournal(
  options: JournalOptions,
): Promise<Journal & Retention & Rekeying> {
  try {
    const { folder, key, busyMs = 2000 } = options;
    if (options.readOnly === true) return openBeside(folder, busyMs, key?.file);
    return await openForWriter(options);
  } catch (error) {
    if (error instanceof FaultError) throw error;
    throw new FaultError(faultOf(error), { cause: error });
  }
}

async function openForWriter(options: JournalOptions): Promise<Journal & Retention & Rekeying> {
  const { folder, emit, busyMs = 2000, maxBytes } = options;
  const startedAt = Date.now();
  const opened: (() => unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    const lock = holdFolder(folder);
    opened.push(() => lock.close());
    const torn = inspectFiles(folder);
    if (torn > 0) emit('journal.tornEnd', { count: torn });
    assertReach(folder, busyMs);
    const keyFile = options.key?.file;
    const ring = prepareFolder(folder, { busyMs, maxBytes, keyFile, emit });
    const writerData: WriterData = { folder, keys: ring, busyMs, maxBytes };
    const indexerData: IndexerData = { folder, keys: ring, busyMs };
    const { code } = faults.journalUnavailable;
    const died = (detail: string): void => emit('journal.fault', { code, detail });
    const writer: Writer = createThread(threadFile('writer'), writerData, died);
    const indexer: Indexer = createThread(threadFile('indexer'), indexerData, died);
    opened.push(() => Promise.all([writer.stop(), indexer.stop()]));

    await writer.call({ do: 'open' });
    markOpen(folder);
    // Where the rest fails, the threads that end put the log into the database and remove it.
    opened.push(() => markClosed(folder));
    const lookup = await openLookup({ folder, ring, busyMs, indexer, emit });
    opened.push(() => lookup.close());
    const { journal } = lookup.readers();
    const { now = () => Date.now() * 1000 } = options;
    const next = clock(journal.prepare<[], number>(read.end).pluck().get() ?? 0, now);
    const recent = loadRecent(lookup.readers(), options, next());
    const { merge, mark } = lookup;
    const indexing = createIndexing({ merge, indexed: mark, emit });
    const channelRows = journal.prepare<[], Channel>(read.channels).all();
    const channels = new Map(channelRows.map(({ id, name }) => [name, id]));
    const isStored = (id: number): boolean =>
      lookup.readers().journal.prepare(read.block).get(id) !== undefined;
    const { committed } = indexing;
    const commit = createGroupCommit({ writer, next, channels, isStored, committed, emit });
    const count = await lookup.look((search) => search.stats().exchanges);
    emit('journal.opened', { file: folder, count, ms: Date.now() - startedAt });
    const keys = { ring, keyFile: keyFile ?? filesOf(folder).key };
    const parts = { folder, writer, indexer, lookup, next, recent, indexing, channels, commit };
    return writingJournal({ ...parts, ...keys }, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface Parts extends RekeyParts {
  folder: string;
  next: () => number;
  recent: Recent;
  indexing: Indexing;
  channels: Map<string, number>;
  commit: GroupCommit;
}

function writingJournal(
  parts: Parts,
  closeAll: () => Promise<void>,
): Journal & Retention & Rekeying {
  const { writer, indexer, lookup, next, recent, indexing, channels, commit } = parts;
  let closing: Promise<void> | undefined;
  const ending = new AbortController();
  const rekeying = createRekeying(parts);
  /** One deletion after the other. */
  let forgetting: Promise<unknown> = Promise.resolve();

  /** What is found, once all that is committed by now is indexed. */
  async function found<R>(use: (search: Search) => R): Promise<R> {
    if (closing) throw closed();
    await indexing.catchUp();
    return lookup.look(use);
  }

  /** Those in memory, and those the index knows of: what memory has dropped is indexed long since. */
  async function older(
    remembered: ExchangeId[],
    of: { fingerprint: string; controlId: string },
    since: number,
  ): Promise<ExchangeId[]> {
    if (closing) throw closed();
    await indexing.catchUp(recent.droppedBefore());
    const indexed = await lookup.look((search) => search.indexedRepeats(of, since));
    return [...new Set([...remembered, ...indexed])].sort((a, b) => b - a);
  }

  /** Delete something of a channel, once what is being deleted is. */
  function deleting(
    channel: string,
    before: number,
    work: (of: { channel: number; before: number }) => Promise<Forgotten>,
  ): Promise<Forgotten> {
    if (closing) return Promise.reject(closed());
    const forgotten = forgetting.then(async () => {
      const number = channels.get(channel);
      if (number === undefined) return { exchanges: 0, parked: 0, undelivered: 0 };
      // Not beyond now: what is still to come must not count as forgotten.
      const of = { channel: number, before: Math.min(before, next()) };
      return lookup.withIndex(() => work(of));
    });
    forgetting = forgotten.catch(() => {});
    return forgotten;
  }

  /** Of what is indexed already there is nothing to wait for. */
  const beginning = async (exchange: ExchangeId) =>
    (await lookup.look((search) => search.indexedBeginning(exchange))) ??
    (await found((search) => search.beginning(exchange)));

  return {
    mint: next,
    append(exchange, channel, entries, keys) {
      if (closing) return Promise.reject(closed());
      const stored = commit.append(exchange, channel, entries, keys);
      if (keys?.fingerprint !== undefined) {
        const fingerprint = fingerprintNumber(keys.fingerprint);
        const added = recent.add(fingerprint, exchange);
        if (added) stored.catch(() => recent.remove(fingerprint, exchange));
      }
      return stored;
    },
    settle(exchange, outcome) {
      if (closing) throw closed();
      commit.mark(exchange, outcome);
    },
    received: async (exchange) => receivedOf(await beginning(exchange)),
    beginning,
    read: (exchange) => found((search) => search.read(exchange)),
    list: (filter = {}) => found((search) => search.list(filter)),
    repeats(of, since) {
      const fingerprint = fingerprintNumber(of.fingerprint);
      const remembered = recent.find(fingerprint, since);
      if (!recent.mayHaveOlder(fingerprint, since)) return remembered;
      return older(remembered, of, since);
    },
    outbound: (filter = {}) => found((search) => search.outbound(filter)),
    outboundCounts: () => found((search) => search.outboundCounts()),
    practiceOf: (patient) => found((search) => search.practiceOf(patient)),
    adoptKeys: () => (closing ? Promise.reject(closed()) : rekeying.adoptKeys()),
    reencrypt: (after) => (closing ? Promise.reject(closed()) : rekeying.reencrypt(after)),
    stats: () => found((search) => ({ ...search.stats(), bytes: bytesOf(parts.folder) })),
    stored: () => found((search) => search.stored()),
    forget(channel, before, { parked = 0, undelivered = 0, ...told } = {}) {
      const { faulty = Infinity, notAnswered = Infinity } = told;
      const limits = { parked, undelivered, faulty, notAnswered };
      return deleting(channel, before, (of) => forget(parts, { ...of, ...limits }, ending.signal));
    },
    remove: (channel, before, state) =>
      deleting(channel, before, (of) => remove(parts, { ...of, state }, ending.signal)),
    close() {
      closing ??= (async () => {
        ending.abort();
        await forgetting;
        await rekeying.settled();
        await commit.flush();
        await indexing.catchUp();
        indexing.stop();
        markClosed(parts.folder);
        // Readers before the writer: who is last puts the log into the database and removes it.
        lookup.close();
        await indexer.call({ do: 'close' }).catch(() => {});
        await writer.call({ do: 'close' }).catch(() => {});
        await closeAll();
      })();
      return closing;
    },
  };
}

/** Microseconds since 1970, each greater than the one before and than `last`. */
function clock(last: number, now: () => number): () => number {
  let latest = last;
  return () => {
    latest = Math.max(latest + 1, now());
    return latest;
  };
}

function loadRecent(readers: Readers, options: JournalOptions, now: number): Recent {
  const { repeatWindowMs = dayMs, mostRecent: most = 1_000_000, emit } = options;
  const window = repeatWindowMs * 1000;
  const rows = readers.keys
    .prepare<[number, number], { id: number; fingerprint: number }>(find.fingerprints)
    .all(now - window, most / 2);
  const oldest = rows[rows.length - 1];
  const since = oldest && rows.length === most / 2 ? oldest.id : now - window;
  const shortened = (): void => emit('journal.repeatsShortened', { count: most });
  const recent = createRecent({ window, most, since, shortened });
  for (const { id, fingerprint } of rows.reverse()) recent.add(fingerprint, id);
  return recent;
}

function closed(): FaultError {
  return new FaultError({ name: 'journalUnavailable', detail: 'the journal is closed' });
}
