/**
 * The thread that writes journal.sqlite, and the only one that does: seal the blocks, insert them
 * in one transaction, commit, answer.
 */
import type { KeyObject } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { faultOf, filesOf, openForWriting } from './database.ts';
import { seal, startSession } from './seal.ts';
import { write } from './sql.ts';
import { answerRequests } from './thread.ts';

/** What the writer is given when it starts. */
export interface WriterData {
  folder: string;
  /** The key file's current key. */
  key: Uint8Array;
  busyMs: number;
  maxBytes?: number;
}

/** A block on its way to the writer. */
export interface PlainBlock {
  id: number;
  channel: number;
  appends: number;
  length: number;
  bytes: ArrayBuffer;
}

export type WriterRequest =
  | { do: 'open' }
  | { do: 'commit'; channels: [id: number, name: string][]; blocks: PlainBlock[] }
  | { do: 'forget'; channel: number; before: number }
  | { do: 'close' };

/** For `forget`: 0 once there is nothing left to do; it is asked again until then. */
export type WriterReply = number;

/** How many blocks, and then pages, one step of retention takes: a few milliseconds. */
const blocksPerStep = 64;
const pagesPerStep = 512;

type Store = ReturnType<typeof openStore>;

const data = workerData as WriterData;
let store: Store | undefined;

answerRequests<WriterRequest, WriterReply>((request) => {
  if (request.do === 'close') {
    store?.database.close();
    store = undefined;
    return 0;
  }
  try {
    store ??= openStore(data);
    if (request.do === 'open') return 0;
    if (request.do === 'commit') return commit(store, request.channels, request.blocks);
    return forget(store, request.channel, request.before);
  } catch (error) {
    // A full disk or a lock passes; after anything else the next request starts afresh.
    if (faultOf(error).name === 'journalUnavailable') {
      store?.database.close();
      store = undefined;
    }
    throw error;
  }
});

function openStore({ folder, key, busyMs, maxBytes }: WriterData) {
  const database = openForWriting(filesOf(folder).journal, { busyMs, maxBytes });
  const addSession = database.prepare<[Buffer, Buffer]>(write.addSession);
  let session: { id: number; blockKey: KeyObject } | undefined;
  return {
    database,
    begin: database.prepare(write.begin),
    end: database.prepare(write.commit),
    addChannel: database.prepare(write.addChannel),
    addBlock: database.prepare(write.addBlock),
    /** Begun by the first commit, so that retention can make room in a journal that is full. */
    session() {
      if (session === undefined) {
        const started = startSession(Buffer.from(key));
        const { ring, salt } = started.session;
        const { lastInsertRowid } = addSession.run(ring, salt);
        session = { id: Number(lastInsertRowid), blockKey: started.blockKey };
      }
      return session;
    },
  };
}

function commit(
  store: Store,
  channels: [id: number, name: string][],
  blocks: PlainBlock[],
): number {
  const { database, begin, end, addChannel, addBlock } = store;
  const { id: session, blockKey } = store.session();
  // Sealed before the transaction, so that the lock is held for the shortest time.
  const sealed = blocks.map(({ id, channel, bytes, length }) =>
    seal(blockKey, id, channel, new Uint8Array(bytes, 0, length)),
  );
  begin.run();
  try {
    for (const [id, name] of channels) addChannel.run(id, name);
    for (const [index, { id, channel, appends }] of blocks.entries()) {
      const { tag, body } = sealed[index] ?? {};
      addBlock.run(id, channel, session, appends, tag, body);
    }
    end.run();
  } catch (error) {
    if (database.inTransaction) database.exec(write.rollback);
    throw error;
  }
  return 0;
}

/** One step: delete some blocks of a channel, and give pages back once an eighth lies free. */
function forget({ database }: Store, channel: number, before: number): number {
  const step = database.transaction(() => {
    database.prepare(write.setForgotten).run({ channel, before });
    const removed = removeBlocks(database, channel, before);
    if (removed > 0) return removed;
    // Marks of delivery outlive no exchange: those older than all blocks of channels go last.
    const oldest = database.prepare(write.oldestOfChannels).pluck().get();
    return removeBlocks(database, 0, typeof oldest === 'number' ? oldest : before);
  });
  const removed = step.immediate();
  const free = Number(database.pragma('freelist_count', { simple: true }));
  const pages = Number(database.pragma('page_count', { simple: true }));
  if (free * 8 <= pages) return removed;
  database.pragma(`incremental_vacuum(${pagesPerStep})`);
  return removed + 1;
}

function removeBlocks(database: Database, channel: number, before: number): number {
  const cleared = Number(database.prepare(write.cleared).pluck().get(channel) ?? 0);
  const toForget = database.prepare<[object], number>(write.blocksToForget).pluck();
  const blocks = toForget.all({ channel, cleared, before, most: blocksPerStep });
  const drop = database.prepare(write.dropBlock);
  for (const block of blocks) drop.run(block);
  const done = blocks.length < blocksPerStep ? before : blocks[blocks.length - 1];
  database.prepare(write.setCleared).run({ channel, cleared: Math.max(cleared, done ?? 0) });
  return blocks.length;
}
