/** What differs by version: the timing of an order. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { inVersion } from '../../engine/mapping/by-version.ts';
import type { MappedSegment } from '../../engine/mapping/mapped.ts';

const order = (timing: (string | undefined)[]): MappedSegment => {
  const fields: MappedSegment['fields'] = [undefined, 'SR', 'P1'];
  fields[7] = [timing];
  fields[9] = '20260101';
  const trace = timing.flatMap((value, i) =>
    value === undefined ? [] : [{ target: `ORC-7.${i + 1}`, rule: 'r', source: `s${i + 1}` }],
  );
  return { name: 'ORC', fields, from: 'MedicationRequest/1', trace };
};

const text = fc.option(fc.string({ minLength: 1 }), { nil: undefined });
const duration = fc.oneof(fc.stringMatching(/^[SMHDWL][1-9]\d{0,3}$/), text);

describe('content by version', () => {
  it('2.3 and 2.4 are as the mapping made them', () => {
    const segments = [order([undefined, undefined, 'D28'])];
    for (const version of ['2.3', '2.4'] as const) {
      assert.equal(inVersion(segments, version), segments);
    }
  });

  it('from 2.5 on ORC-7 is TQ1, with the units of UCUM', () => {
    const [orc, tq1, ...others] = inVersion(
      [order([undefined, undefined, 'D28', '20260101', '20260129', undefined, undefined, 'One'])],
      '2.5.1',
    );
    assert.deepEqual(others, []);
    assert.deepEqual([orc?.fields[7], orc?.fields[9]], [undefined, '20260101']);
    assert.equal(tq1?.name, 'TQ1');
    assert.deepEqual(Array.from(tq1?.fields ?? []), [
      ...[undefined, '1', undefined, undefined, undefined, undefined],
      ...[[['28', ['d', 'day', 'UCUM']]], [['20260101']], [['20260129']]],
      ...[undefined, undefined, [['One']]],
    ]);
    assert.deepEqual(
      tq1.trace?.map(({ target, source }) => `${target} ${source}`),
      ['TQ1-6 s3', 'TQ1-7 s4', 'TQ1-8 s5', 'TQ1-11 s8'],
    );
    assert.deepEqual(orc?.trace, []);
  });

  it('loses no part of a timing, whatever stands in it', () => {
    fc.assert(
      fc.property(fc.tuple(text, text, duration, text, text, text, text, text, text), (timing) => {
        const before = order(timing);
        const after = inVersion([before], '2.5.1');
        const [orc, tq1] = after;
        const held = JSON.stringify([orc?.fields[7], tq1?.fields]);
        for (const [i, part] of timing.entries()) {
          if (part === undefined) continue;
          const amount = i === 2 ? /^[SMHDWL](\d+(?:\.\d+)?)$/.exec(part)?.[1] : undefined;
          assert.ok(held.includes(JSON.stringify(amount ?? part)), part);
        }
        assert.equal(after.flatMap(({ trace }) => trace ?? []).length, before.trace?.length);
      }),
    );
  });
});
