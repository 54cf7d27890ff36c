import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import fc from 'fast-check';
import { filesOf, openForWriting, openInMemory } from '../../engine/journal/database.ts';
import type { Journal, Outbound } from '../../engine/journal/journal.ts';
import { createKeyIndex } from '../../engine/journal/keyindex.ts';
import { migrate } from '../../engine/journal/migrate.ts';
import type { Schema } from '../../engine/journal/migrate.ts';
import { closeReaders, openReaders, readKeysOf } from '../../engine/journal/open.ts';
import { combine } from '../../engine/journal/outline.ts';
import type { Told } from '../../engine/journal/outline.ts';
import { createSearch } from '../../engine/journal/search.ts';
import { patients } from '../../engine/journal/patients-sql.ts';
import { moving, rehashing, resealing, use } from '../../engine/journal/rekey-sql.ts';
import { find, index, list, read, statistics, verify, write } from '../../engine/journal/sql.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { faultOf, receive, recordEvents, temporaryFolder } from './folder.ts';

const nhs = '9434765919';

async function fill(journal: Journal): Promise<number[]> {
  const ids: number[] = [];
  for (let n = 0; n < 20; n++) {
    const registered = { patient: nhs, practice: `A8100${n % 3}` };
    const keys = { controlId: `C${n}`, patient: nhs, fingerprint: `print ${n}`, registered };
    const id = await receive(journal, `message ${n}`, keys);
    await journal.append(id, 'adt-feed', [{ kind: 'answer', at: id + 7 }], { state: 'answered' });
    if (n % 2) journal.settle(id, 'delivered');
    ids.push(id);
  }
  await receive(journal, 'takes the last mark along');
  return ids;
}

async function everything(journal: Journal, ids: number[]): Promise<unknown> {
  return {
    all: await journal.list({ limit: 1000 }),
    patient: await journal.list({ patient: nhs }),
    control: await journal.list({ controlId: 'C3' }),
    practice: await journal.practiceOf(nhs),
    repeats: await journal.repeats({ controlId: 'C4', fingerprint: 'print 4' }, 0),
    read: await Promise.all(ids.map((id) => journal.read(id))),
    exchanges: (await journal.stats()).exchanges,
  };
}

describe('the keys that exchanges are found by', () => {
  it('give the same answers indexed, not indexed, and rebuilt', async () => {
    const { folder, remove } = temporaryFolder();
    const { emit, told } = recordEvents();
    let journal = await openJournal({ folder, emit });
    const ids = await fill(journal);

    const beside = await openJournal({ folder, readOnly: true, emit });
    const early = await everything(beside, ids);
    await beside.close();
    const indexed = await everything(journal, ids);
    assert.deepEqual(early, indexed);
    await journal.close();

    removeKeys(folder);
    const unindexed = await openJournal({ folder, readOnly: true, emit });
    assert.deepEqual(await everything(unindexed, ids), indexed);
    assert.equal((await unindexed.stats()).unindexed, 51);
    await unindexed.close();

    journal = await openJournal({ folder, emit });
    assert.deepEqual(await everything(journal, ids), indexed);
    await journal.close();
    const rebuilt = told.filter(({ name }) => name === 'journal.indexRebuilt');
    assert.deepEqual(
      rebuilt.map(({ fields }) => fields.count),
      [51],
    );

    await (await openJournal({ folder, emit })).close();
    assert.equal(told.filter(({ name }) => name === 'journal.indexRebuilt').length, 1);
    remove();
  });

  it('are not looked for in millions of entries that are not indexed', async () => {
    const { folder, remove } = temporaryFolder();
    const { emit } = recordEvents();
    const journal = await openJournal({ folder, emit });
    const ids = await fill(journal);
    await journal.close();
    removeKeys(folder);
    const readers = openReaders(folder, readKeysOf(folder), 100);
    const search = (most: number) =>
      createSearch(readers.journal, readers.keys, readers.opener, most);
    assert.equal(search(1000).list({ limit: 100 }).length, 21);
    assert.throws(() => search(10).list({}), /GH-6012/);
    assert.throws(() => search(10).read(ids[0] ?? 0), /GH-6012/);
    closeReaders(readers);
    remove();
  });

  it('are found by a second process at once, before they are indexed', async () => {
    const { folder, remove } = temporaryFolder();
    const { emit } = recordEvents();
    const journal = await openJournal({ folder, emit });
    const beside = await openJournal({ folder, readOnly: true, emit });
    const id = await receive(journal, 'just now', { controlId: 'NOW', patient: nhs });
    assert.equal((await beside.list({ controlId: 'NOW' }))[0]?.id, id);
    assert.equal((await beside.list({ patient: nhs }))[0]?.id, id);
    assert.equal((await beside.read(id))?.entries.length, 1);
    await beside.close();
    await journal.close();
    remove();
  });

  it('of another journal are not used', async () => {
    const [one, other] = [temporaryFolder(), temporaryFolder()];
    const { emit } = recordEvents();
    for (const { folder } of [one, other]) {
      const journal = await openJournal({ folder, emit });
      await receive(journal, 'message', { controlId: folder });
      await journal.close();
    }
    removeKeys(one.folder);
    renameSync(filesOf(other.folder).keys, filesOf(one.folder).keys);
    for (const readOnly of [true, false]) {
      const journal = await openJournal({ folder: one.folder, readOnly, emit });
      assert.deepEqual(
        (await journal.list()).map(({ controlId }) => controlId),
        [one.folder],
      );
      await journal.close();
    }
    one.remove();
    other.remove();
  });

  it('of a later state stop the start; begun anew, they do not come back by a power cut', async () => {
    const { folder, remove } = temporaryFolder();
    const { emit } = recordEvents();
    const { journal: file, keys } = filesOf(folder);
    const older = join(folder, 'older');
    let journal = await openJournal({ folder, emit });
    await receive(journal, 'kept');
    await journal.close();
    cpSync(file, older);
    journal = await openJournal({ folder, emit });
    await receive(journal, 'in the later state only');
    await journal.close();
    renameSync(older, file);
    const before = readFileSync(keys);
    assert.equal(await faultOf(openJournal({ folder, emit })), 'journalCorrupt');
    assert.deepEqual(readFileSync(keys), before, 'what is lost can still be named');

    const {
      journal: database,
      keys: beside,
      opener,
    } = openReaders(folder, readKeysOf(folder), 100);
    const written = openForWriting(keys, { busyMs: 100, rebuildable: true });
    assert.equal(createKeyIndex(database, written, opener).lost, 1);

    // What was not synced is gone: all that is in the log at most.
    const cut = temporaryFolder();
    cpSync(keys, filesOf(cut.folder).keys);
    const left = new SQLite(filesOf(cut.folder).keys);
    assert.deepEqual(left.prepare('select block from mark').pluck().all(), [0]);
    left.close();
    cut.remove();
    for (const one of [written, beside, database]) one.close();
    journal = await openJournal({ folder, emit });
    assert.equal((await journal.list()).length, 1);
    await journal.close();
    remove();
  });

  it('can be gathered in any portions', () => {
    const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
    const delivery: fc.Arbitrary<Outbound> = fc.record({
      exchange: fc.constant(1),
      to: fc.constantFrom('a/b', 'a/c'),
      state: fc.constantFrom('owed', 'sending', 'failed', 'parked', 'delivered'),
      attempts: fc.nat(4),
      fault: maybe(fc.constant('GH-7001')),
      since: fc.nat(),
    });
    const deliveries = fc
      .array(delivery, { maxLength: 3 })
      .map((all) => new Map(all.map((one) => [one.to, one])));
    const outline: fc.Arbitrary<Told> = fc.record({
      id: fc.constant(1),
      channel: fc.nat(2),
      state: maybe(fc.constantFrom('received', 'asking', 'answered')),
      delivery: maybe(fc.constantFrom('owed', 'delivered', 'undelivered')),
      sender: maybe(fc.string()),
      control: maybe(fc.string()),
      type: maybe(fc.string()),
      practice: maybe(fc.string()),
      fault: maybe(fc.string()),
      patient: fc.constant(null),
      fingerprint: maybe(fc.nat()),
      repeat_of: maybe(fc.nat()),
      first: maybe(fc.nat()),
      last: maybe(fc.nat()),
      deliveries: maybe(deliveries),
    });
    fc.assert(
      fc.property(outline, outline, outline, (a, b, c) => {
        assert.deepEqual(combine(combine(a, b), c), combine(a, combine(b, c)));
      }),
    );
  });
});

describe('every query has its plan', () => {
  // Tables of a few rows, where reading all of them is right.
  // And of partial indexes, which hold only what is still waiting.
  const small =
    /SCAN (journal|key|channel|mark|period|kind|k$|p$|usage|spared|session|\(|CONSTANT|(outbound|o) USING INDEX outbound_)/;
  const queries: [Schema, Record<string, string>][] = [
    [
      'journal',
      {
        ...write,
        ...read,
        ...those(statistics, 'blockAfter', 'spared'),
        ...those(verify, 'isStored'),
        ...resealing,
      },
    ],
    [
      'keys',
      {
        ...index,
        ...find,
        ...list,
        ...those(statistics, 'kinds'),
        ...those(verify, 'place', 'placesAfter', 'isMiddle'),
        ...rehashing,
        ...moving,
        ...use,
        ...patients,
      },
    ],
  ];
  for (const [schema, named] of queries) {
    const database = openInMemory();
    migrate(database, schema);
    for (const [name, sql] of Object.entries(named)) {
      if (['begin', 'commit', 'rollback', 'clear'].includes(name)) continue;
      it(`${schema}: ${name}`, () => {
        const plan = planOf(database, sql);
        for (const step of plan) {
          assert.ok(!step.startsWith('SCAN') || small.test(step), `${step}\n  in ${sql}`);
          const sorts = ['rings', 'outboundCounts'].includes(name) || name.startsWith('putNew');
          assert.ok(!step.includes('TEMP B-TREE') || sorts, `${step}\n  in ${sql}`);
        }
      });
    }
  }

  it('and each listing is led by the index of its field', () => {
    const database = openInMemory();
    migrate(database, 'keys');
    const byKind = 'SEARCH e USING COVERING INDEX exchange_kind (kind=? AND rowid>? AND rowid<?)';
    const byPractice = 'SEARCH by_practice USING PRIMARY KEY (period=? AND practice=? AND kind';
    const leads: Record<keyof typeof list, string | string[]> = {
      controlId: [
        'SCAN p',
        'SEARCH k USING PRIMARY KEY (period=? AND control=? AND exchange>? AND exchange<?)',
      ],
      patient: [
        'SCAN p',
        'SEARCH k USING PRIMARY KEY (period=? AND patient=? AND exchange>? AND exchange<?)',
      ],
      any: 'SEARCH exchange USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)',
      heads: ['SCAN k', 'CORRELATED SCALAR SUBQUERY 1', byKind],
      ofKind: byKind.replace(' e ', ' exchange '),
      kinds: 'SCAN k',
      periods: 'SCAN period',
      headOfPractice: `${byPractice}>?)`,
      ofPractice: `${byPractice}=? AND exchange>? AND exchange<?)`,
    };
    for (const [name, lead] of Object.entries(leads)) {
      const steps = [lead].flat();
      const plan = planOf(database, list[name as keyof typeof list]);
      assert.deepEqual(plan.slice(0, steps.length), steps);
    }
  });
});

function planOf(database: SQLite.Database, sql: string): string[] {
  const explained = database.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`);
  const names = [...sql.matchAll(/@(\w+)/g)].map(([, name]) => [name, null]);
  const places = sql.match(/\?/g)?.map(() => null) ?? [];
  const rows =
    names.length > 0 ? explained.all(Object.fromEntries(names)) : explained.all(...places);
  return rows.map(({ detail }) => detail);
}

function those(named: Record<string, string>, ...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, named[name] ?? '']));
}

function removeKeys(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith('keys.sqlite')) rmSync(join(folder, name));
  }
}
