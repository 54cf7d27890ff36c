import assert from 'node:assert/strict';
import net from 'node:net';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { FaultError } from '../../engine/faults.ts';
import type { FaultName } from '../../engine/faults.ts';
import { createDestination, ReplyError } from '../../engine/mllp/destination.ts';
import type { DestinationOptions, MllpDestination } from '../../engine/mllp/destination.ts';
import { authority, certificate } from './certificates.ts';
import type { Authority, Certified } from './certificates.ts';
import { rawPeer, sleep, until, wire } from './wire.ts';
import type { RawPeer } from './wire.ts';

/** A system that is asked: raw bytes, one `RawPeer` for each connection it got. */
interface Asked {
  port: number;
  connections: RawPeer[];
  server: net.Server;
}

const open: { close(): void }[] = [];

async function asked(
  onMessage: (text: string, peer: RawPeer, connection: number) => void = () => {},
  secure?: Certified,
): Promise<Asked> {
  const connections: RawPeer[] = [];
  const accept = (socket: Socket): void => {
    const peer = rawPeer(socket);
    connections.push(peer);
    const number = connections.length;
    let taken = 0;
    socket.on('data', () => {
      for (const text of peer.answers().slice(taken)) {
        taken++;
        onMessage(text, peer, number);
      }
    });
  };
  const server = secure
    ? tls.createServer({ ...secure, requestCert: true }, accept)
    : net.createServer(accept);
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await until(() => server.listening, 'listening');
  open.push({
    close() {
      for (const { socket } of connections) socket.destroy();
      server.close();
    },
  });
  return { port: (server.address() as net.AddressInfo).port, connections, server };
}

/** Requests are `ask ID`, replies `reply ID …`. */
function destination(port: number, more: Partial<DestinationOptions> = {}): MllpDestination {
  const made = createDestination(
    {
      name: 'gp',
      host: '127.0.0.1',
      port,
      connectMs: 5000,
      writeMs: 5000,
      answerMs: 5000,
      maxReplyBytes: 100_000,
      graceMs: 20,
      ...more,
    },
    (reply) => /^reply (\w+)/.exec(reply.toString('latin1'))?.[1],
  );
  open.push(made);
  return made;
}

const never = new AbortController().signal;

async function ask(d: MllpDestination, id: string, signal = never): Promise<string> {
  return (await d.ask(Buffer.from(`ask ${id}`), id, signal)).toString('latin1');
}

function failsWith(promise: Promise<unknown>, name: FaultName): Promise<void> {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof FaultError);
    assert.equal(error.fault.name, name);
    return true;
  });
}

const idOf = (text: string): string => text.slice('ask '.length);
const echo = (text: string, peer: RawPeer): void => peer.send(`<reply ${idOf(text)}>`);

describe('mllp destination', () => {
  afterEach(() => {
    for (const thing of open.splice(0)) thing.close();
  });

  it('asks and gives the reply exactly, one request at a time on one kept connection', async () => {
    const seen: string[] = [];
    const gp = await asked((text, peer) => {
      seen.push(text);
      setTimeout(() => echo(text, peer), 5);
    });
    const d = destination(gp.port);
    const replies = await Promise.all(['1', '2', '3'].map((id) => ask(d, id)));
    assert.deepEqual(replies, ['reply 1', 'reply 2', 'reply 3']);
    assert.deepEqual(seen, ['ask 1', 'ask 2', 'ask 3']);
    assert.equal(gp.connections.length, 1);
  });

  it('never sends a second request before the first is answered', async () => {
    const gp = await asked();
    const d = destination(gp.port);
    const both = [ask(d, '1'), ask(d, '2')];
    await until(() => gp.connections[0]?.answers().length === 1, 'the first request');
    await sleep(20);
    assert.deepEqual(gp.connections[0]?.answers(), ['ask 1']);
    gp.connections[0]?.send('<reply 1>');
    await until(() => gp.connections[0]?.answers().length === 2, 'the second request');
    gp.connections[0]?.send('<reply 2>');
    assert.deepEqual(await Promise.all(both), ['reply 1', 'reply 2']);
  });

  it('asks on as many connections as it may', async () => {
    const gp = await asked();
    const d = destination(gp.port, { connections: 2 });
    const all = ['1', '2', '3'].map((id) => ask(d, id));
    const requests = () => gp.connections.flatMap((peer) => peer.answers());
    await until(() => requests().length === 2, 'two requests');
    await sleep(20);
    assert.deepEqual(requests().sort(), ['ask 1', 'ask 2']);
    for (const peer of gp.connections) peer.send(`<reply ${idOf(peer.answers()[0] ?? '')}>`);
    await until(() => requests().length === 3, 'the third request');
    for (const peer of gp.connections) peer.send('<reply 3>');
    assert.deepEqual(await Promise.all(all), ['reply 1', 'reply 2', 'reply 3']);
    assert.equal(gp.connections.length, 2);
  });

  it('row 32: no reply in time resets the connection; the next request gets a new one', async () => {
    const gp = await asked((text, peer, connection) => {
      if (connection > 1) echo(text, peer);
    });
    const d = destination(gp.port, { answerMs: 40 });
    await failsWith(ask(d, '1'), 'gpTimeout');
    await gp.connections[0]?.ended();
    assert.equal(await ask(d, '2'), 'reply 2');
    assert.equal(gp.connections.length, 2);
  });

  it('row 33: a late or foreign reply never settles another request', async () => {
    const gp = await asked((text, peer) => {
      const id = idOf(text);
      if (id === '1') peer.send('<reply 1><reply 1 again>');
      else peer.send(`<reply 1 late><reply other><reply ${id}>`);
    });
    const d = destination(gp.port);
    assert.equal(await ask(d, '1'), 'reply 1');
    assert.equal(await ask(d, '2'), 'reply 2');
    assert.equal(await ask(d, '3'), 'reply 3');
  });

  it('row 33: only foreign replies are no reply', async () => {
    const gp = await asked((_text, peer) => peer.send('<reply other>'));
    await failsWith(ask(destination(gp.port, { answerMs: 40 }), '1'), 'gpTimeout');
  });

  for (const [what, reply] of [
    ['empty', '<>'],
    ['not HL7', '<hello>'],
    ['without VT', 'reply 1\r'],
    ['without VT but with an end', 'reply 1>'],
    ['cut short by another', '<MSH|rep<MSH|rep'],
  ] as const) {
    it(`row 34: a reply that is ${what} is unreadable, and its connection not used again`, async () => {
      const gp = await asked((text, peer, connection) => {
        if (connection === 1) peer.send(reply);
        else echo(text, peer);
      });
      const d = destination(gp.port);
      await failsWith(ask(d, '1'), 'gpReplyUnreadable');
      await gp.connections[0]?.ended();
      assert.equal(await ask(d, '2'), 'reply 2');
    });
  }

  it('row 34: a reply cut short by the end of the connection is unreadable; its bytes are kept', async () => {
    const gp = await asked((_text, peer) => {
      peer.send('<reply 1 ha');
      peer.socket.end();
    });
    await assert.rejects(
      ask(destination(gp.port), '1'),
      (error) =>
        error instanceof ReplyError &&
        error.fault.name === 'gpReplyUnreadable' &&
        error.reply.toString() === 'reply 1 ha',
    );
  });

  it('row 34: a correlation that fails on a reply makes it unreadable, nothing worse', async () => {
    const gp = await asked(echo);
    const { port } = gp;
    const limits = { connectMs: 5000, writeMs: 5000, answerMs: 5000, maxReplyBytes: 1000 };
    const d = createDestination({ name: 'gp', host: '127.0.0.1', port, ...limits }, () => {
      throw new Error('no MSA');
    });
    open.push(d);
    await failsWith(ask(d, '1'), 'gpReplyUnreadable');
  });

  it('takes a reply in several chunks, after newlines or noise, and without its last CR', async () => {
    const gp = await asked((text, peer) => {
      const framed = [...wire(`\r\nnoise<reply ${idOf(text)} long^`)];
      framed.forEach((byte) => peer.socket.write(Buffer.from([byte])));
    });
    assert.equal(await ask(destination(gp.port), '1'), 'reply 1 long');
  });

  it('a reply that is too long is refused, within bounded memory', async () => {
    const gp = await asked((_text, peer) => peer.send(`<reply 1 ${'x'.repeat(300_000)}>`));
    await failsWith(ask(destination(gp.port), '1'), 'gpReplyTooLong');
  });

  it('row 36: a connection the peer closed meanwhile is noticed and replaced', async () => {
    const gp = await asked(echo);
    const d = destination(gp.port);
    assert.equal(await ask(d, '1'), 'reply 1');
    const [first] = gp.connections;
    first?.socket.end();
    await first?.ended();
    await sleep(10);
    assert.equal(await ask(d, '2'), 'reply 2');
    assert.equal(gp.connections.length, 2);
  });

  it('row 36: a connection refused is unavailable: nothing was asked', async () => {
    const gp = await asked();
    gp.server.close();
    await until(() => !gp.server.listening, 'closed');
    await failsWith(ask(destination(gp.port), '1'), 'gpUnavailable');
  });

  it('row 36: a reset after the request was written is ambiguous', async () => {
    const gp = await asked((_text, peer) => peer.socket.resetAndDestroy());
    await failsWith(ask(destination(gp.port), '1'), 'gpTimeout');
  });

  it('row 36: a close without a reply is ambiguous', async () => {
    const gp = await asked((_text, peer) => peer.socket.end());
    await failsWith(ask(destination(gp.port), '1'), 'gpTimeout');
  });

  it('row 38: a peer that reads nothing ends the writing in time: it has not got the end', async () => {
    const gp = await asked();
    gp.server.on('connection', (socket: Socket) => socket.pause());
    const d = destination(gp.port, { writeMs: 60 });
    await failsWith(d.ask(Buffer.alloc(64_000_000, 'x'), '1', never), 'gpUnavailable');
  });

  it('a peer that never answers the handshake is given up in time', async () => {
    const gp = await asked();
    const d = destination(gp.port, { connectMs: 40, tls: {} });
    await failsWith(ask(d, '1'), 'gpUnavailable');
  });

  it('ends at once when its signal does, and never uses that connection again', async () => {
    const gp = await asked((text, peer, connection) => {
      if (connection > 1) echo(text, peer);
    });
    const d = destination(gp.port);
    const deadline = new AbortController();
    const first = ask(d, '1', deadline.signal);
    const queued = ask(d, '2', deadline.signal);
    const third = ask(d, '3');
    await until(() => gp.connections[0]?.answers().length === 1, 'the first request');
    deadline.abort();
    await Promise.all([failsWith(first, 'deadlinePassed'), failsWith(queued, 'deadlinePassed')]);
    assert.equal(await third, 'reply 3');
    await gp.connections[0]?.ended();
    await failsWith(ask(d, '4', deadline.signal), 'deadlinePassed');
    assert.deepEqual(
      gp.connections.flatMap((peer) => peer.answers()),
      ['ask 1', 'ask 3'],
    );
  });

  it('throws the reason of its signal where that is a fault', async () => {
    const gp = await asked();
    const stopping = new AbortController();
    const asking = ask(destination(gp.port), '1', stopping.signal);
    stopping.abort(new FaultError({ name: 'shuttingDown' }));
    await failsWith(asking, 'shuttingDown');
  });

  it('closes: what is under way and what waits rejects, what comes is refused', async () => {
    const gp = await asked();
    const d = destination(gp.port);
    const both = [ask(d, '1'), ask(d, '2')];
    await until(() => gp.connections[0]?.answers().length === 1, 'the first request');
    d.close();
    for (const promise of both) await failsWith(promise, 'shuttingDown');
    await failsWith(ask(d, '3'), 'shuttingDown');
    await gp.connections[0]?.ended();
  });

  it('never sends a request whose beginning would pass for the whole', async () => {
    const gp = await asked(echo);
    const d = destination(gp.port);
    await failsWith(d.ask(Buffer.from('a\x1c\rb'), '1', never), 'internalError');
    assert.equal(await ask(d, '2'), 'reply 2');
    assert.deepEqual(gp.connections[0]?.answers(), ['ask 2']);
  });

  describe('over tls', () => {
    let trust: Authority;
    let gpCertificate: Certified;
    let ours: Certified;
    before(async () => {
      trust = await authority('Test CA');
      gpCertificate = await certificate(trust, 'gp.test');
      ours = await certificate(trust, 'engine.test');
    });

    it('asks with our certificate where the peer is who it should be', async () => {
      const gp = await asked(echo, gpCertificate);
      assert.equal(await ask(destination(gp.port, { tls: ours }), '1'), 'reply 1');
      const named = { ...ours, servername: 'gp.test' };
      assert.equal(await ask(destination(gp.port, { tls: named }), '1'), 'reply 1');
    });

    const bad: [string, () => Promise<[Certified, Partial<Certified>, string?]>, RegExp][] = [
      [
        'an unknown authority',
        async () => [await certificate(await authority('Other'), 'gp.test'), { ca: trust.cert }],
        /UNABLE_TO_|SELF_SIGNED/,
      ],
      [
        'an expired certificate',
        async () => [
          await certificate(trust, 'gp.test', { until: new Date(Date.now() - 86_400_000) }),
          { ca: trust.cert },
        ],
        /CERT_HAS_EXPIRED/,
      ],
      ['another name', async () => [gpCertificate, ours, 'other.test'], /ALTNAME/],
      ['no certificate of ours', async () => [gpCertificate, { ca: trust.cert }], /./],
    ];
    for (const [what, prepare, reason] of bad) {
      it(`row 39: ${what} is refused with its reason`, async () => {
        const [theirs, mine, servername] = await prepare();
        const seen: string[] = [];
        const gp = await asked((text) => seen.push(text), theirs);
        const d = destination(gp.port, { tls: { ...mine, servername } });
        await assert.rejects(ask(d, '1'), (error) => {
          assert.ok(error instanceof FaultError);
          assert.match(error.fault.name, /^gp(Unavailable|Timeout)$/);
          assert.match(error.fault.detail ?? '', reason);
          return true;
        });
        assert.deepEqual(seen, []);
      });
    }

    it('keys that do not fit fail each request, and hold up none', async () => {
      const gp = await asked(() => {}, gpCertificate);
      const other = await authority('other');
      const d = destination(gp.port, { tls: { ...ours, key: other.key } });
      for (const id of ['1', '2']) await failsWith(ask(d, id), 'gpUnavailable');
    });

    it('row 39: a peer that speaks plain MLLP is refused', async () => {
      const gp = await asked((_text, peer) => peer.send('<reply 1>'));
      gp.server.on('connection', (socket: Socket) => socket.write(wire('<hello>')));
      await failsWith(ask(destination(gp.port, { tls: ours }), '1'), 'gpUnavailable');
    });
  });
});
