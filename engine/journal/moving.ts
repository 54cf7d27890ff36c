/**
 * The patient index under a newer key. What it says of a patient may outlive every message that said so,
 * and a hash cannot be made from a hash: so a row moves to the current key when the patient is named.
 */
import type { Database } from 'better-sqlite3';
import { moving as sql } from './rekey-sql.ts';
import type { Opener } from './seal.ts';
import { createSettling } from './settling.ts';

/** Bring what is stored of a patient under older keys under the current one, within a transaction. */
export type Move = (hashes: readonly Buffer[]) => void;

/** @returns a function that takes the hashes of one patient under each key, oldest first */
export function createMove(keys: Database, opener: Opener): Move {
  const copy = keys.prepare(sql.copy);
  const drop = keys.prepare<[Buffer]>(sql.drop);
  const follow = keys.prepare(sql.follow);
  const settling = createSettling(keys);
  return (hashes) => {
    settling.all();
    const now = hashes[hashes.length - 1];
    for (const old of hashes.slice(0, -1)) {
      if (copy.run({ now, old, ring: opener.ring }).changes > 0) drop.run(old);
      follow.run({ now, old });
    }
  };
}

/**
 * What is not moved yet: whom the end of the journal names, it names under the current key, and the index
 * may know them under an older one.
 * @param named NHS numbers
 * @returns a function that takes one hash of a patient, and gives all of those that are named; else it alone
 */
export function underEachKey(
  opener: Opener,
  named: readonly string[],
): (hash: Buffer) => readonly Buffer[] {
  return (hash) => {
    if (!opener.hasOlder) return [hash];
    const all = named.map(opener.patientHashes);
    return all.find((hashes) => hashes.some((one) => one.equals(hash))) ?? [hash];
  };
}
