/** An answer in parts: whatever the quantity, the parts together are the whole, and none says more than it holds. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createHeldRecords } from '../../engine/held-records.ts';
import type { MappedGroup, MappedRecord, MappedSegment } from '../../engine/mapping/mapped.ts';
import { itemsOf, partOf } from '../../engine/query/in-parts.ts';

const note = (text: string, number = 1): MappedSegment => ({
  name: 'NTE',
  fields: [undefined, String(number), undefined, text],
});

const status = (code: string, values: string[][]): MappedSegment => {
  const fields: MappedSegment['fields'] = [undefined, '1', 'CE', undefined, code, values];
  return { name: 'OBX', fields };
};

/** A record with a dataset for each entry, and so many items of so many segments in it. */
function recordOf(shape: { warned: boolean; items: number[] }[]): MappedRecord {
  let item = 0;
  const datasets = shape.map(({ warned, items }, at) => {
    const group: MappedGroup = {
      code: `D${at}`,
      title: `Dataset ${at}`,
      lines: [status(`D${at}`, [warned ? ['W', 'x', 'L'] : ['C', 'Complete', 'L']]), note('own')],
      items: items.map((segments) => {
        item++;
        return Array.from({ length: segments }, (_, i) => ({
          name: i === 0 ? 'PRB' : 'NTE',
          fields: [undefined, `${item}.${i}`],
        }));
      }),
    };
    const segments = [...group.lines, ...group.items.flat()];
    const dataset = 'PRB' as const;
    return { dataset, status: [], items: items.length, groups: [group], segments };
  });
  return { patient: [{ name: 'PID', fields: [undefined, '1'] }], datasets, warnings: [] };
}

const shapes = fc.array(
  fc.record({ warned: fc.boolean(), items: fc.array(fc.integer({ min: 1, max: 4 })) }),
  { minLength: 1, maxLength: 5 },
);

/** The parts a host gets that asks on until nothing is left. */
function allParts(record: MappedRecord, quantity: number) {
  const parts = [];
  for (let from = 0; ;) {
    const part = partOf(record, from, quantity);
    parts.push(part);
    from += part.items.here;
    if (part.items.left === 0) return parts;
  }
}

const itemSegments = (record: MappedRecord) =>
  record.datasets.flatMap(({ groups }) => groups.flatMap(({ items }) => items));

describe('an answer in parts', () => {
  it('holds every item once, whole and in order, whatever the quantity', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 12 }), (shape, quantity) => {
        const record = recordOf(shape);
        const parts = allParts(record, quantity);
        assert.deepEqual(
          parts.flatMap((part) => itemSegments(part.record)),
          itemSegments(record),
        );
        let before = 0;
        for (const { items, record: part } of parts) {
          assert.ok(items.here <= quantity);
          assert.equal(items.here, itemsOf(part));
          before += items.here;
          assert.deepEqual([items.all, items.left], [itemsOf(record), itemsOf(record) - before]);
        }
      }),
    );
  });

  it('repeats the patient and every status line, and C only where all items are there', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 12 }), (shape, quantity) => {
        const record = recordOf(shape);
        for (const { record: part } of allParts(record, quantity)) {
          assert.deepEqual(part.patient, record.patient);
          for (const [at, { groups, segments }] of part.datasets.entries()) {
            const [whole] = record.datasets[at]?.groups ?? [];
            const [group] = groups;
            const [line] = segments;
            const complete = group?.items.length === whole?.items.length;
            const codes = JSON.stringify(line?.fields[5]);
            assert.equal(codes.includes('in-parts'), !complete);
            assert.equal(codes.includes('"C"'), complete && !shape[at]?.warned);
            assert.equal(codes.includes('"x"'), shape[at]?.warned, 'a warning is never dropped');
            const notes = segments.slice(1).findIndex(({ name }) => name !== 'NTE');
            const end = notes < 0 ? segments.length : notes + 1;
            const numbers = segments.slice(1, end).map(({ fields }) => fields[1]);
            assert.deepEqual(
              group?.lines.slice(1).map(({ fields }) => fields[1]),
              numbers.slice(0, (group?.lines.length ?? 1) - 1),
            );
            assert.equal((group?.lines.length ?? 0) - 2, complete ? 0 : 1);
          }
        }
      }),
    );
  });
});

describe('held records', () => {
  const record = recordOf([{ warned: false, items: [1, 1, 1] }]);
  let clock = 0;
  let dropped = 0;
  const room = (change: object = {}) =>
    createHeldRecords(
      { hold: 1000, records: 2, size: 10_000, ...change },
      () => clock,
      () => dropped++,
    );
  beforeEach(() => {
    clock = 0;
    dropped = 0;
  });

  it('are found by their asker alone, until their time is up', () => {
    const held = room();
    assert.ok(held.hold('A', 'me', { record, cautions: ['deceased'] }));
    assert.equal(held.find('A', 'me')?.cautions[0], 'deceased');
    assert.equal(held.find('A', 'you'), undefined);
    assert.equal(held.find('B', 'me'), undefined);
    clock = 999_999;
    assert.ok(held.find('A', 'me'));
    clock = 1_000_000;
    assert.equal(held.find('A', 'me'), undefined);
    assert.equal(dropped, 0, 'what expired did not have to make way');
  });

  it('make way for newer ones, the oldest first, in number and in size', () => {
    const held = room();
    for (const name of ['A', 'B', 'C']) held.hold(name, 'me', { record, cautions: [] });
    assert.deepEqual(
      ['A', 'B', 'C'].map((name) => held.find(name, 'me') !== undefined),
      [false, true, true],
    );
    assert.equal(dropped, 1);
    const small = room({ size: 80 });
    assert.ok(small.hold('A', 'me', { record, cautions: [] }));
    assert.ok(small.hold('B', 'me', { record, cautions: [] }));
    assert.equal(small.find('A', 'me'), undefined);
  });

  it('that are larger than all the room are not held, and nothing makes way for them', () => {
    const held = room({ size: 80 });
    held.hold('A', 'me', { record, cautions: [] });
    const large = recordOf([{ warned: false, items: Array<number>(40).fill(4) }]);
    assert.equal(held.hold('B', 'me', { record: large, cautions: [] }), false);
    assert.ok(held.find('A', 'me'));
  });
});
