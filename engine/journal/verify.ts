/**
 * Looking over a whole journal: the structure of both databases, every block opened with its key,
 * every exchange of the index held against the blocks and the other way round. Nothing is written,
 * so it works beside a running engine as well as when none runs.
 */
import { existsSync, statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { FaultError } from '../faults.ts';
import { appendsIn } from './block.ts';
import { inspectFiles } from './damage.ts';
import { faultOf, filesOf, isCorrupt, isHeld, openForReading } from './database.ts';
import type { Channel } from './gather.ts';
import type { ExchangeId } from './journal.ts';
import { closeReaders, openReaders, readKeysOf } from './open.ts';
import type { Readers } from './open.ts';
import type { SealedBlock } from './seal.ts';
import { read } from './sql.ts';
import { verifyIndex } from './verify-index.ts';

export type Damage =
  /** A file is gone, cut off, or its log would not be read. */
  | 'files'
  /** SQLite finds a database not to be what it wrote. */
  | 'structure'
  /** A block does not open with its key. */
  | 'block'
  /** Something of an exchange is missing or does not open. */
  | 'exchange'
  /** The index does not say what the blocks hold; it can be built again. */
  | 'index';

/** One thing that is wrong. Holds no content of messages. */
export interface Finding {
  damage: Damage;
  file: 'journal.sqlite' | 'keys.sqlite';
  says: string;
  channel?: string;
  exchange?: ExchangeId;
}

/** What a journal holds, and what is wrong with it. */
export interface Verified {
  /** Whether an engine runs on it. */
  beside: boolean;
  channels: { channel: string; blocks: number; bytes: number }[];
  blocks: number;
  /** Of the blocks, as they are stored. */
  bytes: number;
  /** Exchanges that are there; undefined where that could not be read. */
  exchanges?: number;
  /** Exchanges of which all can be read. */
  readable?: number;
  /** How many findings there are of each kind, also where not all of them are listed. */
  counts: Readonly<Record<Damage, number>>;
  /** The first of each kind. */
  findings: Finding[];
}

export interface VerifyOptions {
  keyFile?: string;
  busyMs?: number;
  /** Called with what is being looked at and, where it is known, the share of it that is done. */
  at?: (what: string, share?: number) => void;
}

/** Gathers what is found, so that damage all over a journal is no list of a million lines. */
export interface Notes {
  add(finding: Finding): void;
}

/** Findings listed of each kind at most. */
const mostListed = 1000;
/** Complaints of SQLite about one database. */
const mostComplaints = 20;
const blocksPerRead = 64;

/**
 * Verify the journal in a folder.
 * @throws FaultError journalUnavailable where there is none, journalKey…, journalVersion: then
 *   nothing can be said of it
 */
export function verifyJournal(folder: string, options: VerifyOptions = {}): Verified {
  const { keyFile, busyMs = 2000, at = () => {} } = options;
  const files = filesOf(folder);
  const isGone = !existsSync(files.journal) && existsSync(files.keys);
  const ring = isGone ? [] : readKeysOf(folder, keyFile);
  const verified: Verified = {
    ...{ beside: isHeld(folder), channels: [], blocks: 0, bytes: 0 },
    counts: { files: 0, structure: 0, block: 0, exchange: 0, index: 0 },
    findings: [],
  };
  const counts = verified.counts as Record<Damage, number>;
  const notes: Notes = {
    add(finding) {
      counts[finding.damage] += 1;
      if (counts[finding.damage] <= mostListed) verified.findings.push(finding);
    },
  };

  // What a running engine is writing at this moment is not complete, and need not be.
  if (!verified.beside) inspect(folder, notes);
  if (isGone) return verified;
  at('the structure of journal.sqlite');
  const sound = checkStructure(files.journal, 'journal.sqlite', busyMs, notes);
  at('the structure of keys.sqlite');
  if (!statSync(files.keys, { throwIfNoEntry: false })?.size) {
    const says = 'it is not there, or empty; the engine builds it when it starts';
    notes.add({ damage: 'index', file: 'keys.sqlite', says });
  } else checkStructure(files.keys, 'keys.sqlite', busyMs, notes);

  let readers: Readers | undefined;
  try {
    readers = openReaders(folder, ring, busyMs);
    const damaged = verifyBlocks(readers, verified, notes, (share) => at('the blocks', share));
    Object.assign(verified, verifyIndex(readers, damaged, notes, at));
  } catch (error) {
    const { name, detail = 'cannot be read' } = faultOf(error);
    if (name !== 'journalCorrupt') throw error;
    if (sound) notes.add(structure('journal.sqlite', detail));
  } finally {
    if (readers) closeReaders(readers);
  }
  return verified;
}

function inspect(folder: string, notes: Notes): void {
  try {
    inspectFiles(folder);
  } catch (error) {
    // An engine that has started meanwhile writes to them.
    if (isHeld(folder)) return;
    if (!(error instanceof FaultError)) throw error;
    notes.add({ damage: 'files', file: 'journal.sqlite', says: error.fault.detail ?? '' });
  }
}

function structure(file: Finding['file'], says: string): Finding {
  return { damage: 'structure', file, says };
}

/** @returns whether SQLite finds nothing wrong with a database */
function checkStructure(path: string, file: Finding['file'], busyMs: number, notes: Notes) {
  let database: Database | undefined;
  try {
    database = openForReading(path, busyMs);
    const told = database.pragma(`integrity_check(${mostComplaints})`) as {
      integrity_check: string;
    }[];
    const complaints = told.map((row) => row.integrity_check).filter((text) => text !== 'ok');
    for (const text of complaints) notes.add(structure(file, text.replace(/\s+/g, ' ').trim()));
    return complaints.length === 0;
  } catch (error) {
    if (!isCorrupt(error)) throw new FaultError(faultOf(error), { cause: error });
    notes.add(structure(file, faultOf(error).detail ?? 'cannot be read'));
    return false;
  } finally {
    database?.close();
  }
}

/** Open every block. @returns those that do not open */
function verifyBlocks(
  { journal, opener }: Readers,
  verified: Verified,
  notes: Notes,
  at: (share: number) => void,
): Set<number> {
  const names = new Map(
    journal
      .prepare<[], Channel>(read.channels)
      .all()
      .map(({ id, name }) => [id, name]),
  );
  const blocksAfter = journal.prepare<[number, number], SealedBlock>(read.blocksAfter);
  const size = Number(journal.pragma('page_count', { simple: true }));
  const pageSize = Number(journal.pragma('page_size', { simple: true }));
  const channels = new Map<number, { channel: string; blocks: number; bytes: number }>();
  const damaged = new Set<number>();
  for (let after = 0; ;) {
    const blocks = blocksAfter.all(after, blocksPerRead);
    for (const block of blocks) {
      after = block.id;
      // Under no name lie marks of delivery that came late.
      const channel = names.get(block.channel) ?? `channel ${block.channel}`;
      const one = channels.get(block.channel) ?? { channel, blocks: 0, bytes: 0 };
      channels.set(block.channel, one);
      one.blocks += 1;
      one.bytes += block.body.length;
      verified.blocks += 1;
      verified.bytes += block.body.length;
      try {
        for (const append of appendsIn(opener.open(block), { bodies: false })) void append;
      } catch (error) {
        damaged.add(block.id);
        const says = `block ${block.id} ${whyClosed(error)}`;
        notes.add({ damage: 'block', file: 'journal.sqlite', says, channel });
      }
    }
    at(Math.min(1, verified.bytes / (size * pageSize)));
    if (blocks.length < blocksPerRead) break;
  }
  verified.channels = [...channels.values()].filter(({ channel }) => channel !== '');
  return damaged;
}

function whyClosed(error: unknown): string {
  if (!(error instanceof FaultError)) return 'opens, and holds no messages';
  return error.fault.name === 'journalKeyWrong'
    ? 'was sealed in a session that the journal no longer holds'
    : 'does not open with its key';
}
