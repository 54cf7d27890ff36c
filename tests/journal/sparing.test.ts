/** Retention never takes away what is parked or not done with before its own time has come. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { temporaryFolder } from './folder.ts';
import { type Kind, contents, exchangesOnDisk, kinds, leave, open, spared, to } from './leaving.ts';

describe('retention spares', function () {
  this.timeout(30_000);

  it('what is parked or not done with, as it was, and deletes every byte of the rest', async () => {
    const message = fc.record({ kind: fc.constantFrom(...kinds), size: fc.nat(9000) });
    const evens = fc.constantFrom({}, { parked: 0.5 }, { undelivered: 0.7 }, { parked: 2 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(message, { minLength: 1, maxLength: 12 }), {
          minLength: 1,
          maxLength: 4,
        }),
        evens,
        async (commits, limits) => {
          const { folder, remove } = temporaryFolder();
          let journal = await open(folder);
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
          const ids = [...kindOf.keys()];
          // A share of the time between the first and the last.
          const [first = 0, last = 0] = [ids[0], ids.at(-1)];
          const at = (share: number) => Math.round(first + share * (last - first)) + 1;
          const even = Object.fromEntries(Object.entries(limits).map(([k, v]) => [k, at(v)]));
          await journal.append(journal.mint(), 'other', [{ kind: 'step', at: 1 }]);
          await journal.stats();

          const before = at(0.9);
          const stays = (id: number): boolean => {
            const reason = spared[kindOf.get(id) ?? 'answered'];
            return id >= before || (reason !== undefined && id >= (even[reason] ?? 0));
          };
          const left = ids.filter(stays);
          const wanted = await Promise.all(left.map((id) => journal.read(id)));
          const taken = await journal.forget('adt-feed', before, even);
          const gone = ids.filter((id) => !stays(id));
          const goneFor = (why: string) =>
            gone.filter((id) => spared[kindOf.get(id) ?? 'answered'] === why).length;
          assert.deepEqual(taken, {
            exchanges: gone.length,
            parked: goneFor('parked'),
            undelivered: goneFor('undelivered'),
          });
          const now = await contents(journal, ids);
          assert.deepEqual(
            (now as { read: unknown[] }).read.filter(Boolean),
            wanted,
            'what was spared is as it was',
          );
          await journal.close();

          for (const name of readdirSync(folder)) {
            if (name.startsWith('keys.sqlite')) rmSync(join(folder, name));
          }
          journal = await open(folder);
          assert.deepEqual(await contents(journal, ids), now, 'also to a rebuilt index');

          // What is done with goes the next time; what began after `before` goes with the others.
          const still = left.filter(
            (id, index) => index % 2 && spared[kindOf.get(id) ?? 'answered'],
          );
          for (const id of left) {
            if (still.includes(id)) continue;
            const done = { kind: 'outbound', at: id, note: { to, state: 'delivered' } } as const;
            await journal.append(id, 'adt-feed', [done], { state: 'answered' });
          }
          const rest = still.map((id) => journal.read(id));
          const kept = await Promise.all(rest);
          await journal.forget('adt-feed', journal.mint());
          assert.deepEqual(await Promise.all(still.map((id) => journal.read(id))), kept);
          const bytes = (await journal.stored()).find(({ channel }) => channel === 'adt-feed');
          assert.equal(bytes?.exchanges, still.length);
          await journal.close();
          const onDisk = exchangesOnDisk(folder);
          for (const id of ids) assert.equal(onDisk.has(id), still.includes(id));
          remove();
        },
      ),
      { numRuns: 4 },
    );
  });
});
