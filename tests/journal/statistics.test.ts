/** Statistics say what a count of everything would, indexed or not, after deletions too. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Journal, Progress } from '../../engine/journal/journal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { type ChannelStatistics, statisticsOf } from '../../engine/journal/statistics.ts';
import { temporaryFolder } from './folder.ts';

const states: Progress[] = ['received', 'asking', 'answered', 'rejected', 'parked'];
const channels = ['adt-feed', 'gp-record'];

async function counted(journal: Journal): Promise<Partial<ChannelStatistics>[]> {
  const all = await journal.list({ limit: 10_000 });
  return [...Map.groupBy(all, ({ channel }) => channel)]
    .map(([channel, rows]) => {
      const ids = rows.map(({ id }) => id);
      const byState = Map.groupBy(rows, ({ state }) => state);
      return {
        channel,
        exchanges: rows.length,
        states: Object.fromEntries([...byState].map(([state, { length }]) => [state, length])),
        oldest: Math.min(...ids),
        newest: Math.max(...ids),
      };
    })
    .sort((a, b) => a.channel.localeCompare(b.channel));
}

function told(folder: string): Partial<ChannelStatistics>[] {
  return statisticsOf(folder)
    .channels.filter(({ exchanges }) => exchanges > 0)
    .map(({ channel, exchanges, states: of, oldest, newest }) => {
      return { channel, exchanges, states: of, oldest, newest };
    })
    .sort((a, b) => a.channel.localeCompare(b.channel));
}

describe('statistics of a journal', () => {
  it('are those of a count, whatever was stored, indexed, changed and deleted', async () => {
    const act = fc.record({
      channel: fc.constantFrom(...channels),
      state: fc.constantFrom(...states),
      then: fc.option(fc.constantFrom(...states), { nil: undefined }),
      do: fc.constantFrom('go on', 'go on', 'index', 'forget'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 25 }), async (acts) => {
        const { folder, remove } = temporaryFolder();
        let journal = await openJournal({ folder, emit: () => {} });
        const later: [number, string, Progress][] = [];
        for (const { channel, state, then, do: what } of acts) {
          const id = journal.mint();
          await journal.append(id, channel, [{ kind: 'received', at: id }], { state });
          if (then) later.push([id, channel, then]);
          if (what === 'index') assert.deepEqual(told(folder), await counted(journal));
          if (what === 'forget') await journal.forget(channel, id - 1);
        }
        for (const [id, channel, state] of later) {
          await journal.append(id, channel, [{ kind: 'answer', at: id + 1 }], { state });
        }
        const unindexed = told(folder);
        assert.deepEqual(unindexed, await counted(journal));
        assert.deepEqual(told(folder), unindexed);
        await journal.close();
        const { files, unindexed: behind, lag } = statisticsOf(folder);
        assert.deepEqual([behind, lag], [0, 0]);
        assert.ok(files.every(({ bytes, log }) => bytes > 8192 && log === 0));
        journal = await openJournal({ folder, readOnly: true, emit: () => {} });
        assert.deepEqual(told(folder), await counted(journal));
        await journal.close();
        remove();
      }),
      { numRuns: 3 },
    );
  });
});
