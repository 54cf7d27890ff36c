import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { generate } from 'selfsigned';
import type { HttpReply } from '../../engine/gp/http.ts';
import type { Attempt } from '../../engine/gp/port.ts';
import { type Handler, attempt, client, closeAll, json, serve, text, textOf } from './outside.ts';

const get = (url: string) => ({
  interaction: 'test read',
  method: 'GET' as const,
  url,
  headers: { Accept: 'application/fhir+json' },
});

/** Ask a server that answers so, once. */
async function askOnce(
  handler: Handler,
  options: Parameters<typeof client>[0] = {},
  overrides: Partial<Attempt> = {},
): Promise<HttpReply> {
  const { url } = await serve(handler);
  return client(options).ask(get(`${url}/x`), attempt(overrides));
}

const encoded = (encoding: string, body: Buffer, status = 200): Handler => {
  return (_, response) => response.writeHead(status, { 'Content-Encoding': encoding }).end(body);
};

function assertFailure(reply: HttpReply, failure: string, detail: RegExp): void {
  assert.equal(reply.failure, failure);
  assert.match('detail' in reply ? reply.detail : '', detail);
}

describe('the HTTP caller of the GP side', () => {
  afterEach(closeAll);

  it('gives status, JSON and the exact bytes, and records the request it sent', async () => {
    const body = '{ "a" : 1.10,\r\n "name": "M\u00fcller" }\n';
    const server = await serve(text(200, body));
    const to = attempt();
    const reply = await client({ name: 'pds' }).ask(
      { ...get(`${server.url}/Patient/$op?q=a%7Cb`), method: 'POST', body: '{"x":"\u00e9"}' },
      to,
    );
    assert.equal(reply.failure, undefined);
    assert.equal(reply.hop.status, 200);
    assert.equal(textOf(reply.hop.reply), body);
    assert.equal(reply.hop.to, 'pds');
    assert.equal(reply.hop.interaction, 'test read');
    assert.ok(reply.hop.endedAt >= reply.hop.startedAt);
    assert.equal(server.seen[0]?.path, '/Patient/$op?q=a%7Cb');
    assert.equal(server.seen[0]?.body, '{"x":"\u00e9"}');
    const sent = textOf(reply.hop.request);
    assert.match(sent, /^POST \/Patient\/\$op\?q=a%7Cb HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
    assert.ok(sent.endsWith('\r\n\r\n{"x":"\u00e9"}'));
    assert.deepEqual(to.asked[0]?.request, reply.hop.request);
  });

  it('has a large reply read apart, and tells a reader that ended from a reply that is no JSON', async () => {
    const body = JSON.stringify({ resourceType: 'Bundle', filler: 'x'.repeat(200_000) });
    const asked: [string, boolean][] = [];
    const read = (more: object) => {
      const readApart = async (bytes: Uint8Array, openingOnly: boolean) => {
        asked.push([textOf(bytes), openingOnly]);
        return { opening: true };
      };
      return askOnce(text(200, body), { readApart, ...more });
    };
    const reply = await read({});
    assert.ok(reply.failure === undefined);
    assert.deepEqual(reply.json, { opening: true });
    assert.equal(textOf(reply.hop.reply), body);
    assert.deepEqual(asked, [[body, false]]);
    const gone = Object.assign(new Error('1'), { name: 'ThreadGone' });
    assertFailure(
      await read({ readApart: () => Promise.reject(gone) }),
      'notJson',
      /thread .* ended/,
    );
    const half = () => Promise.reject(new SyntaxError('half'));
    assertFailure(await read({ readApart: half }), 'notJson', /not JSON/);
  });

  it('sends secrets and never records them', async () => {
    const server = await serve(json(200, {}));
    const to = attempt();
    const reply = await client().ask(
      { ...get(server.url), secrets: { Authorization: 'Bearer s3cret', apikey: 'k3y' } },
      to,
    );
    assert.equal(server.seen[0]?.headers.authorization, 'Bearer s3cret');
    assert.equal(server.seen[0]?.headers.apikey, 'k3y');
    for (const { request } of [reply.hop, ...to.asked]) {
      assert.match(textOf(request), /Authorization: \[removed\]\r\napikey: \[removed\]\r\n/);
      assert.doesNotMatch(textOf(request), /s3cret|k3y/);
    }
  });

  it('keeps every JSON text byte for byte, gzipped or not, in whatever pieces it comes', async () => {
    const server = await serve(json(200, {}));
    const http = client();
    await fc.assert(
      fc.asyncProperty(
        fc.json(),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }),
        async (body, zipped, cuts) => {
          server.use((_, response) => {
            response.writeHead(200, zipped ? { 'Content-Encoding': 'gzip' } : {});
            let rest = zipped ? gzipSync(body) : Buffer.from(body);
            for (const cut of cuts) {
              if (cut < rest.length) response.write(rest.subarray(0, cut));
              rest = cut < rest.length ? rest.subarray(cut) : rest;
            }
            response.end(rest);
          });
          const reply = await http.ask(get(server.url), attempt());
          assert.equal(reply.failure, undefined);
          assert.equal(textOf(reply.hop.reply), body);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('asks for gzip and nothing else', async () => {
    const server = await serve(json(200, {}));
    await client().ask(get(server.url), attempt());
    assert.equal(server.seen[0]?.headers['accept-encoding'], 'gzip');
    assertFailure(
      await askOnce(encoded('br', brotliCompressSync('{}'))),
      'badEncoding',
      /^HTTP 200, content encoding not asked for$/,
    );
  });

  it('tells a gzip stream that ends early from one that is none, keeping what was read', async () => {
    const whole = gzipSync(
      JSON.stringify({ list: Array.from({ length: 9000 }, (_, i) => i * 7919) }),
    );
    const cut = await askOnce(encoded('gzip', whole.subarray(0, whole.length - 500)));
    assertFailure(cut, 'cutShort', /^HTTP 200, Z_BUF_ERROR$/);
    assert.match(textOf(cut.hop.reply), /^\{"list":\[0,7919,/);
    assertFailure(
      await askOnce(encoded('gzip', Buffer.from('{"not":"gzip"}'))),
      'badEncoding',
      /Z_DATA_ERROR/,
    );
  });

  it('notices a body that ends before its Content-Length, or inside a chunk', async () => {
    const short = await askOnce((_, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('{"a":', () => response.destroy());
    });
    assertFailure(short, 'cutShort', /^HTTP 200, [A-Z_]+$/);
    assert.equal(textOf(short.hop.reply), '{"a":');
    const chunk = await askOnce((_, response) => {
      response.writeHead(200);
      response.write('{"a":1}', () => response.destroy());
    });
    assertFailure(chunk, 'cutShort', /^HTTP 200, [A-Z_]+$/);
  });

  it('takes only JSON in UTF-8 for JSON', async () => {
    assertFailure(await askOnce(text(200, '<html>')), 'notJson', /^HTTP 200, not JSON$/);
    assertFailure(await askOnce(text(200, '')), 'notJson', /not JSON/);
    const latin1 = Buffer.from('{"a":"\u00e9"}', 'latin1');
    assertFailure(await askOnce(encoded('identity', latin1)), 'notJson', /not JSON/);
  });

  it('counts the limit after decompression, while it reads', async () => {
    const limit = 64 * 1024;
    const fits = JSON.stringify('x'.repeat(limit - 2));
    const exact = await askOnce(text(200, fits), { maxReplyBytes: limit });
    assert.equal(exact.failure, undefined);
    assertFailure(
      await askOnce(text(200, `${fits} `), { maxReplyBytes: limit }),
      'tooLong',
      /^HTTP 200, longer than 65536 bytes$/,
    );
    const bomb = gzipSync(Buffer.alloc(30 * 1024 ** 2, ' '));
    assert.ok(bomb.length < limit, 'small on the wire');
    const burst = await askOnce(encoded('gzip', bomb), { maxReplyBytes: limit });
    assertFailure(burst, 'tooLong', /longer/);
    assert.ok((burst.hop.reply?.length ?? 0) <= limit);
  });

  it('follows no redirect', async () => {
    const target = await serve(json(200, { a: 1 }));
    const reply = await askOnce((_, response) => {
      response.writeHead(302, { Location: target.url }).end('{}');
    });
    assert.equal(reply.hop.status, 302);
    assert.equal(target.connections(), 0);
  });

  it('lets an error status speak for itself, whatever its body', async () => {
    for (const handler of [
      text(502, '<html>Bad Gateway'),
      encoded('gzip', Buffer.from('x'), 502),
    ]) {
      const reply = await askOnce(handler);
      assert.equal(reply.failure, undefined);
      assert.ok('status' in reply && reply.status === 502 && reply.json === undefined);
    }
  });

  it('calls a refused and a reset connection unreachable', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.on('connection', (socket: Socket) =>
      socket.once('data', () => socket.resetAndDestroy()),
    );
    const reset = await client().ask(get(`http://127.0.0.1:${port}`), attempt());
    assertFailure(reset, 'unreachable', /^(ECONNRESET|UND_ERR_SOCKET)$/);
    assert.equal(reset.hop.status, undefined);
    assert.equal(reset.hop.reply, undefined);
    await new Promise((resolve) => server.close(resolve));
    const refused = await client().ask(get(`http://127.0.0.1:${port}`), attempt());
    assertFailure(refused, 'unreachable', /^ECONNREFUSED$/);
  });

  it('gives up by its own timeouts: for the headers, inside the body, and in all', async () => {
    const hang: Handler = () => {};
    assertFailure(
      await askOnce(hang, { timeouts: { headers: 40 } }),
      'noReply',
      /^UND_ERR_HEADERS_TIMEOUT$/,
    );
    const stall: Handler = (_, response) => response.writeHead(200).write('{"a":');
    const stalled = await askOnce(stall, { timeouts: { body: 40 } });
    assertFailure(stalled, 'noReply', /^HTTP 200, UND_ERR_BODY_TIMEOUT$/);
    assert.equal(textOf(stalled.hop.reply), '{"a":');
    const trickle: Handler = (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 5);
      response.on('close', () => clearInterval(timer));
    };
    assertFailure(
      await askOnce(trickle, { timeouts: { total: 60 } }),
      'noReply',
      /^HTTP 200, TimeoutError$/,
    );
  });

  it('ends at the deadline, before the headers and inside the body, and closes the connection', async () => {
    const starts: Handler[] = [() => {}, (_, response) => response.writeHead(200).write('{')];
    for (const start of starts) {
      const controller = new AbortController();
      let closed: Promise<unknown> = Promise.resolve();
      const reply = await askOnce(
        (seen, response) => {
          closed = once(response, 'close');
          start(seen, response);
          setTimeout(() => controller.abort(), 20);
        },
        {},
        { signal: controller.signal },
      );
      assertFailure(reply, 'deadline', /given up at the deadline$/);
      await closed;
    }
  });

  it('sends nothing before beforeAsk has resolved, and nothing at all when it rejects', async () => {
    const server = await serve(json(200, {}));
    let connectionsWhenStored = -1;
    const reply = await client().ask(
      get(server.url),
      attempt({
        beforeAsk: async () => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          connectionsWhenStored = server.connections();
        },
      }),
    );
    assert.equal(connectionsWhenStored, 0);
    assert.equal(reply.failure, undefined);
    const before = [server.seen.length, server.connections()];
    const refusing = attempt({ beforeAsk: () => Promise.reject(new Error('journal')) });
    await assert.rejects(client().ask(get(server.url), refusing), /journal/);
    const late = new AbortController();
    const aborted = attempt({
      signal: late.signal,
      beforeAsk: () => Promise.resolve(late.abort()),
    });
    assertFailure(await client().ask(get(server.url), aborted), 'deadline', /deadline/);
    assert.deepEqual([server.seen.length, server.connections()], before);
  });

  describe('over TLS', () => {
    const names = (commonName: string) => [{ name: 'commonName', value: commonName }];
    const loopback = [
      { name: 'subjectAltName' as const, altNames: [{ type: 7 as const, ip: '127.0.0.1' }] },
    ];
    let server: { private: string; cert: string };
    let ours: { private: string; cert: string };
    before(async () => {
      server = await generate(names('provider'), { keyType: 'ec', extensions: loopback });
      ours = await generate(names('consumer'), { keyType: 'ec' });
    });
    const mutual = () => ({
      key: server.private,
      cert: server.cert,
      ca: ours.cert,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const own = () => ({ certificate: ours.cert, key: ours.private, authorities: server.cert });

    it('proves itself with its certificate, at TLS 1.2 and 1.3', async () => {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const { url } = await serve(json(200, { a: 1 }), {
          ...mutual(),
          minVersion: version,
          maxVersion: version,
        });
        const reply = await client({ tls: own() }).ask(get(url), attempt());
        assert.equal(reply.failure, undefined, version);
      }
    });

    it('reaches nobody without it, with an unknown authority, or under another name', async () => {
      const { url, seen } = await serve(json(200, {}), mutual());
      const bad = [
        { authorities: server.cert },
        { certificate: ours.cert, key: ours.private },
        { ...own(), serverName: 'another.example' },
      ];
      for (const tls of bad) {
        assertFailure(
          await client({ tls }).ask(get(url), attempt()),
          'unreachable',
          /^[A-Z0-9_/]+$/,
        );
      }
      assert.equal(seen.length, 0);
    });

    it('speaks no cipher that the security guidance leaves out', async () => {
      const { url } = await serve(json(200, {}), {
        ...mutual(),
        maxVersion: 'TLSv1.2',
        ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305',
      });
      const reply = await client({ tls: own() }).ask(get(url), attempt());
      assertFailure(reply, 'unreachable', /^[A-Z0-9_/]+$/);
    });
  });
});
