import assert from 'node:assert/strict';
import { channelSchema } from '../../engine/channel.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import type { Site } from '../../engine/config/site.ts';
import { type World, rawPeer, startWorld } from '../world.ts';
import { type Receiver, acknowledge, startReceiver } from './receiver.ts';

/** The ADT feed, delivered to a receiver. */
function deliverTo(receiver: Receiver, more: Record<string, unknown> = {}, entry = {}) {
  return (site: Site) => {
    const loaded = site.channels.find(({ channel }) => channel.channel === 'adt-feed');
    assert.ok(loaded);
    const epr = { kind: 'feed', port: receiver.port, timeout: '300ms', ...more };
    const backoff = { first: '20ms', most: '80ms' };
    const { deliver, destinations } = channelSchema.parse({
      channel: 'x',
      listen: { port: 0 },
      us: { application: 'A', facility: 'B' },
      accepts: ['ADT'],
      senders: [{ application: '*', facility: '*' }],
      route: 'adt',
      keep: '1d',
      destinations: { epr: { backoff, ...epr } },
      deliver: [{ to: 'epr', ...entry }],
    });
    Object.assign(loaded.channel, { deliver, destinations });
    site.channels = [loaded];
  };
}

function adt(id: string, patient = '9465701459', event = 'A08'): string {
  return [
    `MSH|^~\\&|MILLENNIUM|R0A|GATEHOUSE|RECGW|20260604101500||ADT^${event}^ADT_A01|${id}|P|2.4`,
    'EVN||20260604101500',
    `PID|1||${patient}^^^NHS^NH||Nel^Morris`,
    'PV1|1|E',
    '',
  ].join('\r');
}

async function send(world: World, ...messages: string[]): Promise<void> {
  const peer = await rawPeer(world.engine.ports['adt-feed'] ?? 0);
  for (const message of messages) {
    peer.write(`\x0b${message}\x1c\r`);
    const answer = parseMessage(await peer.next());
    assert.equal(answer.get('MSA-1'), 'AA');
  }
  peer.socket.destroy();
}

const queue = (world: World) => world.engine.queues.get('adt-feed/epr');

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const started = Date.now(); !(await holds());) {
    if (Date.now() - started > 8000) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('an ADT feed', () => {
  let world: World;
  let receiver: Receiver;

  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await world.close();
    await receiver.close();
  });

  it('is delivered as it was received, and the journal tells each step', async () => {
    world = await startWorld(deliverTo(receiver));
    await send(world, adt('M1'));
    await receiver.arrived(1);
    assert.equal(receiver.messages[0]?.toBytes().toString(), adt('M1'));
    await until(() => queue(world)?.status().depth === 0, 'delivered');
    await until(async () => (await world.engine.journal.outboundCounts()).length === 0, 'stored');
    const [found] = await world.engine.journal.list();
    const stored = await world.engine.journal.read(found?.id ?? 0);
    const told = stored?.entries.filter(({ kind }) => kind === 'outbound').map(({ note }) => note);
    assert.deepEqual(told, [
      { to: 'adt-feed/epr', state: 'owed' },
      { to: 'adt-feed/epr', state: 'sending', attempt: 1 },
      { to: 'adt-feed/epr', state: 'delivered', attempt: 1 },
    ]);
  });

  it('keeps the order of a patient while other patients go beside', async () => {
    world = await startWorld(deliverTo(receiver, { connections: 4 }));
    const patients = ['9465701459', '9990000018', '9990000026'];
    const all = Array.from({ length: 60 }, (_, n) => adt(`M${n}`, patients[n % 3]));
    await send(world, ...all);
    await receiver.arrived(60);
    for (const patient of patients) {
      const ids = receiver.messages
        .filter((message) => message.get('PID-3.1') === patient)
        .map((message) => Number(message.get('MSH-10')?.slice(1)));
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      );
      assert.equal(ids.length, 20);
    }
  });

  it('row 37: waits for a receiver that is down, then delivers everything in order', async () => {
    const { port } = receiver;
    world = await startWorld(deliverTo(receiver));
    await receiver.close();
    await send(world, adt('M1'), adt('M2'), adt('M3'));
    await until(() => queue(world)?.status().state === 'down', 'noticed');
    assert.equal(queue(world)?.status().fault, 'GH-7001');
    receiver = await startReceiver(port);
    await receiver.arrived(3);
    assert.deepEqual(receiver.ids(), ['M1', 'M2', 'M3']);
    await until(() => queue(world)?.status().state === 'idle', 'up again');
  });

  it('row 32: an acknowledgement that does not come: the connection is reset, and it is sent again as a possible duplicate', async () => {
    world = await startWorld(deliverTo(receiver));
    receiver.react = (message) =>
      receiver.messages.length === 1 ? 'silence' : acknowledge(message);
    await send(world, adt('M1'), adt('M2'));
    await receiver.arrived(3);
    assert.deepEqual(receiver.ids(), ['M1', 'M1', 'M2']);
    assert.equal(receiver.accepted, 2);
    const [, first] = await world.engine.journal.list();
    const stored = await world.engine.journal.read(first?.id ?? 0);
    const again = stored?.entries.find(({ note }) => note?.possibleDuplicate === true);
    assert.equal(again?.note?.attempt, 2);
  });

  it('row 35: AE is retried as often as the site says, then parked, and the next one goes', async () => {
    world = await startWorld(deliverTo(receiver, { refused: { AE: 'retry 2' } }));
    receiver.react = (message) =>
      acknowledge(message, message.get('MSH-10') === 'BAD' ? 'AE' : 'AA');
    await send(world, adt('BAD'), adt('M2'));
    await receiver.arrived(4);
    assert.deepEqual(receiver.ids(), ['BAD', 'BAD', 'BAD', 'M2']);
    const { journal } = world.engine;
    await until(async () => (await journal.outboundCounts()).length === 1, 'parked alone');
    const [parked] = await journal.outbound({ states: ['parked'] });
    assert.equal(parked?.fault, 'GH-7004');
    assert.equal(parked?.attempts, 3);
  });

  it('halts where the site says so, and goes on when it is released', async () => {
    world = await startWorld(deliverTo(receiver, { refused: { AR: 'halt' } }));
    let refuses = true;
    receiver.react = (message) => acknowledge(message, refuses ? 'AR' : 'AA');
    await send(world, adt('M1'), adt('M2'));
    await until(() => queue(world)?.status().state === 'halted', 'halted');
    assert.deepEqual(receiver.ids(), ['M1']);
    refuses = false;
    queue(world)?.release();
    await receiver.arrived(3);
    assert.deepEqual(receiver.ids(), ['M1', 'M1', 'M2']);
  });

  it('is held and released by a person, and one message can be skipped', async () => {
    world = await startWorld(deliverTo(receiver));
    queue(world)?.hold();
    await send(world, adt('M1'), adt('M2'));
    const [, first] = await world.engine.journal.list();
    assert.equal((await queue(world)?.skip(first?.id ?? 0))?.done, true);
    assert.deepEqual(receiver.ids(), []);
    queue(world)?.release();
    await receiver.arrived(1);
    assert.deepEqual(receiver.ids(), ['M2']);
    const [skipped] = await world.engine.journal.outbound({ states: ['skipped'] });
    assert.equal(skipped?.exchange, first?.id);
  });

  it('leaves out what the channel filters, and says why', async () => {
    world = await startWorld(deliverTo(receiver, {}, { when: { 'MSH-9.2': ['A01', 'A04'] } }));
    await send(world, adt('M1'), adt('M2', '9990000018', 'A04'));
    await receiver.arrived(1);
    assert.deepEqual(receiver.ids(), ['M2']);
    const [filtered] = await world.engine.journal.outbound({ states: ['filtered'] });
    const stored = await world.engine.journal.read(filtered?.exchange ?? 0);
    const why = stored?.entries.find(({ note }) => note?.state === 'filtered')?.note?.detail;
    assert.equal(why, 'MSH-9.2 is none of A01, A04');
  });

  it('goes on after a restart, and flags what may have arrived before', async () => {
    world = await startWorld(deliverTo(receiver));
    receiver.react = () => 'silence';
    await send(world, adt('M1'), adt('M2'));
    await receiver.arrived(1);
    await world.engine.stop(0);
    receiver.react = (message) => acknowledge(message);
    await world.restart();
    await receiver.arrived(3);
    assert.deepEqual(receiver.ids(), ['M1', 'M1', 'M2']);
    const [, first] = await world.engine.journal.list();
    const stored = await world.engine.journal.read(first?.id ?? 0);
    const sendings = stored?.entries.filter(({ note }) => note?.state === 'sending');
    assert.deepEqual(
      sendings?.map(({ note }) => note?.possibleDuplicate === true),
      [false, true],
    );
  });
});
