/** A journal damaged on the disk: nothing is missing without a word, and what can be read is saved. */
import assert from 'node:assert/strict';
import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import fc from 'fast-check';
import { inspectFiles } from '../../engine/journal/damage.ts';
import { filesOf } from '../../engine/journal/database.ts';
import type { Journal, StoredExchange } from '../../engine/journal/journal.ts';
import { prepareFolder } from '../../engine/journal/open.ts';
import { type Salvaged, salvage } from '../../engine/journal/salvage.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { faultOf, receive, recordEvents, temporaryFolder } from './folder.ts';

/** Write other bytes at some offsets of a file. */
function damage(file: string, offsets: readonly number[], length = 1): void {
  const descriptor = openSync(file, 'r+');
  const bytes = readFileSync(file);
  for (const at of offsets) {
    const changed = Buffer.from(bytes.subarray(at, at + length)).map((byte) => byte ^ 0x5a);
    writeSync(descriptor, changed, 0, changed.length, at);
  }
  closeSync(descriptor);
}

/** What the journal says of each exchange: itself, or the name of the fault. */
async function readAll(journal: Journal, ids: Iterable<number>): Promise<Map<number, unknown>> {
  const found = new Map<number, unknown>();
  for (const id of ids) {
    found.set(
      id,
      await journal.read(id).catch((error: { fault?: { name: string } }) => error.fault?.name),
    );
  }
  return found;
}

describe('a journal that is damaged on the disk', function () {
  this.timeout(60_000);
  const base = temporaryFolder();
  const stored = new Map<number, StoredExchange>();
  const copies: string[] = [];

  /** A copy of the journal; as a crash leaves it unless it was closed. */
  const copy = (from = base.folder): string => {
    const { folder } = temporaryFolder();
    cpSync(from, folder, { recursive: true });
    copies.push(folder);
    return folder;
  };
  const open = async (folder: string) => {
    const { emit, told } = recordEvents();
    return { journal: await openJournal({ folder, emit, busyMs: 100 }), told };
  };

  before(async () => {
    const { journal } = await open(base.folder);
    for (let n = 0; n < 40; n++) {
      const text = `${n} `.repeat(n % 4 === 0 ? 9000 : 60);
      const keys = { controlId: `C${n}`, state: 'answered', patient: '9434765919' } as const;
      const id = await receive(journal, text, keys);
      stored.set(id, (await journal.read(id)) as StoredExchange);
    }
    await journal.close();
  });
  after(() => {
    base.remove();
    for (const folder of copies) rmSync(folder, { recursive: true, force: true });
  });

  it('gives back each exchange as it was or says that it cannot, and salvages the rest', async () => {
    const { journal: file } = filesOf(base.folder);
    const { size } = statSync(file);
    const where = fc.record({
      offsets: fc.array(fc.nat(size - 1), { minLength: 1, maxLength: 12 }),
      length: fc.constantFrom(1, 4, 600),
      header: fc.boolean(),
      cut: fc.option(fc.integer({ min: 1, max: size - 1 }), { nil: undefined, freq: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(where, async ({ offsets, length, header, cut }) => {
        const folder = copy();
        const damaged = filesOf(folder).journal;
        damage(damaged, header ? [...offsets, 20, 60] : offsets, length);
        if (cut !== undefined) truncateSync(damaged, cut);

        const readable = new Set<number>();
        try {
          const { journal } = await open(folder);
          for (const [id, found] of await readAll(journal, stored.keys())) {
            if (typeof found === 'string')
              assert.match(found, /^journal(Damaged|Corrupt|KeyWrong)$/);
            else assert.deepEqual(found, stored.get(id));
            if (typeof found === 'object') readable.add(id);
          }
          await journal.close();
        } catch (error) {
          const { name } = (error as { fault: { name: string } }).fault;
          assert.match(name, /^journal(Corrupt|KeyWrong|Version)$/);
        }

        const salvaged = salvage(folder);
        const { journal } = await open(folder);
        const missing = new Set(salvaged.missing?.map(({ exchange }) => exchange));
        for (const [id, found] of await readAll(journal, stored.keys())) {
          if (found === undefined) assert.ok(missing.has(id), 'what is lost is named');
          else
            assert.deepEqual(
              { ...(found as object), channel: '' },
              { ...stored.get(id), channel: '' },
            );
          if (readable.has(id)) assert.ok(found, 'what could be read is saved');
        }
        await journal.close();
        const kept = readFileSync(join(salvaged.aside ?? '', 'journal.sqlite'));
        assert.equal(kept.length, cut ?? size, 'the damaged file is kept');
      }),
      { numRuns: 4 },
    );
  });

  it('takes what a power cut leaves of the very first page for the beginning it is', async () => {
    const { folder } = temporaryFolder();
    copies.push(folder);
    const { journal: file, keys, key } = filesOf(folder);
    cpSync(filesOf(base.folder).key, key);
    writeFileSync(file, 'SQLite format 3');
    assert.equal(await faultOf(openJournal({ folder, emit: () => {} })), 'journalCorrupt');
    // A hot one, of a database that was empty: its header, and that there is no page to put back.
    const journal = Buffer.alloc(512);
    Buffer.from('d9d505f920a163d7', 'hex').copy(journal);
    journal.writeUInt32BE(512, 20);
    journal.writeUInt32BE(8192, 24);
    writeFileSync(`${file}-journal`, journal);
    assert.ok(!existsSync(keys));
    const { journal: begun } = await open(folder);
    assert.deepEqual(await begun.list({ limit: 1 }), []);
    await begun.close();
  });

  it('refuses to start where the structure is damaged, and starts after a salvage', async () => {
    const folder = copy();
    damage(filesOf(folder).journal, [0], 100);
    assert.equal(await faultOf(openJournal({ folder, emit: () => {} })), 'journalCorrupt');
    const salvaged = salvage(folder);
    assert.deepEqual([salvaged.unreadable, salvaged.missing, salvaged.unnamed], [[], [], []]);
    const { journal } = await open(folder);
    assert.deepEqual(await readAll(journal, stored.keys()), stored);
    await journal.close();
  });

  it('opens its blocks by the copy in the index where it lost what they are opened by', async () => {
    const folder = copy();
    const { journal: file } = filesOf(folder);
    const bytes = readFileSync(file);
    const { emit } = recordEvents();
    const reader = await openJournal({ folder, readOnly: true, emit });
    await reader.close();
    // The salt of the only session, wherever it lies.
    const database = new SQLite(file, { readonly: true });
    const salt = database.prepare<[], Buffer>('select salt from key').pluck().get() as Buffer;
    database.close();
    writeFileSync(
      file,
      Buffer.concat([
        bytes.subarray(0, bytes.indexOf(salt)),
        Buffer.alloc(32),
        bytes.subarray(bytes.indexOf(salt) + 32),
      ]),
    );
    const { unreadable, missing, blocks } = salvage(folder);
    assert.deepEqual([unreadable, missing, blocks], [[], [], 40]);
    const { journal } = await open(folder);
    assert.deepEqual(await readAll(journal, stored.keys()), stored);
    await journal.close();
  });

  it('builds a damaged index again by itself, and says so', async () => {
    for (const spoil of [
      (file: string) => writeFileSync(file, 'no database at all, but a text'.repeat(100)),
      (file: string) => truncateSync(file, 9000),
      (file: string) =>
        damage(
          file,
          Array.from({ length: 40 }, (_, n) => 8192 * (n + 1) + 3),
          5,
        ),
    ]) {
      const folder = copy();
      spoil(filesOf(folder).keys);
      const { journal, told } = await open(folder);
      assert.deepEqual(await readAll(journal, stored.keys()), stored);
      assert.equal((await journal.list({ patient: '9434765919', limit: 100 })).length, 40);
      await journal.close();
      const names = told.map(({ name }) => name);
      assert.ok(names.includes('journal.indexDamaged') && names.includes('journal.indexRebuilt'));
      assert.ok(readdirSync(folder).some((name) => name.startsWith('keys.sqlite.damaged-')));
    }
  });
});

describe('the write-ahead log', function () {
  this.timeout(30_000);
  let crashed: ReturnType<typeof temporaryFolder>;
  const ids: number[] = [];
  const copies: string[] = [];

  before(async () => {
    const running = temporaryFolder();
    crashed = temporaryFolder();
    const journal = await openJournal({ folder: running.folder, emit: () => {} });
    for (let n = 0; n < 6; n++) ids.push(await receive(journal, `${n} `.repeat(3000)));
    cpSync(running.folder, crashed.folder, { recursive: true });
    await journal.close();
    assert.ok(!existsSync(filesOf(running.folder).open));
    running.remove();
  });
  after(() => {
    crashed.remove();
    for (const folder of copies) rmSync(folder, { recursive: true, force: true });
  });
  const copy = (): { folder: string; log: string } => {
    const { folder } = temporaryFolder();
    cpSync(crashed.folder, folder, { recursive: true });
    copies.push(folder);
    return { folder, log: `${filesOf(folder).journal}-wal` };
  };
  async function left(folder: string): Promise<{ ids: number[]; events: string[] }> {
    const { emit, told } = recordEvents();
    const journal = await openJournal({ folder, emit });
    const listed = await journal.list({ limit: 100 });
    await journal.close();
    return { ids: listed.map(({ id }) => id).reverse(), events: told.map(({ name }) => name) };
  }

  it('is taken up after a crash', async () => {
    assert.deepEqual((await left(copy().folder)).ids, ids);
  });
  it('is taken up after a crash, whatever ends the start after that', async () => {
    const { folder } = copy();
    const options = { busyMs: 100, emit: () => {} };
    prepareFolder(folder, options);
    assert.equal(inspectFiles(folder), 0, 'what dies there has taken it up');
    const emit = (name: string): void => {
      if (name === 'journal.opened') throw new Error('nobody listens');
    };
    assert.equal(await faultOf(openJournal({ ...options, folder, emit })), 'journalUnavailable');
    assert.deepEqual((await left(folder)).ids, ids);
  });
  it('that is gone is no reason to go on without it', async () => {
    const { folder, log } = copy();
    rmSync(log);
    assert.equal(await faultOf(left(folder)), 'journalCorrupt');
  });
  it('that is cut off before what the index knows stops the start, and what is lost is named', async () => {
    const running = temporaryFolder();
    const { folder } = temporaryFolder();
    copies.push(folder);
    const journal = await openJournal({ folder: running.folder, emit: () => {} });
    const ids: number[] = [];
    for (let n = 0; n < 6; n++) ids.push(await receive(journal, `${n} `.repeat(3000)));
    // Which brings the index up to date.
    assert.equal((await journal.list()).length, 6);
    cpSync(running.folder, folder, { recursive: true });
    await journal.close();
    running.remove();
    const log = `${filesOf(folder).journal}-wal`;
    truncateSync(log, statSync(log).size / 2);
    assert.equal(await faultOf(left(folder)), 'journalCorrupt');
    const { missing } = salvage(folder) as Required<Pick<Salvaged, 'missing'>>;
    const { ids: saved } = await left(folder);
    assert.ok(saved.length > 0 && missing.length > 0);
    const known = [...saved, ...missing.map(({ exchange }) => exchange)];
    assert.deepEqual(
      ids.filter((id) => !known.includes(id)),
      [],
    );
  });
  it('that would be passed over from the middle on stops the start, and is salvaged', async () => {
    const { folder, log } = copy();
    damage(log, [Math.floor(statSync(log).size / 2)]);
    assert.equal(await faultOf(left(folder)), 'journalCorrupt');
    const { missing } = salvage(folder) as Required<Pick<Salvaged, 'missing'>>;
    const { ids: saved } = await left(folder);
    assert.ok(missing.length <= 1);
    assert.ok(saved.length >= ids.length - 1, 'only what lay in the damaged page is lost');
  });
  it('with a damaged header stops the start, and all of it is salvaged', async () => {
    const { folder, log } = copy();
    damage(log, [9]);
    assert.equal(await faultOf(left(folder)), 'journalCorrupt');
    salvage(folder);
    assert.deepEqual((await left(folder)).ids, ids);
  });
  it('with an end that is not complete is taken up without it, and that is told', async () => {
    const { folder, log } = copy();
    damage(log, [statSync(log).size - 5]);
    const { ids: kept, events } = await left(folder);
    assert.deepEqual(kept, ids.slice(0, kept.length));
    assert.ok(kept.length >= ids.length - 1);
    assert.ok(events.includes('journal.tornEnd'));
  });
});
