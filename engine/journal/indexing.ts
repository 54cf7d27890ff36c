/**
 * When the index is brought up to date: half a second after a commit, or after so many appends,
 * or because a reader wants it now. Never on the way to an acknowledgement.
 */
import type { Emit } from '../events.ts';
import { faults } from '../faults.ts';
import { faultOf } from './database.ts';
import type { IndexerReply, IndexerRequest } from './indexer.ts';
import type { Thread } from './thread.ts';

export interface Indexing {
  /** A commit has stored this block and all before it. */
  committed(block: number, appends: number): void;
  /**
   * Index what is committed by now. Also resolves when that failed (the event says so): readers
   * then find it in the blocks.
   */
  catchUp(): Promise<void>;
  /** No more merges by themselves. */
  stop(): void;
}

const delayMs = 500;
const retryMs = 5000;
const mostAppends = 16_384;

/**
 * @param indexed the last block that is indexed already
 */
export function createIndexing(options: {
  indexer: Pick<Thread<IndexerRequest, IndexerReply>, 'call'>;
  indexed: number;
  emit: Emit;
}): Indexing {
  const { indexer, emit } = options;
  let mark = options.indexed;
  let committed = mark;
  let appends = 0;
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let failing = false;
  let stopped = false;

  async function merge(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    appends = 0;
    running = true;
    try {
      const merged = await indexer.call({ do: 'merge' });
      mark = Math.max(mark, merged.mark);
      failing = false;
      if (merged.damaged > 0) {
        emit('journal.fault', { code: faults.journalDamaged.code, count: merged.damaged });
      }
    } catch (error) {
      const fault = faultOf(error);
      const detail = `keys.sqlite: ${fault.detail ?? ''}`;
      if (!failing) emit('journal.fault', { code: faults[fault.name].code, detail });
      failing = true;
    }
    running = false;
    if (committed > mark) schedule(failing ? retryMs : delayMs);
  }

  function schedule(ms: number): void {
    if (stopped) return;
    timer ??= setTimeout(() => void merge(), ms).unref();
  }

  return {
    committed(block, count) {
      committed = block;
      appends += count;
      if (appends >= mostAppends && !running && !failing && !stopped) void merge();
      else schedule(delayMs);
    },
    async catchUp() {
      if (committed > mark) await merge();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
