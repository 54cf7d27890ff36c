/** Dead letters that somebody has dealt with: closed by the engine, and neither listed nor counted. */
import assert from 'node:assert/strict';
import { exits } from '../../bin/cli/exits.ts';
import type { ClosedRow } from '../../engine/control/ack-error.ts';
import type { Status } from '../../engine/watch/status.ts';
import { acknowledge } from '../outbound/receiver.ts';
import { rawPeer } from '../world.ts';
import { type Delivering, adt, startDelivering, until } from './delivering.ts';

interface Cause {
  fault: string;
  kind: string;
  state: string;
  count: number;
}

describe('gatehouse message ack-error', function () {
  this.timeout(60_000);
  let one: Delivering;
  const causes = async (...args: string[]) => {
    const all = ['message', 'list', '--state', 'parked', ...args];
    return (await one.json<{ causes: Cause[] }>('deadLetterCauses', ...all)).causes;
  };
  const close = (...args: string[]) =>
    one.json<{ rows: ClosedRow[] }>('deadLettersClosed', 'message', 'ack-error', ...args);
  const reason = ['--reason', 'sent by hand, CHG0042'];

  before(async () => {
    one = await startDelivering();
    one.receiver.react = (message) => acknowledge(message, 'AE');
    await one.serve();
    for (const id of ['A1', 'A2', 'A3']) await one.send(adt(id));
    const peer = await rawPeer(one.port('adt'));
    peer.socket.end('no frame at all');
    await until(
      async () => (await causes()).reduce((sum, { count }) => sum + count, 0) === 4,
      'four are parked',
    );
  });
  after(() => one.close());

  it('says what it would close, and wants a reason and a yes', async () => {
    const { rows } = await close('--fault', 'gh-7004', '--dry-run', ...reason);
    assert.deepEqual(
      rows.map(({ kind, where, outcome }) => `${kind} ${where} ${outcome}`),
      Array(3).fill('delivery adt/epr ready'),
    );
    const bare = await one.run('message', 'ack-error', '--fault', 'GH-7004', ...reason);
    assert.equal(bare.code, exits.usage);
    assert.match(bare.stderr, /3 dead letters are to be closed.*\n +next: add --yes/);
    assert.equal((await one.run('message', 'ack-error', '--fault', 'GH-7004')).code, exits.usage);
    assert.equal((await one.run('message', 'ack-error', ...reason)).code, exits.usage);
    assert.equal((await causes()).find(({ fault }) => fault === 'GH-7004')?.count, 3);
  });

  it('closes one by its id: recorded, and hidden unless --all', async () => {
    const [first] = (await close('--fault', 'GH-7004', '--dry-run', ...reason)).rows;
    const id = first?.id ?? '';
    const { rows } = await close(id, '--yes', ...reason);
    assert.deepEqual(
      rows.map(({ outcome }) => outcome),
      ['closed'],
    );
    assert.equal((await causes()).find(({ fault }) => fault === 'GH-7004')?.count, 2);
    const closed = (await causes('--all')).filter(({ state }) => state === 'closed');
    assert.deepEqual(
      closed.map(({ count }) => count),
      [1],
    );
    const { stdout } = await one.run('message', 'explain', id);
    assert.match(stdout, /ack-error to adt\/epr by \S+: sent by hand, CHG0042/);
    assert.match(stdout, /adt\/epr: closed/);
    const again = await one.run('message', 'ack-error', id, '--yes', ...reason);
    assert.equal(again.code, exits.failed);
    assert.match(again.stdout, /refused\tnothing of it is parked/);
    const looked = await one.run('message', 'ack-error', id, '--dry-run', ...reason);
    assert.equal(looked.code, exits.findings);
    const replay = await one.run('message', 'replay', id, '--dry-run');
    assert.match(replay.stdout, /it was closed \(ack-error\); --to adt\/epr sends it/);
  });

  it('closes the rest by their cause, frames as well, and the status counts them no more', async () => {
    const parked = async () => {
      const { destinations } = await one.json<Status>('status', 'status');
      return destinations.find(({ to }) => to === 'adt/epr')?.parked;
    };
    assert.equal(await parked(), 2);
    assert.equal((await close('--to', 'adt/epr', '--yes', ...reason)).rows.length, 2);
    assert.equal(await parked(), 0);
    const { rows } = await close('--channel', 'adt', '--yes', ...reason);
    assert.deepEqual(
      rows.map(({ kind, outcome }) => `${kind} ${outcome}`),
      ['frame closed'],
    );
    assert.deepEqual(await causes(), []);
    assert.equal((await one.run('message', 'ack-error', '--channel', 'adt', ...reason)).code, 3);
  });
});
