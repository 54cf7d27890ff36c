/** Finding the patient, the practice and the endpoint, seen from both ends of the engine. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Site, loadSite } from '../../engine/config/site.ts';
import { type Engine, startEngine } from '../../engine/engine.ts';
import type { EventFields } from '../../engine/events.ts';
import type { StoredExchange } from '../../engine/journal/journal.ts';
import { type GpSimulator, startGpSimulator } from '../../engine/simulator/gp.ts';
import { application, privateKey } from '../simulator/conformance/application.ts';
import { ask, qbp as anyQuery, patients, root } from '../world.ts';

const nel = '9465701459';
const qbp = (nhsNumber: string, change: Record<string, string> = {}) =>
  anyQuery(nhsNumber, { 'QPD-4': 'PAT', ...change });
type Pds = Extract<Site['channels'][0]['channel']['destinations'][string], { kind: 'pds' }>;

describe('finding the practice and the endpoint, from end to end', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-lookup-'));
  const said: string[] = [];
  let gp: GpSimulator;
  let engine: Engine;
  let port: number;

  before(async () => {
    const credentials = { applications: [application()], sdsApiKey: 'sds-s3cret' };
    gp = await startGpSimulator({ patients, credentials });
    writeFileSync(join(folder, 'pds.pem'), privateKey(), { mode: 0o600 });
    const env = {
      GATEHOUSE_GP: gp.url,
      PDS_KEY: application().apiKey,
      SDS_KEY: 'sds-s3cret',
    };
    const site = loadSite(root, env);
    for (const { channel } of site.channels) {
      channel.listen.port = 0;
      const { pds, sds } = channel.destinations;
      if (pds?.kind === 'pds') {
        pds.signed = {
          token: gp.token,
          apikey: '${env:PDS_KEY}',
          kid: 'key-1',
          privateKey: join(folder, 'pds.pem'),
        } satisfies Pds['signed'];
      }
      if (sds?.kind === 'sds') Object.assign(sds, { apikey: '${env:SDS_KEY}', session: 60_000 });
    }
    const emit = (name: string, fields?: EventFields) => said.push(name, JSON.stringify(fields));
    engine = await startEngine({ site, data: join(folder, 'data'), emit, env });
    port = engine.ports['gp-record'] ?? 0;
  });
  after(async () => {
    await engine.stop(1000);
    await gp.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const newest = async (): Promise<StoredExchange> => {
    const [first] = await engine.journal.list({ limit: 1 });
    const stored = first && (await engine.journal.read(first.id));
    assert.ok(stored);
    return stored;
  };
  /** What was asked, without who was asked about. */
  const hops = ({ entries }: StoredExchange) =>
    entries
      .filter(({ kind }) => kind === 'asking' || kind === 'reply')
      .map(({ kind, note }) => [kind, note?.to, note?.interaction].join(' '));
  const asked = (system: string) => gp.asked.filter((one) => one.system === system).length;

  it('asks PDS with a token fetched once for all, and SDS with its key', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(port, qbp(nel))));
    assert.ok(answers.every((answer) => answer.get('MSA-1') === 'AA'));
    assert.equal(asked('oauth'), 1);
    assert.equal(asked('pds'), 12);
    assert.ok(gp.asked.every(({ status }) => status === 200));
  });

  it('renews the token where PDS refuses it, within the same exchange', async () => {
    gp.set(nel, { name: 'tokenRefused', first: 1 });
    assert.equal((await ask(port, qbp(nel))).get('MSA-1'), 'AA');
    gp.set(nel, undefined);
    assert.equal(asked('oauth'), 2);
    const interactions = hops(await newest()).filter((hop) => hop.startsWith('reply pds'));
    assert.deepEqual(interactions, [
      'reply pds PDS read',
      'reply pds OAuth token',
      'reply pds PDS read',
    ]);
  });

  it('asks the directory once for one user and patient, anew for every other', async () => {
    const user = `1^${Date.now()}^U^Ser~U1`;
    const searches = async (change: Record<string, string>, nhsNumber = nel) => {
      const before = asked('sds');
      assert.equal((await ask(port, qbp(nhsNumber, change))).get('MSA-1'), 'AA');
      return asked('sds') - before;
    };
    assert.equal(await searches({ 'QPD-7': user }), 2);
    assert.equal(await searches({ 'QPD-7': user, 'QPD-4': 'ALL' }), 0);
    assert.equal(await searches({ 'QPD-7': user }, '9990000018'), 2);
    assert.equal(await searches({ 'QPD-7': `2^Other^U^Ser~U2` }), 2);
  });

  it('forgets an endpoint that did not serve: the practice has moved', async () => {
    const change = { 'QPD-7': '3^Mover^U^Ser~U3' };
    assert.equal((await ask(port, qbp(nel, change))).get('MSA-1'), 'AA');
    // The next look-up, by somebody else, moves the practice; the address kept is none any more.
    gp.set(nel, { name: 'addressMoves', first: 1 });
    assert.equal((await ask(port, qbp(nel, { 'QPD-7': '4^Passer^U^By~U4' }))).get('MSA-1'), 'AA');
    assert.equal((await ask(port, qbp(nel, change))).get('MSA-1'), 'AE');
    assert.equal((await ask(port, qbp(nel, change))).get('MSA-1'), 'AA');
  });

  it('a restricted patient cannot be told from an unknown one, nor from how it was asked', async () => {
    const told = async (nhsNumber: string, id: string) => {
      const before = [asked('pds'), asked('sds'), asked('ssp')];
      const claims = { 'QPD-13': 'Anybody^Any', 'QPD-14': '19010101', 'QPD-15': 'M' };
      const answer = await ask(port, qbp(nhsNumber, { 'MSH-10': id, ...claims }));
      const after = [asked('pds'), asked('sds'), asked('ssp')];
      answer.set('MSH-7', '');
      answer.set('MSH-10', '');
      const stored = await newest();
      return {
        bytes: answer.toBytes().toString('latin1').replaceAll(nhsNumber, 'NUMBER'),
        asked: after.map((count, at) => count - (before[at] ?? 0)),
        hops: hops(stored),
        steps: stored.entries.map(({ kind }) => kind),
        state: stored.state,
      };
    };
    for (const [at, restricted] of ['9990000107', '9000000025'].entries()) {
      const id = `ALIKE${at}`;
      const [one, other] = [await told(restricted, id), await told('9111231130', id)];
      assert.deepEqual(one, other);
      assert.deepEqual(one.asked, [1, 0, 0]);
      assert.match(one.bytes, /\rQAK\|Q1\|NF\|/);
    }
  });

  it('leaves no token, proof, key or API key in the journal or the log', async () => {
    const secrets = new Set<string>(['sds-s3cret', application().apiKey]);
    for (const line of privateKey().split('\n')) if (line.length > 20) secrets.add(line);
    for (const { request } of gp.asked) {
      const form = new URLSearchParams(request.body.toString());
      for (const part of (form.get('client_assertion') ?? '').split('.')) secrets.add(part);
      if (request.target.startsWith('/personal-demographics')) {
        secrets.add(String(request.headers.authorization).replace('Bearer ', ''));
      }
    }
    secrets.delete('');
    assert.ok(secrets.size > 20);
    let looked = 0;
    for (const { id } of await engine.journal.list({ limit: 1000 })) {
      const stored = await engine.journal.read(id);
      for (const { note, body } of stored?.entries ?? []) {
        const text = `${JSON.stringify(note)}${Buffer.from(body ?? []).toString('latin1')}`;
        for (const secret of secrets) assert.ok(!text.includes(secret), secret.slice(0, 8));
        looked++;
      }
    }
    assert.ok(looked > 100);
    const log = said.join('\n');
    assert.match(log, /OAuth token/);
    for (const secret of secrets) assert.ok(!log.includes(secret), secret.slice(0, 8));
  });
});
