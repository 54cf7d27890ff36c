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
  /**
   * Take one step of re-encryption: seal some blocks again that lie under an older key, and hash their
   * patients under the current one. A crash leaves something to do for the next time, and nothing else.
   * @param after 0 to begin, then what the step before gave as `last`
   * @returns undefined where the keys are others than when it began, or it was begun anew meanwhile
   * @throws FaultError of the 6xxx rows
   */
  reencrypt(after: number): Promise<Reencrypted | undefined>;
}

/** What one step has done. */
export interface Reencrypted {
  /** How far it has come; 0 when there is nothing left. */
  last: number;
  /** Blocks it looked at. */
  blocks: number;
  /** Blocks that were sealed again. */
  resealed: number;
  /** Since the beginning: blocks under an older key that do not open, and so are left as they are. */
  damaged: number;
}

/** Re-encryption under way: which key it is for, and how far it has come. */
interface Walk {
  ring: Buffer;
  after: number;
  damaged: number;
}

export interface RekeyParts {
  keyFile: string;
  /** The keys in use, oldest first: what a thread that starts again is given. */
  ring: Buffer[];
  writer: Thread<WriterRequest, WriterReply>;
  indexer: Thread<IndexerRequest, IndexerReply>;
  lookup: Lookup;
}

/** Blocks that one request to the writer seals again: a commit waits for it. */
const blocksPerReseal = 16;

/**
 * Both, one call after the other: no key changes within a step.
 * @returns also `settled`, which waits for what is under way
 */
export function createRekeying(parts: RekeyParts): Rekeying & { settled(): Promise<unknown> } {
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<R>(work: () => Promise<R>): Promise<R> {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  }
  const step = createReencryption(parts);
  return {
    adoptKeys: () => inTurn(() => adoptKeys(parts)),
    reencrypt: (after) => inTurn(() => step(after)),
    settled: () => last,
  };
}

/** Take over what the key file holds now. Readers know a key before anything is sealed with it. */
async function adoptKeys(parts: RekeyParts): Promise<string[]> {
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

function createReencryption(parts: RekeyParts): Rekeying['reencrypt'] {
  const { ring, writer, indexer, lookup } = parts;
  let walk: Walk | undefined;
  const current = (): Buffer => ringValue(ring[ring.length - 1] ?? Buffer.alloc(0));

  async function step(of: Walk): Promise<Reencrypted | undefined> {
    const { walked } = await indexer.call({ do: 'walk', after: of.after });
    const { last, blocks, old, damaged } = walked;
    let resealed = 0;
    for (let at = 0; at < old.length; at += blocksPerReseal) {
      const some = old.slice(at, at + blocksPerReseal);
      resealed += await writer.call({ do: 'reseal', blocks: some });
    }
    of.damaged += damaged;
    of.after = last;
    if (last === 0 && of.damaged === 0 && !(await end(of))) return undefined;
    return { last, blocks, resealed, damaged: of.damaged };
  }

  /** Nothing lies under the older keys: now nothing says so either. @returns whether that was done */
  async function end({ ring }: Walk): Promise<boolean> {
    await indexer.call({ do: 'endSessions' });
    // What a power cut could still take must not be needed under a key that is about to be retired.
    await indexer.call({ do: 'secure' });
    return (await writer.call({ do: 'endSessions', ring })) > 0;
  }

  return async (after) => {
    if (after === 0) {
      // What is not indexed yet is from then on hashed under the current key.
      await lookup.merge();
      walk = { ring: current(), after: 0, damaged: 0 };
    }
    const own = walk;
    if (own?.after !== after || !own.ring.equals(current())) return undefined;
    return lookup.withIndex(() => step(own));
  };
}
