/**
 * Order by key, parallel across keys. A lane holds the messages of one key in the order of their
 * exchanges; only its first may be under way. Lanes take turns, so that a long one starves nobody.
 */
import type { ExchangeId } from '../journal/journal.ts';
import type { Waiting } from './outbound.ts';

export interface Lanes {
  /** Put a message in its place; one that is already there stays as it is. */
  add(one: Waiting): void;
  /** The first message of the next free lane; the lane is busy from now on. */
  take(): Waiting | undefined;
  /** The message that was taken is done with: the next one of its lane may go. */
  leave(one: Waiting): void;
  /** The message that was taken keeps its place; its lane is free again. */
  back(one: Waiting): void;
  has(exchange: ExchangeId): boolean;
  /** Messages held, those under way among them. */
  size(): number;
  /** The exchange that has waited longest. */
  oldest(): ExchangeId | undefined;
}

interface Lane {
  waiting: Waiting[];
  busy: boolean;
}

export function createLanes(): Lanes {
  const lanes = new Map<number, Lane>();
  /** Lanes that are free and not empty, in the order of their turns. */
  const turns: number[] = [];
  let first = 0;
  const held = new Map<ExchangeId, Waiting>();

  function free(number: number, lane: Lane): void {
    lane.busy = false;
    if (lane.waiting.length > 0) turns.push(number);
    else lanes.delete(number);
  }

  function laneOf(one: Waiting): Lane {
    const lane = lanes.get(one.lane);
    if (!lane?.busy || lane.waiting[0] !== one) throw new RangeError('this message was not taken');
    return lane;
  }

  return {
    add(one) {
      if (held.has(one.exchange)) return;
      held.set(one.exchange, one);
      const lane = lanes.get(one.lane);
      if (lane === undefined) {
        lanes.set(one.lane, { waiting: [one], busy: false });
        turns.push(one.lane);
        return;
      }
      // Commits may finish in another order than their messages came in.
      let place = lane.waiting.length;
      const least = lane.busy ? 1 : 0;
      while (place > least && (lane.waiting[place - 1]?.exchange ?? 0) > one.exchange) place--;
      lane.waiting.splice(place, 0, one);
    },
    take() {
      if (first === turns.length) return undefined;
      const number = turns[first++] ?? 0;
      if (first === turns.length || first > 1024) {
        turns.splice(0, first);
        first = 0;
      }
      const lane = lanes.get(number);
      if (lane === undefined) return undefined;
      lane.busy = true;
      return lane.waiting[0];
    },
    leave(one) {
      const lane = laneOf(one);
      lane.waiting.shift();
      held.delete(one.exchange);
      free(one.lane, lane);
    },
    back(one) {
      free(one.lane, laneOf(one));
    },
    has: (exchange) => held.has(exchange),
    size: () => held.size,
    oldest() {
      const [oldest] = held.keys();
      return oldest;
    },
  };
}
