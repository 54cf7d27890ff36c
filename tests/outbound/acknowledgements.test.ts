/** Original and enhanced mode as we send, and application acknowledgements on either connection. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { parseMessage } from '../../engine/hl7/message.ts';
import { framed, rawPeer } from '../world.ts';
import { type LoneFeed, adt, startLoneFeed, states, until } from './lone-feed.ts';
import { type Receiver, acknowledge, startReceiver } from './receiver.ts';

const both = '|||AL|AL';

describe('acknowledgements of what is sent', () => {
  let receiver: Receiver;
  let feed: LoneFeed;
  const idle = () => feed.queue.status().depth === 0;
  const discarded = () => feed.events.filter(({ name }) => name === 'delivery.ackDiscarded').length;
  const start = async (destination: Record<string, unknown> = {}) => {
    feed = await startLoneFeed({ port: receiver.port, destination });
  };

  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await feed.stop();
    await receiver.close();
  });

  const verdicts = {
    AA: 'delivered',
    CA: 'delivered',
    AE: 'parked GH-7004',
    AR: 'parked GH-7005',
    CE: 'parked GH-7006',
    CR: 'parked GH-7007',
    XX: 'parked GH-7003',
  };
  it('row 35: does with each code what the site says, and an unknown one says nothing', async () => {
    const refused = Object.fromEntries(
      ['AE', 'AR', 'CE', 'CR', 'unreadable'].map((code) => [code, 'park']),
    );
    await start({ refused });
    receiver.react = (message) => acknowledge(message, message.get('MSH-10'));
    for (const [code, state] of Object.entries(verdicts)) {
      const exchange = await feed.owe(adt(code));
      await until(idle, code);
      assert.deepEqual(states(await feed.told(exchange)), ['owed', 'sending', state]);
    }
  });

  it('parks what brings a receiver down, where the site says so, and the next one goes', async () => {
    await start({ refused: { unanswered: 'retry 1' }, timeout: '40ms' });
    receiver.react = (message) =>
      message.get('MSH-10') === 'BAD' ? 'silence' : acknowledge(message);
    const exchange = await feed.owe(adt('BAD'));
    await feed.owe(adt('M2'));
    await until(idle, 'done with both');
    assert.deepEqual(receiver.ids(), ['BAD', 'BAD', 'M2']);
    assert.deepEqual(states(await feed.told(exchange)).slice(-2), ['sending?', 'parked GH-7002']);
  });

  it('leaves MSH-15 and MSH-16 as received unless told, and asks as it is told', async () => {
    const asked = async (acknowledge: string | undefined, more: string) => {
      await start(acknowledge === undefined ? {} : { acknowledge });
      await feed.owe(adt('M1', '1', more));
      await until(idle, 'delivered');
      await feed.stop();
      const sent = receiver.messages.pop();
      return [sent?.get('MSH-15') ?? '', sent?.get('MSH-16') ?? '', sent?.raw('MSH')?.length];
    };
    const plain = adt('M1', '1').indexOf('\r');
    assert.deepEqual(await asked(undefined, ''), ['', '', plain]);
    assert.deepEqual(await asked('original', ''), ['', '', plain]);
    assert.deepEqual(await asked('original', both), ['', '', plain + 4]);
    receiver.react = (message) => acknowledge(message, 'CA');
    assert.deepEqual(await asked('accept', ''), ['AL', 'NE', plain + 8]);
    assert.deepEqual(await asked(undefined, '|||AL|NE'), ['AL', 'NE', plain + 8]);
  });

  it('parks what asks for no acknowledgement at all: nobody would know that it arrived', async () => {
    await start();
    const exchange = await feed.owe(adt('M1', '1', '|||NE|NE'));
    await until(idle, 'parked');
    assert.deepEqual(states(await feed.told(exchange)), ['owed', 'parked GH-7008']);
    assert.deepEqual(receiver.ids(), []);
  });

  it('waits for the application after CA, on the same connection, in one chunk or later', async () => {
    await start({ acknowledge: 'accept+application' });
    receiver.react = (message) => acknowledge(message, 'CA') + acknowledge(message, 'AA');
    await feed.owe(adt('M1'));
    await until(idle, 'delivered');
    receiver.react = (message) => {
      const [socket] = receiver.sockets;
      setTimeout(() => socket?.write(acknowledge(message, 'AE')), 20);
      return acknowledge(message, 'CA');
    };
    const second = await feed.owe(adt('M2'));
    await until(() => feed.queue.status().fault === 'GH-7004', 'refused by the application');
    await until(async () => (await feed.told(second)).length > 2, 'told');
    assert.deepEqual(states(await feed.told(second)).slice(0, 3), [
      ...['owed', 'sending', 'failed GH-7004'],
    ]);
    assert.equal(receiver.accepted, 1);
  });

  it('takes AA at once from a receiver that knows no enhanced mode', async () => {
    await start({ acknowledge: 'accept+application' });
    const exchange = await feed.owe(adt('M1'));
    await until(idle, 'delivered');
    assert.deepEqual(states(await feed.told(exchange)), ['owed', 'sending', 'delivered']);
  });

  it('parks what was accepted and never worked on; a late acknowledgement settles nothing', async () => {
    await start({ acknowledge: 'accept+application', applicationAcks: { timeout: '30ms' } });
    receiver.react = (message) => acknowledge(message, 'CA');
    const exchange = await feed.owe(adt('M1'));
    await until(idle, 'parked');
    assert.deepEqual(states(await feed.told(exchange)), ['owed', 'sending', 'parked GH-7010']);
    const [socket] = receiver.sockets;
    const [message] = receiver.messages;
    assert.ok(message);
    socket?.write(acknowledge(message, 'AA'));
    await until(() => discarded() === 1, 'discarded');
    assert.equal((await feed.told(exchange)).length, 3);
  });

  describe('on a connection of their own', () => {
    let port: number;
    let peer: Awaited<ReturnType<typeof rawPeer>>;
    const ack = (id: string, code: string, from = 'EPR|R0A', mode = '|||AL|NE') =>
      framed(
        `MSH|^~\\&|${from}|MILLENNIUM|R0A|20260604101501||ACK^A08^ACK|K1|P|2.4${mode}\rMSA|${code}|${id}\r`,
      );

    beforeEach(async () => {
      port = await freePort();
      await start({
        acknowledge: 'accept+application',
        applicationAcks: { port: String(port), timeout: '5s' },
      });
      receiver.react = (message) => acknowledge(message, 'CA');
      peer = await rawPeer(port);
    });
    afterEach(() => peer.socket.destroy());

    it('are known by MSA-2 and their sender, and accepted once the outcome is stored', async () => {
      const exchange = await feed.owe(adt('M1'));
      await receiver.arrived(1);
      peer.write(ack('M1', 'AA', 'OTHER|R0A') + ack('M9', 'AA') + ack('M1', 'CA'));
      for (const id of ['K1', 'K1', 'K1']) {
        const answer = parseMessage(await peer.next());
        assert.equal(answer.get('MSA-1'), 'CR');
        assert.equal(answer.get('MSA-2'), id);
      }
      assert.equal(discarded(), 3);
      assert.deepEqual(states(await feed.told(exchange)), ['owed', 'sending']);
      peer.write(ack('M1', 'AA'));
      const answer = parseMessage(await peer.next());
      assert.equal(answer.get('MSA-1'), 'CA');
      assert.deepEqual(states(await feed.told(exchange)), ['owed', 'sending', 'delivered']);
    });

    it('settle what was worked on, though its accept acknowledgement never came', async () => {
      receiver.react = () => 'silence';
      const exchange = await feed.owe(adt('M1'));
      await receiver.arrived(1);
      peer.write(ack('M1', 'AA'));
      assert.equal(parseMessage(await peer.next()).get('MSA-1'), 'CA');
      assert.deepEqual(states(await feed.told(exchange)), ['owed', 'sending', 'delivered']);
      assert.deepEqual(receiver.ids(), ['M1']);
    });

    it('say what an application refuses, and are not answered where they ask for nothing', async () => {
      const exchange = await feed.owe(adt('M1'));
      await receiver.arrived(1);
      peer.write(ack('M1', 'AE', 'EPR|R0A', ''));
      await until(async () => (await feed.told(exchange)).length > 2, 'told');
      assert.deepEqual(states(await feed.told(exchange))[2], 'failed GH-7004');
      await assert.rejects(peer.next(50), /nothing came in time/);
    });
  });
});

describe('a port for application acknowledgements that another process holds', () => {
  it('keeps back what would be acknowledged there, and all goes on once it is free', async () => {
    const receiver = await startReceiver();
    receiver.react = (message) => acknowledge(message, 'AA');
    const holder = net.createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as net.AddressInfo;
    const feed = await startLoneFeed({
      port: receiver.port,
      destination: {
        acknowledge: 'accept+application',
        applicationAcks: { port: String(port) },
      },
    });
    await feed.owe(adt('M1'));
    await until(() => feed.queue.status().state === 'down', 'down');
    assert.equal(feed.queue.status().fault, 'GH-7001');
    assert.deepEqual(receiver.ids(), []);
    holder.close();
    await receiver.arrived(1);
    await until(() => feed.queue.status().depth === 0, 'delivered');
    assert.equal(feed.queue.status().parked, 0);
    await feed.stop();
    await receiver.close();
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
