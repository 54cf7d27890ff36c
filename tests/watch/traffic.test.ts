import assert from 'node:assert/strict';
import { createTypeLabels } from '../../engine/watch/type-labels.ts';
import { createTraffic } from '../../engine/watch/traffic.ts';

describe('what the events tell', () => {
  const of = { channel: 'gp-record', endpoint: 'pds' };

  it('a system fails after five failures in a row, and answers after one answer', () => {
    let now = 1000;
    const traffic = createTraffic(() => now++);
    const state = () => traffic.systems().map((one) => [one.name, one.state, one.failures]);
    const failures = [{ status: 503, bytes: 10 }, {}, { status: 500, bytes: 0 }, {}];
    for (const fields of failures) traffic.hear('gp.replied', { ...of, ...fields });
    assert.deepEqual(state(), [['gp-record/pds', 'answers', 4]]);
    traffic.hear('gp.replied', { ...of });
    assert.deepEqual(state(), [['gp-record/pds', 'failing', 5]]);
    assert.equal(traffic.systems()[0]?.since, 1001);
    // A refusal is an answer, and so is HL7 v2, which has no status.
    traffic.hear('gp.replied', { ...of, status: 404, bytes: 200 });
    assert.deepEqual(state(), [['gp-record/pds', 'answers', 0]]);
    for (let n = 0; n < 9; n++) traffic.hear('gp.replied', { ...of });
    assert.deepEqual(state(), [['gp-record/pds', 'failing', 9]]);
    traffic.hear('gp.replied', { ...of, bytes: 200 });
    assert.deepEqual(state(), [['gp-record/pds', 'answers', 0]]);
    traffic.keep(new Set(['other']));
    assert.deepEqual(state(), []);
  });

  it('a destination is down from its first failure until it is up, or at rest', () => {
    let now = 5;
    const traffic = createTraffic(() => now++);
    traffic.hear('destination.down', { endpoint: 'adt/epr' });
    traffic.hear('destination.down', { endpoint: 'adt/epr' });
    assert.equal(traffic.downSince('adt/epr'), 5);
    traffic.hear('destination.up', { endpoint: 'adt/epr' });
    assert.equal(traffic.downSince('adt/epr'), null);
    traffic.hear('destination.down', { endpoint: 'adt/epr' });
    traffic.atRest('adt/epr');
    assert.equal(traffic.downSince('adt/epr'), null);
  });

  it('a journal that failed is known with its code, a change that was refused until one is taken', () => {
    const traffic = createTraffic(() => 7);
    assert.deepEqual([traffic.journalFailed(), traffic.refused()], [null, null]);
    traffic.hear('journal.fault', { code: 'GH-6002' });
    traffic.hear('config.refused', { detail: 'GH-1011' });
    assert.deepEqual(traffic.journalFailed(), { at: 7, code: 'GH-6002' });
    assert.deepEqual(traffic.refused(), { at: 7, detail: 'GH-1011' });
    traffic.hear('config.applied', { revision: 'abc' });
    assert.equal(traffic.refused(), null);
  });

  it('message types are labels where a channel takes them, and no more than a site can have', () => {
    const label = createTypeLabels((channel) => (channel === 'adt' ? ['ADT', 'ORU^R01'] : []));
    assert.equal(label('adt', 'ADT^A01^ADT_A01'), 'ADT^A01');
    assert.equal(label('adt', 'ORU^R01'), 'ORU^R01');
    for (const type of ['', 'unknown', 'QBP^Q11', 'ORU^R03', 'ADT', 'ADT^9465701459']) {
      assert.equal(label('adt', type), 'other', type);
    }
    assert.equal(label('else', 'ADT^A01'), 'other');
    const all = new Set<string>();
    for (const letter of 'ABCDEFGH') {
      for (let n = 10; n < 100; n++) all.add(label('adt', `ADT^${letter}${n}`));
    }
    assert.ok(all.size <= 301 && all.has('other'));
  });
});
