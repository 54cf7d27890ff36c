/**
 * The index as the engine reads it, and what is done when it turns out to be damaged: it is set
 * aside and built again from the journal, and whoever looks meanwhile waits for that.
 */
import type { Emit } from '../events.ts';
import { faults } from '../faults.ts';
import { setIndexAside } from './damage.ts';
import { faultOf, isCorrupt } from './database.ts';
import type { IndexerReply, IndexerRequest } from './indexer.ts';
import { closeReaders, openReaders, prepareIndex } from './open.ts';
import type { Readers } from './open.ts';
import { createSearch } from './search.ts';
import type { Search } from './search.ts';
import type { Thread } from './thread.ts';

export interface LookupOptions {
  folder: string;
  /** The keys, oldest first. */
  ring: Buffer[];
  busyMs: number;
  indexer: Pick<Thread<IndexerRequest, IndexerReply>, 'call'>;
  emit: Emit;
}

export interface Lookup {
  /** Look at the journal and its index as it is now. @throws FaultError, indexDamaged apart */
  look<R>(use: (search: Search) => R): Promise<R>;
  /** Index what is committed by now. @throws FaultError, indexDamaged apart */
  merge(): Promise<IndexerReply>;
  /** Do what needs a sound index: once more where it turned out not to be. */
  withIndex<R>(work: () => Promise<R>): Promise<R>;
  readers(): Readers;
  /** Open both databases anew, with the keys as they are now. */
  reopen(): Promise<void>;
  close(): void;
}

/** Bring the index up to date, from nothing if need be, and open it for reading. */
export async function openLookup(options: LookupOptions): Promise<Lookup & { mark: number }> {
  const { folder, ring, busyMs, indexer, emit } = options;
  let readers: Readers | undefined;
  let search: Search | undefined;
  let mending: Promise<IndexerReply> | undefined;

  function open(): void {
    readers = openReaders(folder, ring, busyMs);
    search = createSearch(readers.journal, readers.keys, readers.opener);
  }

  function close(): void {
    if (readers) closeReaders(readers);
    readers = undefined;
    search = undefined;
  }

  async function mergeOnce(): Promise<IndexerReply> {
    const startedAt = Date.now();
    const merged = await indexer.call({ do: 'merge' });
    // The first messages of a new journal are no index built again.
    if (!readers && merged.after === 0 && merged.appends > 0) {
      emit('journal.indexRebuilt', { count: merged.appends, ms: Date.now() - startedAt });
    }
    if (merged.damaged > 0) {
      emit('journal.fault', { code: faults.journalDamaged.code, count: merged.damaged });
    }
    return merged;
  }

  function mend(): Promise<IndexerReply> {
    mending ??= (async () => {
      const wasOpen = readers !== undefined;
      await indexer.call({ do: 'close' });
      close();
      try {
        emit('journal.indexDamaged', {
          code: faults.indexDamaged.code,
          file: setIndexAside(folder),
        });
        prepareIndex(folder, busyMs);
        return await mergeOnce();
      } finally {
        if (wasOpen) open();
      }
    })().finally(() => (mending = undefined));
    return mending;
  }

  const isDamage = (error: unknown): boolean =>
    isCorrupt(error) || faultOf(error).name === 'indexDamaged';

  async function withIndex<R>(work: () => Promise<R>): Promise<R> {
    await mending;
    try {
      return await work();
    } catch (error) {
      if (!isDamage(error)) throw error;
      await mend();
      return work();
    }
  }

  function opened<T>(part: T | undefined): T {
    if (part === undefined) throw new Error('the index is not open');
    return part;
  }

  const merge = async (): Promise<IndexerReply> => {
    await mending;
    try {
      return await mergeOnce();
    } catch (error) {
      if (!isDamage(error)) throw error;
      return mend();
    }
  };

  const merged = await merge();
  if (merged.lost > 0) emit('journal.shortened', { count: merged.lost });
  open();
  return {
    mark: merged.mark,
    merge,
    withIndex,
    look: (use) => withIndex(async () => use(opened(search))),
    readers: () => opened(readers),
    async reopen() {
      await mending;
      close();
      open();
    },
    close,
  };
}
