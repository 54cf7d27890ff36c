/**
 * The patient index takes what is said of patients in two steps. A merge names as many patients as it
 * has messages, each in another place among millions: put there at once, each would cost a page. So
 * they gather in a small table beside it, and each merge brings those of a part of the places home.
 */
import type { Database } from 'better-sqlite3';
import { patients } from './patients-sql.ts';

/** Each within a transaction of the caller. */
export interface Settling {
  /** All of them: to be called before anything else is written to the table of patients. */
  all(): void;
  /** Those from one hash on, up to another, which is not among them. */
  between(from: Buffer, to: Buffer): void;
  /** Another part of them each time. */
  some(): void;
}

/** More of them make each part cheaper, and the small table larger. */
const parts = 16;
const placesPerPart = 256 / parts;
const lowest = Buffer.alloc(0);
/** Beyond every hash. */
const highest = Buffer.alloc(32, 0xff);

/** @param keys keys.sqlite, to write */
export function createSettling(keys: Database): Settling {
  const settle = keys.prepare(patients.settle);
  const dropSettled = keys.prepare(patients.dropSettled);
  // Wherever the last process ended: no part is always the first.
  let next = Date.now() % parts;

  function between(from: Buffer, to: Buffer): void {
    settle.run({ from, to });
    dropSettled.run({ from, to });
  }

  return {
    all: () => between(lowest, highest),
    between,
    some() {
      const from = Buffer.of(next * placesPerPart);
      next = (next + 1) % parts;
      between(from, next === 0 ? highest : Buffer.of(next * placesPerPart));
    },
  };
}
