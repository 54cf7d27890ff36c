/** `gatehouse send --count --rate`: many messages, and what came of them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { authority, certificate } from '../mllp/certificates.ts';
import { type SmallSite, adt, adtChannel, smallSite } from '../story/small-site.ts';
import { called, jsonOf } from './process.ts';

describe('gatehouse send --count', function () {
  this.timeout(30_000);
  let site: SmallSite;
  let file: string;
  const send = (...args: string[]) => called(['send', file, ...args]);
  const to = (channel: string) => ['--to', `127.0.0.1:${site.engine.ports[channel]}`];

  before(async () => {
    const ca = await authority('Trust CA');
    const ours = await certificate(ca, 'localhost');
    const tls = '{ port: 0, tls: { certificate: our.pem, key: our.key } }';
    site = smallSite({ adt: adtChannel('adt'), secure: adtChannel('secure', '', tls) });
    for (const [name, text] of Object.entries({
      'our.pem': ours.cert,
      'our.key': ours.key,
      'ca.pem': ca.cert,
    })) {
      writeFileSync(join(site.folder, 'channels', name), text);
    }
    file = join(site.folder, 'two.hl7');
    writeFileSync(file, adt('M1') + adt('M2', '9990000026'));
    await site.start();
  });
  after(() => site.close());

  it('sends so many, each with an MSH-10 of its own, over TLS as well', async () => {
    const told = await send(...to('adt'), '--count', '7', '--rate', '200');
    assert.equal(told.code, exits.ok, told.stderr);
    assert.match(told.stdout, /^ANSWER\tCOUNT\tMEDIAN MS\tLONGEST MS\nAA\t7\t\d+\t\d+\n$/);
    assert.match(told.stderr, /^7 sent in [\d.]+ s: [\d.]+ a second\n$/);
    const all = await site.engine.journal.list({ channel: 'adt' });
    assert.equal(all.length, 7);
    assert.equal(new Set(all.map(({ controlId }) => controlId)).size, 7);
    assert.ok(all.every(({ repeatOf }) => repeatOf === null));
    const secure = ['--tls', '--authorities', join(site.folder, 'channels', 'ca.pem')];
    const { stdout } = await send(...to('secure'), '--count', '2', ...secure, '-o', 'json');
    const { answers } = jsonOf<{ answers: { code: string }[] }>(stdout, 'answers');
    assert.deepEqual(
      answers.map(({ code }) => code),
      ['AA', 'AA'],
    );
  });

  it('ends with 6 where an answer is negative, and tells what was sent before it could not go on', async () => {
    writeFileSync(file, adt('M1') + adt('M2').replace('ADT^A08', 'ADT^A40'));
    const told = await send(...to('adt'), '--count', '4');
    assert.equal(told.code, exits.findings);
    assert.match(told.stdout, /^AA\t2\t.*\nA[ER]\t2\t/m);
    const nobody = await send('--to', '127.0.0.1:1', '--count', '4', '--timeout', '1');
    assert.equal(nobody.code, exits.unavailable);
    assert.match(nobody.stderr, /^0 sent in/);
    for (const wrong of [
      ['--count', 'many'],
      ['--rate', '0'],
      ['--count', '2', '--continue'],
    ]) {
      assert.equal((await send(...to('adt'), ...wrong)).code, exits.usage, wrong.join(' '));
    }
  });
});
