/**
 * Messages on their way to destinations, as the journal tells of them: gathered from `outbound`
 * entries, kept in keys.sqlite, and listed from there together with what is not yet indexed.
 */
import type { Database } from 'better-sqlite3';
import type {
  Entry,
  ExchangeId,
  Outbound,
  OutboundCount,
  OutboundFilter,
  OutboundNote,
  OutboundState,
} from './journal.ts';
import { openStates } from './journal.ts';
import { find, index } from './sql.ts';

/** What is known of the deliveries of one exchange, by destination. */
export type Deliveries = ReadonlyMap<string, Outbound>;

/** What `outbound` entries say, on top of what was known. */
export function deliveriesAfter(
  exchange: ExchangeId,
  before: Deliveries | null,
  entries: readonly Entry[],
): Deliveries | null {
  let after: Map<string, Outbound> | undefined;
  for (const { kind, at, note } of entries) {
    if (kind !== 'outbound') continue;
    const { to, state, attempt, fault } = note as OutboundNote;
    after ??= new Map(before);
    const known = after.get(to);
    after.set(to, {
      exchange,
      to,
      state,
      attempts: attempt ?? known?.attempts ?? 0,
      fault: fault ?? null,
      since: at,
    });
  }
  return after ?? before;
}

/** What two accounts of the same exchange say together; the later wins. */
export function combineDeliveries(
  earlier: Deliveries | null,
  later: Deliveries | null,
): Deliveries | null {
  if (!earlier || !later) return later ?? earlier;
  const all = new Map(earlier);
  for (const [to, one] of later) {
    const known = all.get(to);
    all.set(to, {
      ...one,
      attempts: Math.max(one.attempts, known?.attempts ?? 0),
    });
  }
  return all;
}

/** Writes deliveries to keys.sqlite, and drops those of exchanges that are forgotten. */
export function createDeliveryIndex(keys: Database) {
  const put = keys.prepare(index.putOutbound);
  const drop = keys.prepare(index.dropOutbound);
  return {
    put(deliveries: Deliveries | null): void {
      if (!deliveries) return;
      for (const { exchange, to, state, attempts, fault, since } of deliveries.values()) {
        put.run(exchange, to, state, attempts, fault, since);
      }
    },
    drop: (exchange: ExchangeId): void => void drop.run(exchange),
  };
}

/** What one exchange beyond the index says of its deliveries. */
export type Unindexed = ReadonlyMap<ExchangeId, { deliveries: Deliveries | null }>;

/** Lists deliveries from keys.sqlite and from what is not yet indexed. */
export function createDeliverySearch(keys: Database) {
  const ofExchange = keys.prepare<[number], Outbound>(find.outboundOf);
  const open = keys.prepare<[object], Outbound>(find.outboundOpen);
  const parked = keys.prepare<[object], Outbound>(find.outboundParked);
  const any = keys.prepare<[object], Outbound>(find.outbound);
  const counts = keys.prepare<[], OutboundCount>(find.outboundCounts);

  /** The deliveries of exchanges of the tail, with what the index says of them. */
  function ofTail(tail: Unindexed): Outbound[] {
    const found: Outbound[] = [];
    for (const [id, { deliveries }] of tail) {
      if (!deliveries) continue;
      const stored = new Map(ofExchange.all(id).map((one) => [one.to, one]));
      found.push(...(combineDeliveries(stored, deliveries) ?? stored).values());
    }
    return found;
  }

  function leading({ to }: OutboundFilter, states: readonly OutboundState[]) {
    if (states.every((state) => state === 'parked')) return parked;
    return to !== undefined && states.every(isOpen) ? open : any;
  }

  return {
    list(filter: OutboundFilter, tail: Unindexed): Outbound[] {
      const { states = openStates, limit = 1000 } = filter;
      const newer = ofTail(tail);
      const seen = new Set(newer.map(({ exchange, to }) => `${exchange} ${to}`));
      const indexed =
        filter.exchange === undefined
          ? leading(filter, states).all({
              to: filter.to ?? null,
              states: states.join(),
              fault: filter.fault ?? null,
              after: filter.after ?? 0,
              limit: limit + newer.length,
            })
          : ofExchange.all(filter.exchange).filter((one) => matches(one, filter, states));
      return [
        ...indexed.filter(({ exchange, to }) => !seen.has(`${exchange} ${to}`)),
        ...newer.filter((one) => matches(one, filter, states)),
      ]
        .sort((a, b) => a.exchange - b.exchange)
        .slice(0, limit);
    },

    counts(tail: Unindexed): OutboundCount[] {
      const tally = createTally();
      for (const { count, oldest, ...of } of counts.all()) tally.add(of, oldest, count);
      for (const [id, { deliveries }] of tail) {
        if (!deliveries) continue;
        const stored = new Map(ofExchange.all(id).map((one) => [one.to, one]));
        for (const one of stored.values()) tally.add(one, id, -1);
        for (const one of combineDeliveries(stored, deliveries)?.values() ?? [])
          tally.add(one, id, 1);
      }
      return tally.counts();
    },
  };
}

/** How many of these are open or parked, by destination, state and fault. */
export function countDeliveries(all: Iterable<Outbound>): OutboundCount[] {
  const tally = createTally();
  for (const one of all) tally.add(one, one.exchange, 1);
  return tally.counts();
}

function createTally() {
  const groups = new Map<string, OutboundCount>();
  return {
    add(
      { to, state, fault }: Pick<OutboundCount, 'to' | 'state' | 'fault'>,
      id: number,
      n: number,
    ) {
      if (!isOpen(state) && state !== 'parked') return;
      const key = `${to} ${state} ${fault ?? ''}`;
      const { count, oldest } = groups.get(key) ?? { count: 0, oldest: id };
      groups.set(key, { to, state, fault, count: count + n, oldest: Math.min(oldest, id) });
    },
    counts: () => [...groups.values()].filter(({ count }) => count > 0),
  };
}

/** Whether a delivery is one of those wanted. */
export function matches(
  one: Outbound,
  filter: OutboundFilter,
  states: readonly OutboundState[] = filter.states ?? openStates,
): boolean {
  return (
    states.includes(one.state) &&
    (filter.to ?? one.to) === one.to &&
    (filter.fault ?? one.fault) === one.fault &&
    (filter.exchange ?? one.exchange) === one.exchange &&
    one.exchange > (filter.after ?? 0)
  );
}

const isOpen = (state: OutboundState): boolean =>
  (openStates as readonly OutboundState[]).includes(state);
