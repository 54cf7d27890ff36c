/**
 * What the journal says beyond a block: the outlines of its exchanges, where their entries lie,
 * and which practice each patient was registered with. The indexer writes this to keys.sqlite; a
 * reader adds it to what keys.sqlite already holds.
 */
import type { Database } from 'better-sqlite3';
import { FaultError } from '../faults.ts';
import { appendsIn } from './block.ts';
import { faultOf, ofJournal } from './database.ts';
import type { ExchangeId } from './journal.ts';
import { combine, outlineOf } from './outline.ts';
import type { Told } from './outline.ts';
import { type PracticeRow, sources } from './practices.ts';
import type { Opener, SealedBlock } from './seal.ts';
import { read } from './sql.ts';

export interface Gathered {
  /** The last block that was read. */
  last: number;
  appends: number;
  /** Blocks that could not be opened, and were passed over. */
  damaged: number;
  outlines: Map<ExchangeId, Told>;
  /** The blocks that hold entries of each exchange, in order. */
  blocks: Map<ExchangeId, number[]>;
  /** What each channel stored in each hour. */
  usage: Map<string, Usage>;
  /** The last word on each patient, by NHS number. */
  practices: Map<string, PracticeRow & { patient: Buffer }>;
  /** The patients into whom others were merged. */
  survivors: Set<string>;
}

export interface Channel {
  id: number;
  name: string;
  /** Exchanges that began before this have been deleted, except for those that were spared. */
  forgotten: number;
  /** Up to here its blocks have been. */
  cleared: number;
}

/** What a channel stored in one hour. */
export interface Usage {
  channel: number;
  /** Counted from 1970. */
  hour: number;
  /** That began in it. */
  exchanges: number;
  /** Of the blocks stored in it. */
  bytes: number;
}

export const hourInMicroseconds = 3_600_000_000;

/** Appends that a command looks through where the index does not hold them: some seconds. */
export const mostUnindexed = 200_000;

/** Blocks read at a time. */
const blocksPerRead = 32;
/** Hashes remembered at most. */
const mostPatients = 20_000;

/**
 * @param most more appends than this are too much to hold in memory
 * @returns a function that reads on after a block until it has some number of appends or has
 *   come to the end; it throws FaultError indexIncomplete where that is more than `most`
 */
export function createGatherer(
  journal: Database,
  opener: Opener,
  most = Infinity,
): (after: number, appends: number) => Gathered {
  const blocksAfter = journal.prepare<[number, number], SealedBlock>(read.blocksAfter);
  const channels = journal.prepare<[], Channel>(read.channels);
  const isSpared = journal.prepare<[number], number>(read.isSpared).pluck();
  const hash = remembering(opener.patientHash);

  const gather = (after: number, appends: number): Gathered => {
    const gathered: Gathered = {
      last: after,
      appends: 0,
      damaged: 0,
      outlines: new Map(),
      blocks: new Map(),
      usage: new Map(),
      practices: new Map(),
      survivors: new Set(),
    };
    const forgotten = new Map(channels.all().map((row) => [row.id, row.forgotten]));
    while (gathered.appends < appends) {
      const blocks = blocksAfter.all(gathered.last, blocksPerRead);
      for (const block of blocks) {
        const before = forgotten.get(block.channel) ?? 0;
        const isForgotten = (exchange: ExchangeId): boolean =>
          exchange < before && isSpared.get(exchange) === undefined;
        addUsage(gathered.usage, block.channel, block.id, {
          exchanges: 0,
          bytes: block.body.length,
        });
        gatherBlock(gathered, block, opener, hash, isForgotten);
      }
      if (gathered.appends > most) {
        const detail = `more than ${most} entries are not indexed`;
        throw new FaultError({ name: 'indexIncomplete', detail });
      }
      if (blocks.length < blocksPerRead) break;
    }
    return gathered;
  };
  return (after, appends) => ofJournal(() => gather(after, appends));
}

function gatherBlock(
  gathered: Gathered,
  block: SealedBlock,
  opener: Opener,
  hash: Opener['patientHash'],
  isForgotten: (exchange: ExchangeId) => boolean,
): void {
  gathered.last = block.id;
  let plain: Buffer;
  try {
    plain = opener.open(block);
  } catch (error) {
    if (faultOf(error).name !== 'journalDamaged') throw error;
    // One damaged block must not hide all that came after it; reading its exchanges says so.
    gathered.damaged += 1;
    return;
  }
  for (const append of appendsIn(plain, { bodies: false })) {
    const { id, exchange, keys } = append;
    gathered.appends += 1;
    for (const { patient, practice, into, source } of [keys.registered ?? []].flat()) {
      if (into !== undefined) gathered.survivors.add(into);
      const survivor = into === undefined ? null : hash(into);
      const said = { practice, at: id, into: survivor, source: source ? sources[source] : null };
      gathered.practices.set(patient, { patient: hash(patient), ...said });
    }
    // What is left of an exchange whose beginning was deleted is not an exchange.
    if (isForgotten(exchange)) continue;
    const outline = outlineOf(append, block.channel, hash);
    gathered.outlines.set(exchange, combine(gathered.outlines.get(exchange), outline));
    const blocks = gathered.blocks.get(exchange);
    if (blocks === undefined) gathered.blocks.set(exchange, [block.id]);
    else if (blocks[blocks.length - 1] !== block.id) blocks.push(block.id);
  }
}

/** Count what a channel stored at a time. */
export function addUsage(
  usage: Map<string, Usage>,
  channel: number,
  id: number,
  { exchanges, bytes }: Pick<Usage, 'exchanges' | 'bytes'>,
): void {
  const hour = Math.floor(id / hourInMicroseconds);
  const key = `${channel} ${hour}`;
  const known = usage.get(key) ?? { channel, hour, exchanges: 0, bytes: 0 };
  known.exchanges += exchanges;
  known.bytes += bytes;
  usage.set(key, known);
}

/** The patients of one day are many times the same, and hashing costs as much as storing. */
function remembering(hash: Opener['patientHash']): Opener['patientHash'] {
  const known = new Map<string, Buffer>();
  return (patient) => {
    const before = known.get(patient);
    if (before !== undefined) return before;
    if (known.size >= mostPatients) known.clear();
    const hashed = hash(patient);
    known.set(patient, hashed);
    return hashed;
  };
}
