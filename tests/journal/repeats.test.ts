import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createRecent, fingerprintNumber } from '../../engine/journal/recent.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { receive, recordEvents, temporaryFolder } from './folder.ts';

describe('repeats', () => {
  it('are known at once, before they are stored, and after a restart', async () => {
    const { folder, remove } = temporaryFolder();
    const { emit } = recordEvents();
    let journal = await openJournal({ folder, emit });
    const since = journal.mint();
    const keys = { controlId: 'C1', fingerprint: 'print' };
    assert.deepEqual(journal.repeats(keys, since), []);
    const id = journal.mint();
    const pending = journal.append(id, 'adt-feed', [{ kind: 'received', at: id }], keys);
    assert.deepEqual(journal.repeats(keys, since), [id]);
    await pending;
    const later = await receive(journal, 'the same again', keys);
    assert.deepEqual(journal.repeats(keys, since), [later, id]);
    assert.deepEqual(journal.repeats(keys, later), [later]);
    assert.deepEqual(journal.repeats(keys, later + 1), []);
    assert.deepEqual(await journal.repeats(keys, 0), [later, id], 'beyond memory: the index');
    await journal.close();

    journal = await openJournal({ folder, repeatWindowMs: 3_600_000, emit });
    assert.deepEqual(journal.repeats(keys, since), [later, id]);
    await journal.close();
    journal = await openJournal({ folder, repeatWindowMs: 0, emit });
    assert.deepEqual(await journal.repeats(keys, since), [later, id]);
    await journal.close();
    remove();
  });

  it('in memory are all those since the time it says it covers', () => {
    const step = fc.record({
      print: fc.nat(12),
      gap: fc.integer({ min: 1, max: 30 }),
      drop: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        let shortened = 0;
        const recent = createRecent({
          window: 500,
          most: 40,
          since: 1,
          shortened: () => shortened++,
        });
        const model: { number: number; id: number }[] = [];
        let id = 1;
        for (const { print, gap, drop } of steps) {
          id += gap;
          const number = fingerprintNumber(`print ${print}`);
          assert.equal(recent.add(number, id), true);
          assert.equal(recent.add(number, id), false);
          model.push({ number, id });
          if (drop === 0) {
            recent.remove(number, id);
            model.pop();
          }
          const from = recent.coveredSince();
          if (shortened === 0) assert.ok(from <= Math.max(1, id - 500));
          const expected = model.filter((one) => one.number === number && one.id >= from);
          assert.deepEqual(recent.find(number, from), expected.map((one) => one.id).toReversed());
          // What is not in memory any more is never denied.
          for (const since of [1, id - 500, id - 250, from]) {
            const older = model.some(
              (one) => one.number === number && one.id >= since && one.id < from,
            );
            if (older) assert.ok(recent.mayHaveOlder(number, since), `${since} of ${from}`);
          }
          assert.equal(recent.mayHaveOlder(number, from), false);
        }
      }),
    );
  });

  it('of more messages than memory holds are denied without the index, or looked for in it', () => {
    const recent = createRecent({ window: 1e9, most: 2000, since: 1, shortened: assert.fail });
    for (let n = 1; n <= 20_000; n++) recent.add(fingerprintNumber(`print ${n}`), n);
    assert.ok(recent.coveredSince() > 17_000);
    for (let n = 1; n < 17_000; n++) {
      assert.equal(recent.mayHaveOlder(fingerprintNumber(`print ${n}`), 1), true);
    }
    const asked = Array.from({ length: 20_000 }, (_, n) => fingerprintNumber(`another ${n}`));
    assert.ok(asked.filter((number) => recent.mayHaveOlder(number, 1)).length < 20);
  });

  it('that memory has dropped are found in the index, however full it is', async () => {
    const { folder, remove } = temporaryFolder();
    const journal = await openJournal({ folder, mostRecent: 8, emit: recordEvents().emit });
    const since = journal.mint();
    const keys = (n: number) => ({ controlId: `C${n}`, fingerprint: `print ${n}` });
    const ids: number[] = [];
    for (let n = 0; n < 40; n++) ids.push(await receive(journal, `message ${n}`, keys(n)));
    for (const [n, id] of ids.entries()) {
      assert.deepEqual(await journal.repeats(keys(n), since), [id]);
    }
    assert.deepEqual(journal.repeats(keys(99), since), []);
    const again = await receive(journal, 'message 1', keys(1));
    assert.deepEqual(await journal.repeats(keys(1), since), [again, ids[1]]);
    await journal.close();
    remove();
  });

  it('grow past their first tables', () => {
    const recent = createRecent({ window: 1e9, most: 100_000, since: 1, shortened: assert.fail });
    for (let n = 1; n <= 40_000; n++) recent.add(fingerprintNumber(`print ${n}`), n);
    for (let n = 1; n <= 40_000; n += 501) {
      assert.deepEqual(recent.find(fingerprintNumber(`print ${n}`), 1), [n]);
    }
  });
});
