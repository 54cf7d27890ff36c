/** Other keys for a journal that is open: the key file is read again, and its last key seals from now on. */
import { FaultError } from '../faults.ts';
import type { IndexerReply, IndexerRequest } from './indexer.ts';
import { readKeys } from './keyring.ts';
import type { Lookup } from './lookup.ts';
import { ringValue } from './seal.ts';
import { read } from './sql.ts';
import type { Thread } from './thread.ts';
import type { WriterReply, WriterRequest } from './writer.ts';

/** Rotation of keys. Apart from `Journal`, because only what rotates them needs it. */
export interface Rekeying {
  /**
   * Read the key file again and seal what comes with its last key.
   * @returns what tells each key from the others, oldest first, without telling the key
   * @throws FaultError journalKey…: also where a key is missing that something is sealed with; then all is
   *   as before
   */
  adoptKeys(): Promise<string[]>;
}

export interface RekeyParts {
  keyFile: string;
  /** The keys in use, oldest first: what a thread that starts again is given. */
  ring: Buffer[];
  writer: Thread<WriterRequest, WriterReply>;
  indexer: Thread<IndexerRequest, IndexerReply>;
  lookup: Lookup;
}

/** Take over what the key file holds now. Readers know a key before anything is sealed with it. */
export async function adoptKeys(parts: RekeyParts): Promise<string[]> {
  const { keyFile, ring, writer, indexer, lookup } = parts;
  const keys = readKeys(keyFile);
  const values = keys.map((key) => ringValue(key).toString('hex'));
  const sealed = lookup.readers().journal.prepare<[], Buffer>(read.rings).pluck().all();
  const missing = sealed.map((one) => one.toString('hex')).find((one) => !values.includes(one));
  if (missing !== undefined) {
    const detail = `${keyFile} lacks the key ${missing}`;
    throw new FaultError({ name: 'journalKeyWrong', detail });
  }
  ring.splice(0, ring.length, ...keys);
  await indexer.call({ do: 'keys', keys });
  await lookup.reopen();
  await writer.call({ do: 'keys', keys });
  return values;
}
