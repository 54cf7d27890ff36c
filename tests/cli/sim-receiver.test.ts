/** `gatehouse sim receiver`: a process of its own, met with raw bytes as an engine sends them. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { exits } from '../../bin/cli/exits.ts';
import { startReceiver } from '../../engine/simulator/receiver.ts';
import { authority, certificate } from '../mllp/certificates.ts';
import { adt } from './delivering.ts';
import { type Ended, called, ended, says, start } from './process.ts';

describe('gatehouse sim receiver', () => {
  const running = new Set<ChildProcess>();
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    running.clear();
  });

  async function receive(...args: string[]): Promise<{ port: number; over: Promise<Ended> }> {
    const child = start(['sim', 'receiver', '--port', '0', ...args]);
    running.add(child);
    const over = ended(child);
    const [, port] = await says(
      child,
      /the receiver listens on 127\.0\.0\.1:(\d+); Ctrl-C ends it/,
    );
    return { port: Number(port), over };
  }

  /** One connection; what comes back until it has been quiet or is closed, as MSA segments. */
  async function exchange(port: number, messages: string[], expected: number): Promise<string[]> {
    const socket = net.connect(port, '127.0.0.1');
    let came = '';
    const count = () => came.split('\x1c\r').length - 1;
    const closed = once(socket, 'close').catch(() => (came += 'reset'));
    socket.on('error', () => {});
    const enough = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        came += chunk.toString('latin1');
        if (count() >= expected) resolve();
      });
    });
    for (const message of messages) socket.write(`\x0b${message}\x1c\r`);
    await Promise.race([enough, closed]);
    socket.destroy();
    return came.match(/MSA\|[^\r]*|reset/g) ?? [];
  }

  const enhanced = (id: string, accept: string, application: string) =>
    adt(id).replace('|P|2.4\r', `|P|2.4|||${accept}|${application}\r`);

  it('acknowledges as MSH-15 and MSH-16 ask for it, and covers the patient', async () => {
    const { port, over } = await receive('--content', '--limit', '5');
    const messages = [
      adt('R1'),
      enhanced('R2', 'AL', 'AL'),
      enhanced('R3', 'AL', 'NE'),
      enhanced('R4', 'NE', 'NE'),
      'no message',
    ];
    assert.deepEqual(await exchange(port, messages, 5), [
      ...['MSA|AA|R1', 'MSA|CA|R2', 'MSA|AA|R2', 'MSA|CA|R3'],
      'MSA|AR||The frame does not hold an HL7 v2 message (no MSH segment).',
    ]);
    const { code, stdout, stderr } = await over;
    assert.equal(code, exits.ok);
    const told = stdout.match(/^\S.*$/gm)?.map((line) => line.replace(/^[\d:.]{12} {2}/, ''));
    assert.deepEqual(told, [
      'ADT^A08^ADT_A01  R1  AA',
      'ADT^A08^ADT_A01  R2  CA AA',
      'ADT^A08^ADT_A01  R3  CA',
      'ADT^A08^ADT_A01  R4  no acknowledgement wanted',
      'no HL7    AR',
    ]);
    assert.match(stdout, /\n {4}PID\|•\|\|•{10}\^\^\^•{3}\^•{2}\|\|•{7}\^•{6}\n/);
    assert.ok(!stdout.includes('Wierzba'));
    const counts = '1 AA, 1 CA AA, 1 CA, 1 no acknowledgement wanted, 1 AR';
    assert.ok(stderr.endsWith(`\n5 messages received: ${counts}\n`), stderr);
  });

  it('refuses in both modes, and only what it is told to', async () => {
    const { port, over } = await receive('--answer', 'AE', '--for', 'PID-3=*026', '--limit', '4');
    const [one, two] = ['9990000026', '9990000018'];
    const both = enhanced('R3', 'AL', 'AL').replace(two, one);
    const came = await exchange(port, [adt('R1', one), adt('R2', two), both], 4);
    assert.deepEqual(came, ['MSA|AE|R1', 'MSA|AA|R2', 'MSA|CA|R3', 'MSA|AE|R3']);
    assert.deepEqual(await exchange(port, [adt('R4', one)], 1), ['MSA|AE|R4']);
    assert.match((await over).stderr, /\n4 messages received: 2 AE, 1 AA, 1 CA AE\n$/);

    const every = await receive('--answer', 'CE', '--every', '2', '--limit', '4', '-o', 'ndjson');
    const four = ['E1', 'E2', 'E3', 'E4'].map((id) => enhanced(id, 'AL', 'NE'));
    const codes = ['MSA|CA|E1', 'MSA|CE|E2', 'MSA|CA|E3', 'MSA|CE|E4'];
    assert.deepEqual(await exchange(every.port, four, 4), codes);
    const lines = (await every.over).stdout.trimEnd().split('\n');
    const [, second] = lines.map((line) => JSON.parse(line) as { answered: string[] });
    assert.deepEqual(second?.answered, ['CE']);
  });

  it('is silent, hangs up, takes its time, and answers for another message', async () => {
    const silent = await receive('--silent', '--every', '2', '--limit', '3');
    const messages = [adt('S1'), adt('S2'), adt('S3')];
    assert.deepEqual(await exchange(silent.port, messages, 2), ['MSA|AA|S1', 'MSA|AA|S3']);
    assert.match((await silent.over).stdout, /S2 {2}silence\n/);

    const closing = await receive('--close', '--limit', '1');
    assert.deepEqual(await exchange(closing.port, [adt('C1')], 1), ['reset']);
    assert.match((await closing.over).stdout, /C1 {2}reset\n/);

    const wrong = await receive('--wrong-id', '--delay', '0.05', '--limit', '1');
    assert.deepEqual(await exchange(wrong.port, [adt('W1')], 1), ['MSA|AA|W1X']);
    assert.match((await wrong.over).stdout, /W1 {2}AA with another MSA-2 {2}after 0\.05 s\n/);
  });

  it('tells of bytes that are no frame, and of a port that is held', async () => {
    const { port, over } = await receive('--limit', '1');
    const socket = net.connect(port, '127.0.0.1');
    socket.end('MSH|^~\\&|without a frame\r');
    await once(socket, 'close');
    const held = await called(['sim', 'receiver', '--port', String(port)]);
    assert.equal(held.code, exits.failed);
    assert.match(held.stderr, /127\.0\.0\.1:\d+ is held by another process\n {6}next: .*--port 0/);
    await exchange(port, [adt('F1')], 1);
    const { stderr } = await over;
    assert.match(
      stderr,
      /^GH-1003 {2}Bytes arrived without the start byte VT.*Nothing was answered/m,
    );
  });

  it('speaks TLS, to those alone whom it trusts where it is told so, and says why it refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-receiver-'));
    try {
      const ca = await authority('Trust CA');
      const { cert, key } = await certificate(ca, 'localhost');
      const files = { 'ca.pem': ca.cert, 'cert.pem': cert, 'key.pem': key, 'a01.hl7': adt('T1') };
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      const [authorities = '', shown = '', own = '', message = ''] = Object.keys(files).map(
        (name) => join(folder, name),
      );
      const tls = ['--certificate', shown, '--key', own];
      const { port, over } = await receive(...tls, '--limit', '1');
      const send = ['send', message, '--to', `127.0.0.1:${port}`, '--tls'];
      assert.equal((await called(send)).code, exits.unavailable);
      const trusting = await called([...send, '--authorities', authorities]);
      assert.deepEqual([trusting.code, /AA in/.test(trusting.stderr)], [exits.ok, true]);
      assert.match((await over).stderr, /^no TLS came about: \w+$/m);

      const strict = await receive(...tls, '--authorities', authorities, '--limit', '1');
      const unknown = ['send', message, '--to', `127.0.0.1:${strict.port}`, '--tls'];
      const refused = await called([...unknown, '--authorities', authorities]);
      assert.equal(refused.code, exits.unavailable);
      const secure = connect({ port: strict.port, host: '127.0.0.1', ca: ca.cert, cert, key });
      secure.write(`\x0b${adt('T2')}\x1c\r`);
      assert.match(String((await once(secure, 'data'))[0]), /MSA\|AA\|T2/);
      secure.destroy();
      assert.match((await strict.over).stderr, /^no TLS came about: .*CERTIFICATE/im);

      const wrong = ['sim', 'receiver', '--port', '0', '--certificate', shown, '--key', shown];
      const { code, stderr } = await called(wrong);
      assert.equal(code, exits.failed);
      assert.match(stderr, /TLS cannot be spoken with .*\n +next: gatehouse cert check /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('brings application acknowledgements to where they are awaited, once the message is accepted', async () => {
    const came: string[] = [];
    const awaiting = await startReceiver({
      received: ({ message }) => void came.push(message?.raw('MSA-2') ?? ''),
    });
    try {
      const to = `127.0.0.1:${awaiting.port}`;
      const { port, over } = await receive('--acks-to', to, '--answer', 'AE', '--limit', '3');
      const messages = [enhanced('X1', 'AL', 'AL'), adt('X2'), enhanced('X3', 'NE', 'AL')];
      // What is not in enhanced mode has one connection.
      assert.deepEqual(await exchange(port, messages, 2), ['MSA|CA|X1', 'MSA|AE|X2']);
      const { code, stderr } = await over;
      assert.equal(code, exits.ok);
      assert.deepEqual(came.sort(), ['X1', 'X3']);
      for (const id of ['X1', 'X3'])
        assert.ok(stderr.includes(`AE of ${id} to ${to}: CA\n`), stderr);
    } finally {
      await awaiting.close();
    }
    const nowhere = await receive('--acks-to', '127.0.0.1:1', '--limit', '1');
    assert.deepEqual(await exchange(nowhere.port, [enhanced('Y1', 'AL', 'AL')], 1), ['MSA|CA|Y1']);
    const { stderr } = await nowhere.over;
    assert.match(stderr, /AA of Y1 to 127\.0\.0\.1:1: cannot be reached \(ECONNREFUSED\)/);
  });

  it('shows patients for a reason alone, which is recorded', async () => {
    const data = mkdtempSync(join(tmpdir(), 'gatehouse-receiver-'));
    try {
      const reveal = ['--reveal', '--reason', 'CHG0042', '--data', data, '--limit', '1'];
      const { port, over } = await receive(...reveal);
      await exchange(port, [adt('P1')], 1);
      assert.match(
        (await over).stdout,
        /\n {4}PID\|1\|\|9990000018\^\^\^NHS\^NH\|\|Wierzba\^Tomasz\n/,
      );
      const recorded = readFileSync(join(data, 'reveals.ndjson'), 'utf8');
      assert.match(recorded, /"sim receiver","reason":"CHG0042"/);
    } finally {
      rmSync(data, { recursive: true });
    }
  });

  it('says what is wrong with what it is told', async () => {
    for (const [args, told] of [
      [['--answer', 'XX'], /Allowed choices are AA, AE/],
      [['--delay', 'long'], /"long" is no number of seconds/],
      [['--silent', '--close'], /cannot be used with/],
      [['--every', '3'], /nothing is done with them\n {6}next: .*--answer AE/],
      [['--answer', 'AE', '--every', '0'], /counts from 1/],
      [['--answer', 'AE', '--for', 'PID-3'], /a condition needs a place and a text/],
      [['--answer', 'AE', '--for', 'PID=1'], /names a segment/],
      [['--reveal'], /--reveal needs --reason/],
      [['--certificate', 'x.pem'], /--certificate and --key belong together/],
      [['--authorities', 'x.pem'], /needs a certificate to show/],
      [['--acks-tls'], /--acks-tls needs --acks-to/],
      [['--acks-to', 'nowhere'], /"nowhere" is no host:port/],
    ] as const) {
      const { code, stderr } = await called(['sim', 'receiver', '--port', '0', ...args]);
      assert.equal(code, exits.usage, args.join(' '));
      assert.match(stderr, told);
    }
  });
});
