/**
 * Sealing: AES-256-GCM over each block, and a keyed hash for patients.
 *
 * Every time the engine opens the journal it derives a fresh block key (HKDF-SHA256, RFC 5869)
 * from the key file's current key and a new random salt. Under a key used by one writer only, the
 * block's id, which never repeats, can be the nonce (NIST SP 800-38D §8.2.1): there is no limit
 * of 2^32 blocks as with random nonces, and a copy of a journal that is continued elsewhere never
 * uses a nonce twice, because it continues under another key.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { FaultError } from '../faults.ts';

/** A block as it lies in the journal. */
export interface SealedBlock {
  id: number;
  channel: number;
  key: number;
  tag: Uint8Array;
  body: Uint8Array;
}

/** What the journal holds to derive a block key again. */
export interface Session {
  ring: Buffer;
  salt: Buffer;
}

/** A new session under a key: the row to store, and the block key. */
export function startSession(key: Buffer): { session: Session; blockKey: KeyObject } {
  const session = { ring: ringValue(key), salt: randomBytes(32) };
  return { session, blockKey: derive(key, session.salt, 'gatehouse journal block') };
}

/** Tells which key this is without telling the key. */
export function ringValue(key: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', 'gatehouse journal key', 8));
}

/** Seal a block; its id and channel are bound to its bytes. */
export function seal(
  key: KeyObject,
  id: number,
  channel: number,
  plain: Uint8Array,
): { tag: Buffer; body: Buffer } {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(id));
  cipher.setAAD(binding(channel));
  const body = cipher.update(plain);
  cipher.final();
  return { tag: cipher.getAuthTag(), body };
}

/** Opens blocks and hashes patients with the keys of one key file. */
export interface Opener {
  /** Tells which key is the current one. */
  ring: Buffer;
  /** Whether there are older keys. */
  hasOlder: boolean;
  /** @throws FaultError journalDamaged or journalKeyWrong */
  open(block: SealedBlock): Buffer;
  /** The patient's keyed hash under each key, oldest first: what may have been stored. */
  patientHashes(patient: string): Buffer[];
  /** The patient's hash under the current key: what is stored now. */
  patientHash(patient: string): Buffer;
}

/**
 * @param keys the key file's keys, oldest first
 * @param sessionOf the stored session with an id
 */
export function createOpener(
  keys: readonly Buffer[],
  sessionOf: (id: number) => Session | undefined,
): Opener {
  const byRing = new Map(keys.map((key) => [ringValue(key).toString('hex'), key]));
  const blockKeys = new Map<number, KeyObject>();
  const patientKeys = keys.map((key) => derive(key, '', 'gatehouse patient index'));

  function blockKey(id: number): KeyObject {
    const known = blockKeys.get(id);
    if (known) return known;
    const session = sessionOf(id);
    const key = session && byRing.get(session.ring.toString('hex'));
    if (!session || !key) throw new FaultError({ name: 'journalKeyWrong', detail: `key ${id}` });
    const derived = derive(key, session.salt, 'gatehouse journal block');
    blockKeys.set(id, derived);
    return derived;
  }

  const hash = (key: KeyObject, patient: string): Buffer =>
    createHmac('sha256', key).update(patient).digest().subarray(0, 16);

  return {
    ring: ringValue(keys[keys.length - 1] as Buffer),
    hasOlder: keys.length > 1,
    open(block) {
      const decipher = createDecipheriv('aes-256-gcm', blockKey(block.key), nonce(block.id), {
        authTagLength: 16,
      });
      decipher.setAAD(binding(block.channel));
      try {
        decipher.setAuthTag(block.tag);
        const plain = decipher.update(block.body);
        decipher.final();
        return plain;
      } catch (error) {
        const detail = `block ${block.id}`;
        throw new FaultError({ name: 'journalDamaged', detail }, { cause: error });
      }
    },
    patientHashes: (patient) => patientKeys.map((key) => hash(key, patient)),
    patientHash: (patient) => hash(patientKeys[patientKeys.length - 1] as KeyObject, patient),
  };
}

function derive(key: Buffer, salt: Buffer | string, purpose: string): KeyObject {
  // A KeyObject, because a cipher made from a Buffer costs four times as much (34 against 9 µs).
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, salt, purpose, 32)));
}

function nonce(id: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(id), 4);
  return bytes;
}

function binding(channel: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(channel);
  return bytes;
}
