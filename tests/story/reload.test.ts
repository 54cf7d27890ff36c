/** The configuration is changed while messages come in: raw bytes, over connections that stay. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { loadSite } from '../../engine/config/site.ts';
import { FaultError } from '../../engine/faults.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { authority } from '../mllp/certificates.ts';
import { type Receiver, acknowledge, startReceiver } from '../outbound/receiver.ts';
import { type World, framed, qbp, rawPeer, root, startWorld } from '../world.ts';
import { type SmallSite, adt, adtChannel, delivered, smallSite, until } from './small-site.ts';

/** Send a message on an open connection; the answer. */
async function say(peer: Awaited<ReturnType<typeof rawPeer>>, text: string) {
  peer.write(framed(text));
  return parseMessage(await peer.next());
}

describe('a change of the configuration', () => {
  let site: SmallSite;
  let receiver: Receiver | undefined;
  const applied = () => site.events.filter(({ name }) => name.startsWith('config.'));
  const delivering = (port: number, more = '') =>
    site.write('channels/one.yaml', adtChannel('one', delivered(port, more)));

  afterEach(async () => {
    await site.close();
    await receiver?.close();
    receiver = undefined;
  });

  it('keeps the connections of ports that stay, and answers on them as it now says', async () => {
    site = smallSite({ one: adtChannel('one'), two: adtChannel('two') });
    const engine = await site.start();
    const peer = await rawPeer(engine.ports.one ?? 0);
    assert.equal((await say(peer, adt('M1'))).get('MSA-1'), 'AA');
    const { one, two } = engine.ports;
    const untouched = engine.channels.get('two');
    site.write('channels/one.yaml', adtChannel('one').replace(', ADT^A08', ''));
    const change = await engine.reload();
    assert.deepEqual([change.added, change.changed, change.removed], [[], ['one'], []]);
    assert.deepEqual({ ...engine.ports }, { one, two });
    assert.equal(engine.channels.get('two'), untouched);
    assert.equal((await say(peer, adt('M2'))).get('MSA-1'), 'AR');
    peer.socket.destroy();

    const stored = await Promise.all(
      (await engine.journal.list()).map(({ id }) => engine.journal.read(id)),
    );
    const revisions = stored.map((exchange) => exchange?.entries[0]?.note?.revision);
    assert.deepEqual(revisions, [change.revision, change.before]);
    assert.match(change.revision, /^[0-9a-f]{12}$/);
    assert.notEqual(change.revision, change.before);
  });

  it('swaps those who ask an address where its allowance is another, and nobody where one more asks it', async () => {
    const asking = (name: string, rate: number) =>
      adtChannel(
        name,
        `destinations: { pds: { kind: pds, url: 'http://127.0.0.1:9/pds', rate: ${rate} } }\n`,
      );
    site = smallSite({ one: asking('one', 5), two: adtChannel('two') });
    const engine = await site.start();
    site.write('channels/three.yaml', asking('three', 5));
    const first = await engine.reload();
    assert.deepEqual([first.added, first.changed], [['three'], []]);
    site.write('channels/three.yaml', asking('three', 3));
    const second = await engine.reload();
    assert.deepEqual([second.added, second.changed], [[], ['one', 'three']]);
  });

  it('opens ports that are new and closes those that are gone, answering what is in hand', async () => {
    receiver = await startReceiver();
    site = smallSite({ one: adtChannel('one', delivered(receiver.port)) });
    const engine = await site.start();
    const before = engine.ports.one ?? 0;
    const peer = await rawPeer(before);
    await say(peer, adt('M1'));
    site.remove('channels/one.yaml');
    site.write('channels/three.yaml', adtChannel('three'));
    const change = await engine.reload();
    assert.deepEqual([change.added, change.removed], [['three'], ['one']]);
    await peer.closed();
    const other = await rawPeer(engine.ports.three ?? 0);
    assert.equal((await say(other, adt('M2'))).get('MSA-1'), 'AA');
    other.socket.destroy();
    assert.equal(engine.ports.one, undefined);
    const refused = net.connect(before, '127.0.0.1');
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });

  it('takes nothing of a set in which a port is held, a file is missing or a line is wrong', async () => {
    site = smallSite({ one: adtChannel('one') });
    const engine = await site.start();
    const running = engine.channels.get('one');
    const holder = net.createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as net.AddressInfo;
    site.write('channels/one.yaml', adtChannel('one').replace(', ADT^A08', ''));
    site.write('channels/free.yaml', adtChannel('free'));
    site.write('channels/held.yaml', adtChannel('held', '', `{ port: ${port} }`));
    await assert.rejects(
      engine.reload(),
      (error) => error instanceof FaultError && error.fault.name === 'portBusy',
    );
    site.remove('channels/held.yaml');
    site.write(
      'channels/free.yaml',
      adtChannel('free', '', '{ port: 0, tls: { certificate: none.pem, key: none.key } }'),
    );
    await assert.rejects(engine.reload(), /none\.pem does not exist/);
    site.write('channels/free.yaml', adtChannel('free', 'wait: long\n'));
    await assert.rejects(engine.reload(), /unknown key "wait"/);
    holder.close();

    assert.equal(engine.channels.get('one'), running);
    assert.deepEqual(Object.keys(engine.ports), ['one']);
    const peer = await rawPeer(engine.ports.one ?? 0);
    assert.equal((await say(peer, adt('M1'))).get('MSA-1'), 'AA');
    peer.socket.destroy();
    const told = applied().map(({ name, fields }) => [name, fields.detail?.split(' ')[0]]);
    assert.deepEqual(told[0], ['config.refused', 'GH-1011']);
    assert.equal(told.length, 3);
    const { alerts } = await engine.watch.look();
    assert.deepEqual(
      alerts.map(({ condition }) => condition),
      ['config.refused'],
    );
    site.write('channels/free.yaml', adtChannel('free'));
    await engine.reload();
    assert.deepEqual(Object.keys(engine.ports).sort(), ['free', 'one']);
    assert.deepEqual((await engine.watch.look()).alerts, []);
  });

  it('takes nothing of a set whose application acknowledgements could not come', async () => {
    receiver = await startReceiver();
    const { port } = receiver;
    const holder = net.createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const held = (holder.address() as net.AddressInfo).port;
    const [one, other] = await Promise.all([authority('one'), authority('other')]);
    site = smallSite({ two: adtChannel('two') });
    delivering(port);
    site.write('channels/one.pem', one.cert);
    site.write('channels/one.key', other.key);
    // Node would trust all of its own authorities.
    site.write('channels/none.pem', '');
    const engine = await site.start();
    const before = [engine.site().revision, engine.queues.get('one/epr')];
    const acks = (more: string) =>
      delivering(port, `, acknowledge: accept+application, applicationAcks: { ${more} }`);
    for (const [more, why] of [
      [`port: ${held}`, /GH-1011/],
      ['port: 6001, host: 203.0.113.7', /EADDRNOTAVAIL/],
      ['port: 0, tls: { certificate: one.pem, key: one.key }', /key values mismatch/],
      ['port: 0, tls: { certificate: one.pem, key: one.key, clients: none.pem }', /no certificate/],
    ] as const) {
      acks(more);
      site.write('channels/two.yaml', adtChannel('two').replace('90d', '9d'));
      await assert.rejects(engine.reload(), why);
      assert.deepEqual([engine.site().revision, engine.queues.get('one/epr')], before);
    }
    holder.close();
    await once(holder, 'close');
    acks(`port: ${held}`);
    assert.deepEqual((await engine.reload()).changed.sort(), ['one', 'two']);
    acks('port: 6102');
    site.write('channels/two.yaml', adtChannel('two', '', '{ port: 6102 }'));
    assert.throws(() => site.load(), /channel "one" listens on 127\.0\.0\.1:6102 too/);
  });

  it('keeps the order of deliveries, however often it comes, and loses and doubles none', async () => {
    receiver = await startReceiver();
    const { port } = receiver;
    site = smallSite({});
    delivering(port);
    const engine = await site.start();
    const peer = await rawPeer(engine.ports.one ?? 0);
    const ids = Array.from({ length: 60 }, (_, n) => `M${n}`);
    for (const [n, id] of ids.entries()) {
      assert.equal((await say(peer, adt(id))).get('MSA-1'), 'AA');
      if (n % 10 !== 5) continue;
      delivering(port, `, reply: ${n}KB`);
      const { changed } = await engine.reload();
      assert.deepEqual(changed, ['one']);
    }
    peer.socket.destroy();
    await receiver.arrived(ids.length);
    assert.deepEqual(receiver.ids(), ids);
    await until(async () => (await engine.journal.outboundCounts()).length === 0, 'all stored');
  });

  it('flags what was on its way when its queue made way for another', async () => {
    receiver = await startReceiver();
    const { port } = receiver;
    receiver.react = () => 'silence';
    site = smallSite({});
    delivering(port, ', refused: { unreadable: park }');
    const engine = await site.start();
    const peer = await rawPeer(engine.ports.one ?? 0);
    await say(peer, adt('M1'));
    await receiver.arrived(1);
    delivering(port, ', refused: { unreadable: halt }');
    await engine.reload();
    await say(peer, adt('M2'));
    receiver.react = (message) => acknowledge(message);
    await receiver.arrived(3);
    assert.deepEqual(receiver.ids(), ['M1', 'M1', 'M2']);
    const [, first] = await engine.journal.list();
    const stored = await engine.journal.read(first?.id ?? 0);
    assert.ok(stored?.entries.some(({ note }) => note?.possibleDuplicate === true));
    peer.socket.destroy();
  });

  it('holds up no stop, though a queue that makes way still waits for its receiver', async () => {
    receiver = await startReceiver();
    const { port } = receiver;
    receiver.react = () => 'silence';
    site = smallSite({});
    const slow = (most: string) =>
      delivered(port).replace('timeout: 400ms', `timeout: 10m, reply: ${most}`);
    site.write('channels/one.yaml', adtChannel('one', slow('1KB')));
    const engine = await site.start();
    const peer = await rawPeer(engine.ports.one ?? 0);
    await say(peer, adt('M1'));
    await receiver.arrived(1);
    site.write('channels/one.yaml', adtChannel('one', slow('2KB')));
    assert.deepEqual((await engine.reload()).changed, ['one']);
    peer.socket.destroy();
    // What makes way has a minute; what stops has this.
    assert.deepEqual(await engine.stop(100), { unanswered: 0, owed: 1 });
  });

  it('comes too late once the engine stops: nothing is opened again', async () => {
    site = smallSite({ one: adtChannel('one') });
    const engine = await site.start();
    const stopped = engine.stop(500);
    await assert.rejects(engine.apply(site.load()), /GH-9002/);
    await stopped;
    assert.deepEqual(applied(), []);
  });

  it('holds on to what a person holds, and tells of what is owed to a destination that is gone', async () => {
    receiver = await startReceiver();
    const { port } = receiver;
    site = smallSite({});
    delivering(port);
    const engine = await site.start();
    const to = 'one/epr';
    engine.holds.put(to, { since: new Date().toISOString(), by: 'test', exchange: 'A' });
    engine.queues.get(to)?.hold();
    const peer = await rawPeer(engine.ports.one ?? 0);
    await say(peer, adt('M1'));
    delivering(port, ', reply: 8KB');
    await engine.reload();
    assert.equal(engine.queues.get(to)?.status().state, 'held');
    site.write('channels/one.yaml', adtChannel('one'));
    await engine.reload();
    const { alerts } = await engine.watch.look(true);
    assert.deepEqual(
      alerts.map(({ condition, subject }) => [condition, subject]),
      [['destination.removed', to]],
    );
    delivering(port);
    await engine.reload();
    engine.holds.remove(to);
    engine.queues.get(to)?.release();
    await receiver.arrived(1);
    peer.socket.destroy();
  });
});

describe('a query that is under way', () => {
  let world: World;
  before(async () => {
    world = await startWorld((site) => {
      site.channels = site.channels.filter(({ channel }) => channel.channel === 'gp-record');
    });
  });
  after(() => world.close());

  it('is finished as it began, while the next one on its connection is answered anew', async () => {
    const { engine, gp } = world;
    const peer = await rawPeer(engine.ports['gp-record'] ?? 0);
    gp.set('9465701459', { name: 'slow', ms: 400 });
    peer.write(framed(qbp('9465701459')));
    await until(() => engine.channels.get('gp-record')?.underWay() === 1, 'it is asked for');
    const env = { GATEHOUSE_GP: gp.url, GATEHOUSE_MLLP_GP: String(world.legacy.port) };
    const next = loadSite(root, env);
    next.channels = next.channels.filter(({ channel }) => channel.channel === 'gp-record');
    for (const { channel } of next.channels) {
      channel.listen.port = 0;
      channel.accepts = ['QRY^A19'];
    }
    const change = await engine.apply(next);
    assert.deepEqual(change.changed, ['gp-record']);
    assert.equal((await engine.watch.status()).engine.finishing, 1);
    gp.set('9465701459', undefined);
    peer.write(framed(qbp('9465701459')));
    const first = parseMessage(await peer.next());
    assert.equal(first.get('MSA-1'), 'AA');
    const second = parseMessage(await peer.next());
    assert.equal(second.get('MSA-1'), 'AR');
    peer.socket.destroy();
  });
});
