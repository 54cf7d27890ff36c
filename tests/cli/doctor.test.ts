/** `gatehouse doctor`: what is as it should be, and what is not, with one next step each. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { generate } from 'selfsigned';
import { type SmallSite, adt, adtChannel, delivered, smallSite } from '../story/small-site.ts';
import { ask } from '../world.ts';
import { called, jsonOf } from './process.ts';

interface Check {
  check: string;
  ok: boolean;
  says: string;
  next?: string;
}

describe('gatehouse doctor', function () {
  this.timeout(30_000);
  let site: SmallSite;
  const run = (...args: string[]) =>
    called(['doctor', '--site', site.folder, '--data', site.data, ...args]);
  const checks = async (...args: string[]) =>
    jsonOf<{ checks: Check[] }>((await run(...args, '-o', 'json')).stdout, 'doctor').checks;
  const named = (all: Check[], name: string) =>
    all.find(({ check }) => check === name) ?? assert.fail(`nothing is told of ${name}`);
  const bad = (all: Check[]) => all.filter(({ ok }) => !ok).map(({ check }) => check);

  afterEach(() => site.close());

  it('finds nothing wrong before the first start, and leaves nothing behind', async () => {
    site = smallSite({ adt: adtChannel('adt') });
    const all = await checks();
    assert.deepEqual(bad(all), []);
    assert.match(named(all, 'node').says, /^Node 2\d\./);
    assert.match(named(all, 'sqlite').says, /^better-sqlite3 \d+\.\d+\.\d+ with SQLite 3\./);
    assert.match(named(all, 'disk').says, /free for/);
    assert.match(named(all, 'journal').says, /no folder .* yet/);
    assert.ok(!existsSync(site.data));
    const told = await run();
    assert.deepEqual([told.code, told.stderr], [exits.ok, 'all is well\n']);
    assert.match(told.stdout, /^ok node: Node 2/);
  });

  it('looks at a journal in use: durability, key, index', async () => {
    site = smallSite({ adt: adtChannel('adt') });
    const engine = await site.start();
    await ask(engine.ports.adt ?? 0, adt('D1'));
    const before = readdirSync(site.data);
    const all = await checks();
    assert.deepEqual(bad(all), []);
    assert.match(
      named(all, 'durability').says,
      /^WAL with synchronous=FULL; a commit took [\d.]+ ms$/,
    );
    assert.match(named(all, 'journal').says, /^1 exchanges in .*, \d+ appends not yet indexed$/);
    assert.deepEqual(readdirSync(site.data), before);
  });

  it('names a key that others may read, and says what to do', async () => {
    site = smallSite({ adt: adtChannel('adt') });
    await site.start();
    chmodSync(join(site.data, 'journal.key'), 0o644);
    const told = await run();
    assert.equal(told.code, exits.findings);
    assert.match(told.stdout, /^!! key: GH-6\d{3} .*journal\.key has mode 0644.*→ \w/m);
    chmodSync(join(site.data, 'journal.key'), 0o600);
    chmodSync(site.data, 0o755);
    assert.match(named(await checks(), 'folder').next ?? '', /^chmod 0700 /);
  });

  it('names the process that holds a port', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => holder.once('listening', listening));
    const { port } = holder.address() as AddressInfo;
    site = smallSite({ adt: adtChannel('adt', '', `{ port: ${port} }`) });
    const found = named(await checks(), 'port adt');
    assert.equal(found.ok, false);
    if (process.platform === 'linux') {
      assert.match(found.says, new RegExp(`held by pid ${process.pid} \\(\\S+\\)$`));
    }
    await new Promise((closed) => holder.close(closed));
    assert.equal(named(await checks(), 'port adt').ok, true);
  });

  it('tells of certificates, and of a site that has errors', async () => {
    const tls = 'listen: { port: 0, tls: { certificate: tls/our.pem, key: tls/our.key } }';
    site = smallSite({ adt: adtChannel('adt').replace(/^listen: .*$/m, tls) });
    mkdirSync(join(site.folder, 'channels', 'tls'));
    const end = new Date(Date.now() + 9.5 * 86_400_000);
    const pair = await generate([{ name: 'commonName', value: 'localhost' }], {
      notAfterDate: end,
    });
    writeFileSync(join(site.folder, 'channels/tls/our.pem'), pair.cert);
    writeFileSync(join(site.folder, 'channels/tls/our.key'), pair.private);
    const found = named(await checks(), 'certificate adt listen.tls.certificate');
    assert.deepEqual([found.ok, found.says.slice(0, 14)], [false, 'ends in 9 days']);
    rmSync(join(site.folder, 'channels/tls/our.pem'));
    assert.equal(named(await checks(), 'site').next, 'gatehouse check');
  });

  it('connects to endpoints where it is told to, and only then', async () => {
    const peer = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => peer.once('listening', listening));
    let came = 0;
    peer.on('connection', (socket) => {
      came += 1;
      socket.on('data', () => assert.fail('something was sent'));
    });
    const { port } = peer.address() as AddressInfo;
    site = smallSite({ adt: adtChannel('adt', delivered(port)) });
    await checks();
    assert.equal(came, 0);
    assert.equal(named(await checks('--network'), 'reach adt/epr').ok, true);
    assert.equal(came, 1);
    await new Promise((closed) => peer.close(closed));
    const gone = named(await checks('--network'), 'reach adt/epr');
    assert.match(gone.says, /cannot be reached \(ECONNREFUSED\)/);
    assert.ok(gone.next);
  });
});
