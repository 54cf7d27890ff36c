/**
 * A journal that keeps nothing beyond the process: for cases, which are played without a disk. It
 * holds the same contract and is tested against it.
 */
import { matches as matchesOutbound, countDeliveries, deliveriesAfter } from './deliveries.ts';
import type { Deliveries } from './deliveries.ts';
import type {
  Delivery,
  Entry,
  ExchangeId,
  ExchangeSummary,
  Filter,
  Journal,
  Keys,
} from './journal.ts';
import { isOfType } from './outline.ts';
import { type PracticeRow, followed, sources } from './practices.ts';

interface Kept {
  deliveries: Deliveries | null;
  summary: ExchangeSummary;
  keys: Keys;
  entries: Entry[];
}

/** An empty journal. @param now microseconds since 1970; an id is the time of its minting */
export function memoryJournal(now: () => number): Journal {
  const kept = new Map<ExchangeId, Kept>();
  const practices = new Map<string, PracticeRow<string>>();
  let last = 0;

  const matches = ({ summary, keys }: Kept, filter: Filter) =>
    (filter.channel ?? summary.channel) === summary.channel &&
    (filter.state ?? summary.state) === summary.state &&
    (filter.fault ?? summary.fault) === summary.fault &&
    (filter.controlId ?? summary.controlId) === summary.controlId &&
    isOfType(summary.type, filter.type) &&
    (filter.sender ?? summary.sender) === summary.sender &&
    (filter.patient ?? keys.patient) === keys.patient &&
    (filter.practice ?? summary.practice) === summary.practice &&
    summary.id >= (filter.since ?? 0) &&
    summary.id <= (filter.until ?? Infinity);
  const newestFirst = () => [...kept.values()].sort((a, b) => b.summary.id - a.summary.id);

  return {
    mint: () => (last = Math.max(last + 1, now())),

    async append(exchange, channel, entries, keys = {}) {
      const at = kept.get(exchange) ?? {
        summary: emptySummary(exchange, channel),
        keys: {},
        entries: [],
        deliveries: null,
      };
      kept.set(exchange, at);
      at.entries.push(
        ...entries.map((entry) => ({ ...entry, body: entry.body && Buffer.from(entry.body) })),
      );
      at.deliveries = deliveriesAfter(exchange, at.deliveries, entries);
      at.keys = { ...at.keys, ...keys };
      const { summary } = at;
      for (const key of ['sender', 'controlId', 'type', 'practice', 'fault', 'repeatOf'] as const) {
        if (at.keys[key] !== undefined)
          (summary as Record<typeof key, unknown>)[key] = at.keys[key];
      }
      summary.state = at.keys.state ?? summary.state;
      summary.took = Math.max(summary.took, (entries.at(-1)?.at ?? exchange) - exchange);
      if (entries.some((entry) => entry.kind === 'answer')) summary.delivery = 'owed';
      for (const { patient, practice, into, source } of [keys.registered ?? []].flat()) {
        const from = source && sources[source];
        practices.set(patient, { practice, at: exchange, into, source: from });
      }
    },

    settle(exchange, outcome: Delivery) {
      const found = kept.get(exchange);
      if (found) found.summary.delivery = outcome;
    },

    async read(exchange) {
      const found = kept.get(exchange);
      return found && { ...found.summary, entries: [...found.entries] };
    },

    received: async (exchange) =>
      kept.get(exchange)?.entries.find(({ kind }) => kind === 'received')?.body,

    beginning: async (exchange) =>
      kept.get(exchange)?.entries.find(({ kind }) => kind === 'received' || kind === 'broken'),

    async list(filter = {}) {
      const found = newestFirst().filter((one) => matches(one, filter));
      return found.slice(0, filter.limit ?? 50).map(({ summary }) => ({ ...summary }));
    },

    repeats: ({ fingerprint, controlId }, since) =>
      newestFirst()
        .filter((one) => one.keys.fingerprint === fingerprint && matches(one, { controlId, since }))
        .map(({ summary }) => summary.id),

    async outbound(filter = {}) {
      const all = [...kept.values()].flatMap(({ deliveries }) => [...(deliveries?.values() ?? [])]);
      const found = all.filter((one) => matchesOutbound(one, filter));
      return found.sort((a, b) => a.exchange - b.exchange).slice(0, filter.limit ?? 1000);
    },

    outboundCounts: async () =>
      countDeliveries(
        [...kept.values()].flatMap(({ deliveries }) => [...(deliveries?.values() ?? [])]),
      ),

    practiceOf: async (patient) => followed(patient, (one) => practices.get(one)),

    stats: async () => ({
      exchanges: kept.size,
      bytes: 0,
      oldest: newestFirst().at(-1)?.summary.id ?? null,
      unindexed: 0,
    }),

    async close() {},
  };
}

function emptySummary(id: ExchangeId, channel: string): ExchangeSummary {
  return {
    id,
    channel,
    state: 'received',
    delivery: null,
    sender: null,
    controlId: null,
    type: null,
    practice: null,
    fault: null,
    repeatOf: null,
    took: 0,
  };
}
