/**
 * Making a new journal of all that can be read in a damaged one. Nothing of the damaged one is
 * changed: it is put aside whole. What is taken over is taken over as it is, and only what opens with
 * its key, so nothing comes in that was not in the journal.
 */
import { existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { appendsIn } from './block.ts';
import { type Carved, type FoundBlock, carve } from './carve.ts';
import { stamp } from './damage.ts';
import { filesOf, holdFolder, openForReading, openForWriting } from './database.ts';
import { syncFolder } from './durable-file.ts';
import { migrate } from './migrate.ts';
import { readKeysOf } from './open.ts';
import { createOpener } from './seal.ts';
import type { Opener, SealedBlock, Session } from './seal.ts';
import { salvage as sql } from './sql.ts';

/** What was saved and what was not. Times are microseconds since 1970. */
export interface Salvaged {
  /** Where the damaged files are now; undefined where nothing was changed. */
  aside?: string;
  blocks: number;
  appends: number;
  /** Blocks that are there and do not open. */
  unreadable: { id: number; channel: string }[];
  /** Exchanges that the index knew and of which something is missing; undefined without an index. */
  missing?: { channel: string; exchange: number }[];
  /** Names of channels that could not be read; `store stats` shows what stands for them. */
  unnamed: string[];
}

interface Known {
  sessions: Map<number, Session>;
  /** As the index has them: what opens nothing may be damaged itself. */
  copies: Map<number, Session>;
  channels: Map<number, { name: string; cleared: number }>;
  /** Blocks that retention spared; undefined where that cannot be read. */
  spared?: [block: number, exchange: number, channel: number][];
}

/** Blocks in one transaction. */
const blocksAtOnce = 256;

export interface SalvageOptions {
  keyFile?: string;
  /** See what can be saved, and change nothing. Takes as much space meanwhile as salvaging does. */
  dryRun?: boolean;
  /** Who wants it and why, for the record beside the damaged files. */
  by?: string;
  reason?: string;
  /** Called with the share that is done, from 0 to 1. */
  at?: (share: number) => void;
}

/**
 * Salvage the journal in a folder that no engine has open.
 * @throws FaultError journalUnavailable where there is none, journalHeld, journalKey…, journalFull:
 *   then everything is as it was
 */
export function salvage(folder: string, options: SalvageOptions = {}): Salvaged {
  const { keyFile, dryRun = false, by, reason, at = () => {} } = options;
  const files = filesOf(folder);
  const ring = readKeysOf(folder, keyFile);
  const lock = holdFolder(folder);
  const made = `${files.journal}.salvaged`;
  const clear = (): void => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(made + suffix, { force: true });
  };
  try {
    clear();
    const known = whatIsKnown(files);
    const carved = carve(files.journal);
    const target = openForWriting(made, { busyMs: 0 });
    try {
      migrate(target, 'journal');
      // Names of channels come last, when all that is left of them is known.
      target.pragma('foreign_keys = off');
      const result = takeOver(carved, target, known, ring, at);
      const missing = missingOf(files.keys, target, known);
      if (dryRun) return { ...result, missing };
      const aside = replace(folder, made, () => target.close());
      const salvaged = { aside, ...result, missing };
      const record = { at: new Date().toISOString(), by, reason, ...salvaged };
      writeFileSync(join(aside, 'salvaged.json'), `${JSON.stringify(record, null, 2)}\n`, {
        mode: 0o600,
      });
      return salvaged;
    } finally {
      target.close();
      carved.close();
    }
  } finally {
    clear();
    lock.close();
  }
}

function takeOver(
  carved: Carved,
  target: Database,
  known: Known,
  ring: Buffer[],
  at: (share: number) => void,
): Omit<Salvaged, 'aside' | 'missing'> {
  const { sessions, channels } = known;
  const opener = createOpener(ring, (id) => sessions.get(id));
  const copyOpener = createOpener(ring, (id) => known.copies.get(id));
  const put = target.prepare(sql.putBlock);
  const held = target.prepare<[number]>(sql.hasBlock);
  const unread = new Map<number, FoundBlock>();
  const sparedBlocks = new Set(known.spared?.map(([block]) => block));
  let pending: (() => void)[] = [];
  const store = target.transaction(() => pending.forEach((one) => one()));
  const flush = (): void => {
    store.immediate();
    pending = [];
  };

  function take(found: FoundBlock): void {
    const own = opened(found, opener);
    const sealed = own ?? opened(found, copyOpener);
    if (!sealed) return void unread.set(found.id, found);
    const copy = known.copies.get(found.key);
    if (!own && copy) sessions.set(found.key, copy);
    pending.push(() => put.run({ ...sealed, appends: found.appends }));
    if (pending.length >= blocksAtOnce) flush();
  }

  for (const found of carved.rows((done) => at(done / carved.size))) {
    if (found.kind === 'key') {
      if (!sessions.has(found.id)) sessions.set(found.id, found);
    } else if (found.kind === 'channel') {
      if (!channels.has(found.id)) channels.set(found.id, found);
    } else if (!isDeleted(found, known, sparedBlocks)) {
      take(found);
    }
  }
  flush();
  // The session they were sealed in may have been found after them, or a sound copy of them.
  const again = [...unread.values()].filter(({ id }) => !held.get(id));
  unread.clear();
  again.forEach(take);
  flush();
  const unnamed = putNames(target, known);
  const blocks = target.prepare<[], { blocks: number; appends: number }>(sql.count).get();
  return {
    blocks: blocks?.blocks ?? 0,
    appends: blocks?.appends ?? 0,
    unreadable: [...unread.values()]
      .filter(({ id }) => !held.get(id))
      .map(({ id, channel }) => ({ id, channel: channels.get(channel)?.name ?? `${channel}` })),
    unnamed,
  };
}

/** A block as it is stored, if it opens and holds appends. */
function opened(found: FoundBlock, opener: Opener): SealedBlock | undefined {
  const { id, channel, key, tag } = found;
  for (const body of found.bodies()) {
    const sealed = { id, channel, key, tag, body };
    try {
      for (const append of appendsIn(opener.open(sealed), { bodies: false })) void append;
      return sealed;
    } catch {
      // Not this way.
    }
  }
  return undefined;
}

/** Pages that lie free still hold what retention deleted. */
function isDeleted({ id, channel }: FoundBlock, known: Known, spared: Set<number>): boolean {
  // Without knowing what it spared, too much is better than too little: it will delete it again.
  if (known.spared === undefined) return false;
  return id < (known.channels.get(channel)?.cleared ?? 0) && !spared.has(id);
}

/** Sessions, channels and what was spared. @returns the names given to channels that had lost theirs */
function putNames(target: Database, { sessions, channels, spared }: Known): string[] {
  const unnamed: string[] = [];
  for (const [id, { ring, salt }] of sessions) target.prepare(sql.putSession).run(id, ring, salt);
  for (const id of target.prepare<[], number>(sql.channelsOfBlocks).pluck().all()) {
    if (channels.has(id)) continue;
    channels.set(id, { name: `salvaged-${id}`, cleared: 0 });
    unnamed.push(`salvaged-${id}`);
  }
  for (const [id, { name, cleared }] of channels) {
    const before = spared === undefined ? 0 : cleared;
    target.prepare(sql.putChannel).run({ id, name, before });
  }
  for (const row of spared ?? []) target.prepare(sql.putSpared).run(...row);
  return unnamed;
}

/** What SQLite can still read, and the copy in the index. */
function whatIsKnown(files: ReturnType<typeof filesOf>): Known {
  const known: Known = { sessions: new Map(), copies: new Map(), channels: new Map() };
  for (const [file, names, sessions] of [
    [files.journal, sql.ofJournal, known.sessions],
    [files.keys, sql.ofIndex, known.copies],
  ] as const) {
    reading(file, (database) => {
      const all = database.prepare<[], Session & { id: number }>(names.sessions).all();
      for (const { id, ring, salt } of all) sessions.set(id, { ring, salt });
    });
    reading(file, (database) => {
      type Row = { id: number; name: string; cleared: number };
      for (const { id, name, cleared } of database.prepare<[], Row>(names.channels).all()) {
        if (!known.channels.has(id)) known.channels.set(id, { name, cleared });
      }
    });
  }
  reading(files.journal, (database) => {
    known.spared = database.prepare<[], [number, number, number]>(sql.ofJournal.spared).raw().all();
  });
  return known;
}

/** Exchanges of the index whose first or last block was not saved. */
function missingOf(file: string, target: Database, { channels }: Known): Salvaged['missing'] {
  const held = target.prepare<[number]>(sql.hasBlock);
  let missing: Salvaged['missing'];
  reading(file, (keys) => {
    const found: Salvaged['missing'] = [];
    const rows = keys.prepare<[], { id: number; channel: number; first: number; last: number }>(
      sql.ofIndex.exchanges,
    );
    for (const { id, channel, first, last } of rows.iterate()) {
      if (held.get(first) && held.get(last)) continue;
      found.push({ channel: channels.get(channel)?.name ?? `${channel}`, exchange: id });
    }
    missing = found;
  });
  return missing;
}

/** What cannot be read is not known. */
function reading(file: string, use: (database: Database) => void): void {
  if (!existsSync(file)) return;
  let database: Database | undefined;
  try {
    database = openForReading(file, 0);
    use(database);
  } catch {
    // Damaged there: other places are looked at.
  } finally {
    database?.close();
  }
}

/** Put the new journal in the place of the damaged one. @returns where that is now */
function replace(folder: string, made: string, close: () => void): string {
  const files = filesOf(folder);
  const aside = join(folder, `damaged-${stamp()}`);
  mkdirSync(aside, { mode: 0o700 });
  close();
  // The name journal.sqlite is never without a file, or an engine would begin a new journal.
  linkSync(files.journal, join(aside, 'journal.sqlite'));
  for (const suffix of ['-wal', '-shm']) {
    const file = files.journal + suffix;
    if (existsSync(file)) renameSync(file, join(aside, `journal.sqlite${suffix}`));
  }
  renameSync(made, files.journal);
  rmSync(files.open, { force: true });
  syncFolder(folder);
  return aside;
}
