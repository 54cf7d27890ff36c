/** Access by signed JWT: what is sent, how a token is kept, and that no record shows a secret. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import type { Access } from '../../engine/gp/access.ts';
import { createPds } from '../../engine/gp/pds.ts';
import { createSignedTokens } from '../../engine/gp/signed-token.ts';
import { readSigningKey } from '../../engine/gp/signing-key.ts';
import { type Handler, asker, attempt, client, closeAll, json, serve, textOf } from './outside.ts';

const pem = (key: { export(options: object): string | Buffer }, type: string) =>
  String(key.export({ type, format: 'pem' }));
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privatePem = pem(pair.privateKey, 'pkcs8');
const noon = Date.parse('2026-06-15T12:00:00Z');
const nhsNumber = '9000000009';

const patient = { resourceType: 'Patient', id: nhsNumber };
const token = (access_token: string, expires_in: unknown = '599') =>
  json(200, { access_token, expires_in, token_type: 'Bearer' });

/** PDS and its token endpoint on one server. */
async function platform(answers: { token: Handler; pds?: Handler }) {
  let current = answers;
  const server = await serve((seen, response) => {
    const handler = seen.path === '/oauth2/token' ? current.token : current.pds;
    (handler ?? json(200, patient))(seen, response);
  });
  let now = noon;
  const http = client({ name: 'pds', timeouts: { total: 2000 } });
  const tokens = createSignedTokens(
    {
      url: `${server.url}/oauth2/token`,
      client: 'the-api-key',
      kid: 'test-1',
      key: readSigningKey(privatePem),
      now: () => now,
    },
    http,
  );
  const access: Access = { kind: 'token', tokens };
  const pds = createPds({ url: server.url, access, now: () => now }, http);
  const asked = (path: string) => server.seen.filter((seen) => seen.path.startsWith(path));
  return {
    url: server.url,
    tokens,
    trace: (to = attempt()) => pds(nhsNumber, asker, to),
    use: (next: typeof answers) => void (current = next),
    pass: (seconds: number) => void (now += seconds * 1000),
    tokenRequests: () => asked('/oauth2/token'),
    reads: () => asked('/Patient/'),
  };
}

const replyOf = ({ reply }: { reply?: Uint8Array }) => ({ request: reply });

describe('access by signed JWT', () => {
  afterEach(closeAll);

  it('proves itself as the platform wants: RS512, kid, iss and sub, aud, jti, at most 5 minutes', async () => {
    const world = await platform({ token: token('t0ken') });
    await world.trace();
    const [request] = world.tokenRequests();
    assert.equal(request?.method, 'POST');
    assert.equal(request?.headers['content-type'], 'application/x-www-form-urlencoded');
    const form = new URLSearchParams(request?.body);
    assert.equal(form.get('grant_type'), 'client_credentials');
    assert.equal(
      form.get('client_assertion_type'),
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    );
    const [head = '', claims = '', signature = ''] = (form.get('client_assertion') ?? '').split(
      '.',
    );
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as object;
    assert.deepEqual(read(head), { alg: 'RS512', typ: 'JWT', kid: 'test-1' });
    const { jti, exp, ...rest } = read(claims) as { jti: string; exp: number };
    assert.deepEqual(rest, {
      iss: 'the-api-key',
      sub: 'the-api-key',
      aud: `${world.url}/oauth2/token`,
    });
    assert.match(jti, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.ok(exp > noon / 1000 && exp <= noon / 1000 + 300);
    const signed = Buffer.from(`${head}.${claims}`);
    assert.ok(verify('RSA-SHA512', signed, pair.publicKey, Buffer.from(signature, 'base64url')));
    assert.equal(world.reads()[0]?.headers.authorization, 'Bearer t0ken');
  });

  it('keeps a token until shortly before it ends', async () => {
    const world = await platform({ token: token('one') });
    await world.trace();
    world.pass(500);
    await world.trace();
    assert.equal(world.tokenRequests().length, 1);
    world.use({ token: token('two') });
    world.pass(70);
    assert.equal((await world.trace()).event, 'found');
    assert.equal(world.tokenRequests().length, 2, 'renewed 30 s before its end');
    assert.equal(world.reads().at(-1)?.headers.authorization, 'Bearer two');
    const [first, second] = world.tokenRequests().map(({ body }) => body);
    assert.notEqual(first, second, 'a proof of its own each time');
  });

  it('is fetched once for many who wait', async () => {
    let release = () => {};
    const world = await platform({
      token: (seen, response) => {
        release = () => token('shared')(seen, response);
      },
    });
    const waiting = Array.from({ length: 20 }, () => world.trace());
    while (world.tokenRequests().length === 0) await new Promise((next) => setTimeout(next, 5));
    release();
    const outcomes = await Promise.all(waiting);
    assert.ok(outcomes.every(({ event }) => event === 'found'));
    assert.equal(world.tokenRequests().length, 1);
    const fetched = outcomes.filter(({ hops }) => hops[0]?.interaction === 'OAuth token');
    assert.equal(fetched.length, 1, 'one exchange records the fetch');
  });

  it('goes on for those who wait when the exchange that began it ends', async () => {
    let release = () => {};
    const world = await platform({
      token: (seen, response) => {
        release = () => token('shared')(seen, response);
      },
    });
    const controller = new AbortController();
    const first = world.trace(attempt({ signal: controller.signal }));
    const second = world.trace();
    while (world.tokenRequests().length === 0) await new Promise((next) => setTimeout(next, 5));
    controller.abort();
    const ended = await first;
    assert.deepEqual([ended.event, ended.fault?.name], ['timeout', 'deadlinePassed']);
    release();
    assert.equal((await second).event, 'found');
    assert.equal(world.tokenRequests().length, 1);
    const late = await world.trace(attempt({ signal: controller.signal }));
    assert.equal(late.event, 'timeout');
  });

  it('is fetched by the next one where the first could not journal that it asks', async () => {
    const world = await platform({ token: token('t0ken') });
    const broken = attempt({ beforeAsk: () => Promise.reject(new Error('journal')) });
    const [first, second] = await Promise.allSettled([world.trace(broken), world.trace()]);
    assert.equal(first.status, 'rejected');
    assert.ok(second.status === 'fulfilled' && second.value.event === 'found');
  });

  it('is renewed once where PDS refuses it, and then the refusal stands', async () => {
    const good: Handler = (seen, response) =>
      seen.headers.authorization === 'Bearer two'
        ? json(200, patient)(seen, response)
        : json(401, {})(seen, response);
    const world = await platform({ token: token('one'), pds: good });
    const refused = await world.trace();
    assert.deepEqual([refused.event, refused.fault?.name], ['permanent', 'accessRefused']);
    assert.deepEqual(
      refused.hops.map(({ interaction, status }) => `${interaction} ${status}`),
      ['OAuth token 200', 'PDS read 401', 'OAuth token 200', 'PDS read 401'],
    );
    const ids = world.reads().map(({ headers }) => headers['x-request-id']);
    assert.equal(new Set(ids).size, 1, 'the same request, so the same X-Request-ID');
    world.use({ token: token('two'), pds: good });
    assert.equal((await world.trace()).event, 'found');
  });

  const failures: [string, Handler, string, string, RegExp][] = [
    [
      'an unknown key',
      json(401, {
        error: 'invalid_request',
        error_description: "Invalid 'kid' header in JWT - no matching public key",
        message_id: 'rrt-1',
      }),
      'permanent',
      'accessRefused',
      /^token: HTTP 401 invalid_request Invalid 'kid' header in JWT - no matching public key$/,
    ],
    ['a 400 with HTML', json(400, '<html>'), 'permanent', 'accessRefused', /^token: HTTP 400$/],
    ['a rate limit', json(429, {}), 'transient', 'traceUnavailable', /^token: HTTP 429$/],
    ['a failure', json(503, {}), 'transient', 'traceUnavailable', /^token: HTTP 503$/],
    ['no token in it', json(200, {}), 'transient', 'traceUnavailable', /^token: HTTP 200$/],
    ['no life', token('t', 'soon'), 'transient', 'traceUnavailable', /^token: HTTP 200$/],
    [
      'a reset',
      (_, response) => response.socket?.resetAndDestroy(),
      'transient',
      'traceUnavailable',
      /^token: [A-Z_]+$/,
    ],
  ];
  for (const [name, handler, event, fault, detail] of failures) {
    it(`takes ${name} from the token endpoint for ${fault}, and asks PDS nothing`, async () => {
      const world = await platform({ token: handler });
      const outcome = await world.trace();
      assert.deepEqual([outcome.event, outcome.fault?.name], [event, fault]);
      assert.match(outcome.fault?.detail ?? '', detail);
      assert.equal(world.reads().length, 0);
      assert.equal(outcome.hops.length, 1);
    });
  }

  it('records neither proof nor token nor key, whatever comes back', async () => {
    const echo: Handler = (seen, response) =>
      json(400, { error: seen.body, error_description: `you sent ${seen.body}` })(seen, response);
    for (const answer of [token('s3cret-t0ken'), echo]) {
      const world = await platform({ token: answer });
      const to = attempt();
      const outcome = await world.trace(to);
      const sent =
        new URLSearchParams(world.tokenRequests()[0]?.body).get('client_assertion') ?? '';
      assert.ok(sent.length > 300);
      const recorded = [...to.asked, ...outcome.hops, ...outcome.hops.map(replyOf)]
        .map(({ request }) => textOf(request))
        .concat(JSON.stringify(outcome.fault ?? ''), JSON.stringify(outcome.value ?? ''))
        .join('\n');
      assert.match(recorded, /POST \/oauth2\/token HTTP\/1\.1\r\n[^]*\r\n\r\n\[removed\]/);
      for (const secret of [
        sent,
        ...sent.split('.'),
        's3cret-t0ken',
        'the-api-key',
        'client_ass',
      ]) {
        assert.ok(!recorded.includes(secret), secret.slice(0, 12));
      }
    }
  });
});

describe('the signing key', () => {
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const locked = pair.privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  });

  it('is read from PKCS 8 and PKCS 1', () => {
    for (const type of ['pkcs8', 'pkcs1']) {
      assert.equal(readSigningKey(pem(pair.privateKey, type)).asymmetricKeyType, 'rsa');
    }
  });

  const wrong: [string, string, RegExp][] = [
    ['text', 'hello', /^this is no private key/],
    ['a public key', pem(pair.publicKey, 'spki'), /^this is no private key/],
    ['a key with a passphrase', String(locked), /without a passphrase$/],
    ['a key of another kind', pem(curve.privateKey, 'pkcs8'), /^an RSA key is needed/],
    ['a short key', pem(short.privateKey, 'pkcs8'), /shorter than 2048 bits$/],
  ];
  for (const [name, text, says] of wrong) {
    it(`is not ${name}, and the refusal shows none of it`, () => {
      assert.throws(
        () => readSigningKey(text),
        (error: Error) => {
          assert.match(error.message, says);
          const lines = text.split('\n').filter((line) => line.length > 20);
          return !lines.some((line) => error.message.includes(line));
        },
      );
    });
  }
});
