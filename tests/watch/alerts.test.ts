import assert from 'node:assert/strict';
import fc from 'fast-check';
import { defaultSettings } from '../../engine/config/settings.ts';
import { type Notice, createAlerts } from '../../engine/watch/alerts.ts';
import {
  type ConditionName,
  type Finding,
  conditions,
  findingsOf,
} from '../../engine/watch/conditions.ts';
import type { Observed } from '../../engine/watch/observed.ts';
import { age, amount } from '../../engine/watch/words.ts';

const finding = (subject: string): Finding => ({
  ...{ condition: 'destination.depth', subject, severity: 'warning' },
  ...{ says: 'many wait', next: 'look' },
});

describe('alerts', () => {
  it('raise a condition once, repeat it while it lasts, and clear it once', () => {
    const alerts = createAlerts(() => 100);
    const told = (names: string[], now: number) =>
      alerts.take(names.map(finding), now).map(({ event, alert }) => [event, alert.subject]);
    assert.deepEqual(told([], 0), []);
    assert.deepEqual(told(['a'], 10), [['raised', 'a']]);
    assert.deepEqual(told(['a', 'b'], 60), [['raised', 'b']]);
    assert.deepEqual(told(['a', 'b'], 109), []);
    assert.deepEqual(told(['a', 'b'], 110), [['repeated', 'a']]);
    assert.deepEqual(
      alerts.all().map(({ subject, since }) => [subject, since]),
      [
        ['a', 10],
        ['b', 60],
      ],
    );
    assert.deepEqual(told(['b'], 120), [['cleared', 'a']]);
    assert.deepEqual(told([], 130), [['cleared', 'b']]);
    assert.deepEqual(told(['a'], 140), [['raised', 'a']]);
  });

  it('tell each condition as raised, then repeated at most so often, then cleared', () => {
    const names = fc.subarray(['a', 'b', 'c']);
    fc.assert(
      fc.property(fc.array(fc.tuple(names, fc.integer({ min: 0, max: 60 }))), (looks) => {
        const alerts = createAlerts(() => 100);
        const open = new Map<string, number>();
        let now = 0;
        for (const [holding, pause] of looks) {
          now += pause;
          const notices: Notice[] = alerts.take(holding.map(finding), now);
          for (const { event, alert } of notices) {
            const last = open.get(alert.subject);
            if (event === 'raised') assert.equal(last, undefined);
            else assert.notEqual(last, undefined);
            if (event === 'repeated') assert.ok(now - (last ?? now) >= 100);
            if (event === 'cleared') open.delete(alert.subject);
            else open.set(alert.subject, now);
          }
          assert.deepEqual([...open.keys()].sort(), [...holding].sort());
        }
      }),
    );
  });
});

const now = Date.parse('2026-06-04T10:15:00Z');
const minute = 60_000;

/** An engine with one channel and one destination, all well. */
function well(): Observed {
  return {
    at: now,
    channels: [
      {
        ...{ channel: 'adt', host: '127.0.0.1', port: 2577, state: 'listening', connections: [] },
        ...{ last: now - 20 * minute, since: now - 60 * minute, expects: undefined },
        suspended: null,
      },
    ],
    destinations: [
      {
        ...{ to: 'adt/epr', state: 'idle', depth: 0, more: false, oldest: null, downSince: null },
        ...{ fault: null, nextTry: null, parked: 0 },
        limits: { depth: 10, age: 5 * minute, down: minute, parked: 2 },
      },
    ],
    systems: [{ name: 'gp-record/pds', state: 'answers', failures: 0, since: now }],
    certificates: [{ subject: 'adt listen.tls.certificate', until: now + 400 * 86_400_000 }],
    disk: { folder: '/data', free: 50 * 1024 ** 3, total: 100 * 1024 ** 3 },
    journal: { failed: null },
    refused: null,
  };
}

/** As after `gatehouse channel pause` or `stop`. */
function suspend(one: Observed['channels'][number], how: 'paused' | 'stopped'): void {
  const suspended = {
    how,
    since: '2026-06-04T09:00:00.000Z',
    by: 'a.smith',
    exchange: 'HOFRZF4MQ0',
  };
  Object.assign(one, { state: how, suspended });
}

/** Each condition: what brings it about, and what is told. */
const causes: Record<ConditionName, [change: (seen: Observed) => void, says: RegExp]> = {
  'channel.waiting': [
    ({ channels: [one] }) => one && (one.state = 'waiting'),
    /^port 127\.0\.0\.1:2577 is held by another process$/,
  ],
  'channel.paused': [
    ({ channels: [one] }) => one && suspend(one, 'paused'),
    /^by a\.smith since 2026-06-04T09:00:00Z$/,
  ],
  'channel.stopped': [
    ({ channels: [one] }) => one && suspend(one, 'stopped'),
    /^by a\.smith since 2026-06-04T09:00:00Z$/,
  ],
  'channel.silent': [
    ({ channels: [one] }) => {
      const hours = [{ days: [0, 1, 2, 3, 4, 5, 6], from: 0, to: 1440 }];
      if (one) one.expects = { within: 10 * minute, hours, zone: 'Europe/London' };
    },
    /^nothing received since 2026-06-04T09:55:00Z$/,
  ],
  'destination.down': [
    ({ destinations: [one] }) =>
      one && Object.assign(one, { fault: 'GH-7001', downSince: now - 2 * minute }),
    /^GH-7001 since 2026-06-04T10:13:00Z$/,
  ],
  'destination.halted': [
    ({ destinations: [one] }) => one && Object.assign(one, { state: 'halted', fault: 'GH-7005' }),
    /^GH-7005$/,
  ],
  'destination.depth': [
    ({ destinations: [one] }) => one && Object.assign(one, { depth: 11, more: true }),
    /^at least 11 messages wait$/,
  ],
  'destination.age': [
    ({ destinations: [one] }) => one && (one.oldest = now - 6 * minute),
    /^a message waits since 2026-06-04T10:09:00Z$/,
  ],
  'destination.parked': [({ destinations: [one] }) => one && (one.parked = 2), /^2 dead letters$/],
  'destination.removed': [
    ({ destinations: [one] }) =>
      one && Object.assign(one, { state: 'removed', depth: 3, limits: null }),
    /^3 messages are owed to it$/,
  ],
  'system.failing': [
    ({ systems: [one] }) => one && Object.assign(one, { state: 'failing', failures: 7 }),
    /^failed 7 times since/,
  ],
  'certificate.expiring': [
    ({ certificates: [one] }) => one && (one.until = now + 29 * 86_400_000),
    /^ends in 29 days$/,
  ],
  'certificate.expired': [
    ({ certificates: [one] }) => one && (one.until = now - 3 * 86_400_000),
    /^ended 3 days ago$/,
  ],
  'disk.low': [({ disk }) => disk && (disk.free = 1024 ** 3), /^1\.0 GB are free$/],
  'journal.failing': [
    ({ journal }) => (journal.failed = { at: now - minute, code: 'GH-6002' }),
    /^GH-6002 at 2026-06-04T10:14:00Z$/,
  ],
  'config.refused': [
    (seen) => (seen.refused = { at: now, detail: 'channels/adt.yaml:3:1 unknown key "maping"' }),
    /^channels\/adt\.yaml:3:1 unknown key/,
  ],
};

describe('conditions', () => {
  it('none holds where all is well', () => {
    assert.deepEqual(findingsOf(well(), defaultSettings.alerts), []);
  });

  for (const [name, [change, says]] of Object.entries(causes)) {
    it(`${name}: ${conditions[name as ConditionName].says}`, () => {
      const seen = well();
      change(seen);
      const found = findingsOf(seen, defaultSettings.alerts);
      assert.deepEqual(
        found.map(({ condition }) => condition),
        [name],
      );
      assert.match(found[0]?.says ?? '', says);
      const again = findingsOf({ ...seen, at: now + 1000 }, defaultSettings.alerts);
      assert.equal(again[0]?.subject, found[0]?.subject);
    });
  }

  it('a limit of no dead letters is never reached', () => {
    const seen = well();
    const [one] = seen.destinations;
    Object.assign(one ?? {}, { parked: 5, limits: { ...one?.limits, parked: 0 } });
    assert.deepEqual(findingsOf(seen, defaultSettings.alerts), []);
  });

  it('times and sizes are said as people say them', () => {
    const shown = [0, 119_999, 120_000, 7_200_000, 172_800_000].map(age);
    assert.deepEqual(shown, ['0 s', '119 s', '2 min', '2 h', '2 days']);
    assert.deepEqual([0, 1023, 1024, 15 * 1024 ** 3].map(amount), [
      '0 B',
      '1023 B',
      '1.0 KB',
      '15 GB',
    ]);
  });
});
