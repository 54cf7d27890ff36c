/**
 * What a queue holds in memory, and what is still in the journal. Memory is bounded: beyond it
 * messages wait on the disk alone, and are read in their order as room comes.
 *
 * One law keeps a message from being delivered twice: what lies beyond `readUpTo` is not in memory,
 * so what is read from there cannot be under way or just done with.
 */
import { faultByCode } from '../faults.ts';
import type { ExchangeId, Outbound } from '../journal/journal.ts';
import type { Lanes } from './lanes.ts';
import type { QueueOptions, Waiting } from './outbound.ts';

/** Messages held at most, and how many are read at a time. */
const mostHeld = 10_000;
const perRead = 1000;
/** Bytes of messages held at most; the others are read again when their turn comes. */
const mostBytes = 16 * 1024 * 1024;
/** How long to wait where the journal could not be read. */
const againMs = 1000;

export interface Backlog {
  /** Read what an earlier life left open. @throws FaultError where the journal cannot be read */
  start(): Promise<void>;
  /** A message that was just committed. */
  add(exchange: ExchangeId, received: Uint8Array, ambiguous?: boolean): void;
  /** A message that was held is done with. */
  left(one: Waiting): void;
  /** Read on, where there is room and more; tried until the journal can be read. Never throws. */
  refill(): Promise<void>;
  /** There is more than memory holds. */
  more(): boolean;
}

/** @param signal ends the reading */
export function createBacklog(
  options: Pick<QueueOptions, 'journal' | 'to' | 'laneOf'>,
  lanes: Lanes,
  signal: AbortSignal,
): Backlog {
  const { journal, to, laneOf } = options;
  /** Everything up to here has been read; undefined while memory holds all there is. */
  let readUpTo: ExchangeId | undefined = 0;
  let reading: Promise<void> | undefined;
  /** Committed while the journal was being read, so perhaps not in what it gave. */
  let meanwhile: Waiting[] = [];
  /** The latest exchange that was ever held. */
  let newest: ExchangeId = 0;
  let bytes = 0;
  let refilling: Promise<void> | undefined;

  async function read(): Promise<void> {
    const after = readUpTo ?? 0;
    const found = await journal.outbound({ to, after, limit: perRead });
    const read: Waiting[] = [];
    let room = mostBytes - bytes;
    for (const one of found) {
      const waiting = await taken(one);
      room -= waiting.received?.length ?? 0;
      if (room < 0) waiting.received = undefined;
      read.push(waiting);
    }
    // Held together, so that a read that fails in the middle holds nothing.
    read.forEach(hold);
    const last = found.at(-1)?.exchange ?? after;
    readUpTo = found.length < perRead ? undefined : last;
    const late = meanwhile;
    meanwhile = [];
    const known = new Set(found.map(({ exchange }) => exchange));
    for (const one of late) if (!known.has(one.exchange)) place(one);
  }

  async function taken(one: Outbound): Promise<Waiting> {
    const { exchange, attempts } = one;
    const received = await journal.received(exchange);
    const lane = received === undefined ? exchange : laneOf(received);
    return { exchange, lane, attempts, ambiguous: await mayHaveArrived(one), received };
  }

  /** Said of the last attempt, or of one before: once it may have arrived, that stays so. */
  async function mayHaveArrived({ exchange, state, fault, attempts }: Outbound): Promise<boolean> {
    // Committed as being sent, and nothing after.
    if (state === 'sending') return true;
    if (fault !== null && faultByCode(fault)?.class === 'ambiguous') return true;
    if (attempts === 0) return false;
    const { entries = [] } = (await journal.read(exchange)) ?? {};
    return entries.some(({ note }) => note?.to === to && note.possibleDuplicate === true);
  }

  /** What lies beyond `readUpTo` will be read when there is room. */
  function place(one: Waiting): void {
    if (readUpTo !== undefined && one.exchange > readUpTo) return;
    // One that was committed behind those already held would not be read again.
    const behind = one.exchange < newest;
    if (readUpTo !== undefined || behind || lanes.size() < mostHeld) hold(one);
    else readUpTo = one.exchange - 1;
  }

  function hold(one: Waiting): void {
    if (lanes.has(one.exchange)) return;
    newest = Math.max(newest, one.exchange);
    const length = one.received?.length ?? 0;
    if (bytes + length > mostBytes) one.received = undefined;
    else bytes += length;
    lanes.add(one);
  }

  async function readOn(): Promise<void> {
    while (readUpTo !== undefined && lanes.size() <= mostHeld / 2 && !signal.aborted) {
      reading ??= read().finally(() => (reading = undefined));
      await reading;
    }
  }

  async function untilRead(): Promise<void> {
    while (!signal.aborted) {
      try {
        return await readOn();
      } catch {
        // The journal has told of it; what is left on the disk must wait.
        await new Promise((resolve) => setTimeout(resolve, againMs).unref());
      }
    }
  }

  return {
    start: readOn,
    add(exchange, received, ambiguous = false) {
      const one = { exchange, lane: laneOf(received), attempts: 0, ambiguous, received };
      if (reading !== undefined) meanwhile.push(one);
      else place(one);
    },
    left: ({ received }) => void (bytes -= received?.length ?? 0),
    refill: () => (refilling ??= untilRead().finally(() => (refilling = undefined))),
    more: () => readUpTo !== undefined,
  };
}
