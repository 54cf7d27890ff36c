/** Capped exponential backoff with jitter: as long as it takes, and never all at once. */
export interface Backoff {
  /** The first wait, milliseconds. */
  first: number;
  /** The longest. */
  most: number;
}

/**
 * How long to wait before the next try.
 * @param failures how often it failed in a row, from 1
 * @param random a number from 0 to 1; half of the wait is left to it
 */
export function backoffMs({ first, most }: Backoff, failures: number, random: number): number {
  const full = Math.min(most, first * 2 ** Math.min(failures - 1, 30));
  return Math.round(full / 2 + (full / 2) * random);
}

/** Timers that can be cleared together. */
export interface Timers {
  /** @returns what cancels it */
  after(ms: number, then: () => void): () => void;
  /** Clear all, and take no more: whatever stops must not be held up by a wait. */
  close(): void;
}

export function createTimers(): Timers {
  const timers = new Set<NodeJS.Timeout>();
  let closed = false;
  return {
    after(ms, then) {
      if (closed) return () => {};
      const timer = setTimeout(() => {
        timers.delete(timer);
        then();
      }, ms);
      timers.add(timer);
      return () => {
        clearTimeout(timer);
        timers.delete(timer);
      };
    },
    close() {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
