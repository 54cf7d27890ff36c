/** A running engine that is watched: what it tells of itself, from outside and over HTTP. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { parseMessage } from '../../engine/hl7/message.ts';
import type { Status } from '../../engine/watch/status.ts';
import { type Authority, authority, certificate } from '../mllp/certificates.ts';
import { type Receiver, acknowledge, startReceiver } from '../outbound/receiver.ts';
import {
  type SmallSite,
  adt,
  adtChannel,
  delivered,
  smallSite,
  until,
} from '../story/small-site.ts';
import { ask, framed, rawPeer } from '../world.ts';

const settings = 'alerts: { every: 100ms, disk: 1KB }\n';

describe('the watch over an engine', () => {
  let site: SmallSite;
  let receiver: Receiver | undefined;

  afterEach(async () => {
    await site.close();
    await receiver?.close();
    receiver = undefined;
  });

  const alerts = async () =>
    (await site.engine.watch.look(true)).alerts.map(({ condition, subject }) => [
      condition,
      subject,
    ]);
  const told = () =>
    site.events
      .filter(({ name }) => name.startsWith('alert.'))
      .map(({ name, fields }) => `${name} ${fields.condition} ${fields.subject}`);
  const http = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`http://127.0.0.1:${site.engine.watch.healthPort()}${path}`, init);
    return {
      status: answer.status,
      type: answer.headers.get('content-type'),
      text: await answer.text(),
    };
  };

  it('row 31: a port that is held stops no other channel, is told, and is opened once it is free', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as net.AddressInfo;
    site = smallSite({
      held: adtChannel('held', '', `{ port: ${port} }`),
      free: adtChannel('free'),
    });
    site.write('site.yaml', `${settings}health: { port: 0 }\n`);
    const engine = await site.start();
    assert.equal(engine.ports.held, undefined);
    assert.equal((await ask(engine.ports.free ?? 0, adt('M1'))).get('MSA-1'), 'AA');
    await until(() => told().length === 1, 'it is raised by itself');
    assert.deepEqual(await http('/readyz'), {
      ...{ status: 503, type: 'text/plain; charset=utf-8', text: 'channel held is waiting\n' },
    });
    assert.equal((await http('/healthz')).text, 'ok\n');
    const [seen] = (await engine.watch.status()).channels;
    assert.deepEqual(
      [seen?.channel, seen?.state, seen?.port],
      ['free', 'listening', engine.ports.free],
    );
    await new Promise((resolve) => holder.close(resolve));
    await until(() => engine.ports.held === port, 'it is open');
    assert.equal((await ask(port, adt('M2'))).get('MSA-1'), 'AA');
    await until(() => told().length === 2, 'it is cleared by itself');
    assert.deepEqual(told(), [
      'alert.raised channel.waiting held',
      'alert.cleared channel.waiting held',
    ]);
    assert.deepEqual((await http('/readyz')).text, 'ready\n');
  });

  it('tells of a feed that falls silent, until a message comes', async () => {
    site = smallSite({ one: adtChannel('one', 'expects: { within: 300ms }\n') });
    const engine = await site.start();
    assert.deepEqual(await alerts(), []);
    await until(async () => (await alerts()).length === 1, 'it is silent');
    assert.deepEqual(await alerts(), [['channel.silent', 'one']]);
    await ask(engine.ports.one ?? 0, adt('M1'));
    assert.deepEqual(await alerts(), []);
    const { channels } = await engine.watch.status();
    assert.ok((channels[0]?.last ?? 0) > Date.now() - 60_000);
  });

  it('tells of a destination that is down, of what waits for it, and of dead letters', async () => {
    receiver = await startReceiver();
    const { port } = receiver;
    await receiver.close();
    const limits =
      ', refused: { AE: park }, alerts: { depth: 1, age: 50ms, down: 50ms, parked: 1 }';
    site = smallSite({ one: adtChannel('one', delivered(port, limits)) });
    const engine = await site.start();
    for (const id of ['BAD', 'M2']) await ask(engine.ports.one ?? 0, adt(id));
    await until(async () => (await alerts()).length === 3, 'it is down');
    const conditions = (await alerts()).map(([condition]) => condition).sort();
    assert.deepEqual(conditions, ['destination.age', 'destination.depth', 'destination.down']);
    receiver = await startReceiver(port);
    receiver.react = (message) =>
      acknowledge(message, message.get('MSH-10') === 'BAD' ? 'AE' : 'AA');
    await receiver.arrived(2);
    await until(
      async () => (await alerts()).join() === 'destination.parked,one/epr',
      'parked alone',
    );
    const status: Status = await engine.watch.status();
    const [one] = status.destinations;
    assert.deepEqual([one?.state, one?.depth, one?.parked], ['idle', 0, 1]);
    const metrics = await engine.watch.metrics();
    assert.match(metrics, /^gatehouse_parked\{destination="one\/epr"\} 1$/m);
    assert.match(
      metrics,
      /^gatehouse_alert\{condition="destination.parked",subject="one\/epr"\} 1$/m,
    );
    assert.match(
      metrics,
      /^gatehouse_deliveries_total\{destination="one\/epr",outcome="delivered"\} 1$/m,
    );
  });

  it('counts messages, and labels nothing with what a sender wrote', async () => {
    site = smallSite({ one: adtChannel('one') });
    site.write('site.yaml', 'health: { port: 0 }\n');
    const engine = await site.start();
    const port = engine.ports.one ?? 0;
    for (const id of ['M1', 'M2']) await ask(port, adt(id));
    for (let n = 10; n < 30; n++) await ask(port, adt(`N${n}`).replace('ADT^A08', `Z${n}^Z${n}`));
    await ask(port, adt('N1').replace('ADT^A08^ADT_A01', 'Wierzba^9990000018'));
    await ask(port, adt('N2').replace('MILLENNIUM', 'Wierzba'));
    const { status, type, text } = await http('/metrics');
    assert.deepEqual([status, type], [200, 'text/plain; version=0.0.4; charset=utf-8']);
    const count = (pattern: string) =>
      Number(new RegExp(`^gatehouse_${pattern} (\\S+)$`, 'm').exec(text)?.[1]);
    assert.equal(count('messages_total\\{channel="one",type="ADT\\^A08",state="answered"\\}'), 2);
    assert.equal(count('messages_total\\{channel="one",type="ADT\\^A08",state="rejected"\\}'), 1);
    assert.equal(count('messages_total\\{channel="one",type="other",state="rejected"\\}'), 21);
    assert.equal(count('faults_total\\{channel="one",code="GH-3001"\\}'), 1);
    assert.equal(count('answer_seconds_count\\{channel="one"\\}'), 24);
    assert.ok(count('journal_commit_seconds_count') > 0);
    assert.equal(count('channel_listening\\{channel="one"\\}'), 1);
    assert.match(text, /^process_resident_memory_bytes \d+$/m);
    assert.match(text, /^nodejs_eventloop_lag_p99_seconds /m);
    for (const secret of ['Wierzba', '9990000018', 'MILLENNIUM', 'Z10', '127.0.0.1']) {
      assert.ok(!text.includes(secret), secret);
    }
    assert.equal((await http('/other')).status, 404);
    assert.equal((await http('/metrics', { method: 'POST' })).status, 404);
  });

  it('moves the health listener with the configuration, and keeps it where that is refused', async () => {
    site = smallSite({ one: adtChannel('one') });
    const engine = await site.start();
    assert.equal(engine.watch.healthPort(), undefined);
    site.write('site.yaml', 'health: { port: 0 }\n');
    await engine.reload();
    const port = engine.watch.healthPort();
    assert.equal((await http('/healthz')).status, 200);
    site.write('site.yaml', 'health: { host: 192.0.2.1, port: 9464 }\n');
    await assert.rejects(engine.reload(), { code: 'EADDRNOTAVAIL' });
    assert.equal(engine.watch.healthPort(), port);
    assert.equal((await http('/healthz')).status, 200);
    site.remove('site.yaml');
    await engine.reload();
    assert.equal(engine.watch.healthPort(), undefined);
  });

  describe('over TLS', () => {
    const day = 86_400_000;
    let trust: Authority;
    before(async () => {
      trust = await authority('Test CA');
    });

    const install = async (days: number) => {
      const made = await certificate(trust, 'engine.test', {
        until: new Date(Date.now() + days * day),
      });
      site.write('cert.pem', made.cert);
      site.write('key.pem', made.key);
    };
    const connect = async (days: number) => {
      const until = new Date(Date.now() + days * day);
      const { cert, key, ca } = await certificate(trust, 'hospital.test', { until });
      const socket = tls.connect({
        host: '127.0.0.1',
        port: site.engine.ports.one ?? 0,
        cert,
        key,
        ca,
      });
      await once(socket, 'secureConnect');
      return socket;
    };
    const answered = async (socket: tls.TLSSocket, id: string) => {
      socket.write(framed(adt(id)));
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      return parseMessage(chunk.subarray(1, -2)).get('MSA-1');
    };
    const lastDay = (socket: tls.TLSSocket) => Date.parse(socket.getPeerCertificate().valid_to);

    it('tells of certificates that end, ours and our peers\u2019, and takes renewed ones without a break', async () => {
      const secure =
        '{ port: 0, tls: { certificate: ../cert.pem, key: ../key.pem, clients: ../ca.pem } }';
      site = smallSite({ one: adtChannel('one', '', secure) });
      site.write('ca.pem', trust.cert);
      await install(10);
      const engine = await site.start();
      assert.deepEqual(await alerts(), [['certificate.expiring', 'one listen.tls.certificate']]);
      const before = await connect(20);
      assert.equal(await answered(before, 'M1'), 'AA');
      assert.deepEqual(await alerts(), [
        ['certificate.expiring', 'one listen.tls.certificate'],
        ['certificate.expiring', 'one client hospital.test'],
      ]);
      await install(200);
      const { changed } = await engine.reload();
      assert.deepEqual(changed, ['one']);
      const after = await connect(300);
      assert.ok(lastDay(after) > Date.now() + 190 * day);
      assert.ok(lastDay(before) < Date.now() + 11 * day);
      assert.equal(await answered(after, 'M2'), 'AA');
      assert.equal(await answered(before, 'M3'), 'AA');
      assert.deepEqual(await alerts(), [['certificate.expiring', 'one client hospital.test']]);
      before.destroy();
      await until(async () => (await alerts()).length === 0, 'its peer is gone');
      site.write('key.pem', 'not a key');
      await assert.rejects(engine.reload());
      assert.equal(await answered(after, 'M4'), 'AA');
      const other = await connect(300);
      assert.equal(await answered(other, 'M5'), 'AA');
      other.destroy();
      after.destroy();
    });
  });

  it('remembers after a restart when a channel was sent something last', async () => {
    site = smallSite({ one: adtChannel('one') });
    await ask((await site.start()).ports.one ?? 0, adt('M1'));
    const last = (await site.engine.watch.status()).channels[0]?.last ?? 0;
    await site.engine.stop(100);
    await site.start();
    const again = (await site.engine.watch.status()).channels[0]?.last ?? 0;
    assert.ok(Math.abs(again - last) < 1000, `${again} ${last}`);
    const peer = await rawPeer(site.engine.ports.one ?? 0);
    await until(
      async () => (await site.engine.watch.look()).seen.channels[0]?.connections.length === 1,
      'connected',
    );
    const { channels } = await site.engine.watch.status();
    assert.deepEqual(
      channels[0]?.connections.map(({ state }) => state),
      ['quiet'],
    );
    peer.socket.destroy();
  });
});
