/** How many exchanges of each channel are in each state: kept with the index, never counted anew. */
import type { Database, Statement } from 'better-sqlite3';
import { index } from './sql.ts';

/** An exchange as far as it is counted. */
export interface Counted {
  channel: number;
  state: string | null;
}

/** The changes of one transaction: one that fails takes them along. */
export interface StateChanges {
  /** An exchange is there now, in the place of what was known of it before. */
  put(now: Counted, before?: Counted): void;
  /** An exchange is deleted. */
  drop(before: Counted): void;
  /** Store them, in the transaction that stores the exchanges. */
  store(): void;
}

/**
 * @param keys keys.sqlite, to write
 * @returns begins to count the changes of a transaction
 */
export function createStateCounts(keys: Database): () => StateChanges {
  const add = keys.prepare(index.addToState);
  const dropNone = keys.prepare(index.dropEmptyStates);
  return () => changesOf(add, dropNone);
}

function changesOf(add: Statement, dropNone: Statement): StateChanges {
  const changes = new Map<string, { channel: number; state: string; exchanges: number }>();

  function change({ channel, state: told }: Counted, by: number): void {
    const state = told ?? 'received';
    const key = `${channel} ${state}`;
    const known = changes.get(key) ?? { channel, state, exchanges: 0 };
    known.exchanges += by;
    changes.set(key, known);
  }

  return {
    put(now, before) {
      if (before) change(before, -1);
      change(now, 1);
    },
    drop: (before) => change(before, -1),
    store() {
      for (const { channel, state, exchanges } of changes.values()) {
        if (exchanges !== 0) add.run(channel, state, exchanges);
      }
      dropNone.run();
    },
  };
}
