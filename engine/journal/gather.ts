/**
 * What the journal says beyond a block: the outlines of its exchanges, where their entries lie,
 * and which practice each patient was registered with. The indexer writes this to keys.sqlite; a
 * reader adds it to what keys.sqlite already holds.
 */
import type { Database } from 'better-sqlite3';
import { appendsIn } from './block.ts';
import { faultOf } from './database.ts';
import type { ExchangeId } from './journal.ts';
import { combine, outlineOf } from './outline.ts';
import type { Told } from './outline.ts';
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
  /** The last word on each patient, by NHS number. */
  practices: Map<string, { patient: Buffer; practice: string; at: number }>;
}

export interface Channel {
  id: number;
  name: string;
  /** Exchanges that began before this have been deleted. */
  forgotten: number;
}

/** Blocks read at a time. */
const blocksPerRead = 32;
/** Hashes remembered at most. */
const mostPatients = 20_000;

/**
 * @returns a function that reads on after a block until it has some number of appends or has
 *   come to the end
 */
export function createGatherer(
  journal: Database,
  opener: Opener,
): (after: number, appends: number) => Gathered {
  const blocksAfter = journal.prepare<[number, number], SealedBlock>(read.blocksAfter);
  const channels = journal.prepare<[], Channel>(read.channels);

  const hash = remembering(opener.patientHash);

  return (after, appends) => {
    const gathered: Gathered = {
      last: after,
      appends: 0,
      damaged: 0,
      outlines: new Map(),
      blocks: new Map(),
      practices: new Map(),
    };
    const forgotten = new Map(channels.all().map((row) => [row.id, row.forgotten]));
    while (gathered.appends < appends) {
      const blocks = blocksAfter.all(gathered.last, blocksPerRead);
      for (const block of blocks) {
        gatherBlock(gathered, block, opener, hash, forgotten.get(block.channel) ?? 0);
      }
      if (blocks.length < blocksPerRead) break;
    }
    return gathered;
  };
}

function gatherBlock(
  gathered: Gathered,
  block: SealedBlock,
  opener: Opener,
  hash: Opener['patientHash'],
  forgotten: number,
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
    if (keys.registered) {
      const { patient, practice } = keys.registered;
      gathered.practices.set(patient, { patient: hash(patient), practice, at: id });
    }
    // What is left of an exchange whose beginning was deleted is not an exchange.
    if (exchange < forgotten) continue;
    const outline = outlineOf(append, block.channel, hash);
    gathered.outlines.set(exchange, combine(gathered.outlines.get(exchange), outline));
    const blocks = gathered.blocks.get(exchange);
    if (blocks === undefined) gathered.blocks.set(exchange, [block.id]);
    else if (blocks[blocks.length - 1] !== block.id) blocks.push(block.id);
  }
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
