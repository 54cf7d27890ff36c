/** What a person deletes is what was said, to the byte; everything else stays as it was. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Forgotten, Retention } from '../../engine/journal/deletion.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import {
  type Prune,
  isRemovable,
  limitsOf,
  planPrune,
  prunedStates,
} from '../../engine/journal/pruning.ts';
import { statisticsOf } from '../../engine/journal/statistics.ts';
import { verifyJournal } from '../../engine/journal/verify.ts';
import { temporaryFolder } from './folder.ts';
import { type Kind, contents, exchangesOnDisk, kinds, leave, open } from './leaving.ts';

type What = Pick<Prune, 'state' | 'keepErrors'>;

/** Whether an exchange is one of those that are to be deleted, if it is old enough. */
function goes(kind: Kind, { state, keepErrors }: What): boolean {
  if (kind === 'owed' || kind === 'asking') return false;
  const isParked = kind === 'parked' || kind === 'dead';
  if (state === 'parked') return isParked;
  if (isParked) return false;
  if (state === 'rejected') return kind === 'rejected';
  if (state === 'closed') return false;
  return kind !== 'rejected' || (state === undefined && !keepErrors);
}

const take = (journal: Retention, before: number, what: What): Promise<Forgotten> =>
  isRemovable(what.state)
    ? journal.remove('adt-feed', before, what.state)
    : journal.forget('adt-feed', before, limitsOf(what));

describe('pruning', function () {
  this.timeout(60_000);

  it('takes away what was said and nothing else, as it was told before', async () => {
    const message = fc.record({ kind: fc.constantFrom(...kinds), size: fc.nat(3000) });
    const commits = fc.array(fc.array(message, { minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 4,
    });
    const what = fc.oneof(
      fc.constantFrom<What>({}, { keepErrors: true }),
      fc.constantFrom(...prunedStates).map((state): What => ({ state })),
    );
    await fc.assert(
      fc.asyncProperty(commits, what, fc.boolean(), async (all, first, then) => {
        const { folder, remove } = temporaryFolder();
        let journal = await open(folder);
        const kindOf = await fill(journal, all);
        const ids = [...kindOf.keys()];
        const before = ids[Math.floor(ids.length * 0.8)] ?? 0;
        const steps = then ? [first, {}] : [first];
        // Takes the last marks of delivery along.
        await journal.append(journal.mint(), 'other', [{ kind: 'step', at: 1 }]);
        await journal.stats();
        let present = ids;
        for (const step of steps) {
          const isGone = (id: number): boolean =>
            id < before && goes(kindOf.get(id) ?? 'answered', step);
          const gone = present.filter(isGone);
          const wanted = present.filter((id) => !isGone(id));
          const kept = await Promise.all(wanted.map((id) => journal.read(id)));
          const { plans, complete } = planPrune(folder, { ...step, before });
          const [plan] = plans;
          assert.ok(complete);
          assert.equal(plan?.exchanges, gone.length, 'told before');
          assert.equal(plan.stay, wanted.filter((id) => id < before).length);
          const { bytes } = statisticsOf(folder).channels[0] ?? { bytes: 0 };
          let taken = 0;
          for (const until of [ids[Math.floor(ids.length * 0.4)] ?? 0, before]) {
            taken += (await take(journal, until, step)).exchanges;
          }
          assert.equal(taken, gone.length, 'in two steps');
          const { bytes: left } = statisticsOf(folder).channels[0] ?? { bytes: 0 };
          assert.ok(bytes - left >= plan.bytes, `${bytes} - ${left} >= ${plan.bytes}`);
          assert.deepEqual(await Promise.all(wanted.map((id) => journal.read(id))), kept);
          for (const id of gone) assert.equal(await journal.read(id), undefined);
          assert.deepEqual(verifyJournal(folder).findings, []);
          present = wanted;
        }
        const now = await contents(journal, ids);
        await journal.close();
        for (const name of readdirSync(folder)) {
          if (name.startsWith('keys.sqlite')) rmSync(join(folder, name));
        }
        journal = await open(folder);
        assert.deepEqual(await contents(journal, ids), now, 'also to a rebuilt index');
        await journal.close();
        // Of what began just before, the end may lie behind: it goes with what comes there.
        const onDisk = exchangesOnDisk(folder, before);
        for (const id of ids) assert.ok(present.includes(id) || !onDisk.has(id));
        remove();
      }),
      { numRuns: 3 },
    );
  });

  async function fill(
    journal: Journal,
    commits: { kind: Kind; size: number }[][],
  ): Promise<Map<number, Kind>> {
    const kindOf = new Map<number, Kind>();
    for (const commit of commits) {
      await Promise.all(
        commit.map(({ kind, size }) => {
          const id = journal.mint();
          kindOf.set(id, kind);
          return leave(journal, id, kind, size);
        }),
      );
    }
    return kindOf;
  }
});
