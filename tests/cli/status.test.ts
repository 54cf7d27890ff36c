/** `gatehouse status`, `metrics` and `config apply` against processes of their own, and signals. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import type { Status } from '../../engine/watch/status.ts';
import { type SmallSite, adt, adtChannel, smallSite, until } from '../story/small-site.ts';
import { ask, framed, qbp, rawPeer, root } from '../world.ts';
import { type Ended, called, ended, gatehouse, jsonOf, says, start } from './process.ts';
import { assertNothingOf } from './secrets.ts';

describe('gatehouse status', function () {
  this.timeout(60_000);
  let site: SmallSite;
  let holder: net.Server;
  let held = 0;
  let serving: ChildProcess;
  let over: Promise<Ended>;
  let log = '';
  let port = 0;
  const run = (...args: string[]) => called([...args, '--data', site.data]);
  const status = async () => {
    const { code, stdout, stderr } = await run('status', '-o', 'json');
    assert.ok(stdout, stderr);
    return { code, ...jsonOf<Status>(stdout, 'status') };
  };

  before(async () => {
    holder = net.createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    held = (holder.address() as net.AddressInfo).port;
    site = smallSite({
      held: adtChannel('held', '', `{ port: ${held} }`),
      one: adtChannel('one'),
    });
    site.write('site.yaml', 'alerts: { disk: 1KB }\n');
  });
  after(async () => {
    serving.kill('SIGKILL');
    await over;
    holder.close();
    await site.close();
  });

  it('ends with 69 where no engine runs', async () => {
    mkdirSync(site.data);
    for (const args of [['status'], ['metrics', 'show'], ['config', 'apply']]) {
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stdout], [exits.unavailable, '']);
      assert.match(stderr, /no engine runs on the journal in .*\n +next: .*gatehouse serve/);
    }
    rmSync(site.data, { recursive: true });
  });

  it('row 31: shows a port that is held, with exit 6, while the other channel works', async () => {
    serving = start(['serve', '--site', site.folder, '--data', site.data]);
    over = ended(serving);
    serving.stderr?.on('data', (chunk: string) => (log += chunk));
    const told = await says(
      serving,
      /held waits for port (\d+): another process holds it\none listens on (\d+)\n/,
    );
    assert.equal(Number(told[1]), held);
    port = Number(told[2]);
    assert.equal((await ask(port, adt('M1'))).get('MSA-1'), 'AA');
    const { code, stdout, stderr } = await gatehouse(['status', '--data', site.data]);
    assert.equal(code, exits.findings);
    assert.equal(stderr, '1 condition holds\n');
    const lines = stdout.split('\n').filter((line) => line !== '');
    assert.match(
      lines[0] ?? '',
      /^gatehouse \d+\.\d+\.\d+: up \d+ s, revision [0-9a-f]{12}, pid \d+$/,
    );
    assert.deepEqual(lines.slice(1, 3), [
      'CHANNEL\tLISTENS\tSTATE\tCONNECTIONS\tLAST MESSAGE',
      `held\t127.0.0.1:${held}\twaiting\t0\tnone`,
    ]);
    assert.match(
      lines[3] ?? '',
      new RegExp(`^one\t127\\.0\\.0\\.1:${port}\tlistening\t[01]\t\\d+ s ago$`),
    );
    assert.match(
      lines[4] ?? '',
      /^journal: 1 exchanges, .*KB, the oldest of \d+ s ago; .* free on its disk$/,
    );
    assert.match(
      lines[5] ?? '',
      /^error channel\.waiting held: port .* is held by another process, for \d+ s$/,
    );
    assert.match(lines[6] ?? '', /^ {4}next: gatehouse doctor names the process/);
    assertNothingOf(stdout, 'status');
    const { channels, alerts } = await status();
    assert.deepEqual(
      channels.map(({ state }) => state),
      ['waiting', 'listening'],
    );
    assert.deepEqual(
      alerts.map(({ condition }) => condition),
      ['channel.waiting'],
    );
  });

  it('a second engine on the same journal is refused clearly, and harms nothing', async () => {
    const { code, stderr } = await gatehouse(['serve', '--site', site.folder, '--data', site.data]);
    assert.equal(code, exits.unavailable);
    assert.match(stderr, /GH-6007 {2}Another process has this journal open for writing/);
    assert.match(stderr, /next: Stop the other "gatehouse serve"/);
    assert.equal((await ask(port, adt('M2'))).get('MSA-1'), 'AA');
    assert.equal((await run('status')).code, exits.findings);
  });

  it('metrics show prints what Prometheus reads, for people and as JSON', async () => {
    const { code, stdout } = await run('metrics', 'show', 'messages');
    assert.equal(code, exits.ok);
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'METRIC\tOF\tVALUE',
      'gatehouse_messages_total\tchannel=one type=ADT^A08 state=answered\t2',
    ]);
    const answers = await run('metrics', 'show', 'answer_seconds');
    assert.match(answers.stdout, /channel=one\t2, mean [\d.e-]+, p50 ≤ [\d.]+, p99 ≤ [\d.]+\n$/);
    const all = await run('metrics', 'show', '-o', 'json');
    const { metrics } = jsonOf<{ metrics: { name: string }[] }>(all.stdout, 'metrics');
    assert.ok(metrics.some(({ name }) => name === 'process_resident_memory_bytes'));
    assertNothingOf(all.stdout, 'metrics');
  });

  it('config apply takes a sound configuration, and keeps open what stays: listening or waiting', async () => {
    const peer = await rawPeer(port);
    site.write('channels/held.yaml', adtChannel('held', '', '{ port: 0 }'));
    site.write('channels/two.yaml', adtChannel('two', '', `{ port: ${held} }`));
    const applied = await run('config', 'apply', '--yes');
    assert.equal(applied.code, exits.ok, applied.stderr);
    assert.match(
      applied.stderr,
      /^there are no cases to play\nrevision [0-9a-f]{12} in the place of [0-9a-f]{12}\nadded: two\nchanged: held\n$/,
    );
    assert.deepEqual(
      (await status()).channels.map(({ state }) => state),
      ['listening', 'listening', 'waiting'],
    );
    const closed = new Promise((resolve) => holder.close(resolve));
    await closed;
    await until(async () => (await status()).code === exits.ok, 'all is well');
    peer.write(framed(adt('M3')));
    assert.match((await peer.next()).toString(), /MSA\|AA\|M3/);
    peer.socket.destroy();
  });

  it('config apply refuses one with errors as check does, and the engine runs on', async () => {
    const before = (await status()).engine.revision;
    site.write('channels/two.yaml', adtChannel('two', 'mapp: 1\n'));
    const { code, stdout, stderr } = await run('config', 'apply', '--yes');
    assert.equal(code, exits.badConfig);
    assert.match(stdout, /two\.yaml:\d+:\d+ {2}error GH-0783 {2}unknown key "mapp"/);
    assert.match(stderr, /^nothing was changed; the engine runs on as before\n$/);
    const now = await status();
    assert.equal(now.engine.revision, before);
    // The engine was asked for nothing: who called it was told.
    assert.ok(now.alerts.every(({ condition }) => condition !== 'config.refused'));
  });

  it('SIGHUP reads it again: refused with its reason, then taken', async () => {
    serving.kill('SIGHUP');
    await until(() => /error .*two\.yaml:\d+:\d+ {2}unknown key "mapp"/.test(log), 'it is refused');
    const refused = await status();
    assert.equal(refused.code, exits.findings);
    assert.ok(refused.alerts.some(({ condition }) => condition === 'config.refused'));
    site.remove('channels/two.yaml');
    log = '';
    serving.kill('SIGHUP');
    await until(() => /one listens on \d+\n/.test(log), 'it is taken');
    assert.ok(log.includes(`one listens on ${port}\n`));
    const { code, channels } = await status();
    assert.equal(code, exits.ok);
    assert.deepEqual(
      channels.map(({ channel }) => channel),
      ['held', 'one'],
    );
  });

  it('SIGTERM ends it with 0 where nothing is left unanswered, and a message half read is kept', async () => {
    const peer = await rawPeer(port);
    peer.write(`\x0b${adt('M4').slice(0, 60)}`);
    await until(async () => {
      const { channels } = await status();
      return channels.some(({ connections }) => connections.some((c) => c.state === 'receiving'));
    }, 'it has begun to come');
    serving.kill('SIGTERM');
    const { code, stderr } = await over;
    assert.equal(code, exits.ok, stderr);
    await peer.closed();
    const { stdout } = await run('message', 'list', '--limit', '1');
    assert.match(stdout, /\tparked\t.*GH-9002/);
    assertNothingOf(stderr, 'the log');
  });
});

describe('gatehouse serve, told to stop', function () {
  this.timeout(60_000);
  let site: SmallSite;
  let silent: net.Server;
  let serving: ChildProcess;

  before(async () => {
    // A GP side that takes every connection and never answers.
    silent = net.createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    site = smallSite({});
    cpSync(join(root, 'mappings'), join(site.folder, 'mappings'), { recursive: true });
    cpSync(join(root, 'channels', 'routes'), join(site.folder, 'channels', 'routes'), {
      recursive: true,
    });
    cpSync(join(root, 'channels', 'practices.csv'), join(site.folder, 'channels', 'practices.csv'));
    const channel = readFileSync(join(root, 'channels', 'gp-record.yaml'), 'utf8');
    writeFileSync(
      join(site.folder, 'channels', 'gp-record.yaml'),
      channel.replace('port: 2575', 'port: 0'),
    );
    site.write('site.yaml', 'limits: { stop: 100ms }\n');
  });
  after(async () => {
    serving.kill('SIGKILL');
    silent.close();
    await site.close();
  });

  it('waits no longer than the site says, and says what was cut off: exit 5', async () => {
    const { port } = silent.address() as net.AddressInfo;
    serving = start(['serve', '--site', site.folder, '--data', site.data], {
      env: { GATEHOUSE_GP: `http://127.0.0.1:${port}` },
    });
    const over = ended(serving);
    const [, listening] = await says(serving, /gp-record listens on (\d+)\n/);
    const peer = await rawPeer(Number(listening));
    const asked = once(silent, 'connection');
    peer.write(framed(qbp('9465701459')));
    await asked;
    serving.kill('SIGTERM');
    await says(serving, /engine\.stopping/);
    // Too late to change anything, and no reason to end at once.
    serving.kill('SIGHUP');
    const { code, stderr } = await over;
    assert.equal(code, exits.partly, stderr);
    assert.match(stderr, /^1 message was cut off unanswered: its sender has to send it again$/m);
    await peer.closed();
    const list = await called(['message', 'list', '--data', site.data]);
    assert.match(list.stdout, /\tasking\t/);
  });
});
