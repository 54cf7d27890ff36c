/**
 * keys.sqlite: what exchanges can be found by, merged from the journal in sorted bulk. It always
 * goes on from its mark, the last block it holds, which is stored in the same transaction: so a
 * crash, a deleted file and a quiet half second are one and the same case.
 */
import type { Database } from 'better-sqlite3';
import { createDeliveryIndex } from './deliveries.ts';
import { createGatherer } from './gather.ts';
import type { Gathered } from './gather.ts';
import { combine } from './outline.ts';
import type { Outline } from './outline.ts';
import type { Opener } from './seal.ts';
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
  /** Drop some exchanges of a channel that began before a time; how many. */
  forget(channel: number, before: number): number;
}

/** Appends in one transaction. */
const appendsPerMerge = 32_768;
const exchangesPerStep = 256;

/** A row of the index: the outline, and the outer two of the blocks that hold the entries. */
export interface IndexedOutline extends Outline {
  first_block: number;
  last_block: number;
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
export function createKeyIndex(journal: Database, keys: Database, opener: Opener): KeyIndex {
  const statements = {
    mark: keys.prepare<[], Mark>(index.mark),
    setMark: keys.prepare(index.setMark),
    lastExchange: keys.prepare<[], number>(index.lastExchange).pluck(),
    exchange: keys.prepare<[number], IndexedOutline>(index.exchange),
    putExchange: keys.prepare(index.putExchange),
    putControl: keys.prepare(index.putControl),
    putPatient: keys.prepare(index.putPatient),
    putNewKeys: [index.putNewControls, index.putNewPatients].map((sql) => keys.prepare(sql)),
    putMiddleBlock: keys.prepare(index.putMiddleBlock),
    putPractice: keys.prepare(index.putPractice),
    dropExchange: keys.prepare(index.dropExchange),
    dropControl: keys.prepare(index.dropControl),
    dropPatient: keys.prepare(index.dropPatient),
    dropMiddleBlocks: keys.prepare(index.dropMiddleBlocks),
    oldestOf: keys.prepare<[object], Pick<Outline, 'id' | 'control' | 'patient'>>(index.oldestOf),
  };
  const deliveries = createDeliveryIndex(keys);
  const gather = createGatherer(journal, opener);
  const identity = journal.prepare<[], Buffer>(read.identity).pluck().get() ?? Buffer.alloc(0);
  keys.transaction(startOverIfForeign).immediate();

  function markNow(): Mark {
    return statements.mark.get() ?? { journal: null, block: 0, exchanges: 0 };
  }

  /** An index of another journal, or of a later state of this one, is no index of this one. */
  function startOverIfForeign(): void {
    const mark = markNow();
    const last = Number(journal.prepare(read.lastBlock).pluck().get() ?? mark.block);
    if (mark.journal?.equals(identity) === true && mark.block <= last) return;
    keys.exec(index.clear);
    statements.setMark.run(identity, 0, 0);
  }

  function store(gathered: Gathered): void {
    const mark = markNow();
    const newest = statements.lastExchange.get() ?? 0;
    let exchanges = mark.exchanges;
    for (const [id, outline] of [...gathered.outlines].sort(([a], [b]) => a - b)) {
      const stored = id > newest ? undefined : statements.exchange.get(id);
      // A mark of delivery alone, of an exchange that has been deleted.
      if (stored === undefined && outline.channel === 0) continue;
      if (stored === undefined) exchanges += 1;
      const combined = combine(stored, outline);
      putExchange(combined, stored, gathered.blocks.get(id) ?? []);
      deliveries.put(outline.deliveries);
      if (id <= newest) putKeys(combined);
    }
    for (const statement of statements.putNewKeys) statement.run(newest);
    for (const { patient, practice, at } of gathered.practices.values()) {
      statements.putPractice.run(patient, practice, at);
    }
    statements.setMark.run(identity, gathered.last, exchanges);
  }

  function putExchange(row: Outline, stored: IndexedOutline | undefined, added: number[]): void {
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
    );
  }

  /** The keys of a row that was there before; those of new rows go in sorted bulk. */
  function putKeys({ id, control, patient }: Outline): void {
    if (control !== null) statements.putControl.run(control, id);
    if (patient !== null) statements.putPatient.run(patient, id);
  }

  const storeAtOnce = keys.transaction(store);
  const forgetAtOnce = keys.transaction((channel: number, before: number) => {
    const rows = statements.oldestOf.all({ channel, before, most: exchangesPerStep });
    for (const { id, control, patient } of rows) {
      statements.dropExchange.run(id);
      if (control !== null) statements.dropControl.run(control, id);
      if (patient !== null) statements.dropPatient.run(patient, id);
      statements.dropMiddleBlocks.run(id);
      deliveries.drop(id);
    }
    const mark = markNow();
    statements.setMark.run(mark.journal, mark.block, mark.exchanges - rows.length);
    return rows.length;
  });

  return {
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
    forget: (channel, before) => forgetAtOnce.immediate(channel, before),
  };
}
