/** `gatehouse cert`: listed, checked, and renewed under a connection that stays. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TLSSocket, connect } from 'node:tls';
import { exits } from '../../bin/cli/exits.ts';
import { controlRoutes } from '../../engine/control/routes.ts';
import { type Control, startControl } from '../../engine/control/server.ts';
import { silent } from '../../engine/events.ts';
import { type Authority, authority, certificate } from '../mllp/certificates.ts';
import { type SmallSite, adt, adtChannel, smallSite } from '../story/small-site.ts';
import { framed } from '../world.ts';
import { called, jsonOf } from './process.ts';

interface Row {
  name: string;
  subject: string;
  days: number;
  users: string[];
}

describe('gatehouse cert', function () {
  this.timeout(30_000);
  let ca: Authority;
  let other: Authority;
  let site: SmallSite;
  let control: Control;
  const file = (name: string) => join(site.folder, 'channels', name);
  const write = (name: string, text: string, mode = 0o600) => {
    writeFileSync(file(name), text);
    chmodSync(file(name), mode);
    return file(name);
  };
  const place = () => ['--site', site.folder, '--data', site.data];
  const rotate = (...args: string[]) => called(['cert', 'rotate', ...args, ...place()]);
  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ port: site.engine.ports.adt ?? 0, host: '127.0.0.1', ca: ca.cert });
    await new Promise((done, failed) => socket.once('secureConnect', done).once('error', failed));
    return socket;
  };
  const asks = (socket: TLSSocket, id: string) =>
    new Promise<string>((answered) => {
      socket.once('data', (chunk: Buffer) => answered(chunk.toString()));
      socket.write(framed(adt(id)));
    });

  before(async () => {
    [ca, other] = await Promise.all([authority('Trust CA'), authority('Other CA')]);
    const tls = '{ port: 0, tls: { certificate: our.pem, key: our.key } }';
    site = smallSite({ adt: adtChannel('adt', '', tls) });
    const first = await certificate(ca, 'localhost');
    write('our.pem', first.cert, 0o644);
    write('our.key', first.key);
    const engine = await site.start();
    const routes = controlRoutes(engine, silent);
    control = await startControl({ folder: site.data, routes, emit: silent });
  });
  after(async () => {
    await control.close();
    await site.close();
  });

  it('list names each file, who uses it and until when', async () => {
    const { code, stdout } = await called(['cert', 'list', ...place(), '-o', 'json']);
    assert.equal(code, exits.ok);
    const [one, ...more] = jsonOf<{ certificates: Row[] }>(stdout, 'certificates').certificates;
    assert.deepEqual([more.length, one?.name, one?.subject], [0, 'our', 'localhost']);
    assert.deepEqual(one?.users, ['adt listen.tls.certificate']);
    assert.ok(one && one.days > 300);
    assert.doesNotMatch(stdout, /PRIVATE KEY/);
  });

  it('check looks at dates, chain, key and host', async () => {
    const good = await certificate(ca, 'far.example');
    const pem = write('far.pem', good.cert);
    const key = write('far.key', good.key);
    const authorities = write('ca.pem', ca.cert);
    const check = (...args: string[]) => called(['cert', 'check', ...args]);
    const all = ['--key', key, '--authorities', authorities, '--host', 'far.example'];
    const told = await check(pem, ...all);
    assert.equal(told.code, exits.ok, told.stdout);
    assert.match(told.stdout, /^ok dates of far\.example: ends in \d+ days/);
    const wrongs: [string[], RegExp][] = [
      [[pem, '--key', file('our.key')], /^!! key: .* is the key of another certificate/m],
      [[pem, '--host', 'near.example'], /^!! host: it is not for near\.example/m],
      [[pem, '--authorities', write('other.pem', other.cert)], /^!! authority: /m],
      [
        [write('mixed.pem', good.cert + other.cert)],
        /^!! chain: far\.example was not issued by Other CA/m,
      ],
    ];
    const past = await certificate(ca, 'past', { until: new Date(Date.now() - 86_400_000) });
    wrongs.push([[write('past.pem', past.cert)], /^!! dates of past: ended /m]);
    for (const [args, says] of wrongs) {
      const { code, stdout } = await check(...args);
      assert.equal(code, exits.findings, args.join(' '));
      assert.match(stdout, says);
    }
    assert.equal((await check(key)).code, exits.failed);
    assert.equal((await check(file('none.pem'))).code, exits.notFound);
  });

  it('rotate puts in nothing that is not good', async () => {
    const before = readFileSync(file('our.pem'), 'utf8');
    const next = await certificate(ca, 'localhost');
    const pem = write('next.pem', next.cert);
    const misfit = await rotate('our', '--from', pem, '--yes');
    assert.equal(misfit.code, exits.findings);
    assert.match(misfit.stdout, /^!! key: .*our\.key is the key of another certificate/m);
    const named = await certificate(ca, 'elsewhere');
    const args = ['--from', write('named.pem', named.cert), '--key', write('named.key', named.key)];
    assert.match(
      (await rotate('our', ...args, '--yes')).stdout,
      /^!! names: no longer in it: DNS:localhost/m,
    );
    const good = ['--from', pem, '--key', write('next.key', next.key)];
    // The helper files of the tests stand in the site, which the engine has not read since.
    await site.engine.reload();
    assert.equal((await rotate('our', ...good)).code, exits.usage);
    assert.equal((await rotate('our', ...good, '--dry-run')).code, exits.ok);
    assert.equal((await rotate('ours', ...good, '--yes')).code, exits.notFound);
    assert.equal(readFileSync(file('our.pem'), 'utf8'), before);
    assert.ok(!existsSync(file('our.pem.previous')));
  });

  it('rotate renews it under a connection that stays', async () => {
    const old = await open();
    const serial = old.getPeerCertificate().serialNumber;
    assert.match(await asks(old, 'K1'), /MSA\|AA\|K1/);
    const previous = readFileSync(file('our.pem'), 'utf8');
    const next = readFileSync(file('next.pem'), 'utf8');
    const args = ['--from', file('next.pem'), '--key', file('next.key'), '--reason', 'CHG0042'];
    const told = await rotate('our', ...args, '--yes');
    assert.equal(told.code, exits.ok, told.stderr);
    assert.match(told.stderr, /in use from now on/);
    assert.match(await asks(old, 'K2'), /MSA\|AA\|K2/);
    const renewed = await open();
    assert.notEqual(renewed.getPeerCertificate().serialNumber, serial);
    assert.match(await asks(renewed, 'K3'), /MSA\|AA\|K3/);
    assert.equal(readFileSync(file('our.pem'), 'utf8'), next);
    assert.equal(readFileSync(file('our.pem.previous'), 'utf8'), previous);
    assert.equal(statSync(file('our.key')).mode & 0o777, 0o600);
    const [act] = await site.engine.journal.list({ type: 'operator' });
    const { stdout } = await called([
      'message',
      'explain',
      act?.id.toString(36) ?? '',
      '--data',
      site.data,
    ]);
    assert.match(stdout, /cert-rotate to our by \S+: CHG0042/);
    old.destroy();
    renewed.destroy();
  });

  it('rotate waits where other changes of the configuration would come with it', async () => {
    writeFileSync(file('other.yaml'), adtChannel('other'));
    const args = ['--from', file('next.pem'), '--key', file('next.key'), '--yes'];
    const { code, stderr } = await rotate('our', ...args);
    assert.equal(code, exits.failed);
    assert.match(
      stderr,
      /other changes would be taken over as well\n +next: gatehouse config apply/,
    );
  });
});
