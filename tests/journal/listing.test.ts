/** A listing by any combination of what exchanges are found by is that of looking at each of them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Filter, Journal, Keys, Progress } from '../../engine/journal/journal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { temporaryFolder } from './folder.ts';

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
  let journal: Journal;

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
      void journal.append(id, channel, [{ kind: 'received', at: id }], keys);
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
    const at = fc.option(fc.nat(499), { nil: undefined });
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
      { numRuns: 400 },
    );
  });
});
