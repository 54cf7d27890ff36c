/** What is said of patients takes two steps to its place, and nobody sees how far it has come. */
import assert from 'node:assert/strict';
import type { Database } from 'better-sqlite3';
import fc from 'fast-check';
import { openInMemory } from '../../engine/journal/database.ts';
import { migrate } from '../../engine/journal/migrate.ts';
import { patients } from '../../engine/journal/patients-sql.ts';
import type { PracticeRow } from '../../engine/journal/practices.ts';
import { use } from '../../engine/journal/rekey-sql.ts';
import { createSettling } from '../../engine/journal/settling.ts';

/** The first and the last place of some parts, and of all. */
const hashes = [0x00, 0x0f, 0x10, 0x7f, 0xf0, 0xff].map((byte) => Buffer.alloc(16, byte));
const highest = Buffer.alloc(17, 0xff);

interface Said {
  patient: number;
  practice: string;
  at: number;
  into: number | undefined;
}

function createIndex(): Database {
  const keys = openInMemory();
  migrate(keys, 'keys');
  return keys;
}

const row = ({ patient, practice, at, into }: Said) =>
  [hashes[patient], practice, at, into === undefined ? null : hashes[into], null, null] as const;

function knownIn(keys: Database): (PracticeRow | undefined)[] {
  const said = keys.prepare<[object], PracticeRow>(patients.said);
  return hashes.map((patient) => {
    const rows = said.all({ patient });
    return rows.reduce<PracticeRow | undefined>(
      (a, b) => (b.at >= (a?.at ?? 0) ? b : a),
      undefined,
    );
  });
}

describe('what is said of patients', () => {
  const said: fc.Arbitrary<Said> = fc.record({
    patient: fc.nat(hashes.length - 1),
    practice: fc.constantFrom('', 'A81001', 'A81002', 'A81003'),
    at: fc.nat(9),
    into: fc.option(fc.nat(hashes.length - 1), { nil: undefined }),
  });
  const step = fc.oneof(
    fc.record({ do: fc.constant('say'), said }),
    fc.record({ do: fc.constant('list'), said }),
    fc.record({ do: fc.constantFrom('some', 'all') }),
    fc.record({ do: fc.constant('between'), from: fc.nat(hashes.length - 1) }),
  ) as fc.Arbitrary<{ do: string; said?: Said; from?: number }>;

  it('is known as if it had been put in its place at once, however far it has come', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const [apart, atOnce] = [createIndex(), createIndex()];
        const settling = createSettling(apart);
        for (const { do: what, said: one, from } of steps) {
          if (what === 'say' && one) {
            apart.prepare(patients.putLately).run(...row(one));
            atOnce.prepare(patients.put).run(...row(one));
          } else if (what === 'list' && one) {
            const hash = hashes[one.patient] ?? highest;
            settling.between(hash, Buffer.concat([hash, Buffer.of(0)]));
            const changes = [apart, atOnce].map(
              (keys) =>
                keys.prepare(patients.putListed).run(hash, one.practice, one.at, null).changes,
            );
            assert.equal(changes[0], changes[1]);
          } else if (what === 'some') settling.some();
          else if (what === 'all') settling.all();
          else settling.between(hashes[from ?? 0] ?? highest, highest);
          assert.deepEqual(knownIn(apart), knownIn(atOnce));
          const counted = [apart, atOnce].map((keys) =>
            keys.prepare(use.practicesAfter).all({ after: Buffer.alloc(0), most: 100 }),
          );
          assert.deepEqual(counted[0], counted[1]);
        }
        for (let part = 0; part < 16; part++) settling.some();
        const left = apart.prepare('select count(*) from practice_lately').pluck().get();
        assert.equal(left, 0, 'all of it comes to its place in so many merges');
        assert.deepEqual(knownIn(apart), knownIn(atOnce));
        apart.close();
        atOnce.close();
      }),
      { numRuns: 60 },
    );
  });
});
