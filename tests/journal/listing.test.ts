/** A listing by any combination of what exchanges are found by is that of looking at each of them. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import fc from 'fast-check';
import { filesOf, openForWriting } from '../../engine/journal/database.ts';
import type { Retention } from '../../engine/journal/deletion.ts';
import type { Filter, Journal, Keys, Progress } from '../../engine/journal/journal.ts';
import { createKeyIndex } from '../../engine/journal/keyindex.ts';
import { closeReaders, openReaders, prepareIndex, readKeysOf } from '../../engine/journal/open.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { verifyJournal } from '../../engine/journal/verify.ts';
import { recordEvents, temporaryFolder } from './folder.ts';

const some = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
const channels = ['adt-feed', 'gp-record', 'results'];
const states: Progress[] = ['received', 'answered', 'rejected', 'parked'];
const types = ['ADT^A01^ADT_A01', 'ADT^A08^ADT_A01', 'QBP^Q11'];
const values = {
  state: some(...states),
  fault: some('GH-1001', 'GH-4002'),
  sender: some('A|B', 'C|D'),
  practice: some('A81001', 'A81002'),
  controlId: some('C1', 'C2'),
  patient: some('9434765919', '9990000018'),
};

const isFound = (keys: Keys & { channel: string; id: number }, filter: Filter): boolean =>
  (['channel', 'fault', 'sender', 'practice', 'controlId', 'patient'] as const).every(
    (name) => filter[name] === undefined || filter[name] === keys[name],
  ) &&
  (filter.state ?? keys.state ?? 'received') === (keys.state ?? 'received') &&
  (filter.type === undefined || `${keys.type ?? ''}^`.startsWith(`${filter.type}^`)) &&
  keys.id >= (filter.since ?? 0) &&
  keys.id <= (filter.until ?? Infinity);

describe('listing exchanges', function () {
  this.timeout(30_000);
  const { folder, remove } = temporaryFolder();
  const stored: (Keys & { channel: string; id: number })[] = [];
  let journal: Journal & Retention;

  before(async () => {
    journal = await openJournal({ folder, emit: () => {} });
    const exchange = fc.record({
      ...values,
      channel: fc.constantFrom(...channels),
      type: some(...types),
    });
    // More of one kind than are read ahead.
    const all = [
      ...fc.sample(exchange, 300),
      ...fc.sample(fc.constant({ channel: 'results', state: 'answered' as const }), 200),
    ];
    for (const { channel, ...keys } of all) {
      const id = journal.mint();
      stored.push({ channel, ...keys, id });
      const appended = journal.append(id, channel, [{ kind: 'received', at: id }], keys);
      // In many blocks, so that there can be many periods.
      if (stored.length % 4 === 0) await appended;
    }
    await journal.stats();
    // Some change their kind afterwards.
    for (const one of stored.filter((_, n) => n % 7 === 0)) {
      one.state = 'rejected';
      one.fault = 'GH-9003';
      await journal.append(one.id, one.channel, [], { state: 'rejected', fault: 'GH-9003' });
    }
    await journal.stats();
  });
  after(async () => {
    await journal.close();
    remove();
  });

  it('finds what fits and nothing else, newest first, as many as are wanted', async () => {
    await assertAllFound(400);
  });

  it('and so across periods, where something changed in any of them', async () => {
    await journal.close();
    rmSync(filesOf(folder).keys);
    indexBySmallPeriods();
    journal = await openJournal({ folder, emit: () => {} });
    for (const one of stored.filter((_, n) => n % 11 === 0)) {
      one.state = 'parked';
      one.practice = 'A81002';
      await journal.append(one.id, one.channel, [], { state: 'parked', practice: 'A81002' });
    }
    await journal.stats();
    await assertAllFound(200);
    assert.deepEqual(verifyJournal(folder).findings, []);
  });

  it('and so in an index that an earlier version made', async () => {
    await journal.close();
    const keys = new SQLite(filesOf(folder).keys);
    keys.exec(`drop table by_practice; drop table practice_lately;
      create index exchange_practice on exchange (practice, kind) where practice is not null;
      pragma user_version = 10`);
    keys.close();
    const { emit, told } = recordEvents();
    journal = await openJournal({ folder, emit });
    assert.ok(!told.some(({ name }) => name === 'journal.indexRebuilt'));
    await assertAllFound(100);
    assert.deepEqual(verifyJournal(folder).findings, []);
  });

  it('and none of what was deleted', async () => {
    const before = stored[250]?.id ?? 0;
    await journal.forget('results', before);
    // What is parked or not done with stays.
    const isDone = ({ state }: Keys): boolean => state === 'answered' || state === 'rejected';
    const left = stored.filter(
      (one) => one.channel !== 'results' || one.id >= before || !isDone(one),
    );
    stored.splice(0, stored.length, ...left);
    await assertAllFound(100);
    assert.deepEqual(verifyJournal(folder).findings, []);
  });

  /** As many periods as there would be among millions. */
  function indexBySmallPeriods(): void {
    prepareIndex(folder, 1000);
    const readers = openReaders(folder, readKeysOf(folder), 1000);
    const keys = openForWriting(filesOf(folder).keys, { busyMs: 1000, rebuildable: true });
    const small = { exchangesPerPeriod: 40, appendsPerMerge: 16 };
    createKeyIndex(readers.journal, keys, readers.opener, small).merge();
    const periods = keys.prepare<[], number>('select count(*) from period').pluck().get() ?? 0;
    keys.close();
    closeReaders(readers);
    assert.ok(periods > 5, `${periods}`);
  }

  async function assertAllFound(numRuns: number): Promise<void> {
    const at = fc.option(fc.nat(stored.length - 1), { nil: undefined });
    const filter = fc.record({
      ...values,
      channel: some(...channels, 'none'),
      type: some('ADT', 'ADT^A01', 'QBP^Q11', 'QBP^Q1'),
      since: at,
      until: at,
      limit: fc.constantFrom(1, 10, 70, 1000),
    });
    await fc.assert(
      fc.asyncProperty(filter, async ({ since, until, ...asked }) => {
        const wanted: Filter = {
          ...asked,
          since: since === undefined ? undefined : stored[since]?.id,
          until: until === undefined ? undefined : stored[until]?.id,
        };
        const expected = stored
          .filter((one) => isFound(one, wanted))
          .map(({ id }) => id)
          .reverse();
        const found = await journal.list(wanted);
        assert.deepEqual(
          found.map(({ id }) => id),
          expected.slice(0, asked.limit),
        );
      }),
      { numRuns },
    );
  }
});
