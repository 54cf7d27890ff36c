/** Sealing a block again, in its place: with what retention leaves of it, or under a newer key. */
import type { KeyObject } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { faultOf } from './database.ts';
import { resealing as sql } from './rekey-sql.ts';
import { type Opener, type SealedBlock, type Session, seal } from './seal.ts';
import { read } from './sql.ts';

/** A key to seal blocks with, as the journal holds it. */
export interface BlockKey {
  id: number;
  blockKey: KeyObject;
}

/** What stands in a block's place. */
export interface Resealed {
  key: number;
  tag: Buffer;
  body: Buffer;
}

export interface Sealer {
  /** Done before a transaction, so that the lock is held for a short time. */
  sealAgain(block: SealedBlock, plain: Uint8Array): Resealed;
  /** What was sealed last may not have been stored: none of it is sealed under that key again. */
  renew(): void;
}

/**
 * @param newKey begins a session: a block that is sealed again keeps its id, which is the nonce, so
 *   it is never sealed under a key that it was sealed under before
 */
export function createSealer(newKey: () => BlockKey): Sealer {
  let latest: BlockKey | undefined;
  return {
    sealAgain(block, plain) {
      if (latest === undefined || block.key === latest.id) latest = newKey();
      const { id: key, blockKey } = latest;
      return { key, ...seal(blockKey, block.id, block.channel, plain) };
    },
    renew: () => (latest = undefined),
  };
}

/** What a block holds; undefined where it is damaged, or the session is gone that it was sealed in. */
export function plainOf(block: SealedBlock, opener: Opener): Buffer | undefined {
  try {
    return opener.open(block);
  } catch (error) {
    if (['journalDamaged', 'journalKeyWrong'].includes(faultOf(error).name)) return undefined;
    throw error;
  }
}

export interface Resealing {
  /**
   * Seal blocks under the current key that lie under another one, all of them or none. A block that
   * does not open is left as it is; so is one that is there no longer.
   * @returns how many were sealed again
   */
  reseal(blocks: Float64Array): number;
  /**
   * Forget what the other keys were used for, once nothing lies under them.
   * @param ring the key that all now lies under
   * @returns whether that is still the current one; else nothing is done
   */
  endSessions(ring: Uint8Array): boolean;
}

export function createResealing(database: Database, opener: Opener, sealer: Sealer): Resealing {
  const block = database.prepare<[number], SealedBlock>(read.block);
  const session = database.prepare<[number], Session>(read.session);
  const put = database.prepare(sql.reseal);
  const end = database.prepare<[Buffer]>(sql.endSessions);
  const putAll = database.transaction((all: (Resealed & { id: number })[]) => {
    for (const one of all) put.run(one);
  });

  return {
    reseal(blocks) {
      const all: (Resealed & { id: number })[] = [];
      for (const id of blocks) {
        const sealed = block.get(id);
        // Retention may have been there first.
        if (!sealed || session.get(sealed.key)?.ring.equals(opener.ring)) continue;
        const plain = plainOf(sealed, opener);
        if (plain) all.push({ id, ...sealer.sealAgain(sealed, plain) });
      }
      putAll.immediate(all);
      return all.length;
    },
    endSessions(ring) {
      if (!opener.ring.equals(ring)) return false;
      end.run(opener.ring);
      return true;
    },
  };
}
