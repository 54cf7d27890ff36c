/** `gatehouse queue` against a running engine: what persons decide holds, and is recorded. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import type { QueueRow } from '../../engine/control/queues.ts';
import { type Delivering, adt, startDelivering, until } from './delivering.ts';
import { called } from './process.ts';
import { assertNothingOf } from './secrets.ts';

interface Shown extends Omit<QueueRow, 'oldest'> {
  oldest: string | null;
  waiting: { id: string; state: string }[];
}

describe('gatehouse queue', function () {
  this.timeout(60_000);
  let one: Delivering;
  const shown = async () => one.json<Shown>('queue', 'queue', 'show', 'adt/epr');
  const act = async (...args: string[]) => {
    const ended = await one.run('queue', ...args);
    assert.equal(ended.code, exits.ok, ended.stderr);
    return ended;
  };

  before(async () => {
    one = await startDelivering();
    await one.serve();
  });
  after(() => one.close());

  it('is answered by the running engine alone, over a socket of its owner', async () => {
    const socket = join(one.data, 'control.sock');
    assert.ok(statSync(socket).isSocket());
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    const { code, stdout } = await one.run('queue', 'list');
    assert.equal(code, exits.ok);
    assert.deepEqual(stdout.split('\n').slice(0, 2), [
      'DESTINATION\tSTATE\tDEPTH\tOLDEST\tFAULT\tNEXT TRY\tPARKED',
      'adt/epr\tidle\t0\t\t\t\t0',
    ]);
    const wrong = await one.run('queue', 'hold', 'adt/erp');
    assert.equal(wrong.code, exits.notFound);
    assert.match(wrong.stderr, /no channel delivers to "adt\/erp"; did you mean "adt\/epr"\?/);
    const nothing = await one.run('queue', 'release', 'epr');
    assert.equal(nothing.code, exits.failed);
    assert.match(nothing.stderr, /adt\/epr is idle: there is nothing to release/);
  });

  it('ends with 69 where no engine runs, and says what to do', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'gatehouse-none-'));
    const none = await called(['queue', 'list', '--data', empty]);
    assert.equal(none.code, exits.unavailable);
    assert.match(none.stderr, /no engine runs on the journal in .*\n +next: .*gatehouse serve/);
    assert.equal(none.stdout, '');
    rmSync(empty, { recursive: true });
  });

  it('holds a destination over a crash, skips one message, and goes on in order', async () => {
    const dry = await one.run('queue', 'hold', 'epr', '--dry-run');
    assert.match(dry.stderr, /^adt\/epr is \w+; it would be told to hold\. Nothing was changed\n$/);
    await act('hold', 'epr', '--reason', 'EPR upgrade');
    for (const id of ['M1', 'M2', 'M3']) assert.equal(await one.send(adt(id)), 'AA');
    const before = await shown();
    assert.deepEqual([before.state, before.depth], ['held', 3]);
    assert.equal(before.held?.by.includes(userInfo().username), true);
    const [first, second] = before.waiting;
    assert.ok(first && second);

    const unasked = await one.run('queue', 'skip', 'epr', second.id, '--reason', 'test patient');
    assert.deepEqual([unasked.code, unasked.stdout], [exits.usage, '']);
    assert.match(unasked.stderr, /next: add --yes/);
    const look = await one.run('queue', 'skip', 'epr', second.id, '--reason', 'x', '--dry-run');
    assert.match(look.stderr, /is owed at adt\/epr, and would be skipped\n$/);
    assert.deepEqual((await shown()).waiting, before.waiting);
    const reason = ['--reason', 'test patient', '--yes'];
    const partly = await one.run('queue', 'skip', 'epr', second.id, 'NOSUCH', ...reason);
    assert.equal(partly.code, exits.partly);
    assert.match(
      partly.stderr,
      /NOSUCH is not waiting for adt\/epr[^]*is not delivered to adt\/epr/,
    );

    await one.end('SIGKILL');
    const dead = await one.run('queue', 'list');
    assert.equal(dead.code, exits.unavailable);
    assert.match(dead.stderr, /left its control socket/);
    await one.serve();
    const after = await shown();
    assert.deepEqual(
      [after.state, after.depth, after.held?.since],
      ['held', 2, before.held?.since],
    );
    assert.deepEqual(one.receiver.ids(), []);

    await act('release', 'epr', '--reason', 'upgrade done');
    await one.receiver.arrived(2);
    assert.deepEqual(one.receiver.ids(), ['M1', 'M3']);
    await until(async () => (await shown()).depth === 0, 'all is delivered');
    assert.equal((await shown()).held, null);

    // Who did what, and why, stands in the journal, and no patient in the file of holds.
    const told = await one.run('message', 'explain', second.id);
    assert.match(told.stdout, /skip to adt\/epr by .*: test patient/);
    assert.match(told.stdout, /adt\/epr: skipped/);
    const { stdout } = await one.run('message', 'explain', before.held?.exchange ?? '');
    assert.match(stdout, /hold to adt\/epr by .*: EPR upgrade/);
    const acts = (await one.run('message', 'list', '--channel', 'adt')).stdout;
    assert.equal(acts.match(/\toperator\t/g)?.length, 2);
    assertNothingOf(readFileSync(join(one.data, 'held.json'), 'utf8'), 'held.json');
    assert.equal(statSync(join(one.data, 'held.json')).mode & 0o777, 0o600);
  });

  it('says of a message that it skips what is known of it, and skips none that arrived', async () => {
    const reason = ['--reason', 'test patient', '--yes'];
    const { react } = one.receiver;
    one.receiver.react = (message) => (message.get('MSH-10') === 'S1' ? 'silence' : react(message));
    await one.send(adt('S1'));
    await until(async () => (await shown()).state === 'down', 'nobody acknowledges it');
    const [silent] = (await shown()).waiting;
    const skipped = await act('skip', 'epr', silent?.id ?? '', ...reason);
    assert.match(
      skipped.stderr,
      /is not sent again to adt\/epr; it was tried once: .*explain \w+\n$/,
    );
    await one.send(adt('S2'));
    await act('retry', 'epr');
    await until(async () => (await shown()).depth === 0, 'the next one is delivered');
    assert.deepEqual(one.receiver.ids().slice(-2), ['S1', 'S2']);
    const listed = await one.run('message', 'list', '--control-id', 'S2', '-o', 'ndjson');
    const { id } = JSON.parse(listed.stdout) as { id: string };
    const late = await one.run('queue', 'skip', 'epr', id, ...reason);
    assert.deepEqual([late.code, late.stdout], [exits.failed, '']);
    assert.match(
      late.stderr,
      /was delivered to adt\/epr already: there is nothing to skip\n +next: .*explain/,
    );
    const twice = await one.run('queue', 'skip', 'epr', silent?.id ?? '', ...reason);
    assert.equal(twice.code, exits.failed);
    assert.match(twice.stderr, /is skipped at adt\/epr already/);
  });

  it('shows why a destination is down, and tries it again at once', async () => {
    const { port, close } = one.receiver;
    await close();
    assert.equal(await one.send(adt('M4')), 'AA');
    await until(async () => (await shown()).state === 'down', 'noticed');
    const { stdout } = await one.run('queue', 'list');
    assert.match(stdout, /adt\/epr\tdown\t1\t\d+s\tGH-7001 destinationUnavailable\tin \d+s\t0/);
    assert.match((await one.run('queue', 'show', 'epr')).stdout, /GH-7001 .*next try .*\nnext: /s);
    // A destination at this port again: one that takes the message.
    const messages: string[] = [];
    const server = createServer((socket) => {
      socket
        .on('error', () => {})
        .on('data', (chunk) => {
          messages.push(chunk.toString());
          socket.write('\x0bMSH|^~\\&|EPR|R0A|G|R|20260604||ACK|K4|P|2.4\rMSA|AA|M4\r\x1c\r');
        });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await act('retry', 'epr');
    await until(async () => (await shown()).depth === 0, 'delivered');
    assert.equal(messages.length, 1);
    await one.end('SIGTERM');
    assert.ok(!existsSync(join(one.data, 'control.sock')));
    server.close();
    assertNothingOf(one.log(), 'the log');
  });
});
