/** Rows 33 to 39 of the fault list, as a destination shows them: raw bytes from a real receiver. */
import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import { authority, certificate } from '../mllp/certificates.ts';
import { type LoneFeed, adt, startLoneFeed, states, until } from './lone-feed.ts';
import { type Receiver, acknowledge, startReceiver } from './receiver.ts';

describe('a destination that misbehaves', () => {
  let receiver: Receiver;
  let feed: LoneFeed;
  const idle = () => feed.queue.status().depth === 0;
  const counted = (name: string) => feed.events.filter((one) => one.name === name).length;

  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await feed.stop();
    await receiver.close();
  });

  it('row 33: a late acknowledgement never settles the message that is in flight', async () => {
    feed = await startLoneFeed({ port: receiver.port });
    // M1 is acknowledged twice: the second time while M2 is under way, which is refused.
    receiver.react = (message) =>
      message.get('MSH-10') === 'M1'
        ? acknowledge(message) + acknowledge(message)
        : acknowledge(message, 'AA', 'M1') + acknowledge(message, 'AE');
    await feed.owe(adt('M1'));
    const second = await feed.owe(adt('M2'));
    await until(async () => (await feed.journal.outbound()).at(0)?.fault === 'GH-7004', 'refused');
    assert.ok(!states(await feed.told(second)).includes('delivered'));
    assert.ok(counted('delivery.ackDiscarded') >= 2);
  });

  const unusable: [what: string, bytes: string][] = [
    ['is empty', '\x0b\x1c\r'],
    ['is no HL7', '\x0bthank you\x1c\r'],
    ['has no MSA', '\x0bMSH|^~\\&|A|B|||||ACK|1|P|2.4\r\x1c\r'],
    ['has no frame', 'MSH|^~\\&|A|B|||||ACK|1|P|2.4\rMSA|AA|M1\r\x1c\r'],
    ['says nothing known', '\x0bMSH|^~\\&|A|B|||||ACK|1|P|2.4\rMSA|OK|M1\r\x1c\r'],
  ];
  for (const [what, bytes] of unusable) {
    it(`row 34: an acknowledgement that ${what} settles nothing, and what is sent again is flagged`, async () => {
      feed = await startLoneFeed({ port: receiver.port });
      receiver.react = (message) => (receiver.messages.length === 1 ? bytes : acknowledge(message));
      const exchange = await feed.owe(adt('M1'));
      await until(idle, 'delivered');
      // Bytes without a frame may still become one: the wait for an acknowledgement ends first.
      const failed = what === 'has no frame' ? 'failed GH-7002' : 'failed GH-7003';
      assert.deepEqual(states(await feed.told(exchange)), [
        ...['owed', 'sending', failed, 'sending?', 'delivered'],
      ]);
    });
  }

  for (const how of ['reset', 'close'] as const) {
    it(`row 36: a ${how} in place of an acknowledgement is flagged as a possible duplicate`, async () => {
      feed = await startLoneFeed({ port: receiver.port });
      receiver.react = (message) => (receiver.messages.length === 1 ? how : acknowledge(message));
      const exchange = await feed.owe(adt('M1'));
      await until(idle, 'delivered');
      assert.deepEqual(receiver.ids(), ['M1', 'M1']);
      assert.deepEqual(states(await feed.told(exchange)), [
        ...['owed', 'sending', 'failed GH-7002', 'sending?', 'delivered'],
      ]);
    });
  }

  it('row 36: a connection that died while nothing was sent is replaced without a failure', async () => {
    feed = await startLoneFeed({ port: receiver.port });
    await feed.owe(adt('M1'));
    await until(idle, 'delivered');
    for (const socket of receiver.sockets) socket.resetAndDestroy();
    await until(() => receiver.sockets.size === 0, 'gone');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const exchange = await feed.owe(adt('M2'));
    await until(idle, 'delivered');
    assert.deepEqual(states(await feed.told(exchange)), ['owed', 'sending', 'delivered']);
  });

  it('row 38: a receiver that reads slowly gets everything in order, and only one is under way', async () => {
    let mostUnderWay = 0;
    const slow = net.createServer((socket) => {
      let held = '';
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        held += chunk.toString('latin1');
        mostUnderWay = Math.max(mostUnderWay, held.length);
        socket.pause();
        setTimeout(() => socket.resume(), 1);
        const end = held.indexOf('\x1c\r');
        if (end < 0) return;
        const id = /\|(M\d+)\|/.exec(held)?.[1] ?? '';
        seen.push(id);
        held = held.slice(end + 2);
        socket.write(`\x0bMSH|^~\\&|A|B|||||ACK|1|P|2.4\rMSA|AA|${id}\r\x1c\r`);
      });
    });
    const seen: string[] = [];
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const { port } = slow.address() as net.AddressInfo;
    feed = await startLoneFeed({ port, destination: { timeout: '5s' } });
    const big = `\rNTE|1||${'x'.repeat(400_000)}`;
    for (let n = 0; n < 6; n++) await feed.owe(adt(`M${n}`).trimEnd() + big);
    await until(idle, 'delivered');
    assert.deepEqual(seen, ['M0', 'M1', 'M2', 'M3', 'M4', 'M5']);
    assert.ok(mostUnderWay < 500_000, `${mostUnderWay} bytes were under way`);
    assert.equal(counted('delivery.failed'), 0);
    slow.close();
  });

  it('row 38: a receiver that reads nothing is given up in time, and nothing arrived', async () => {
    const deaf = net.createServer((socket) => socket.pause());
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
    const { port } = deaf.address() as net.AddressInfo;
    feed = await startLoneFeed({ port, destination: { write: '100ms' } });
    const exchange = await feed.owe(adt('M1').trimEnd() + `\rNTE|1||${'x'.repeat(8_000_000)}`);
    await until(() => feed.queue.status().fault === 'GH-7001', 'given up');
    assert.ok(states(await feed.told(exchange)).every((state) => !state.endsWith('?')));
    await feed.stop();
    deaf.close();
  });

  describe('over tls', () => {
    /** A receiver that speaks TLS before what the plain one speaks. */
    async function secured(options: tls.TlsOptions): Promise<tls.Server> {
      const server = tls.createServer({ requestCert: true, ...options }, (socket) => {
        const plain = net.connect(receiver.port, '127.0.0.1');
        socket.on('error', () => plain.destroy());
        plain.on('error', () => socket.destroy());
        socket.pipe(plain).pipe(socket);
      });
      server.on('tlsClientError', () => {});
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }
    const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port;

    it('row 39: is told why it is not trusted, nothing is sent, and it goes on once it is', async () => {
      const trust = await authority('Trust');
      const theirs = await certificate(trust, 'epr.test');
      const ours = await certificate(trust, 'gatehouse.test');
      const stranger = await certificate(await authority('Other'), 'epr.test');
      const server = await secured({ ...stranger, ca: trust.cert });
      feed = await startLoneFeed({ port: portOf(server), tls: ours });
      const exchange = await feed.owe(adt('M1'));
      await until(() => feed.queue.status().fault === 'GH-7001', 'refused');
      await until(async () => (await feed.told(exchange)).length > 2, 'told');
      const why = (await feed.told(exchange)).find(({ note }) => note?.state === 'failed');
      assert.match(String(why?.note?.detail), /UNABLE_TO_|SELF_SIGNED/);
      assert.deepEqual(receiver.ids(), []);
      server.setSecureContext({ ...theirs, ca: trust.cert });
      await until(idle, 'delivered');
      assert.deepEqual(receiver.ids(), ['M1']);
      server.close();
    });

    it('row 39: speaks nothing older than TLS 1.2', async () => {
      const trust = await authority('Trust');
      const theirs = await certificate(trust, 'epr.test');
      const server = await secured({ ...theirs, ca: trust.cert, maxVersion: 'TLSv1.1' });
      feed = await startLoneFeed({ port: portOf(server), tls: theirs });
      await feed.owe(adt('M1'));
      await until(() => feed.queue.status().fault === 'GH-7001', 'refused');
      assert.deepEqual(receiver.ids(), []);
      server.close();
    });
  });
});
