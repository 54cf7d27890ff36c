import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatPath, parsePath } from '../../engine/hl7/path.ts';

describe('paths', () => {
  it('are read level by level', () => {
    assert.deepEqual(parsePath('PID'), { segment: 'PID' });
    assert.deepEqual(parsePath('OBX[3]-5'), { segment: 'OBX', occurrence: 3, field: 5 });
    assert.deepEqual(parsePath('MSH-9.3'), { segment: 'MSH', field: 9, component: 3 });
    assert.deepEqual(parsePath('ZPRX1[2]-3[4].5.6'), {
      segment: 'ZPRX1',
      occurrence: 2,
      field: 3,
      repetition: 4,
      component: 5,
      subcomponent: 6,
    });
  });

  it('are written as they are read', () => {
    const number = fc.integer({ min: 1, max: 99999 });
    const path = fc
      .record({
        segment: fc.constantFrom('MSH', 'PID', 'ZU8', 'Z12345'),
        occurrence: fc.option(number, { nil: undefined }),
        field: number,
        repetition: fc.option(number, { nil: undefined }),
        component: number,
        subcomponent: number,
        depth: fc.integer({ min: 0, max: 3 }),
      })
      .map(({ depth, ...all }) => {
        const { segment, occurrence, field, repetition, component, subcomponent } = all;
        const full = { segment, occurrence, field, repetition, component, subcomponent };
        if (depth < 3) Object.assign(full, { subcomponent: undefined });
        if (depth < 2) Object.assign(full, { component: undefined });
        if (depth < 1) Object.assign(full, { field: undefined, repetition: undefined });
        return JSON.parse(JSON.stringify(full)) as typeof full;
      });
    fc.assert(fc.property(path, (p) => assert.deepEqual(parsePath(formatPath(p)), p)));
  });

  const wrong: [string, RegExp][] = [
    ['', /it is empty/],
    ['PID.3', /hyphen, not a full stop/],
    ['pid-3', /capitals/],
    ['PI-3', /three characters/],
    ['PIDX-3', /three characters/],
    ['PID-0', /counting starts at 1/],
    ['PID-3[0]', /counting starts at 1/],
    ['PID-3(2)', /square brackets/],
    ['PID-3[*]', /one place/],
    ['PID-3.1.2.3', /below a sub-component/],
    ['PID-3 .1', /space/],
    ['PID-', /SEGMENT\[occurrence\]/],
  ];
  for (const [text, why] of wrong) {
    it(`refuses "${text}", saying why and showing how`, () => {
      assert.throws(() => parsePath(text), why);
      assert.throws(() => parsePath(text), /Write it like PID-3/);
    });
  }
});
