/**
 * The fingerprints of recent exchanges, in memory: whether a message came before is asked for
 * each one on the way to its acknowledgement, and must not cost a look into a database.
 *
 * Two tables of plain numbers, open addressing: the young one is filled; when it spans the window
 * or is full, the old one is dropped and the young one grows old. So memory is bounded, nothing
 * is deleted singly, and the garbage collector sees two arrays instead of a million objects.
 *
 * A feed of a few hundred messages a second fills both long before its window ends. What is dropped
 * then leaves a Bloom filter behind: the index is asked only for what may have been there, and a
 * message that never came before still costs nothing.
 */
import { type Bloom, createBloom } from './bloom.ts';
import type { ExchangeId } from './journal.ts';

export interface Recent {
  /** Whether it was not there before. */
  add(fingerprint: number, exchange: ExchangeId): boolean;
  /** Undo an `add`: the append was not stored. */
  remove(fingerprint: number, exchange: ExchangeId): void;
  /** Exchanges with this fingerprint from `since` on that are in memory, newest first. */
  find(fingerprint: number, since: number): ExchangeId[];
  /** Whether there may be others from `since` on, which are not in memory any more. */
  mayHaveOlder(fingerprint: number, since: number): boolean;
  /** Every exchange from this time on is in memory, in microseconds since 1970. */
  coveredSince(): number;
  /** What is no longer in memory was committed before this, in microseconds since 1970. */
  droppedBefore(): number;
}

interface Table {
  /** Fingerprint and exchange in turn; 0 is an empty place. */
  places: Float64Array;
  used: number;
  began: number;
}

/** A table that was dropped: what it held, and from when on the next one holds all. */
interface Dropped {
  filter: Bloom;
  ended: number;
}

/** A table on its way into its filter: half a million at once would hold up every connection. */
interface Dropping extends Dropped {
  table: Table;
  next: number;
}

/** At 1 MB each. */
const mostDropped = 64;
/** Entries that go into the filter with each one that is added. */
const perAdd = 32;

/**
 * @param options.window how long exchanges are remembered at least, in microseconds
 * @param options.most how many at most, at 32 bytes each
 * @param options.since from when on all exchanges will be added
 * @param options.shortened called when so many came that the window is no longer covered
 */
export function createRecent(options: {
  window: number;
  most: number;
  since: number;
  shortened: () => void;
}): Recent {
  let young = createTable(1024, options.since);
  let old = createTable(2, options.since);
  let dropping: Dropping | undefined;
  let dropped: Dropped[] = [];
  /** All exchanges from here on are in a table or in a filter. */
  let knownSince = options.since;

  /** The young table grows old; the old one leaves a filter behind while the window needs it. */
  function turn(exchange: ExchangeId): void {
    const since = exchange - options.window;
    finishDropping();
    if (old.used > 0 && young.began > since) {
      dropping = { table: old, next: 0, filter: createBloom(), ended: young.began };
    } else if (old.used > 0) knownSince = young.began;
    dropped = dropped.filter(({ ended }) => {
      if (ended <= since) knownSince = Math.max(knownSince, ended);
      return ended > since;
    });
    if (dropped.length > mostDropped) {
      knownSince = dropped.shift()?.ended ?? knownSince;
      options.shortened();
    }
    // As many will come as came before; where few did, it grows.
    const capacity = dropping ? young.places.length / 2 : 1024;
    old = young;
    young = createTable(capacity, exchange);
  }

  function drop(some: Dropping, places: number): void {
    const end = Math.min(some.next + places, some.table.places.length);
    for (; some.next < end; some.next += 2) {
      const { places: held } = some.table;
      if ((held[some.next + 1] ?? 0) > 0) some.filter.add(held[some.next] ?? 0);
    }
    if (some.next < some.table.places.length) return;
    dropped.push({ filter: some.filter, ended: some.ended });
    dropping = undefined;
  }

  function finishDropping(): void {
    if (dropping) drop(dropping, Infinity);
  }

  const tables = (): Table[] => (dropping ? [young, old, dropping.table] : [young, old]);
  const coveredSince = (): number => dropping?.table.began ?? old.began;

  return {
    add(fingerprint, exchange) {
      if (young.used >= options.most / 2 || exchange - young.began > options.window) {
        turn(exchange);
      }
      if (dropping) drop(dropping, perAdd * 2);
      if (young.used * 2 >= young.places.length / 2) young = grown(young);
      return place(young, fingerprint, exchange);
    },
    remove(fingerprint, exchange) {
      // The place stays taken, by an exchange that no search can want.
      for (const table of tables()) {
        const at = lookUp(table, fingerprint, (id) => id === exchange);
        if (at >= 0) table.places[at + 1] = -1;
      }
    },
    find(fingerprint, since) {
      const found: ExchangeId[] = [];
      for (const table of tables()) {
        lookUp(table, fingerprint, (id) => {
          if (id >= since && id > 0) found.push(id);
          return false;
        });
      }
      return found.length < 2 ? found : found.sort((a, b) => b - a);
    },
    mayHaveOlder(fingerprint, since) {
      if (since >= coveredSince()) return false;
      if (since < knownSince) return true;
      return dropped.some(({ ended, filter }) => ended >= since && filter.mayHold(fingerprint));
    },
    coveredSince,
    // The last commit that held some of it may have come a moment after the next table was begun.
    droppedBefore: () => young.began,
  };
}

/**
 * 53 bits of a fingerprint as a number, never 0 (cyrb53, public domain). Equal numbers make a
 * candidate only: who acts on a repeat compares the bytes.
 */
export function fingerprintNumber(fingerprint: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < fingerprint.length; i++) {
    const unit = fingerprint.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (b & 0x1fffff) * 0x100000000 + (a >>> 0) || 1;
}

function createTable(capacity: number, began: number): Table {
  return { places: new Float64Array(capacity * 2), used: 0, began };
}

function grown(table: Table): Table {
  const larger = createTable(table.places.length, table.began);
  for (let at = 0; at < table.places.length; at += 2) {
    const exchange = table.places[at + 1] ?? 0;
    if (exchange > 0) place(larger, table.places[at] ?? 0, exchange);
  }
  return larger;
}

/** Put an exchange into the first free place of its chain, unless it is there already. */
function place(table: Table, fingerprint: number, exchange: ExchangeId): boolean {
  const { places } = table;
  let at = firstPlace(table, fingerprint);
  while (places[at] !== 0) {
    if (places[at] === fingerprint && places[at + 1] === exchange) return false;
    at = (at + 2) % places.length;
  }
  places[at] = fingerprint;
  places[at + 1] = exchange;
  table.used += 1;
  return true;
}

/** Show each exchange with this fingerprint to `wanted`; the place of the first it wants, or -1. */
function lookUp(
  table: Table,
  fingerprint: number,
  wanted: (exchange: ExchangeId) => boolean,
): number {
  const { places } = table;
  let at = firstPlace(table, fingerprint);
  while (places[at] !== 0) {
    if (places[at] === fingerprint && wanted(places[at + 1] ?? 0)) return at;
    at = (at + 2) % places.length;
  }
  return -1;
}

/** Capacities are powers of two, so the low bits choose. */
function firstPlace({ places }: Table, fingerprint: number): number {
  return (fingerprint % (places.length / 2)) * 2;
}
