import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type HourRule,
  isZone,
  longestOf,
  readHours,
  silentSince,
  stretches,
} from '../../engine/config/hours.ts';

const london = 'Europe/London';
const at = (iso: string) => Date.parse(iso);
const hoursOf = (text: string): HourRule[] =>
  readHours(text) ?? assert.fail(`"${text}" is not read`);
const minutes = 60_000;

describe('hours', () => {
  it('are read as days and times, and nothing else is', () => {
    assert.deepEqual(readHours('Mon-Fri 07:00-19:00, Sat 08:30-12:00'), [
      { days: [1, 2, 3, 4, 5], from: 420, to: 1140 },
      { days: [6], from: 510, to: 720 },
    ]);
    assert.deepEqual(readHours('Sat-Mon 22:00-06:00')?.[0]?.days, [6, 0, 1]);
    assert.equal(longestOf(hoursOf('Mon-Sun 00:00-24:00')), 14 * 24 * 60 * minutes);
    assert.equal(longestOf(hoursOf('Fri 22:00-06:00')), 8 * 60 * minutes);
    assert.equal(longestOf(hoursOf('Fri 12:00-24:00, Sat 00:00-06:00')), 18 * 60 * minutes);
    for (const wrong of ['', 'always', '07:00-19:00', 'Mo 07:00-19:00', 'Mon 7:00-19:00']) {
      assert.equal(readHours(wrong), undefined, wrong);
    }
    for (const wrong of ['Mon 24:00-07:00', 'Mon 07:00-24:30', 'Mon 07:00-19:60']) {
      assert.equal(readHours(wrong), undefined, wrong);
    }
    assert.deepEqual([isZone(london), isZone('Europe/Londres')], [true, false]);
  });

  it('follow the clocks of the zone, in winter, in summer and on the days between', () => {
    const on = (day: string) => {
      const all = stretches(hoursOf('Mon-Sun 00:30-08:00'), london, at(day), at(day) + 1);
      return [...all].map(({ from, to }) => [from, to].map((t) => new Date(t).toISOString()));
    };
    assert.deepEqual(on('2026-01-15T07:00:00Z'), [
      ['2026-01-15T00:30:00.000Z', '2026-01-15T08:00:00.000Z'],
    ]);
    assert.deepEqual(on('2026-07-15T06:00:00Z'), [
      ['2026-07-14T23:30:00.000Z', '2026-07-15T07:00:00.000Z'],
    ]);
    // The clocks go forward on 29 March and back on 25 October.
    assert.deepEqual(on('2026-03-29T06:00:00Z'), [
      ['2026-03-29T00:30:00.000Z', '2026-03-29T07:00:00.000Z'],
    ]);
    assert.deepEqual(on('2026-10-25T06:00:00Z'), [
      ['2026-10-24T23:30:00.000Z', '2026-10-25T08:00:00.000Z'],
    ]);
  });

  it('count silence from the beginning of the hours, and until a message comes', () => {
    const expected = {
      within: 10 * minutes,
      hours: hoursOf('Mon-Fri 07:00-19:00'),
      zone: london,
    };
    const friday = at('2026-06-05T17:55:00Z');
    const silent = (last: number, now: string) => {
      const since = silentSince(expected, last, at(now));
      return since && new Date(since).toISOString();
    };
    // Five minutes before the end, all weekend long, and nine minutes into Monday: all is well.
    assert.equal(silent(friday, '2026-06-05T18:30:00Z'), undefined);
    assert.equal(silent(friday, '2026-06-07T12:00:00Z'), undefined);
    assert.equal(silent(friday, '2026-06-08T06:09:00Z'), undefined);
    assert.equal(silent(friday, '2026-06-08T06:11:00Z'), '2026-06-08T06:00:00.000Z');
    // What fell silent in the hours is so when they are over, too.
    assert.equal(
      silent(at('2026-06-05T14:00:00Z'), '2026-06-06T12:00:00Z'),
      '2026-06-05T14:00:00.000Z',
    );
    assert.equal(silent(at('2026-06-08T06:11:30Z'), '2026-06-08T06:20:00Z'), undefined);
  });

  it('of all days and nights have no break at midnight', () => {
    const always = {
      within: 12 * 60 * minutes,
      hours: hoursOf('Mon-Sun 00:00-24:00'),
      zone: london,
    };
    const last = at('2026-06-05T19:00:00Z');
    assert.equal(silentSince(always, last, at('2026-06-06T06:59:00Z')), undefined);
    assert.equal(silentSince(always, last, at('2026-06-06T07:01:00Z')), last);
    assert.ok(silentSince(always, at('2026-01-01T00:00:00Z'), last));
  });

  it('never call a feed silent that was heard in time, and always one that was not', () => {
    const rules = fc.array(
      fc.record({
        days: fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }),
        from: fc.integer({ min: 0, max: 1439 }),
        to: fc.integer({ min: 1, max: 1440 }),
      }),
      { minLength: 1, maxLength: 3 },
    );
    const when = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') });
    fc.assert(
      fc.property(
        rules,
        when,
        fc.integer({ min: 0, max: 3 * 86_400_000 }),
        fc.integer({ min: 1, max: 12 * 60 }),
        (hours, last, later, within) => {
          const now = last + later;
          const expected = { within: within * minutes, hours, zone: london };
          const silent = silentSince(expected, last, now);
          if (later <= expected.within) assert.equal(silent, undefined);
          if (silent !== undefined) assert.ok(silent >= last && silent + expected.within < now);
          const longest = [...stretches(hours, london, last, now)].map(
            ({ from, to }) => Math.min(now, to) - Math.max(last, from),
          );
          assert.equal(
            silent !== undefined,
            longest.some((ms) => ms > expected.within),
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});
