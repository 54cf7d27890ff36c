/** The patient index: the last word on each patient, and merges, in memory and on disk alike. */
import assert from 'node:assert/strict';
import { memoryJournal } from '../../engine/journal/memory.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { receive, recordEvents, temporaryFolder } from './folder.ts';

const [first, second, third] = ['9465701459', '9990000018', '9990000026'];

const suites: [string, (folder: string) => Promise<Journal> | Journal][] = [
  ['memory', () => memoryJournal(() => Date.now() * 1000)],
  ['disk', (folder) => openJournal({ folder, emit: recordEvents().emit })],
];

for (const [name, open] of suites) {
  describe(`the patient index, kept in ${name}`, () => {
    const { folder, remove } = temporaryFolder();
    let journal: Journal;
    beforeEach(async () => {
      journal = await open(folder);
    });
    afterEach(() => journal.close());
    after(remove);

    const practiceOf = async (patient: string) => {
      const found = await journal.practiceOf(patient);
      return found && (found.merged ? `${found.practice}, merged` : found.practice);
    };
    const say = async (patient: string, practice: string, into?: string) => {
      await receive(journal, 'ADT', { registered: [{ patient, practice, into }] });
    };

    it('follows a merged patient to the survivor, whatever is said of that one later', async () => {
      await say(second, 'P2');
      await say(first, 'P1');
      await say(second, '', first);
      assert.equal(await practiceOf(second), 'P1, merged');
      await say(first, 'P5');
      assert.equal(await practiceOf(second), 'P5, merged');
      await say(first, '', third);
      assert.equal(await practiceOf(second), undefined);
      await say(third, 'P3');
      assert.equal(await practiceOf(second), 'P3, merged');
    });

    it('takes a patient who is named again for one of their own, and ends a circle', async () => {
      await say(third, '', '1^X');
      await say('1^X', '', third);
      assert.equal(await practiceOf(third), undefined);
      await say(third, 'P9');
      assert.equal(await practiceOf(third), 'P9');
      assert.equal(await practiceOf('1^X'), 'P9, merged');
      await say(third, '');
      assert.equal(await practiceOf(third), undefined);
    });

    it('reads what an earlier version wrote', async () => {
      await receive(journal, 'ADT', { registered: { patient: '2^X', practice: 'P7' } });
      assert.equal(await practiceOf('2^X'), 'P7');
    });

    if (name === 'disk') {
      it('knows all of it after a restart, from its index', async () => {
        await say('3^X', 'P1');
        await say('4^X', '', '3^X');
        for (let i = 0; i < 200 && (await journal.stats()).unindexed > 0; i++) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        assert.equal((await journal.stats()).unindexed, 0);
        assert.equal(await practiceOf('4^X'), 'P1, merged');
        await journal.close();
        journal = await open(folder);
        assert.equal(await practiceOf('4^X'), 'P1, merged');
      });
    }
  });
}
