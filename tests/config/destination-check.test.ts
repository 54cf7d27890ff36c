/** What `check` says of addresses and keys, with its place; and what it never shows. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { channelSchema } from '../../engine/channel.ts';
import { checkDestinations } from '../../engine/config/destination-check.ts';
import { loadSite } from '../../engine/config/site.ts';
import { checkYaml, readYaml } from '../../engine/config/yaml.ts';
import { loadPractices } from '../../engine/gp/practices.ts';
import { root } from '../world.ts';

const pem = (type: 'rsa' | 'ec') => {
  const options = { privateKeyEncoding: { type: 'pkcs8', format: 'pem' } } as const;
  const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
  const { privateKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048, ...options, publicKeyEncoding })
      : generateKeyPairSync('ec', { namedCurve: 'P-256', ...options, publicKeyEncoding });
  return privateKey;
};

describe('the check of destinations', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-destinations-'));
  const key = pem('rsa');
  const write = (name: string, text: string, mode = 0o600) => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), mode);
  };
  before(() => {
    write('good.pem', key);
    write('open.pem', key, 0o640);
    write('curve.pem', pem('ec'));
    write('text.pem', 'not a key');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** The findings on a channel with these destinations, as `line:column severity sentence`. */
  function check(destinations: string, env: Record<string, string> = {}, practices?: string) {
    const file = join(folder, 'one.yaml');
    const text = `channel: one
listen: { port: 0 }
us: { application: A, facility: F }
accepts: [ADT^A01]
senders: [{ application: "*", facility: "*" }]
route: adt
keep: 1d
ask: { record: gp, practices: practices.csv }
destinations:
${destinations.replace(/^/gm, '  ')}
`;
    const source = readYaml(file, text);
    const { value, findings } = checkYaml(source, channelSchema);
    assert.ok(value, JSON.stringify(findings));
    const table = practices === undefined ? undefined : loadPractices('practices.csv', practices);
    return checkDestinations(value, source, file, table, env).map(
      ({ where, severity, says, next }) => {
        assert.ok(!`${says}${next}`.includes('PRIVATE'));
        return `${where.split(':').slice(-2).join(':')} ${severity} ${says}`;
      },
    );
  }
  const pds = (privateKey: string, more = '') => `pds:
  kind: pds
  url: https://pds.example/FHIR/R4
  signed:
    token: https://pds.example/oauth2/token
    apikey: \${env:PDS_KEY}
    kid: one
    privateKey: ${privateKey}
${more}`;

  it('finds nothing where everything is right', () => {
    assert.deepEqual(check(pds('good.pem')), []);
    assert.deepEqual(check(pds('${env:PDS_PEM}'), { PDS_PEM: key }), []);
    assert.deepEqual(check(pds(`\${file:${join(folder, 'open.pem')}}`)), []);
  });

  it('leaves a key that only the engine will see to the engine', () => {
    assert.deepEqual(check(pds('${env:PDS_PEM}')), []);
  });

  const keys: [string, string, RegExp][] = [
    ['no file', 'absent.pem', /^17:19 error the file absent\.pem cannot be read$/],
    ['a file others can read', 'open.pem', /^17:19 error .* can be read by others than its owner$/],
    ['no key', 'text.pem', /^17:19 error this is no private key/],
    ['a key of another kind', 'curve.pem', /^17:19 error an RSA key is needed/],
    ['no key in the environment', '${env:PDS_PEM}', /^17:19 error this is no private key/],
  ];
  for (const [name, privateKey, says] of keys) {
    it(`refuses ${name}, at its place`, () => {
      const found = check(pds(privateKey), { PDS_PEM: 'nonsense' });
      assert.equal(found.length, 1);
      assert.match(found[0] ?? '', says);
    });
  }

  it('refuses two ways of access at once', () => {
    const found = check(pds('good.pem', '  apikey: ${env:OTHER}'));
    assert.deepEqual(found, ['18:13 error signed access has an API key of its own']);
  });

  it('refuses what is no http or https address', () => {
    for (const url of ['pds.example', 'ftp://pds.example', 'https://']) {
      assert.deepEqual(check(`pds: { kind: pds, url: "${url}" }`), [
        '10:26 error an http or https address is needed',
      ]);
    }
  });

  it('warns of plain http to another machine, and of nothing else', () => {
    const warned = ' warning this address is asked in the clear (http)';
    const urls: [string, string[]][] = [
      ['http://pds.example/R4', [`10:26${warned}`]],
      ['http://10.0.0.1', [`10:26${warned}`]],
      ['http://127.0.0.1.example', [`10:26${warned}`]],
      ['http://localhost:8480/R4', []],
      ['http://127.0.0.2', []],
      ['http://[::1]:80', []],
      ['https://pds.example', []],
    ];
    for (const [url, expected] of urls) {
      assert.deepEqual(check(`pds: { kind: pds, url: "${url}" }`), expected, url);
    }
    const clear = pds('good.pem').replace('token: https', 'token: http');
    assert.deepEqual(check(clear), [`14:14${warned}`]);
    const gp =
      'gp: { kind: gpconnect, issuer: "https://a/", device: { id: a, model: b, version: c }';
    assert.equal(check(`${gp}, proxy: "http://proxy.example/" }`).length, 1);
    assert.equal(check('sds: { kind: sds, url: "http://sds.example/" }').length, 1);
  });

  it('warns of a practice asked in the clear, where no proxy stands between', () => {
    const gp =
      'gp: { kind: gpconnect, issuer: "https://a/", device: { id: a, model: b, version: c }';
    const table =
      'ods,kind,address,asid\nZ99901,gpconnect,http://gp.example/,918999000101\nZ99902,gpconnect,https://gp.example/,918999000102\n';
    assert.deepEqual(check(`${gp} }`, {}, table), [
      '8:31 warning practice Z99901 is asked in the clear (http)',
    ]);
    assert.deepEqual(check(`${gp}, proxy: "https://proxy.example/" }`, {}, table), []);
  });

  it('is part of checking a site, which a warning does not keep from being served', () => {
    const { channels, findings } = loadSite(root, { GATEHOUSE_GP: 'http://gp.example' });
    const told = findings.map(({ severity, says }) => `${severity} ${says}`);
    assert.deepEqual([...new Set(told)], ['warning this address is asked in the clear (http)']);
    assert.ok(told.length >= 3);
    assert.ok(channels.some(({ channel }) => channel.channel === 'gp-record'));
  });

  it('a key is never written into the channel, nor a session longer than an encounter', () => {
    const source = (text: string) => readYaml('one.yaml', text);
    const schema = channelSchema.shape.destinations;
    const wrong: [string, RegExp][] = [
      [pds('"-----BEGIN PRIVATE KEY-----"'), /a secret is never written here/],
      ['sds: { kind: sds, url: "https://sds.example", session: 16m }', /at most 15m/],
      ['pds: { kind: pds, url: "https://pds.example", rate: 0 }', /whole number/],
    ];
    for (const [text, says] of wrong) {
      const { findings } = checkYaml(source(text), schema);
      assert.match(findings.map((finding) => finding.says).join(), says);
      assert.ok(!JSON.stringify(findings).includes('BEGIN PRIVATE'));
    }
  });
});
