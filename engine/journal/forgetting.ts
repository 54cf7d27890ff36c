/**
 * The index's side of retention: which exchanges are spared although they are old, where their
 * entries lie, and dropping the others from keys.sqlite.
 */
import type { Database } from 'better-sqlite3';
import { giveBack, ofJournal } from './database.ts';
import { createDeliveryIndex } from './deliveries.ts';
import { type Channel, hourInMicroseconds } from './gather.ts';
import type { Forgotten, Removable } from './deletion.ts';
import type { ExchangeId, Outbound, Progress } from './journal.ts';
import { openStates } from './journal.ts';
import type { IndexedOutline, Mark } from './keyindex.ts';
import { type Cursor, createKindWalk, createKinds } from './kinds.ts';
import { find, index, read } from './sql.ts';

/** Which exchanges of a channel are deleted; times in microseconds since 1970, exclusive. */
export interface Forget {
  channel: number;
  /** Those that began before this, */
  before: number;
  /** of those that are parked only the ones before this, */
  parked: number;
  /** and so for those that are not done yet, */
  undelivered: number;
  /** that ended with a fault, */
  faulty: number;
  /** that were not answered positively. */
  notAnswered: number;
}

/** Which exchanges of a channel are deleted by their state. */
export interface Removal {
  channel: number;
  before: number;
  state: Removable;
}

/** Some exchanges that are to be deleted, and where their entries lie. */
export interface Going {
  exchanges: Float64Array<ArrayBuffer>;
  places: Places;
  /** Go on from here; undefined when there are no more. */
  last: Cursor | undefined;
}

/** Pairs of a block and an exchange that has entries in it, by block. */
export type Places = Float64Array<ArrayBuffer>;

/** What one step of dropping did. */
export interface Dropped extends Forgotten {
  /** Go on from here; undefined when there are no more. */
  last: Cursor | undefined;
}

export interface Forgetting {
  /** The exchanges that would be spared, whenever they were first. */
  staying(forget: Forget): Set<ExchangeId>;
  /** Where the entries of exchanges lie, by block. */
  placesOf(exchanges: Iterable<ExchangeId>): Places;
  /**
   * What must be spared of what would be deleted now, beside what was before, and what was spared
   * before and need not stay.
   */
  places(forget: Forget): { spare: Places; release: Places };
  /** Drop some exchanges from the index, those that are spared in the journal apart. */
  drop(forget: Forget, after: Cursor): Dropped;
  /** Some of what is deleted by its state. */
  going(removal: Removal, after: Cursor): Going;
  /**
   * Drop these from the index.
   * @param freed bytes of their channel's blocks by hour, in pairs
   */
  dropThese(channel: number, exchanges: Float64Array, freed: Float64Array): Forgotten;
  /** Count anew what is left of a channel, once its blocks are deleted. */
  account(channel: number, before: number): void;
  /** Give some free space back. @returns pages given back; 0 when there is no more to do */
  shrink(): number;
}

const exchangesPerStep = 256;
const pagesPerStep = 512;
const isOpen = (state: string): boolean => (openStates as readonly string[]).includes(state);
const done: readonly Progress[] = ['answered', 'rejected', 'parked', 'closed'];

/**
 * @param journal journal.sqlite, to read
 * @param keys keys.sqlite, to write
 */
export function createForgetting(journal: Database, keys: Database): Forgetting {
  const statements = {
    exchange: keys.prepare<[number], IndexedOutline>(index.exchange),
    middle: keys.prepare<[number], number>(find.middleBlocks).pluck(),
    mark: keys.prepare<[], Mark>(index.mark),
    setMark: keys.prepare(index.setMark),
    deliveries: keys.prepare<[number], Outbound>(find.outboundOf),
    withParkedDelivery: keys.prepare<[object], number>(index.withParkedDelivery).pluck(),
    periodOf: keys.prepare<[number], number>(index.periodOf).pluck(),
    dropExchange: keys.prepare(index.dropExchange),
    dropControl: keys.prepare(index.dropControl),
    dropPatient: keys.prepare(index.dropPatient),
    dropByPractice: keys.prepare(index.dropByPractice),
    dropMiddleBlocks: keys.prepare(index.dropMiddleBlocks),
    dropEmptyPeriods: [index.dropPeriods, index.firstPeriod].map((sql) => keys.prepare(sql)),
    use: keys.prepare(index.use),
    clearUsage: keys.prepare(index.clearUsage),
    dropUsage: keys.prepare(index.dropUsage),
    channels: journal.prepare<[], Channel>(read.channels),
    isSpared: journal.prepare<[number], number>(read.isSpared).pluck(),
    spared: journal.prepare<[number], { block: number; exchange: number }>(read.spared),
    sparedBytes: journal.prepare<[object], { id: number; bytes: number }>(read.sparedBytes),
    bytesBetween: journal.prepare<[number, number, number], number>(read.bytesBetween).pluck(),
  };
  const deliveries = createDeliveryIndex(keys);
  const kindsNow = createKinds(keys);
  const walk = createKindWalk(keys);

  function toSpare(forget: Forget): Set<ExchangeId> {
    const { channel, before, parked, undelivered, faulty, notAnswered } = forget;
    const all = new Set<ExchangeId>();
    for (const [sql, since] of [
      [index.parked, parked],
      [index.parkedDeliveries, parked],
      [index.unfinished, undelivered],
      [index.openDeliveries, undelivered],
      [index.faulty, faulty],
      [index.notAnswered, notAnswered],
    ] as const) {
      if (since >= before) continue;
      const ids = keys.prepare<[object], number>(sql).pluck().iterate({ channel, since, before });
      for (const id of ids) all.add(id);
    }
    return all;
  }

  const dropAtOnce = keys.transaction((forget: Forget, after: Cursor): Dropped => {
    const { channel, before } = forget;
    const { exchanges, last } = walk({ channel, before, state: null }, after, exchangesPerStep);
    const going = exchanges.filter(
      (id) => ofJournal(() => statements.isSpared.get(id)) === undefined,
    );
    return { ...dropAll(going), last };
  });

  function dropAll(exchanges: Iterable<ExchangeId>): Forgotten {
    const dropped: Forgotten = { exchanges: 0, parked: 0, undelivered: 0 };
    const kinds = kindsNow();
    for (const id of exchanges) {
      const row = statements.exchange.get(id);
      if (!row) continue;
      dropCounted(row, dropped);
      kinds.drop(row.kind);
    }
    kinds.store();
    const mark = statements.mark.get();
    if (mark) statements.setMark.run(mark.journal, mark.block, mark.exchanges - dropped.exchanges);
    for (const statement of statements.dropEmptyPeriods) statement.run();
    return dropped;
  }

  function dropCounted(row: IndexedOutline, dropped: Forgotten): void {
    const states = statements.deliveries.all(row.id).map(({ state }) => state);
    dropped.exchanges += 1;
    if (row.state === 'parked' || states.includes('parked')) dropped.parked += 1;
    else if (states.some(isOpen) || !done.includes(row.state as Progress)) dropped.undelivered += 1;
    dropRow(row);
  }

  const dropTheseAtOnce = keys.transaction(
    (channel: number, exchanges: Float64Array, freed: Float64Array): Forgotten => {
      for (let at = 0; at < freed.length; at += 2) {
        statements.use.run(channel, freed[at], 0, -(freed[at + 1] ?? 0));
      }
      return dropAll(exchanges);
    },
  );

  function placesOf(exchanges: Iterable<ExchangeId>, from = 0): Places {
    const found: [block: number, exchange: ExchangeId][] = [];
    for (const id of exchanges) {
      const row = statements.exchange.get(id);
      if (!row) continue;
      const blocks = new Set([row.first_block, row.last_block, ...statements.middle.all(id)]);
      for (const block of blocks) if (block >= from) found.push([block, id]);
    }
    found.sort(([a], [b]) => a - b);
    return new Float64Array(found.flat());
  }

  function going(removal: Removal, after: Cursor): Going {
    const { exchanges: found, last } = foundInState(removal, after);
    const closed = found.filter(
      (id) => !statements.deliveries.all(id).some((one) => isOpen(one.state)),
    );
    return { exchanges: new Float64Array(closed), places: placesOf(closed), last };
  }

  function foundInState({ channel, before, state }: Removal, after: Cursor) {
    const most = exchangesPerStep;
    // No kind is 0: what has a parked delivery comes first, whatever its own state.
    if (state === 'parked' && after.kind === 0) {
      const of = { channel, before, after: after.exchange, most };
      const exchanges = statements.withParkedDelivery.all(of);
      const exchange = exchanges.at(-1);
      if (exchange !== undefined) return { exchanges, last: { kind: 0, exchange } };
    }
    return walk({ channel, before, state }, after, most);
  }

  function dropRow(row: IndexedOutline): void {
    const { id, channel, control, patient, practice, kind } = row;
    const period = statements.periodOf.get(id);
    statements.dropExchange.run(id);
    if (control !== null) statements.dropControl.run(period, control, id);
    if (patient !== null) statements.dropPatient.run(period, patient, id);
    if (practice !== null) statements.dropByPractice.run(period, practice, kind, id);
    statements.dropMiddleBlocks.run(id);
    deliveries.drop(id);
    statements.use.run(channel, Math.floor(id / hourInMicroseconds), -1, 0);
  }

  return {
    places(forget) {
      const staying = toSpare(forget);
      const release = ofJournal(() => statements.spared.all(forget.channel))
        .filter(({ exchange }) => !staying.has(exchange) && exchange < forget.before)
        .map(({ block, exchange }): [number, ExchangeId] => [block, exchange]);
      // Where blocks were deleted before, what stays was spared then; in many steps it adds up.
      const of = ofJournal(() => statements.channels.all()).find(({ id }) => id === forget.channel);
      const spare = placesOf(staying, of?.cleared);
      return { spare, release: new Float64Array(release.flat()) };
    },

    staying: toSpare,
    placesOf: (exchanges) => placesOf(exchanges),
    going,
    dropThese: (...what) => dropTheseAtOnce.immediate(...what),
    drop: (forget, after) => dropAtOnce.immediate(forget, after),

    account: keys.transaction((channel: number, before: number) => {
      const hour = Math.floor(before / hourInMicroseconds);
      const from = hour * hourInMicroseconds;
      // What comes after the mark is counted when it is merged.
      const to = Math.min(from + hourInMicroseconds, (statements.mark.get()?.block ?? 0) + 1);
      statements.clearUsage.run(channel, hour + 1);
      const spared = ofJournal(() => statements.sparedBytes.all({ channel, before: from }));
      for (const { id, bytes } of spared) {
        statements.use.run(channel, Math.floor(id / hourInMicroseconds), 0, bytes);
      }
      const bytes = ofJournal(() => statements.bytesBetween.get(from, to, channel)) ?? 0;
      statements.use.run(channel, hour, 0, bytes);
      statements.dropUsage.run(channel);
    }).immediate,

    shrink: () => giveBack(keys, pagesPerStep),
  };
}
