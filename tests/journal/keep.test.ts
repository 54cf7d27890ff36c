/** What a channel's `keep` says, applied to a journal. */
import assert from 'node:assert/strict';
import { channelSchema } from '../../engine/channel.ts';
import type { Keep } from '../../engine/config/keep.ts';
import type { Retention } from '../../engine/journal/deletion.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { applyRetention } from '../../engine/retention.ts';
import { receive, recordEvents, temporaryFolder } from './folder.ts';

const hour = 3_600_000_000;
const days = (n: number): number => n * 86_400_000;

describe('keep', () => {
  const { folder, remove } = temporaryFolder();
  const { emit, told } = recordEvents();
  let journal: Journal & Retention;
  let later = 0;
  const keep = (keep: Keep) =>
    applyRetention({
      ...{ journal, emit },
      channels: () => [{ channel: 'adt-feed', keep }],
      now: () => journal.mint() + later,
    });
  const left = async (): Promise<number[]> => (await journal.list()).map(({ id }) => id);

  before(async () => {
    journal = await openJournal({ folder, emit });
  });
  after(async () => {
    await journal.close();
    remove();
  });

  it('is written as a time, or in full', () => {
    const read = (value: unknown) => channelSchema.shape.keep.safeParse(value);
    assert.deepEqual(read('30d').data, { age: days(30) });
    assert.deepEqual(read({ age: '30d', size: '20GB', parked: '180d' }).data, {
      ...{ age: days(30), size: 20 * 1024 ** 3, parked: days(180) },
    });
    for (const wrong of ['30 days', { size: '1GB' }, { age: '30d', parked: '7d' }, undefined]) {
      assert.equal(read(wrong).success, false, JSON.stringify(wrong));
    }
  });

  it('deletes by age, and tells of what was parked when its own time has come', async () => {
    const parked = await receive(journal, 'parked', { state: 'parked' });
    await receive(journal, 'answered', { state: 'answered' });
    const limits = { age: days(1), parked: days(3) };
    await keep(limits);
    assert.equal((await left()).length, 2);
    later = 48 * hour;
    await keep(limits);
    assert.deepEqual(await left(), [parked]);
    later = 96 * hour;
    await keep(limits);
    assert.deepEqual(await left(), []);
    assert.deepEqual(
      told.filter(({ name }) => name.startsWith('journal.forgotten')).map((event) => event),
      [
        { name: 'journal.forgotten', fields: { channel: 'adt-feed', count: 1 } },
        { name: 'journal.forgotten', fields: { channel: 'adt-feed', count: 1 } },
        {
          name: 'journal.forgottenUndelivered',
          fields: {
            channel: 'adt-feed',
            count: 1,
            detail: '1 parked, 0 not delivered, beyond their own limits',
          },
        },
      ],
    );
  });

  it('deletes the oldest hours beyond a size, never what is parked nor the present hour', async () => {
    const limits = { age: days(365), size: 100_000 };
    const parked = await receive(journal, 'x'.repeat(1000), { state: 'parked' });
    const many = Array.from({ length: 8 }, () =>
      receive(journal, 'x'.repeat(10_000), { state: 'answered' }),
    );
    await Promise.all(many);
    later = 0;
    await keep(limits);
    assert.equal((await left()).length, 9, 'it is not too much');
    for (let n = 0; n < 3; n++) await receive(journal, 'x'.repeat(10_000), { state: 'answered' });
    await keep(limits);
    assert.equal((await left()).length, 12, 'it may be what just comes in');
    later = 2 * hour;
    await keep(limits);
    assert.deepEqual(await left(), [parked]);
  });
});
