/** Lists of patients in the patient index: what they may say, and what they never overrule. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Journal } from '../../engine/journal/journal.ts';
import { type ListedCounts, openPatientIndex } from '../../engine/journal/listed.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { faultOf, receive, recordEvents, temporaryFolder } from './folder.ts';

const [first, second, third, fourth] = ['9465701459', '9990000018', '9990000026', '9990000034'];
const day = 86_400_000_000;
const long = Date.UTC(2020, 0, 1) * 1000;

describe('a list of patients', () => {
  const { folder, remove } = temporaryFolder();
  const { emit } = recordEvents();
  let journal: Journal;
  before(async () => void (journal = await openJournal({ folder, emit })));
  after(async () => {
    await journal.close();
    remove();
  });

  /** As `practice import` does, beside the journal that is open for writing. */
  function bring(rows: [string, string, number][], room = 2): ListedCounts {
    const index = openPatientIndex(folder, { room });
    try {
      const write = () => [...index.write()].reduce((a, b) => a + b, 0);
      for (const row of rows) if (index.add(...row)) write();
      write();
      return index.counts;
    } finally {
      index.close();
    }
  }
  const practiceOf = async (patient: string) => journal.practiceOf(patient);
  const counts = (stored: number, same = 0, later = 0, merged = 0) => ({
    stored,
    same,
    later,
    merged,
  });

  it('says where patients are registered of whom ADT has said nothing', async () => {
    const rows: [string, string, number][] = [
      [first, 'P1', long],
      [second, 'P2', long],
      [third, 'P3', long],
      [first, 'P4', long + day],
    ];
    assert.deepEqual(bring(rows), counts(4));
    assert.deepEqual(await practiceOf(first), { practice: 'P4', at: long + day, source: 'list' });
    assert.deepEqual(await practiceOf(third), { practice: 'P3', at: long, source: 'list' });
  });

  it('changes nothing where it is brought again', async () => {
    assert.deepEqual(
      bring([
        [second, 'P2', long],
        [third, 'P3', long],
      ]),
      counts(0, 2),
    );
    assert.deepEqual(bring([[second, 'P9', long - day]]), counts(0, 0, 1));
    assert.equal((await practiceOf(second))?.practice, 'P2');
  });

  it('gives way to ADT, and never overrules what was said later', async () => {
    await receive(journal, 'ADT', { registered: { patient: second, practice: 'A2' } });
    const said = await practiceOf(second);
    assert.deepEqual([said?.practice, said?.source], ['A2', undefined]);
    assert.deepEqual(bring([[second, 'P2', long + day]]), counts(0, 0, 1));
    assert.equal((await practiceOf(second))?.practice, 'A2');
    const later = Date.now() * 1000 + day;
    assert.deepEqual(bring([[second, 'P8', later]]), counts(1));
    assert.deepEqual(await practiceOf(second), { practice: 'P8', at: later, source: 'list' });
  });

  it('never undoes a merge', async () => {
    await receive(journal, 'ADT', { registered: { patient: third, practice: '', into: first } });
    assert.equal((await practiceOf(third))?.practice, 'P4');
    assert.deepEqual(bring([[third, 'P3', Date.now() * 1000 + day]]), counts(0, 0, 0, 1));
    assert.deepEqual(await practiceOf(third), {
      ...{ practice: 'P4', at: long + day, merged: true, source: 'list' },
    });
  });

  it('never undoes a merge that was stored under an earlier key', async () => {
    await journal.close();
    const key = Buffer.alloc(32, 7).toString('base64');
    appendFileSync(join(folder, 'journal.key'), `${key}\n`);
    journal = await openJournal({ folder, emit });
    assert.deepEqual(
      bring([
        [third, 'P3', Date.now() * 1000 + day],
        [fourth, 'P5', long],
      ]),
      counts(1, 0, 0, 1),
    );
    assert.equal((await practiceOf(third))?.practice, 'P4');
    assert.equal((await practiceOf(fourth))?.practice, 'P5');
  });

  it('is refused where there is no journal', async () => {
    const none = temporaryFolder();
    const opening = async () => openPatientIndex(none.folder, {});
    assert.equal(await faultOf(opening()), 'journalUnavailable');
    none.remove();
  });
});
