/**
 * Reading the journal: by its index, and beyond the index's mark by the blocks themselves, so
 * that what is committed is found at once and a missing index hides nothing.
 */
import type { Database } from 'better-sqlite3';
import { appendsIn } from './block.ts';
import type { Append } from './block.ts';
import { FaultError } from '../faults.ts';
import { ofJournal } from './database.ts';
import { createDeliverySearch } from './deliveries.ts';
import { createGatherer } from './gather.ts';
import type { Channel, Usage } from './gather.ts';
import type { Stored } from './deletion.ts';
import type {
  Entry,
  ExchangeId,
  ExchangeSummary,
  Filter,
  KnownPractice,
  Outbound,
  OutboundCount,
  OutboundFilter,
  StoredExchange,
} from './journal.ts';
import type { IndexedOutline, Mark } from './keyindex.ts';
import { createKindSearch } from './kinds.ts';
import { combine, matches, outlineOf, summaryOf } from './outline.ts';
import type { Outline, Selection, Told } from './outline.ts';
import { underEachKey } from './moving.ts';
import { patients } from './patients-sql.ts';
import { type PracticeRow, followed } from './practices.ts';
import { fingerprintNumber } from './recent.ts';
import type { Opener, SealedBlock } from './seal.ts';
import { find, index, list, read } from './sql.ts';

export interface Search {
  list(filter: Filter): ExchangeSummary[];
  read(exchange: ExchangeId): StoredExchange | undefined;
  /** Its first entry: what was received. */
  beginning(exchange: ExchangeId): Entry | undefined;
  /** The same by the index alone, from one block: undefined also where it is not indexed yet. */
  indexedBeginning(exchange: ExchangeId): Entry | undefined;
  outbound(filter: OutboundFilter): Outbound[];
  outboundCounts(): OutboundCount[];
  practiceOf(patient: string): KnownPractice | undefined;
  repeats(of: { fingerprint: string; controlId: string }, since: number): ExchangeId[];
  /** The same by the index alone. */
  indexedRepeats(of: { fingerprint: string; controlId: string }, since: number): ExchangeId[];
  stored(): Stored[];
  stats(): { exchanges: number; oldest: number | null; unindexed: number };
}

/**
 * @param journal journal.sqlite
 * @param keys keys.sqlite; both are only read
 * @param mostUnindexed beyond so many appends that are not indexed, indexIncomplete is thrown
 */
export function createSearch(
  journal: Database,
  keys: Database,
  opener: Opener,
  mostUnindexed?: number,
): Search {
  const gather = createGatherer(journal, opener, mostUnindexed);
  const channels = journal.prepare<[], Channel>(read.channels);
  const block = journal.prepare<[number], SealedBlock>(read.block);
  const appendsAfter = journal.prepare<[number], number>(read.appendsAfter).pluck();
  const mark = keys.prepare<[], Mark>(index.mark);
  const exchange = keys.prepare<[number], IndexedOutline>(index.exchange);
  const middle = keys.prepare<[number], number>(find.middleBlocks).pluck();
  const said = keys.prepare<[{ patient: Buffer }], PracticeRow>(patients.said);
  const repeats = keys.prepare<[string, number, number], number>(find.repeats).pluck();
  const oldest = keys.prepare<[], number>(find.oldest).pluck();
  const usage = keys.prepare<[], Usage>(find.usage);
  const isSpared = journal.prepare<[number], number>(read.isSpared).pluck();
  const deliveries = createDeliverySearch(keys);
  const newestOfKinds = createKindSearch(keys);

  /** The block that was opened last for `beginning`. */
  let latest: { id: number; plain: Buffer } | undefined;

  /** The index as it is now, in one transaction; what it lacks is read after that. */
  const atOneTime = <R>(work: () => R): R => keys.transaction(work).deferred();
  const markNow = (): Mark => mark.get() ?? { journal: null, block: 0, exchanges: 0 };
  const tail = () => gather(markNow().block, Infinity);

  /** Exchanges of the tail, with what the index says of them. */
  function tailOutlines(): Map<ExchangeId, Told> {
    const { outlines } = tail();
    for (const [id, outline] of outlines) {
      const combined = combine(exchange.get(id), outline);
      // A mark of delivery alone belongs to an exchange that was deleted.
      if (combined.channel === 0) outlines.delete(id);
      else outlines.set(id, combined);
    }
    return outlines;
  }

  function select(selection: Selection, limit: number): Outline[] {
    const unindexed = tailOutlines();
    const indexed = listed(selection, limit + unindexed.size);
    const found = indexed.filter(({ id }) => !unindexed.has(id));
    for (const outline of unindexed.values()) if (matches(outline, selection)) found.push(outline);
    return found.sort((a, b) => b.id - a.id).slice(0, limit);
  }

  /** What the index has of it, newest first. */
  function listed(selection: Selection, limit: number): Outline[] {
    const by = leading(selection);
    if (by === 'kinds') {
      const ids = Array.from(newestOfKinds(selection, limit));
      return ids.flatMap((id) => exchange.get(id) ?? []);
    }
    return keys.prepare<[object], Outline>(list[by]).all({
      channel: selection.channel ?? null,
      state: selection.state ?? null,
      fault: selection.fault ?? null,
      controlId: selection.controlId ?? null,
      type: selection.type ?? null,
      sender: selection.sender ?? null,
      patient: selection.patient ?? null,
      practice: selection.practice ?? null,
      since: selection.since ?? 0,
      until: selection.until ?? Number.MAX_SAFE_INTEGER,
      limit,
    });
  }

  /** Whether retention has deleted it, though the index may still name it. */
  function isForgotten(id: ExchangeId, channel: number): boolean {
    const of = ofJournal(() => channels.all()).find((row) => row.id === channel);
    return id < (of?.forgotten ?? 0) && ofJournal(() => isSpared.get(id)) === undefined;
  }

  /** Every append of an exchange, in the order in which they were made, each with its channel. */
  function appendsOf(id: ExchangeId): { append: Append; channel: number }[] {
    const found: { append: Append; channel: number }[] = [];
    const row = exchange.get(id);
    const indexed = row ? [row.first_block, row.last_block, ...middle.all(id)] : [];
    for (const part of new Set([...indexed, ...(tail().blocks.get(id) ?? [])])) {
      const sealed = ofJournal(() => block.get(part));
      if (sealed === undefined && row && isForgotten(id, row.channel)) return [];
      if (sealed === undefined) {
        throw new FaultError({ name: 'journalDamaged', detail: `block ${part} is missing` });
      }
      for (const append of appendsIn(opener.open(sealed), { exchange: id })) {
        found.push({ append, channel: sealed.channel });
      }
    }
    return found.sort((a, b) => a.append.id - b.append.id);
  }

  function indexedBeginning(id: ExchangeId): Entry | undefined {
    const row = exchange.get(id);
    if (row === undefined) return undefined;
    // A queue is read in order, and a block holds many of its messages.
    if (latest?.id !== row.first_block) {
      const sealed = ofJournal(() => block.get(row.first_block));
      if (sealed === undefined) return undefined;
      latest = { id: sealed.id, plain: opener.open(sealed) };
    }
    for (const { entries } of appendsIn(latest.plain, { exchange: id })) {
      const first = firstOf(entries);
      if (first) return first;
    }
    return undefined;
  }

  return {
    list(filter) {
      const byId = new Map(ofJournal(() => channels.all()).map((row) => [row.id, row.name]));
      const named = [...byId].find(([, name]) => name === filter.channel);
      if (filter.channel !== undefined && named === undefined) return [];
      const { patient, limit = 50 } = filter;
      const selection: Selection = {
        ...filter,
        channel: named?.[0],
        patient: undefined,
      };
      const selections =
        patient === undefined
          ? [selection]
          : opener.patientHashes(patient).map((hash) => ({ ...selection, patient: hash }));
      return selections
        .flatMap((one) => atOneTime(() => select(one, limit)))
        .sort((a, b) => b.id - a.id)
        .slice(0, limit)
        .map((outline) => summaryOf(outline, byId.get(outline.channel) ?? ''));
    },

    read(id) {
      const appends = atOneTime(() => appendsOf(id));
      let outline: Told | undefined;
      for (const { append, channel } of appends) {
        outline = combine(
          outline,
          outlineOf(append, channel, () => Buffer.alloc(0)),
        );
      }
      const channel = ofJournal(() => channels.all()).find((row) => row.id === outline?.channel);
      if (!outline || !channel || channel.id === 0) return undefined;
      if (isForgotten(id, channel.id)) return undefined;
      const entries = appends.flatMap(({ append }) => append.entries);
      return { ...summaryOf(outline, channel.name), entries };
    },

    outbound: (filter) => atOneTime(() => deliveries.list(filter, tail().outlines)),
    outboundCounts: () => atOneTime(() => deliveries.counts(tail().outlines)),

    indexedBeginning,
    beginning(id) {
      if (exchange.get(id) !== undefined) return indexedBeginning(id);
      return firstOf(atOneTime(() => appendsOf(id)).flatMap(({ append }) => append.entries));
    },

    practiceOf(patient) {
      const hashes = opener.patientHashes(patient);
      return atOneTime(() => {
        const { practices, survivors } = tail();
        const newer = [...practices.values()];
        const hashesOf = underEachKey(opener, [...practices.keys(), ...survivors]);
        const rowOf = (of: readonly Buffer[]) =>
          [
            ...of.flatMap((patient) => said.all({ patient })),
            ...newer.filter((one) => of.some((hash) => hash.equals(one.patient))),
          ].reduce<PracticeRow | undefined>((a, b) => (b.at >= (a?.at ?? 0) ? b : a), undefined);
        return followed<readonly Buffer[]>(hashes, (of) => {
          const row = rowOf(of);
          return row && { ...row, into: row.into && hashesOf(row.into) };
        });
      });
    },

    repeats({ fingerprint, controlId }, since) {
      const number = fingerprintNumber(fingerprint);
      return atOneTime(() => {
        const found = new Set(repeats.all(controlId, since, number));
        for (const outline of tail().outlines.values()) {
          if (outline.fingerprint === number && outline.id >= since) found.add(outline.id);
        }
        return [...found].sort((a, b) => b - a);
      });
    },

    indexedRepeats: ({ fingerprint, controlId }, since) =>
      repeats.all(controlId, since, fingerprintNumber(fingerprint)),

    stored() {
      const all = new Map<number, Stored>();
      for (const { id, name } of ofJournal(() => channels.all())) {
        all.set(id, { channel: name, exchanges: 0, bytes: 0, hours: [] });
      }
      for (const { channel, ...hour } of usage.all()) {
        const one = all.get(channel);
        if (!one) continue;
        one.exchanges += hour.exchanges;
        one.bytes += hour.bytes;
        one.hours.push(hour);
      }
      // What lies under no channel's name are marks of delivery.
      return [...all.values()].filter(({ channel }) => channel !== '');
    },

    stats: () =>
      atOneTime(() => {
        const { block: indexedUpTo, exchanges } = markNow();
        const unindexed = [...tailOutlines().keys()];
        const added = unindexed.filter((id) => exchange.get(id) === undefined);
        const first = added.reduce((a, b) => Math.min(a, b), oldest.get() ?? Infinity);
        return {
          exchanges: exchanges + added.length,
          oldest: Number.isFinite(first) ? first : null,
          unindexed: ofJournal(() => appendsAfter.get(indexedUpTo)) ?? 0,
        };
      }),
  };
}

const firstOf = (entries: Entry[]): Entry | undefined =>
  entries.find(({ kind }) => kind === 'received' || kind === 'broken');

/** The bytes of a message that was received whole. */
export function receivedOf(first: Entry | undefined): Uint8Array | undefined {
  return first?.kind === 'received' ? first.body : undefined;
}

/** What a selection is found by: the rarest first, and by time alone where it names nothing. */
function leading(selection: Selection): 'controlId' | 'patient' | 'any' | 'kinds' {
  if (selection.controlId !== undefined) return 'controlId';
  if (selection.patient !== undefined) return 'patient';
  const { channel, state, fault, sender, type, practice } = selection;
  const named = [channel, state, fault, sender, type, practice].some((one) => one !== undefined);
  return named ? 'kinds' : 'any';
}
