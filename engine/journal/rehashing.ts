/**
 * The indexer's side of re-encryption: a walk over the blocks in steps, which hashes their patients
 * under the current key where the index has them under an older one, and says which blocks lie under an
 * older key. How far it has come is kept with what it did; patients are looked for under every key, so
 * they are found before, between and after.
 */
import type { Database } from 'better-sqlite3';
import { appendsIn } from './block.ts';
import { ofJournal } from './database.ts';
import type { ExchangeId } from './journal.ts';
import { createMove } from './moving.ts';
import { rehashing as sql, resealing } from './rekey-sql.ts';
import { plainOf } from './resealing.ts';
import type { Opener, SealedBlock, Session } from './seal.ts';
import { index, read } from './sql.ts';

/** What one step found. */
export interface Walked {
  /** The last block it looked at; 0 once there are no more. */
  last: number;
  /** How many it looked at. */
  blocks: number;
  /** Those that lie under an older key. */
  old: Float64Array;
  /** How many of these do not open. */
  damaged: number;
}

export interface Rehashing {
  /** Look at some blocks after this one. */
  walk(after: number): Walked;
  /** Say that all is done, to be called once it is, and forget the sessions of other keys. */
  endSessions(): void;
}

/** Beyond every block: what comes later is hashed under the same key or a later one. */
export const allHashed = Number.MAX_SAFE_INTEGER;

/** One step takes at most this: some milliseconds where a block has to be opened. */
const headsPerStep = 2048;
const bytesPerStep = 1024 * 1024;
const opensPerStep = 64;

/** Patients, by NHS number: of exchanges, and those of whom the patient index was told. */
interface Named {
  exchanges: [ExchangeId, string][];
  registered: string[];
}

interface HashMark {
  block: number;
  ring: Buffer | null;
  hashed: number;
}

/**
 * @param journal journal.sqlite, to read
 * @param keys keys.sqlite, to write
 */
export function createRehashing(journal: Database, keys: Database, opener: Opener): Rehashing {
  const heads = ofJournal(() =>
    journal.prepare<[number, number, number], { id: number; key: number; bytes: number }>(
      resealing.headsAfter,
    ),
  );
  const block = ofJournal(() => journal.prepare<[number], SealedBlock>(read.block));
  const session = ofJournal(() => journal.prepare<[number], Session>(read.session));
  const mark = keys.prepare<[], HashMark>(sql.hashed);
  const setHashed = keys.prepare(sql.setHashed);
  const periodOf = keys.prepare<[number], number>(index.periodOf).pluck();
  const setPatient = keys.prepare(sql.setPatient);
  const setByPatient = keys.prepare(sql.setByPatient);
  const endSessions = keys.prepare(sql.endSessions);
  const move = createMove(keys, opener);
  const end = keys.transaction(() => {
    setHashed.run(opener.ring, allHashed);
    endSessions.run(opener.ring);
  });
  const isCurrent = new Map<number, boolean>();

  function liesUnderOld(key: number): boolean {
    let known = isCurrent.get(key);
    if (known === undefined) {
      known = session.get(key)?.ring.equals(opener.ring) ?? false;
      isCurrent.set(key, known);
    }
    return !known;
  }

  /** Whom a block names; undefined where it does not open. */
  function patientsIn(id: number): Named | undefined {
    const sealed = block.get(id);
    if (!sealed) return { exchanges: [], registered: [] };
    const plain = plainOf(sealed, opener);
    if (!plain) return undefined;
    const named: Named = { exchanges: [], registered: [] };
    for (const { exchange, keys } of appendsIn(plain, { bodies: false })) {
      if (keys.patient !== undefined) named.exchanges.push([exchange, keys.patient]);
      for (const { patient, into } of [keys.registered ?? []].flat()) {
        named.registered.push(patient, ...(into === undefined ? [] : [into]));
      }
    }
    return named;
  }

  const store = keys.transaction((named: Named, upTo: number) => {
    for (const patient of new Set(named.registered)) move(opener.patientHashes(patient));
    for (const [exchange, patient] of named.exchanges) {
      const period = periodOf.get(exchange);
      const hashes = opener.patientHashes(patient);
      const now = hashes.pop();
      for (const old of hashes) {
        setPatient.run({ exchange, old, now });
        setByPatient.run({ period, exchange, old, now });
      }
    }
    setHashed.run(opener.ring, upTo);
  });

  return {
    walk(after) {
      const { block: end, ring, hashed } = mark.get() ?? { block: 0, ring: null, hashed: 0 };
      const hashedTo = ring?.equals(opener.ring) ? hashed : 0;
      const found = ofJournal(() => heads.all(after, end, headsPerStep));
      const walked: Walked = { last: 0, blocks: 0, old: new Float64Array(), damaged: 0 };
      const named: Named = { exchanges: [], registered: [] };
      const old: number[] = [];
      let [bytes, opens] = [0, 0];
      for (const { id, key, bytes: length } of found) {
        if (bytes > bytesPerStep || opens >= opensPerStep) break;
        const isOld = liesUnderOld(key);
        walked.last = id;
        walked.blocks += 1;
        if (!isOld && id <= hashedTo) continue;
        bytes += length;
        opens += 1;
        const patients = ofJournal(() => patientsIn(id));
        if (patients === undefined) walked.damaged += isOld ? 1 : 0;
        else {
          named.exchanges.push(...patients.exchanges);
          named.registered.push(...patients.registered);
          if (isOld) old.push(id);
        }
      }
      const upTo = walked.last === 0 ? end : walked.last;
      if (upTo > hashedTo) store.immediate(named, upTo);
      return { ...walked, old: Float64Array.from(old) };
    },
    endSessions: () => end.immediate(),
  };
}
