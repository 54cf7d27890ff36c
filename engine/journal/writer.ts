/**
 * The thread that writes journal.sqlite, and the only one that does: seal the blocks, insert them
 * in one transaction, commit, answer.
 */
import { workerData } from 'node:worker_threads';
import { createClearing } from './clearing.ts';
import type { Places } from './forgetting.ts';
import { faultOf, filesOf, openForWriting } from './database.ts';
import { type BlockKey, createResealing, createSealer } from './resealing.ts';
import { createOpener, seal, startSession } from './seal.ts';
import type { Session } from './seal.ts';
import { read, write } from './sql.ts';
import { answerRequests } from './thread.ts';

/** What the writer is given when it starts. */
export interface WriterData {
  folder: string;
  /** The key file's keys, the last one current. */
  keys: Uint8Array[];
  busyMs: number;
  maxBytes?: number;
}

/** A block on its way to the writer. */
export interface PlainBlock {
  id: number;
  channel: number;
  appends: number;
  length: number;
  /** Left as it is until the reply. */
  bytes: SharedArrayBuffer;
}

export type WriterRequest =
  | { do: 'open' }
  | { do: 'commit'; channels: [id: number, name: string][]; blocks: PlainBlock[] }
  // One step each, as `Clearing` describes them.
  | { do: 'spare'; channel: number; places: Places }
  | { do: 'forget'; channel: number; before: number }
  | { do: 'release'; channel: number; places: Places }
  | { do: 'remove'; places: Places }
  | { do: 'shrink' }
  | { do: 'checkpoint' }
  // Re-encryption, as `Resealing` describes it.
  | { do: 'reseal'; blocks: Float64Array }
  | { do: 'endSessions'; ring: Uint8Array }
  // Other keys from now on, the last one current.
  | { do: 'keys'; keys: Uint8Array[] }
  | { do: 'close' };

/**
 * For `forget` and `shrink`: 0 once there is nothing left to do; it is asked again until then. For
 * `remove` the bytes that were freed, for `reseal` the blocks, for `endSessions` 1 where it was done.
 */
export type WriterReply = number;

type Store = ReturnType<typeof openStore>;

const data = workerData as WriterData;
let store: Store | undefined;

answerRequests<WriterRequest, WriterReply>((request) => {
  if (request.do === 'close' || request.do === 'keys') {
    store?.database.close();
    store = undefined;
    // What comes next begins a session under the current one.
    if (request.do === 'keys') data.keys = request.keys;
    return 0;
  }
  try {
    store ??= openStore(data);
    return answer(store, request);
  } catch (error) {
    store?.sealer.renew();
    // A full disk or a lock passes; after anything else the next request starts afresh.
    if (!['journalFull', 'journalLocked'].includes(faultOf(error).name)) {
      store?.database.close();
      store = undefined;
    }
    throw error;
  }
});

function answer(store: Store, request: WriterRequest): number {
  switch (request.do) {
    case 'commit':
      return commit(store, request.channels, request.blocks);
    case 'forget':
      return store.clearing.forget(request.channel, request.before);
    case 'spare':
      store.clearing.spare(request.channel, request.places);
      return 0;
    case 'release':
      store.clearing.release(request.channel, request.places);
      return 0;
    case 'remove':
      return store.clearing.remove(request.places);
    case 'shrink':
      return store.clearing.shrink();
    case 'checkpoint':
      store.database.pragma('wal_checkpoint(passive)');
      return 0;
    case 'reseal':
      return store.resealing.reseal(request.blocks);
    case 'endSessions':
      // What comes has a higher number than what goes: none is used twice.
      store.session();
      return Number(store.resealing.endSessions(request.ring));
    default:
      return 0;
  }
}

function openStore({ folder, keys, busyMs, maxBytes }: WriterData) {
  const database = openForWriting(filesOf(folder).journal, { busyMs, maxBytes });
  const addSession = database.prepare<[Buffer, Buffer]>(write.addSession);
  const stored = database.prepare<[number], Session>(read.session);
  const ring = keys.map((key) => Buffer.from(key));
  const opener = createOpener(ring, (id) => stored.get(id));
  let session: BlockKey | undefined;

  /** Never within a transaction: what is rolled back would be sealed with a key nobody knows. */
  function newKey(): BlockKey {
    const { session, blockKey } = startSession(ring[ring.length - 1] ?? Buffer.alloc(0));
    const { lastInsertRowid } = addSession.run(session.ring, session.salt);
    return { id: Number(lastInsertRowid), blockKey };
  }

  const sealer = createSealer(newKey);
  return {
    database,
    sealer,
    begin: database.prepare(write.begin),
    end: database.prepare(write.commit),
    addChannel: database.prepare(write.addChannel),
    addBlock: database.prepare(write.addBlock),
    clearing: createClearing(database, opener, sealer),
    resealing: createResealing(database, opener, sealer),
    /** Begun by the first commit, so that retention can make room in a journal that is full. */
    session: () => (session ??= newKey()),
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
