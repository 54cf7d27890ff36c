/** What still needs each key of the key file: read beside a running engine, or when none runs. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { closeReaders, openIndex, openReaders, readKeysOf } from './open.ts';
import type { Readers } from './open.ts';
import { allHashed } from './rehashing.ts';
import { rehashing, resealing, use as sql } from './rekey-sql.ts';
import { ringValue } from './seal.ts';
import { createSettling } from './settling.ts';
import { read } from './sql.ts';

/** Of one key, which is told from the others without telling it. */
export interface KeyUse {
  key: string;
  current: boolean;
  /** Blocks that lie under it. */
  blocks: number;
  /** Whether exchanges may be found by their patient with this key alone. */
  exchanges: boolean;
  /** Patients whose practice is known under this key alone. */
  practices: number;
}

const headsPerRead = 4096;
const rowsPerRead = 16_384;

/**
 * Look at what needs each key. Where there is one key only nothing is counted: all needs it.
 * @param step called after each part, which takes milliseconds, with how many blocks it looked at
 * @returns oldest first
 * @throws FaultError journalUnavailable where there is no journal, journalKey…, journalVersion
 */
export async function keyUse(
  folder: string,
  {
    keyFile,
    busyMs = 2000,
    step = nextTurn,
  }: { keyFile?: string; busyMs?: number; step?: (blocks: number) => Promise<unknown> },
): Promise<KeyUse[]> {
  const ring = readKeysOf(folder, keyFile);
  const names = ring.map((key) => ringValue(key).toString('hex'));
  const current = names.at(-1) ?? '';
  const readers = openReaders(folder, ring, busyMs);
  try {
    const of = new Map(
      names.map((key) => {
        const none = { key, current: key === current, blocks: 0, exchanges: true, practices: 0 };
        return [key, none] as const;
      }),
    );
    if (names.length < 2) return [...of.values()];
    const hashedUnder = hashedUnderOf(readers);
    for (const [at, key] of names.entries()) {
      const since = names.indexOf(hashedUnder ?? '');
      const one = of.get(key);
      if (one && !one.current) one.exchanges = since <= at;
    }
    await countBlocks(readers, of, step);
    await countPractices(readers, [...of.values()], step);
    return [...of.values()];
  } finally {
    closeReaders(readers);
  }
}

/** The key under which, or a later one, all exchanges are found by their patients, where that is known. */
function hashedUnderOf({ keys }: Readers): string | undefined {
  const mark = keys.prepare<[], { ring: Buffer | null; hashed: number }>(rehashing.hashed).get();
  return mark?.hashed === allHashed ? mark.ring?.toString('hex') : undefined;
}

type Step = (blocks: number) => Promise<unknown>;

/** A session is named by every block of it, and where none has another key there is nothing to count. */
async function countBlocks({ journal }: Readers, of: Map<string, KeyUse>, step: Step) {
  const sessions = journal.prepare<[number], { id: number; ring: Buffer }>(read.sessions);
  const ringOf = new Map<number, string>();
  const learn = () =>
    sessions.all(0).forEach(({ id, ring }) => ringOf.set(id, ring.toString('hex')));
  learn();
  if ([...ringOf.values()].every((ring) => of.get(ring)?.current)) return;
  const heads = journal.prepare<[number, number, number], { id: number; key: number }>(
    resealing.headsAfter,
  );
  for (let after = 0; ;) {
    const found = heads.all(after, Number.MAX_SAFE_INTEGER, headsPerRead);
    for (const { id, key } of found) {
      if (!ringOf.has(key)) learn();
      const one = of.get(ringOf.get(key) ?? '');
      if (one) one.blocks += 1;
      after = id;
    }
    await step(found.length);
    if (found.length < headsPerRead) return;
  }
}

async function countPractices({ keys }: Readers, all: KeyUse[], step: Step): Promise<void> {
  const rows = keys.prepare<[object], PracticeKey>(sql.practicesAfter);
  for (let after: Buffer = Buffer.alloc(0); ;) {
    const found = rows.all({ after, most: rowsPerRead });
    for (const row of found) {
      after = row.patient;
      for (const one of all) if (isUnder(row, one)) one.practices += 1;
    }
    await step(0);
    if (found.length < rowsPerRead) return;
  }
}

interface PracticeKey {
  patient: Buffer;
  ring: Buffer | null;
}

/** A row from before keys were noted may need any of the older keys. */
const isUnder = ({ ring }: PracticeKey, { key, current }: Pick<KeyUse, 'key' | 'current'>) =>
  ring === null ? !current : ring.toString('hex') === key;

/**
 * Forget the practices that are known under an older key alone.
 * @param step awaited after each transaction with how many it forgot
 * @throws FaultError journalUnavailable where keys.sqlite is not the index of this journal; journalKey…
 */
export async function forgetPractices(
  folder: string,
  key: string,
  {
    keyFile,
    busyMs = 5000,
    step,
  }: { keyFile?: string; busyMs?: number; step: (rows: number) => Promise<unknown> },
): Promise<void> {
  const { keys } = openIndex(folder, busyMs, keyFile);
  try {
    const rows = keys.prepare<[object], PracticeKey>(sql.practicesAfter);
    const drop = keys.prepare<[Buffer, Buffer | null]>(sql.dropPractice);
    const settling = createSettling(keys);
    const dropSome = keys.transaction((some: PracticeKey[]) => {
      settling.all();
      for (const { patient, ring } of some) drop.run(patient, ring);
    });
    for (let after: Buffer = Buffer.alloc(0); ;) {
      const found = rows.all({ after, most: rowsPerRead });
      const going = found.filter((row) => isUnder(row, { key, current: false }));
      dropSome.immediate(going);
      await step(going.length);
      after = found.at(-1)?.patient ?? after;
      if (found.length < rowsPerRead) break;
    }
    keys.pragma('wal_checkpoint(passive)');
  } finally {
    keys.close();
  }
}
