/**
 * keys.sqlite: what exchanges can be found by, merged from the journal in sorted bulk. It always
 * goes on from its mark, the last block it holds, which is stored in the same transaction: so a
 * crash, a deleted file and a quiet half second are one and the same case.
 */
import type { Database } from 'better-sqlite3';
import { ofJournal } from './database.ts';
import { createDeliveryIndex } from './deliveries.ts';
import { addUsage, createGatherer } from './gather.ts';
import type { Channel, Gathered } from './gather.ts';
import { createKinds } from './kinds.ts';
import { createMove } from './moving.ts';
import { combine } from './outline.ts';
import type { Outline } from './outline.ts';
import { patients } from './patients-sql.ts';
import type { Opener, Session } from './seal.ts';
import { createSettling } from './settling.ts';
import { index, read } from './sql.ts';

export interface Merged {
  /** The last block that was indexed before; 0 where the index was built from nothing. */
  after: number;
  /** The last block that is indexed now. */
  mark: number;
  /** Appends merged by this call. */
  appends: number;
  /** Blocks that could not be opened, and were passed over. */
  damaged: number;
}

export interface KeyIndex {
  /** Index what the journal holds beyond the mark. */
  merge(): Merged;
  /**
   * How many exchanges the index held that began after everything the journal holds: the end of
   * the journal is gone, or an older copy of it was put in its place.
   */
  lost: number;
}

/** Appends in one transaction. */
const mostInMerge = 32_768;
/** Some ten megabytes of each key: a merge writes to pages all over the last period. */
const mostInPeriod = 262_144;

/** A row of the index: the outline, and the outer two of the blocks that hold the entries. */
export interface IndexedOutline extends Outline {
  first_block: number;
  last_block: number;
  kind: number;
}

/** How far the index has come. */
export interface Mark {
  journal: Buffer | null;
  block: number;
  exchanges: number;
}

/**
 * @param journal journal.sqlite, to read
 * @param keys keys.sqlite, to write
 */
export function createKeyIndex(
  journal: Database,
  keys: Database,
  opener: Opener,
  { exchangesPerPeriod = mostInPeriod, appendsPerMerge = mostInMerge } = {},
): KeyIndex {
  const statements = {
    mark: keys.prepare<[], Mark>(index.mark),
    setMark: keys.prepare(index.setMark),
    lastExchange: keys.prepare<[], number>(index.lastExchange).pluck(),
    exchange: keys.prepare<[number], IndexedOutline>(index.exchange),
    putExchange: keys.prepare(index.putExchange),
    period: keys.prepare<[], { id: number; exchanges: number }>(index.period),
    periodOf: keys.prepare<[number], number>(index.periodOf).pluck(),
    addPeriod: keys.prepare(index.addPeriod),
    countInPeriod: keys.prepare(index.countInPeriod),
    putControl: keys.prepare(index.putControl),
    putPatient: keys.prepare(index.putPatient),
    putByPractice: keys.prepare(index.putByPractice),
    dropByPractice: keys.prepare(index.dropByPractice),
    putNewKeys: [index.putNewControls, index.putNewPatients, index.putNewByPractice].map((sql) =>
      keys.prepare(sql),
    ),
    putMiddleBlock: keys.prepare(index.putMiddleBlock),
    // What older keys name is moved in its place, so it must be there.
    putPractice: keys.prepare(opener.hasOlder ? patients.put : patients.putLately),
    use: keys.prepare(index.use),
  };
  const deliveries = createDeliveryIndex(keys);
  const move = createMove(keys, opener);
  const settling = createSettling(keys);
  const kindsNow = createKinds(keys);
  const gather = createGatherer(journal, opener);
  const copyOpening = createOpeningCopy(journal, keys);
  const identity = ofJournal(() => journal.prepare<[], Buffer>(read.identity).pluck().get());
  const indexedBefore = markNow().block;
  const lost = keys.transaction(startOverIfForeign).immediate();
  // A power cut must not bring it back, once the journal has gone on beyond its mark.
  if (markNow().block < indexedBefore) keys.pragma('wal_checkpoint(full)');

  function markNow(): Mark {
    return statements.mark.get() ?? { journal: null, block: 0, exchanges: 0 };
  }

  /** An index of another journal, or of a later state of this one, is no index of this one. */
  function startOverIfForeign(): number {
    const mark = markNow();
    const last = ofJournal(() => journal.prepare<[], number>(read.end).pluck().get()) ?? 0;
    const ours = identity !== undefined && mark.journal?.equals(identity) === true;
    if (ours && mark.block <= last) return 0;
    const after = keys.prepare<[number], number>(index.exchangesAfter).pluck();
    const missing = ours ? (after.get(last) ?? 0) : 0;
    keys.exec(index.clear);
    statements.setMark.run(identity, 0, 0);
    return missing;
  }

  function store(gathered: Gathered): void {
    const mark = markNow();
    const kinds = kindsNow();
    const newest = statements.lastExchange.get() ?? 0;
    const period = periodFor(newest);
    let exchanges = mark.exchanges;
    let inPeriod = 0;
    for (const [id, outline] of [...gathered.outlines].sort(([a], [b]) => a - b)) {
      const stored = id > newest ? undefined : statements.exchange.get(id);
      // A mark of delivery alone, of an exchange that has been deleted.
      if (stored === undefined && outline.channel === 0) continue;
      const combined = combine(stored, outline);
      if (stored === undefined) {
        exchanges += 1;
        addUsage(gathered.usage, combined.channel, id, { exchanges: 1, bytes: 0 });
      }
      const kind = kinds.put(combined, stored?.kind);
      putExchange(combined, stored, gathered.blocks.get(id) ?? [], kind);
      deliveries.put(outline.deliveries);
      if (id <= newest) putKeys(combined, stored, kind);
      else inPeriod += 1;
    }
    for (const statement of statements.putNewKeys) statement.run(period, newest);
    statements.countInPeriod.run(inPeriod, period);
    if (opener.hasOlder) {
      const named = [...gathered.practices.keys(), ...gathered.survivors];
      for (const patient of named) move(opener.patientHashes(patient));
    }
    // Sorted, so that each page of a table larger than memory is written once.
    const practices = [...gathered.practices.values()];
    practices.sort((a, b) => a.patient.compare(b.patient));
    for (const { patient, practice, at, into, source } of practices) {
      statements.putPractice.run(patient, practice, at, into ?? null, source ?? null, opener.ring);
    }
    settling.some();
    for (const { channel, hour, exchanges, bytes } of gathered.usage.values()) {
      statements.use.run(channel, hour, exchanges, bytes);
    }
    kinds.store();
    copyOpening();
    statements.setMark.run(identity, gathered.last, exchanges);
  }

  /** The period of exchanges after the newest: another once the last is full. */
  function periodFor(newest: number): number {
    const last = statements.period.get();
    if (last !== undefined && last.exchanges < exchangesPerPeriod) return last.id;
    return Number(statements.addPeriod.run(last === undefined ? 0 : newest + 1).lastInsertRowid);
  }

  function putExchange(
    row: Outline,
    stored: IndexedOutline | undefined,
    added: number[],
    kind: number,
  ): void {
    const blocks = stored ? [stored.first_block, stored.last_block, ...added] : added;
    const first = Math.min(...blocks);
    const last = Math.max(...blocks);
    for (const block of blocks) {
      if (block !== first && block !== last) statements.putMiddleBlock.run(row.id, block);
    }
    statements.putExchange.run(
      row.id,
      row.channel,
      row.state ?? 'received',
      row.delivery,
      row.sender,
      row.control,
      row.type,
      row.practice,
      row.fault,
      row.patient,
      row.fingerprint,
      row.repeat_of,
      row.first,
      row.last,
      first,
      last,
      kind,
    );
  }

  /** The keys of a row that was there before; those of new rows go in sorted bulk. */
  function putKeys(row: Outline, stored: IndexedOutline | undefined, kind: number): void {
    const { id, control, patient, practice } = row;
    const period = statements.periodOf.get(id);
    if (control !== null) statements.putControl.run(period, control, id);
    if (patient !== null) statements.putPatient.run(period, patient, id);
    if (stored?.practice === practice && stored.kind === kind) return;
    if (stored && stored.practice !== null) {
      statements.dropByPractice.run(period, stored.practice, stored.kind, id);
    }
    if (practice !== null) statements.putByPractice.run(period, practice, kind, id);
  }

  const storeAtOnce = keys.transaction(store);
  return {
    lost,
    merge() {
      const after = markNow().block;
      const result: Merged = { after, mark: after, appends: 0, damaged: 0 };
      // Until a merge was not full: what comes meanwhile is for the next call, or this one would
      // follow a busy writer for ever in small steps.
      for (let full = true; full;) {
        const gathered = gather(result.mark, appendsPerMerge);
        if (gathered.last === result.mark) break;
        storeAtOnce.immediate(gathered);
        full = gathered.appends >= appendsPerMerge;
        result.mark = gathered.last;
        result.appends += gathered.appends;
        result.damaged += gathered.damaged;
      }
      return result;
    },
  };
}

/** Keeps a copy of what blocks are opened and named by, in case journal.sqlite loses it. */
function createOpeningCopy(journal: Database, keys: Database): () => void {
  const lastSession = keys.prepare<[], number>(index.lastSession).pluck();
  const putSession = keys.prepare(index.putSession);
  const putChannel = keys.prepare(index.putChannel);
  const sessions = journal.prepare<[number], Session & { id: number }>(read.sessions);
  const channels = journal.prepare<[], Channel>(read.channels);
  return () => {
    const known = lastSession.get() ?? 0;
    for (const { id, ring, salt } of ofJournal(() => sessions.all(known))) {
      putSession.run(id, ring, salt);
    }
    for (const { id, name, cleared } of ofJournal(() => channels.all())) {
      putChannel.run(id, name, cleared);
    }
  };
}
