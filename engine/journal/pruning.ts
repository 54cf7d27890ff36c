/** What a deletion would take away, told before it does: read beside a running engine or alone. */
import { createForgetting } from './forgetting.ts';
import type { Forget, Forgetting, Places } from './forgetting.ts';
import { hourInMicroseconds } from './gather.ts';
import type { Channel, Usage } from './gather.ts';
import type { Removable } from './deletion.ts';
import type { Progress } from './journal.ts';
import { removable } from './deletion.ts';
import { closeReaders, openReaders, readKeysOf } from './open.ts';
import type { Readers } from './open.ts';
import type { SealedBlock } from './seal.ts';
import type { Mark } from './keyindex.ts';
import { start } from './kinds.ts';
import { find, index, pruning as sql, read } from './sql.ts';
import { thinned } from './thin.ts';

/** What a person wants deleted. */
export interface Prune {
  /** These channels; all unless told. */
  channels?: readonly string[];
  /** What began before this, microseconds since 1970. */
  before: number;
  /** Only what ended in this state; else everything that is done with and not parked. */
  state?: PrunedState;
  /** Spare what ended with a fault. */
  keepErrors?: boolean;
}

export const prunedStates = ['answered', ...removable] as const satisfies Progress[];
export type PrunedState = (typeof prunedStates)[number];

export const isRemovable = (state: PrunedState | undefined): state is Removable =>
  (removable as readonly string[]).includes(state ?? '');

/** Of one channel. */
export interface PrunePlan {
  channel: string;
  /** How many exchanges go. */
  exchanges: number;
  /** How many of the same age stay. */
  stay: number;
  /** Bytes that come free: of blocks that stay because of one exchange, what goes is not counted. */
  bytes: number;
  /** Times up to which to delete, one after the other: each is a step of some seconds. */
  steps: number[];
}

/** Exchanges in one step. */
const exchangesPerStep = 50_000;

/** The limits that a deletion has of its own, as `Retention.forget` takes them. */
export function limitsOf({ state, keepErrors }: Pick<Prune, 'state' | 'keepErrors'>) {
  return {
    ...(keepErrors === true && { faulty: 0, notAnswered: 0 }),
    ...(state === 'answered' && { notAnswered: 0 }),
  };
}

/** What would be deleted, and whether all that is old enough is indexed, and so counted. */
export interface PrunePlans {
  plans: PrunePlan[];
  complete: boolean;
}

/**
 * Look at what would be deleted.
 * @throws FaultError journalUnavailable where there is no journal, journalKey…, journalVersion
 */
export function planPrune(
  folder: string,
  prune: Prune,
  options: { keyFile?: string; busyMs?: number } = {},
): PrunePlans {
  const { keyFile, busyMs = 2000 } = options;
  const readers = openReaders(folder, readKeysOf(folder, keyFile), busyMs);
  try {
    const forgetting = createForgetting(readers.journal, readers.keys);
    const channels = readers.journal.prepare<[], Channel>(read.channels).all();
    const wanted = channels.filter(
      ({ id, name }) => id !== 0 && (prune.channels?.includes(name) ?? true),
    );
    const mark = readers.keys.prepare<[], Mark>(index.mark).get()?.block ?? 0;
    const [next] = readers.journal
      .prepare<[number, number], SealedBlock>(read.blocksAfter)
      .all(mark, 1);
    const plans = wanted.map(({ id, name }) => {
      const { state } = prune;
      const told = isRemovable(state)
        ? removed(readers, forgetting, { channel: id, before: prune.before, state })
        : forgotten(readers, forgetting, id, prune);
      return { channel: name, ...told };
    });
    return { plans, complete: next === undefined || next.id >= prune.before };
  } finally {
    closeReaders(readers);
  }
}

type Told = Omit<PrunePlan, 'channel'>;

function forgotten(
  { journal, keys }: Readers,
  forgetting: Forgetting,
  channel: number,
  prune: Prune,
): Told {
  const { before } = prune;
  const { faulty = Infinity, notAnswered = Infinity } = limitsOf(prune);
  const forget: Forget = { channel, before, parked: 0, undelivered: 0, faulty, notAnswered };
  const staying = forgetting.staying(forget);
  const places = forgetting.placesOf(staying);
  const all = keys.prepare<[object], number>(sql.countBefore).pluck().get({ channel, before }) ?? 0;
  const hours = keys.prepare<[], Usage>(find.usage).all();
  const present = Math.floor(before / hourInMicroseconds);
  const own = hours.filter((one) => one.channel === channel && one.hour < present);
  const start = present * hourInMicroseconds;
  const between = journal.prepare<[number, number, number], number>(read.bytesBetween).pluck();
  const whole = own.reduce((sum, { bytes }) => sum + bytes, 0);
  const bytes = whole + (between.get(start, before, channel) ?? 0) - bytesOf(journal, places);
  const steps: number[] = [];
  let exchanges = 0;
  for (const one of own) {
    exchanges += one.exchanges;
    if (exchanges < exchangesPerStep) continue;
    steps.push((one.hour + 1) * hourInMicroseconds);
    exchanges = 0;
  }
  if (steps.at(-1) !== before) steps.push(before);
  return {
    exchanges: all - staying.size,
    stay: staying.size,
    bytes: Math.max(0, bytes),
    steps,
  };
}

function bytesOf(journal: Readers['journal'], places: Places): number {
  const length = journal.prepare<[number], number>(sql.lengthOf).pluck();
  const blocks = new Set(places.filter((_, at) => at % 2 === 0));
  let bytes = 0;
  for (const block of blocks) bytes += length.get(block) ?? 0;
  return bytes;
}

function removed(
  { journal, keys, opener }: Readers,
  forgetting: Forgetting,
  removal: Parameters<Forgetting['going']>[0],
): Told {
  const { channel, before } = removal;
  const block = journal.prepare<[number], SealedBlock>(read.block);
  const all = keys.prepare<[object], number>(sql.countBefore).pluck().get({ channel, before }) ?? 0;
  const exchanges = new Set<number>();
  let bytes = 0;
  for (let after = start; ;) {
    const going = forgetting.going(removal, after);
    if (going.last === undefined) break;
    after = going.last;
    for (const id of going.exchanges) exchanges.add(id);
    const gone = new Set(going.exchanges);
    for (const id of new Set(going.places.filter((_, at) => at % 2 === 0))) {
      const sealed = block.get(id);
      const left = sealed && thinned(opener.open(sealed), (exchange) => !gone.has(exchange));
      if (sealed && left) bytes += sealed.body.length - left.bytes.length;
    }
  }
  return { exchanges: exchanges.size, stay: all - exchanges.size, bytes, steps: [before] };
}
