/** Retention never takes away what is parked or not done with before its own time has come. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { appendsIn } from '../../engine/journal/block.ts';
import { filesOf, openForReading } from '../../engine/journal/database.ts';
import type { Entry, Journal, Keys, Retention } from '../../engine/journal/journal.ts';
import { readKeys } from '../../engine/journal/keyring.ts';
import { createOpener } from '../../engine/journal/seal.ts';
import type { SealedBlock, Session } from '../../engine/journal/seal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { recordEvents, temporaryFolder } from './folder.ts';

const kinds = ['answered', 'rejected', 'parked', 'owed', 'dead', 'delivered', 'asking'] as const;
type Kind = (typeof kinds)[number];
const spared: Partial<Record<Kind, 'parked' | 'undelivered'>> = {
  parked: 'parked',
  dead: 'parked',
  owed: 'undelivered',
  asking: 'undelivered',
};
const states: Partial<Record<Kind, Keys['state']>> = {
  rejected: 'rejected',
  parked: 'parked',
  asking: 'asking',
};
const to = 'adt-feed/lab';

/** An exchange as one of these kinds leaves it, in two appends. */
async function leave(journal: Journal, id: number, kind: Kind, size: number): Promise<void> {
  const at = id;
  const body = Buffer.alloc(size, `${id} `);
  await journal.append(id, 'adt-feed', [{ kind: 'received', at, body }], { controlId: `C${id}` });
  const entries: Entry[] = [{ kind: 'answer', at: at + 1, body: Buffer.from('MSA') }];
  const outbound = { owed: 'failed', dead: 'parked', delivered: 'delivered' } as const;
  if (kind in outbound) {
    const state = outbound[kind as keyof typeof outbound];
    entries.push({ kind: 'outbound', at: at + 2, note: { to, state, attempt: 1 } });
  }
  await journal.append(id, 'adt-feed', entries, { state: states[kind] ?? 'answered' });
  journal.settle(id, 'delivered');
}

const open = (folder: string): Promise<Journal & Retention> =>
  openJournal({ folder, emit: recordEvents().emit });

async function contents(journal: Journal, ids: number[]): Promise<unknown> {
  return {
    listed: await journal.list({ limit: 1000 }),
    open: await journal.outbound({ states: ['failed', 'parked'] }),
    read: await Promise.all(ids.map((id) => journal.read(id))),
    received: await Promise.all(ids.map((id) => journal.received(id))),
    found: await Promise.all(ids.map((id) => journal.list({ controlId: `C${id}` }))),
  };
}

/** Every exchange that has bytes in the journal, opened or not. */
function exchangesOnDisk(folder: string): Set<number> {
  const database = openForReading(filesOf(folder).journal, 1000);
  const session = database.prepare<[number], Session>('select ring, salt from key where id = ?');
  const opener = createOpener(readKeys(filesOf(folder).key), (id) => session.get(id));
  const found = new Set<number>();
  for (const block of database.prepare<[], SealedBlock>('select * from block').iterate()) {
    for (const { exchange } of appendsIn(opener.open(block))) found.add(exchange);
  }
  database.close();
  return found;
}

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
