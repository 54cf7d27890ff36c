/**
 * Lists of where patients are registered, brought into the patient index in bulk: what a hospital's own
 * system knows of patients of whom no ADT message has come yet. It is written beside the engine, in
 * transactions so short that the indexer only waits for one of them.
 *
 * The index is ordered by the patients' hashes, so rows are gathered by the million, put into that
 * order and written front to back: in the order of the list each row would touch another page.
 */
import { createMove } from './moving.ts';
import { openIndex } from './open.ts';
import { patients } from './patients-sql.ts';
import type { PracticeRow } from './practices.ts';
import { moving } from './rekey-sql.ts';
import { createSettling } from './settling.ts';

/** What became of the rows of a list. */
export interface ListedCounts {
  stored: number;
  /** The index says the same already. */
  same: number;
  /** The index has a later word on the patient, which stays. */
  later: number;
  /** The patient was merged into another, which stays. */
  merged: number;
}

export interface PatientIndex {
  counts: ListedCounts;
  /**
   * Take a row; nothing is written yet.
   * @param patient NHS number, ten digits
   * @param at microseconds since 1970, when this was known to be so
   * @returns whether as many are gathered as there is room for: then `write` is due
   */
  add(patient: string, practice: string, at: number): boolean;
  /** Write what is gathered: each step is one transaction, and says how many rows it held. */
  write(): Generator<number>;
  close(): void;
}

const hashBytes = 16;
/** They order them well enough. */
const orderedBytes = 6;
/** After the last hash that begins like this. */
const beyond = Buffer.alloc(hashBytes, 0xff);
const rowsPerTransaction = 16_384;

/**
 * @param room how many rows are gathered at most (some 40 bytes each)
 * @throws FaultError journalUnavailable, journalKey…, journalVersion
 */
export function openPatientIndex(
  folder: string,
  {
    keyFile,
    busyMs = 5000,
    room = 2_000_000,
  }: { keyFile?: string; busyMs?: number; room?: number },
): PatientIndex {
  const { keys, opener } = openIndex(folder, busyMs, keyFile);
  keys.pragma('cache_size = -65536');
  const put = keys.prepare<[Buffer, string, number, Buffer]>(patients.putListed);
  const known = keys.prepare<[Buffer], PracticeRow>(patients.settled);
  const isKnown = keys.prepare<[{ old: Buffer }], number>(moving.isKnown).pluck();
  const counts: ListedCounts = { stored: 0, same: 0, later: 0, merged: 0 };

  const hashes = Buffer.alloc(room * hashBytes);
  const times = new Float64Array(room);
  const places = new Uint32Array(room);
  const practices: string[] = [];
  const placeOf = new Map<string, number>();
  let gathered = 0;

  /** By all their hashes, the patients of whom something is known under older keys. */
  let toMove: Buffer[][] = [];
  const move = createMove(keys, opener);
  const settling = createSettling(keys);
  if (opener.hasOlder) keys.transaction(settling.all).immediate();
  const moveSome = keys.transaction((patients: readonly Buffer[][]) => patients.forEach(move));

  const hashOf = (row = 0): Buffer => hashes.subarray(row * hashBytes, (row + 1) * hashBytes);
  const beginOf = (row?: number): Buffer => hashOf(row).subarray(0, orderedBytes);
  const writeSome = keys.transaction((rows: Uint32Array) => {
    const last = beginOf(rows[rows.length - 1]);
    settling.between(beginOf(rows[0]), Buffer.concat([last, beyond]));
    for (const row of rows) {
      const hash = hashOf(row);
      const practice = practices[places[row] ?? 0] ?? '';
      const at = times[row] ?? 0;
      if (put.run(hash, practice, at, opener.ring).changes > 0) counts.stored += 1;
      else {
        const before = known.get(hash);
        if (before?.into) counts.merged += 1;
        else if (before?.at === at) counts.same += 1;
        else counts.later += 1;
      }
    }
  });

  return {
    counts,
    add(patient, practice, at) {
      if (opener.hasOlder) {
        const all = opener.patientHashes(patient);
        if (all.slice(0, -1).some((old) => isKnown.get({ old }))) toMove.push(all);
      }
      let place = placeOf.get(practice);
      if (place === undefined) {
        place = practices.push(practice) - 1;
        placeOf.set(practice, place);
      }
      opener.patientHash(patient).copy(hashes, gathered * hashBytes);
      times[gathered] = at;
      places[gathered] = place;
      gathered += 1;
      return gathered >= room;
    },
    *write() {
      for (let from = 0; from < toMove.length; from += rowsPerTransaction) {
        moveSome.immediate(toMove.slice(from, from + rowsPerTransaction));
        yield 0;
      }
      toMove = [];
      // Of the same patient the last row of the list comes last.
      const order = Float64Array.from({ length: gathered }, (_, row) =>
        hashes.readUIntBE(row * hashBytes, orderedBytes),
      );
      const rows = Uint32Array.from({ length: gathered }, (_, row) => row);
      rows.sort((a, b) => (order[a] ?? 0) - (order[b] ?? 0));
      for (let from = 0; from < rows.length; from += rowsPerTransaction) {
        const some = rows.subarray(from, from + rowsPerTransaction);
        writeSome.immediate(some);
        yield some.length;
      }
      gathered = 0;
    },
    close: () => void keys.close(),
  };
}
