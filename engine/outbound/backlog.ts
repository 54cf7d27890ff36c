/**
 * What a queue holds in memory, and what is still in the journal. Memory is bounded: beyond it
 * messages wait on the disk alone, and are read in their order as room comes.
 */
import { faultByCode } from '../faults.ts';
import type { ExchangeId } from '../journal/journal.ts';
import type { Lanes } from './lanes.ts';
import type { QueueOptions, Waiting } from './outbound.ts';

/** Messages held at most, and how many are read at a time. */
const mostHeld = 10_000;
const perRead = 1000;
/** What was received is held with so many of them at most; for the others it is read again. */
const mostBodies = 1000;

export interface Backlog {
  /** Read what an earlier life left open. */
  start(): Promise<void>;
  /** A message that was just committed. */
  add(exchange: ExchangeId, received: Uint8Array, ambiguous?: boolean): void;
  /** Read on, where there is room and more. */
  refill(): Promise<void>;
  /** There is more than memory holds. */
  more(): boolean;
}

export function createBacklog(
  { journal, to, laneOf }: Pick<QueueOptions, 'journal' | 'to' | 'laneOf'>,
  lanes: Lanes,
): Backlog {
  /** Everything up to here has been read; undefined while memory holds all there is. */
  let readUpTo: ExchangeId | undefined = 0;
  let reading: Promise<void> | undefined;
  /** Committed while the journal was being read, so perhaps not in what it gave. */
  let meanwhile: Waiting[] = [];

  async function read(): Promise<void> {
    const after = readUpTo ?? 0;
    const found = await journal.outbound({ to, after, limit: perRead });
    for (const { exchange, attempts, state, fault } of found) {
      const received = await journal.received(exchange);
      const lane = received === undefined ? exchange : laneOf(received);
      // Committed as being sent, and nothing after: it may have arrived.
      const ambiguous = state === 'sending' || mayHaveArrived(fault);
      hold({ exchange, lane, attempts, ambiguous, received });
    }
    const last = found.at(-1)?.exchange ?? after;
    readUpTo = found.length < perRead ? undefined : last;
    const late = meanwhile;
    meanwhile = [];
    const read = new Set(found.map(({ exchange }) => exchange));
    for (const one of late) if (!read.has(one.exchange)) place(one);
  }

  /** What lies beyond `readUpTo` will be read when there is room. */
  function place(one: Waiting): void {
    if (readUpTo !== undefined && one.exchange > readUpTo) return;
    // One that was committed behind those already read would not be read again.
    if (readUpTo !== undefined || lanes.size() < mostHeld) hold(one);
    else readUpTo = one.exchange - 1;
  }

  function hold(one: Waiting): void {
    if (lanes.size() >= mostBodies) one.received = undefined;
    lanes.add(one);
  }

  async function refill(): Promise<void> {
    while (readUpTo !== undefined && lanes.size() <= mostHeld / 2) {
      reading ??= read().finally(() => (reading = undefined));
      await reading;
    }
  }

  return {
    start: refill,
    add(exchange, received, ambiguous = false) {
      const lane = laneOf(received);
      const one = { exchange, lane, attempts: 0, ambiguous, received };
      if (reading !== undefined) meanwhile.push(one);
      else place(one);
    },
    refill,
    more: () => readUpTo !== undefined,
  };
}

const mayHaveArrived = (code: string | null): boolean =>
  code !== null && faultByCode(code)?.class === 'ambiguous';
