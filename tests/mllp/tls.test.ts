import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { faults } from '../../engine/faults.ts';
import type { SourceTls } from '../../engine/mllp/listener.ts';
import { authority, certificate } from './certificates.ts';
import type { Authority, Certified } from './certificates.ts';
import { closeAll, listening, sleep, until } from './wire.ts';
import type { Listening } from './wire.ts';

/** What a TLS client says first; its random bytes may hold an end of frame: not this one's. */
async function hello(): Promise<Buffer> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    for (;;) {
      const client = tls.connect({ ...(server.address() as net.AddressInfo), host: '127.0.0.1' });
      client.on('error', () => {});
      const [socket] = (await once(server, 'connection')) as [net.Socket];
      const [said] = (await once(socket, 'data')) as [Buffer];
      client.destroy();
      socket.destroy();
      if (!said.includes('\x1c\r')) return said;
    }
  } finally {
    server.close();
  }
}

describe('mllp over tls', () => {
  let trust: Authority;
  let strangers: Authority;
  let server: Certified;
  let client: Certified;

  before(async () => {
    [trust, strangers] = await Promise.all([authority('Test CA'), authority('Other CA')]);
    [server, client] = await Promise.all([
      certificate(trust, 'engine.test'),
      certificate(trust, 'hospital.test'),
    ]);
  });
  afterEach(closeAll);

  /** Listens with mutual TLS unless told. */
  function secured(more: Partial<SourceTls> = {}, inFrameMs = 30_000): Promise<Listening> {
    const { cert, key, ca } = server;
    return listening({
      tls: { cert, key, ca, requireClientCertificate: true, ...more },
      limits: { inFrameMs },
    });
  }

  /** The reasons of the refusals so far. */
  function reasons(l: Listening): (string | undefined)[] {
    return l.events.flatMap(({ name, fields }) => {
      if (name !== 'connection.refused') return [];
      assert.equal(fields.code, faults.tlsRefused.code);
      return [fields.detail];
    });
  }

  /** That this peer is refused for this reason, and that a good one is served after it. */
  async function refused(
    l: Listening,
    options: tls.ConnectionOptions,
    reason: RegExp,
  ): Promise<void> {
    const bad = l.tlsPeer(options);
    bad.send('<MSH|bad>');
    await until(() => reasons(l).length > 0, 'the refusal');
    assert.match(reasons(l)[0] ?? '', reason);
    await bad.ended();
    const good = l.tlsPeer({ ...client });
    good.send('<MSH|1>');
    assert.deepEqual(await good.first(1), ['ok MSH|1']);
    assert.deepEqual(l.seen(), ['MSH|1']);
  }

  it('carries messages both ways, and knows the client by its certificate', async () => {
    const l = await secured();
    const peer = l.tlsPeer({ ...client });
    peer.send('<MSH|1><MSH|2>');
    assert.deepEqual(await peer.first(2), ['ok MSH|1', 'ok MSH|2']);
    assert.equal(l.peers[0]?.certificate, 'hospital.test');
  });

  it('needs no client certificate unless told', async () => {
    const l = await secured({ requireClientCertificate: false });
    const peer = l.tlsPeer({ ca: trust.cert });
    peer.send('<MSH|1>');
    assert.deepEqual(await peer.first(1), ['ok MSH|1']);
    assert.equal(l.peers[0]?.certificate, undefined);
  });

  it('never trusts the public authorities to name its clients', async () => {
    await assert.rejects(secured({ ca: undefined }), /needs ca/);
  });

  it('answers a peer that has closed its side', async () => {
    const l = await secured();
    const peer = l.tlsPeer({ ...client });
    peer.socket.end('\x0bMSH|1\x1c\r');
    assert.deepEqual(await peer.first(1), ['ok MSH|1']);
    await until(() => l.settled.length === 1, 'settled');
    assert.deepEqual(l.settled, ['ok MSH|1 delivered']);
  });

  it('row 39: a client certificate of an unknown authority is refused', async () => {
    const stranger = await certificate(strangers, 'hospital.test');
    await refused(
      await secured(),
      { ...stranger, ca: trust.cert },
      /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/,
    );
  });

  it('row 39: an expired client certificate is refused', async () => {
    const until = new Date(Date.now() - 86_400_000);
    const expired = await certificate(trust, 'hospital.test', { until });
    await refused(await secured(), { ...expired }, /^CERT_HAS_EXPIRED$/);
  });

  it('row 39: a missing client certificate is refused', async () => {
    await refused(await secured(), { ca: trust.cert }, /DID_NOT_RETURN_A_CERTIFICATE/);
  });

  it('row 39: TLS older than 1.2 is refused', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
    await refused(await secured(), { ...client, ...old }, /UNSUPPORTED_PROTOCOL/);
  });

  it('row 39: TLS 1.2 is refused where 1.3 is asked for', async () => {
    const l = await secured({ minVersion: 'TLSv1.3' });
    await refused(l, { ...client, maxVersion: 'TLSv1.2' }, /UNSUPPORTED_PROTOCOL/);
  });

  it('row 39: a client that does not trust us gets nothing in, and harms nothing', async () => {
    const l = await secured();
    const peer = l.tlsPeer({ ...client, ca: strangers.cert });
    peer.send('<MSH|bad>');
    await peer.ended();
    assert.deepEqual(l.seen(), []);
    const good = l.tlsPeer({ ...client });
    good.send('<MSH|1>');
    assert.deepEqual(await good.first(1), ['ok MSH|1']);
  });

  it('row 39: plain MLLP on a TLS port is refused', async () => {
    const l = await secured();
    const plain = l.peer();
    plain.send('<MSH|1>');
    await plain.ended();
    await until(() => reasons(l).length > 0, 'the refusal');
    assert.match(reasons(l)[0] ?? '', /SSL/);
    assert.deepEqual(l.seen(), []);
  });

  it('row 39: TLS on a plain port is no message', async () => {
    const l = await listening({ limits: { graceMs: 20 } });
    const peer = l.peer();
    peer.socket.write(await hello());
    await until(() => l.arrivals.length > 0, 'the report');
    assert.ok(l.arrivals.every((arrival) => arrival.kind === 'broken'));
    peer.socket.destroy();
  });

  it('row 30: a handshake that never ends is timed out, and does not hold up a stop', async () => {
    const l = await secured({}, 60);
    const silent = l.peer();
    await silent.ended();
    assert.equal(reasons(l).length, 1);
    const again = net.connect(l.port, '127.0.0.1');
    again.on('error', () => {});
    await until(() => !again.connecting, 'connected');
    await sleep(10);
    await l.source.stop(0);
    again.destroy();
  });

  it('takes other certificates for connections to come, and keeps those that are', async () => {
    const l = await secured();
    const before = l.tlsPeer({ ...client });
    before.send('<MSH|1>');
    await before.first(1);
    const renewed = await certificate(strangers, 'engine.test');
    l.change({ tls: { ...renewed, ca: trust.cert, requireClientCertificate: true } });
    const after = l.tlsPeer({ ...client, ca: strangers.cert });
    after.send('<MSH|2>');
    assert.deepEqual(await after.first(1), ['ok MSH|2']);
    before.send('<MSH|3>');
    assert.deepEqual(await before.first(2), ['ok MSH|1', 'ok MSH|3']);
    l.change({ tls: undefined });
    const plain = l.peer();
    plain.send('<MSH|4>');
    assert.deepEqual(await plain.first(1), ['ok MSH|4']);
    before.send('<MSH|5>');
    assert.equal((await before.first(3)).at(-1), 'ok MSH|5');
  });

  it('keeps what it has where other certificates cannot be used', async () => {
    const l = await secured();
    const { key } = client;
    assert.throws(() => l.change({ tls: { cert: server.cert, key } }), /key values mismatch/);
    const peer = l.tlsPeer({ ...client });
    peer.send('<MSH|1>');
    assert.deepEqual(await peer.first(1), ['ok MSH|1']);
    assert.equal(typeof l.peers[0]?.certificateUntil, 'number');
  });
});
