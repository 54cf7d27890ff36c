/**
 * When the index is brought up to date: as soon as nothing was committed for half a second, but at
 * the latest after so many appends or seconds, or because a reader wants it now. Never on the way
 * to an acknowledgement. While messages stream in it waits: a large merge costs each message a
 * fraction of what many small ones do, and its writes hold up the syncs of the commits.
 */
import type { Emit } from '../events.ts';
import { faults } from '../faults.ts';
import { faultOf } from './database.ts';
import type { IndexerReply } from './indexer.ts';

export interface Indexing {
  /** A commit has stored this block and all before it. */
  committed(block: number, appends: number): void;
  /**
   * Index what is committed by now. Also resolves when that failed (the event says so): readers
   * then find it in the blocks.
   * @param upTo what was committed before this is enough
   */
  catchUp(upTo?: number): Promise<void>;
  /** No more merges by themselves. */
  stop(): void;
}

const quietMs = 500;
const latestMs = 10_000;
const retryMs = 5000;
const mostAppends = 32_768;

/**
 * @param indexed the last block that is indexed already
 */
export function createIndexing(options: {
  merge(): Promise<Pick<IndexerReply, 'mark'>>;
  indexed: number;
  emit: Emit;
}): Indexing {
  const { emit } = options;
  let mark = options.indexed;
  let committed = mark;
  let appends = 0;
  let timer: NodeJS.Timeout | undefined;
  let committedAt = 0;
  let waitingSince = 0;
  let running = false;
  let failing = false;
  let stopped = false;

  async function merge(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    appends = 0;
    running = true;
    try {
      const merged = await options.merge();
      mark = Math.max(mark, merged.mark);
      failing = false;
    } catch (error) {
      const fault = faultOf(error);
      const detail = `keys.sqlite: ${fault.detail ?? ''}`;
      if (!failing) emit('journal.fault', { code: faults[fault.name].code, detail });
      failing = true;
    }
    running = false;
    waitingSince = performance.now();
    if (committed > mark) schedule(failing ? retryMs : quietMs);
  }

  function schedule(ms: number): void {
    if (stopped) return;
    timer ??= setTimeout(due, ms).unref();
  }

  function due(): void {
    timer = undefined;
    const now = performance.now();
    const wait = Math.min(committedAt + quietMs, waitingSince + latestMs) - now;
    if (wait > 0 && !failing) schedule(wait);
    else void merge();
  }

  return {
    committed(block, count) {
      committedAt = performance.now();
      if (committed === mark) waitingSince = committedAt;
      committed = block;
      appends += count;
      if (appends >= mostAppends && !running && !failing && !stopped) void merge();
      else schedule(quietMs);
    },
    async catchUp(upTo = Infinity) {
      if (Math.min(committed, upTo) > mark) await merge();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
