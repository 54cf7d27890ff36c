/** A channel is paused, stopped and started by a person, in raw bytes: what it takes, what it delivers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { controlRoutes } from '../../engine/control/routes.ts';
import { silent } from '../../engine/events.ts';
import { type Receiver, startReceiver } from '../outbound/receiver.ts';
import { ask, framed, rawPeer } from '../world.ts';
import { type SmallSite, adt, adtChannel, delivered, smallSite, until } from './small-site.ts';

describe('a channel that a person suspends', () => {
  let site: SmallSite;
  let receiver: Receiver;
  const asked = async <T = { exchange: string }>(path: string, more: object = {}): Promise<T> => {
    const all = controlRoutes(site.engine, silent);
    const [method, name] = path.split(' ');
    const found = all.find((one) => one.method === method && one.path === name);
    return (await found?.answer(more))?.body as T;
  };
  const act = (what: string, reason?: string) =>
    asked(`POST /v1/channel/${what}`, { channel: 'one', by: 'a.smith', reason });
  const port = () => site.engine.ports.one ?? 0;
  const refuses = async (number: number) => {
    const [error] = (await once(net.connect(number, '127.0.0.1'), 'error')) as [
      NodeJS.ErrnoException,
    ];
    assert.equal(error.code, 'ECONNREFUSED');
  };
  const send = async (id: string) => (await ask(port(), adt(id))).get('MSA-1');

  beforeEach(async () => {
    receiver = await startReceiver();
    site = smallSite({ one: adtChannel('one', delivered(receiver.port)), two: adtChannel('two') });
    await site.start();
  });
  afterEach(async () => {
    await site.close();
    await receiver.close();
  });

  it('is paused: its connections end, what it owes is delivered, the other channels go on', async () => {
    receiver.react = () => 'silence';
    const before = port();
    const peer = await rawPeer(before);
    peer.write(framed(adt('M1')));
    await peer.next();
    await receiver.arrived(1);
    const { exchange } = await act('pause', 'the PAS is upgraded');
    await peer.closed();
    await refuses(before);
    assert.equal(site.engine.ports.one, undefined);
    assert.equal((await ask(site.engine.ports.two ?? 0, adt('M2'))).get('MSA-1'), 'AA');
    receiver.react = (message) => acknowledgeOf(message.get('MSH-10') ?? '');
    await until(() => site.engine.queues.get('one/epr')?.status().delivered === 1, 'delivered');

    const stored = await site.engine.journal.read(Number.parseInt(exchange, 36));
    assert.deepEqual(stored?.entries[0]?.note, {
      act: 'pause',
      by: 'a.smith',
      to: 'one',
      reason: 'the PAS is upgraded',
    });
    const { alerts, seen } = await site.engine.watch.look();
    assert.deepEqual(
      alerts.map(({ condition, subject }) => [condition, subject]),
      [['channel.paused', 'one']],
    );
    assert.deepEqual(
      seen.channels.map(({ channel, state }) => [channel, state]),
      [
        ['one', 'paused'],
        ['two', 'listening'],
      ],
    );
    // Its silence is counted anew from its start, that of others is not.
    const sinceOf = async (channel: string) =>
      (await site.engine.watch.look()).seen.channels.find((one) => one.channel === channel)?.since;
    const [one, two] = [await sinceOf('one'), await sinceOf('two')];
    await until(async () => ((await sinceOf('one')) ?? 0) > (one ?? 0), 'counted anew');
    assert.equal(await sinceOf('two'), two);
    assert.equal((await site.engine.watch.health['/readyz']()).status, 200);
    await assert.rejects(act('pause'), /one is paused already, by a\.smith since /);
  });

  it('is stopped: it delivers nothing, either, in the next life too, until it is started', async () => {
    await act('stop');
    const queue = () => site.engine.queues.get('one/epr');
    assert.equal(queue()?.status().state, 'held');
    await site.engine.stop(500);
    await site.start();
    assert.equal(site.engine.ports.one, undefined);
    assert.equal(queue()?.status().state, 'held');
    // What reads the file is a person, too: who and since when, never why.
    const file = join(site.data, 'suspended.json');
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { suspended: { one: object } };
    assert.deepEqual(Object.keys(kept.suspended.one), ['how', 'since', 'by', 'exchange']);

    await assert.rejects(
      asked('POST /v1/queue/release', { to: 'one/epr', by: 'a.smith' }),
      /the channel one is stopped/,
    );
    // A change of the configuration does not start what a person stopped.
    site.write('channels/one.yaml', adtChannel('one', delivered(receiver.port, ', reply: 2MB')));
    const change = await site.engine.reload();
    assert.deepEqual(change.changed, ['one']);
    assert.equal(site.engine.ports.one, undefined);
    assert.equal(queue()?.status().state, 'held');

    await act('start');
    assert.equal(await send('M3'), 'AA');
    await receiver.arrived(1);
    assert.ok(existsSync(file));
    await assert.rejects(act('start'), /neither paused nor stopped/);
  });

  it('keeps what it owes while it is stopped, and its order; a hold of a person stays a hold', async () => {
    await asked('POST /v1/queue/hold', { to: 'one/epr', by: 'a.smith' });
    assert.equal(await send('M1'), 'AA');
    assert.equal(await send('M2'), 'AA');
    await act('stop');
    await act('start');
    assert.equal(site.engine.queues.get('one/epr')?.status().state, 'held');
    await act('stop');
    await asked('POST /v1/queue/release', { to: 'one/epr', by: 'a.smith' });
    assert.equal(site.engine.queues.get('one/epr')?.status().state, 'held');
    assert.deepEqual(receiver.ids(), []);
    await act('pause');
    await receiver.arrived(2);
    assert.deepEqual(receiver.ids(), ['M1', 'M2']);
  });

  it('leaves halted what had halted: neither a reload, a restart nor a start of it tries once more', async () => {
    const file = () => adtChannel('one', delivered(receiver.port, halting));
    let halting = ', refused: { AE: halt }';
    site.write('channels/one.yaml', file());
    await site.engine.reload();
    receiver.react = (message) => acknowledgeOf(message.get('MSH-10') ?? '', 'AE');
    const status = () => site.engine.queues.get('one/epr')?.status();
    const isHalted = () => status()?.state === 'halted' && status()?.fault === 'GH-7004';
    assert.equal(await send('M1'), 'AA');
    await until(isHalted, 'halted');

    halting = ', refused: { AE: halt }, reply: 8KB';
    site.write('channels/one.yaml', file());
    assert.deepEqual((await site.engine.reload()).changed, ['one']);
    assert.ok(isHalted());
    await site.engine.stop(500);
    await site.start();
    assert.ok(isHalted());
    await act('stop');
    assert.equal(status()?.state, 'held');
    await act('start');
    assert.ok(isHalted());
    const { alerts } = await site.engine.watch.look(true);
    assert.deepEqual(
      alerts.map(({ condition, subject }) => [condition, subject]),
      [['destination.halted', 'one/epr']],
    );
    assert.equal(await send('M2'), 'AA');
    assert.deepEqual(receiver.ids(), ['M1']);

    receiver.react = (message) => acknowledgeOf(message.get('MSH-10') ?? '');
    await asked('POST /v1/queue/release', { to: 'one/epr', by: 'a.smith' });
    await receiver.arrived(3);
    assert.deepEqual(receiver.ids(), ['M1', 'M1', 'M2']);
    await until(() => status()?.depth === 0, 'delivered');
    await site.engine.stop(500);
    await site.start();
    assert.equal(status()?.state, 'idle');
  });

  it('stays as it is where its port is held by another process', async () => {
    const number = port();
    site.write(
      'channels/one.yaml',
      adtChannel('one', delivered(receiver.port), `{ port: ${number} }`),
    );
    await act('pause');
    await site.engine.reload();
    const holder = net.createServer().listen(number, '127.0.0.1');
    await once(holder, 'listening');
    await assert.rejects(act('start'), { name: 'FaultError' });
    const { channels } = await asked<{ channels: { state: string }[] }>('GET /v1/channels');
    assert.equal(channels[0]?.state, 'paused');
    holder.close();
    await once(holder, 'close');
    await act('start');
    assert.equal(await send('M1'), 'AA');
    await assert.rejects(
      asked('POST /v1/channel/stop', { channel: 'onw', by: 'a.smith' }),
      /no channel "onw" runs; did you mean "one"\?/,
    );
  });
});

const acknowledgeOf = (id: string, code = 'AA') =>
  `\x0bMSH|^~\\&|EPR|R0A|GATEHOUSE|RECGW|20260604101500||ACK|K${id}|P|2.4\rMSA|${code}|${id}\r\x1c\r`;
