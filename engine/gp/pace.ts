/**
 * How often one service is asked. The NHS England API platform allows an application so many
 * requests a second to each of its interfaces (5 unless agreed otherwise) and answers 429 beyond
 * that; who waits for a turn is answered, who is sent away has to come again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Attempt } from './port.ts';

export interface Pace {
  /**
   * Wait for a turn.
   * @returns false where it would come only after the deadline, or the attempt ended meanwhile
   */
  turn(attempt: Pick<Attempt, 'signal' | 'left'>): Promise<boolean>;
  /** The service wants no request for so many milliseconds (Retry-After). */
  pause(ms: number): void;
}

export interface Clock {
  /** Milliseconds that only ever grow. */
  now(): number;
  /** Wait; false where the signal ended the wait. */
  sleep(ms: number, signal: AbortSignal): Promise<boolean>;
}

const machine: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, true, { signal }).catch(() => false),
};

/**
 * A pace of at most so many requests in any second, in the order in which they came.
 * @param perSecond how many, a whole number from 1 on; looked at for each turn
 */
export function createPace(perSecond: () => number, clock: Clock = machine): Pace {
  /** When the newest turns are, oldest first; some may be still to come. */
  const turns: number[] = [];
  let quietUntil = -Infinity;

  return {
    async turn({ signal, left }) {
      for (;;) {
        const now = clock.now();
        const last = turns.at(-1) ?? -Infinity;
        const at = Math.max(now, quietUntil, last, (turns.at(-perSecond()) ?? -Infinity) + 1000);
        if (signal.aborted || at - now > left()) return false;
        turns.push(at);
        turns.splice(0, turns.length - perSecond());
        if (at > now && !(await clock.sleep(at - now, signal))) return false;
        // A pause that began meanwhile holds for those who were already waiting, too.
        if (clock.now() >= quietUntil) return true;
      }
    },
    pause(ms) {
      quietUntil = Math.max(quietUntil, clock.now() + ms);
    },
  };
}

/**
 * Paces shared by all who ask the same address: the allowance is the application's, not a
 * channel's. Where they were told different figures the smallest holds.
 */
export function sharedPaces(): (url: string, perSecond: number) => Pace {
  const paces = new Map<string, { perSecond: number; pace: Pace }>();
  return (url, perSecond) => {
    const shared = paces.get(url) ?? {
      perSecond,
      pace: createPace(() => paces.get(url)?.perSecond ?? perSecond),
    };
    paces.set(url, { ...shared, perSecond: Math.min(shared.perSecond, perSecond) });
    return shared.pace;
  };
}
