/**
 * The thread that keeps keys.sqlite, apart from the writer: a merge takes longer than a commit
 * may wait.
 */
import { setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { faultOf, filesOf, openForReading, openForWriting } from './database.ts';
import { createKeyIndex } from './keyindex.ts';
import type { KeyIndex, Merged } from './keyindex.ts';
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
  | { do: 'forget'; channel: number; before: number }
  | { do: 'close' };

/** `forgotten`: how many exchanges one step of retention dropped; it is asked again until 0. */
export type IndexerReply = Merged & { forgotten: number };

const { folder, keys, busyMs } = workerData as IndexerData;
// On Linux this is the nice value of the calling thread alone: where cores are short, merging
// gives way to receiving and storing, and is interrupted as soon as those have something to do. Elsewhere it would be that of the whole process.
if (process.platform === 'linux') setPriority(19);
let open: { index: KeyIndex; databases: Database[] } | undefined;

answerRequests<IndexerRequest, IndexerReply>((request) => {
  const nothing = { after: 0, mark: 0, appends: 0, damaged: 0, forgotten: 0 };
  if (request.do === 'close') {
    close();
    return nothing;
  }
  try {
    open ??= openIndex();
    if (request.do === 'merge') return { ...nothing, ...open.index.merge() };
    if (request.do === 'secure') {
      open.databases[1]?.pragma('wal_checkpoint(full)');
      return nothing;
    }
    return { ...nothing, forgotten: open.index.forget(request.channel, request.before) };
  } catch (error) {
    // A full disk or a lock passes; after anything else the next request starts afresh.
    if (faultOf(error).name === 'journalUnavailable') close();
    throw error;
  }
});

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
    const session = journal.prepare<[number], Session>(read.session);
    const opener = createOpener(
      keys.map((key) => Buffer.from(key)),
      (id) => session.get(id),
    );
    return { index: createKeyIndex(journal, index, opener), databases };
  } catch (error) {
    for (const database of databases) database.close();
    throw error;
  }
}
