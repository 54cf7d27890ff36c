/**
 * The thread that keeps keys.sqlite, apart from the writer: a merge takes longer than a commit
 * may wait.
 */
import { setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { FaultError } from '../faults.ts';
import {
  faultOf,
  filesOf,
  isCorrupt,
  ofJournal,
  openForReading,
  openForWriting,
} from './database.ts';
import { createForgetting } from './forgetting.ts';
import type { Dropped, Forget, Going, Places, Removal } from './forgetting.ts';
import { createKeyIndex } from './keyindex.ts';
import type { Merged } from './keyindex.ts';
import type { Cursor } from './kinds.ts';
import { type Rehashing, type Walked, createRehashing } from './rehashing.ts';
import { createOpener } from './seal.ts';
import type { Session } from './seal.ts';
import { read } from './sql.ts';
import { answerRequests } from './thread.ts';

/** What the indexer is given when it starts. */
export interface IndexerData {
  folder: string;
  /** The key file's keys, oldest first. */
  keys: Uint8Array[];
  busyMs: number;
}

export type IndexerRequest =
  | { do: 'merge' }
  // Bring to the disk what no power cut may take: the blocks it came from are about to be deleted.
  | { do: 'secure' }
  // The steps of retention, as `Forgetting` describes them.
  | { do: 'places'; forget: Forget }
  | { do: 'drop'; forget: Forget; after: Cursor }
  | { do: 'going'; removal: Removal; after: Cursor }
  | { do: 'dropThese'; channel: number; exchanges: Float64Array; freed: Float64Array }
  | { do: 'account'; channel: number; before: number }
  | { do: 'shrink' }
  // Re-encryption, as `Rehashing` describes it.
  | { do: 'walk'; after: number }
  | { do: 'endSessions' }
  // Other keys from now on, oldest first.
  | { do: 'keys'; keys: Uint8Array[] }
  | { do: 'close' };

/** What was asked for, beside nothing of the rest. */
export interface IndexerReply extends Merged {
  /** How many exchanges the index held that the journal no longer holds, when it was opened. */
  lost: number;
  places: { spare: Places; release: Places };
  dropped: Dropped;
  going: Going;
  walked: Walked;
  /** Pages given back; 0 when there is no more to do. */
  pages: number;
}

const data = workerData as IndexerData;
const { folder, busyMs } = data;
// On Linux this is the nice value of the calling thread alone: where cores are short, merging
// gives way to receiving and storing, and is interrupted as soon as those have something to do. Elsewhere it would be that of the whole process.
if (process.platform === 'linux') setPriority(19);
type Open = ReturnType<typeof openIndex>;
let open: Open | undefined;

const nothing: IndexerReply = {
  ...{ after: 0, mark: 0, appends: 0, damaged: 0, lost: 0, pages: 0 },
  places: { spare: new Float64Array(), release: new Float64Array() },
  dropped: { exchanges: 0, parked: 0, undelivered: 0, last: undefined },
  going: { exchanges: new Float64Array(), places: new Float64Array(), last: undefined },
  walked: { last: 0, blocks: 0, old: new Float64Array(), damaged: 0 },
};

answerRequests<IndexerRequest, IndexerReply>((request) => {
  if (request.do === 'close' || request.do === 'keys') {
    close();
    if (request.do === 'keys') data.keys = request.keys;
    return nothing;
  }
  try {
    open ??= openIndex();
    return { ...nothing, ...answer(open, request) };
  } catch (error) {
    // A full disk or a lock passes; after anything else the next request starts afresh.
    if (!['journalFull', 'journalLocked'].includes(faultOf(error).name)) close();
    // Damage of journal.sqlite is a fault already, where it was read.
    if (!isCorrupt(error)) throw error;
    const { detail } = faultOf(error);
    throw new FaultError({ name: 'indexDamaged', detail }, { cause: error });
  }
});

function answer(
  { index, forgetting, rehashing, databases }: Open,
  request: Exclude<IndexerRequest, { do: 'close' | 'keys' }>,
): Partial<IndexerReply> {
  switch (request.do) {
    case 'merge':
      return { ...index.merge(), lost: index.lost };
    case 'secure':
      databases[1]?.pragma('wal_checkpoint(full)');
      return {};
    case 'places':
      return { places: forgetting.places(request.forget) };
    case 'drop':
      return { dropped: forgetting.drop(request.forget, request.after) };
    case 'going':
      return { going: forgetting.going(request.removal, request.after) };
    case 'dropThese': {
      const { channel, exchanges, freed } = request;
      return { dropped: { ...forgetting.dropThese(channel, exchanges, freed), last: undefined } };
    }
    case 'account':
      forgetting.account(request.channel, request.before);
      return {};
    case 'walk':
      return { walked: rehashing().walk(request.after) };
    case 'endSessions':
      rehashing().endSessions();
      return {};
    case 'shrink':
      return { pages: forgetting.shrink() };
  }
}

function close(): void {
  for (const database of open?.databases ?? []) database.close();
  open = undefined;
}

function openIndex() {
  const files = filesOf(folder);
  const databases: Database[] = [];
  try {
    const journal = openForReading(files.journal, busyMs);
    databases.push(journal);
    const index = openForWriting(files.keys, { busyMs, rebuildable: true });
    databases.push(index);
    // The keys that arrive in random order want their pages at hand.
    index.pragma('cache_size = -65536');
    const session = ofJournal(() => journal.prepare<[number], Session>(read.session));
    const opener = createOpener(
      data.keys.map((key) => Buffer.from(key)),
      (id) => session.get(id),
    );
    let rehashing: Rehashing | undefined;
    return {
      index: createKeyIndex(journal, index, opener),
      forgetting: createForgetting(journal, index),
      rehashing: () => (rehashing ??= createRehashing(journal, index, opener)),
      databases,
    };
  } catch (error) {
    for (const database of databases) database.close();
    throw error;
  }
}
