/**
 * The index held against the blocks: what it names must be there, and what is there must be named
 * by it. What retention deletes meanwhile is no finding.
 */
import type { Database } from 'better-sqlite3';
import { appendsIn } from './block.ts';
import type { Channel } from './gather.ts';
import { type ExchangeId, exchangeName } from './journal.ts';
import type { Mark } from './keyindex.ts';
import type { Readers } from './open.ts';
import type { SealedBlock } from './seal.ts';
import { find, index, read, verify } from './sql.ts';
import type { Notes } from './verify.ts';

interface Place {
  id: ExchangeId;
  channel: number;
  first_block: number;
  last_block: number;
}

const blocksPerRead = 64;
const exchangesPerRead = 1024;

/**
 * @param damaged blocks that do not open
 * @returns how many exchanges there are, and of how many everything can be read
 */
export function verifyIndex(
  readers: Readers,
  damaged: ReadonlySet<number>,
  notes: Notes,
  at: (what: string, share?: number) => void,
): { exchanges: number; readable: number } {
  const { journal, keys } = readers;
  const { block: mark } = keys.prepare<[], Mark>(index.mark).get() ?? { block: 0 };
  const end = journal.prepare<[], number>(read.end).pluck().get() ?? 0;
  const [first] = journal.prepare<[number, number], SealedBlock>(read.blocksAfter).all(0, 1);
  const start = first?.id ?? 0;
  const shareAt = (id: number): number => Math.min(1, Math.max(0, id - start) / (end - start + 1));
  const forgotten = createForgotten(journal);
  if (mark > end) {
    const says = `it holds exchanges up to ${exchangeName(mark)}, the journal ends at ${exchangeName(end)}`;
    notes.add({ damage: 'exchange', file: 'journal.sqlite', says: `${says}: its end is missing` });
  }
  const unindexed = verifyNamed(readers, mark, forgotten, notes, (id) =>
    at('whether all is indexed', shareAt(id)),
  );
  const told = verifyThere(readers, damaged, forgotten, notes, (id) =>
    at('the exchanges', shareAt(id)),
  );
  at('the keys of the index');
  verifyKeys(keys, notes);
  return { exchanges: told.exchanges + unindexed, readable: told.readable + unindexed };
}

/** Whether retention has deleted an exchange by now. */
function createForgotten(journal: Database): (id: ExchangeId, channel: number) => boolean {
  const channels = journal.prepare<[], Channel>(read.channels);
  const isSpared = journal.prepare<[number], number>(read.isSpared).pluck();
  return (id, channel) => {
    const before = channels.all().find((row) => row.id === channel)?.forgotten ?? 0;
    return id < before && isSpared.get(id) === undefined;
  };
}

/**
 * Every append of a block that is indexed must be found by the index.
 * @returns how many exchanges lie beyond the index
 */
function verifyNamed(
  { journal, keys, opener }: Readers,
  mark: number,
  forgotten: (id: ExchangeId, channel: number) => boolean,
  notes: Notes,
  at: (block: number) => void,
): number {
  const blocksAfter = journal.prepare<[number, number], SealedBlock>(read.blocksAfter);
  const place = keys.prepare<[number], Place>(verify.place);
  const inMiddle = keys.prepare<[number, number], number>(verify.isMiddle).pluck();
  const beyond = createCount();
  const isNamed = (exchange: ExchangeId, block: number): boolean => {
    const row = place.get(exchange);
    if (row === undefined) return false;
    return (
      row.first_block === block ||
      row.last_block === block ||
      inMiddle.get(exchange, block) !== undefined
    );
  };
  for (let after = 0; ; at(after)) {
    const blocks = blocksAfter.all(after, blocksPerRead);
    for (const block of blocks) {
      after = block.id;
      let before = 0;
      for (const exchange of exchangesIn(block)) {
        if (exchange === before) continue;
        before = exchange;
        // A mark of delivery that came late lies in no channel, and its exchange may be gone.
        if (block.channel === 0) continue;
        if (block.id > mark) {
          const isNew = place.get(exchange) === undefined;
          if (isNew && !forgotten(exchange, block.channel)) beyond.add(exchange);
        } else if (!isNamed(exchange, block.id) && !forgotten(exchange, block.channel)) {
          const says = `does not find all of ${exchangeName(exchange)} (block ${block.id})`;
          notes.add({ damage: 'index', file: 'keys.sqlite', says, exchange });
        }
      }
    }
    if (blocks.length < blocksPerRead) break;
  }
  return beyond.distinct();

  function* exchangesIn(block: SealedBlock): Generator<ExchangeId> {
    try {
      for (const { exchange } of appendsIn(opener.open(block), { bodies: false })) yield exchange;
    } catch {
      // Said of the block already.
    }
  }
}

/** Every block that the index names for an exchange must be there, and open. */
function verifyThere(
  { journal, keys }: Readers,
  damaged: ReadonlySet<number>,
  forgotten: (id: ExchangeId, channel: number) => boolean,
  notes: Notes,
  at: (exchange: ExchangeId) => void,
): { exchanges: number; readable: number } {
  const names = new Map(
    journal
      .prepare<[], Channel>(read.channels)
      .all()
      .map(({ id, name }) => [id, name]),
  );
  const placesAfter = keys.prepare<[number, number], Place>(verify.placesAfter);
  const place = keys.prepare<[number], Place>(verify.place);
  const middle = keys.prepare<[number], number>(find.middleBlocks).pluck();
  const isStored = journal.prepare<[number], number>(verify.isStored).pluck();
  let [exchanges, readable, latest] = [0, 0, 0];

  /** Neighbours lie in the same block. */
  const isThere = (block: number): boolean => {
    if (block === latest) return true;
    if (isStored.get(block) === undefined) return false;
    latest = block;
    return true;
  };

  for (let after = 0; ; at(after)) {
    const places = placesAfter.all(after, exchangesPerRead);
    for (const { id, channel, first_block, last_block } of places) {
      after = id;
      const blocks = new Set([first_block, last_block]);
      if (first_block !== last_block) for (const block of middle.all(id)) blocks.add(block);
      const gone = [...blocks].filter((block) => !isThere(block));
      const closed = [...blocks].filter((block) => damaged.has(block));
      if (gone.length > 0 && (forgotten(id, channel) || place.get(id) === undefined)) continue;
      exchanges += 1;
      if (gone.length + closed.length === 0) {
        readable += 1;
        continue;
      }
      const parts = [
        ...gone.map((block) => `block ${block} is missing`),
        ...closed.map((block) => `block ${block} does not open`),
      ];
      const says = `${exchangeName(id)} cannot be read: ${parts.join(', ')}`;
      const of = { channel: names.get(channel) ?? `channel ${channel}`, exchange: id };
      notes.add({ damage: 'exchange', file: 'journal.sqlite', says, ...of });
    }
    if (places.length < exchangesPerRead) break;
  }
  return { exchanges, readable };
}

/** Every exchange must be found by its control id, its patient and its practice, and by no other practice. */
function verifyKeys(keys: Database, notes: Notes): void {
  for (const [finds, by, sql] of [
    ['does not find', 'its control id', verify.notByControl],
    ['does not find', 'its patient', verify.notByPatient],
    ['does not find', 'its practice', verify.notByPractice],
    ['finds', 'a practice or a state that is not its own', verify.wrongByPractice],
  ] as const) {
    for (const exchange of keys.prepare<[], number>(sql).pluck().iterate()) {
      const says = `${finds} ${exchangeName(exchange)} by ${by}`;
      notes.add({ damage: 'index', file: 'keys.sqlite', says, exchange });
    }
  }
}

/** Counts different numbers, many of them, in eight bytes each. */
function createCount() {
  let numbers = new Float64Array(1024);
  let length = 0;
  return {
    add(number: number): void {
      if (length === numbers.length) {
        const larger = new Float64Array(length * 2);
        larger.set(numbers);
        numbers = larger;
      }
      numbers[length] = number;
      length += 1;
    },
    distinct(): number {
      const sorted = numbers.subarray(0, length).sort();
      return sorted.reduce((count, one, at) => count + (one === sorted[at - 1] ? 0 : 1), 0);
    },
  };
}
