/** `gatehouse check` on a site where everything is wrong, and `gatehouse serve`, which refuses it. */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import type { Finding } from '../../engine/config/yaml.ts';
import { root } from '../world.ts';
import { called, gatehouse, jsonOf } from './process.ts';

const sound = readFileSync(join(root, 'channels', 'gp-record.yaml'), 'utf8');
const route = readFileSync(join(root, 'channels', 'routes', 'gp-record.yaml'), 'utf8');
const noSecret = 'correct-horse-battery';

interface Broken {
  /** What is replaced in a channel that is sound; the new text is where the finding stands. */
  change: [from: string | RegExp, to: string];
  /** Where the finding stands, if not at the new text: its text there, or the place itself. */
  at?: string | RegExp;
  says: RegExp;
  next?: RegExp;
}

/** One channel each: its name, what is wrong with it, and the one finding that says so. */
const broken: Record<string, Broken> = {
  'unknown-key': {
    change: ['mapping: gp-record', 'maping: gp-record'],
    says: /^unknown key "maping"; did you mean "mapping"\?$/,
    next: /^keys known here: extends, channel, description, listen/,
  },
  'nested-key': {
    change: ['trace: pds', 'tracer: pds'],
    says: /^unknown key "tracer"; did you mean "trace"\?$/,
  },
  'missing-keep': {
    change: [/^keep: .*\n/m, ''],
    at: /missing-keep\.yaml:\d+:\d+$/,
    says: /^"keep" is missing$/,
  },
  'literal-secret': {
    change: ['kind: pds', `kind: pds\n    apikey: ${noSecret}`],
    at: noSecret,
    says: /^"apikey": a secret is never written here: use \$\{env:NAME\}/,
  },
  'unknown-destination': {
    change: ['trace: pds', 'trace: pdss'],
    at: 'pdss',
    says: /^there is no destination "pdss"; did you mean "pds"\?$/,
  },
  'wrong-kind': {
    change: ['trace: pds', 'trace: legacy-gp'],
    at: 'legacy-gp',
    says: /^"legacy-gp" is of kind mllp; this step needs kind pds$/,
  },
  'unknown-route': {
    change: ['route: gp-record', 'route: gp-recrod'],
    at: 'gp-recrod',
    says: /^there is no route "gp-recrod"; did you mean "gp-record"\?$/,
    next: /^routes known: .*gp-record/,
  },
  'unknown-mapping': {
    change: ['mapping: gp-record', 'mapping: gp-recrod'],
    at: 'gp-recrod',
    says: /^there is no mapping mappings\/gp-recrod$/,
  },
  'status-undecided': {
    change: [
      /mapping: gp-record[^]*?site: \{ unknownStatus: F \}/,
      'mapping: results\nsite: { patientClass: O }',
    ],
    at: '{ patientClass',
    says: /^GP systems state no status for many results, and "site" does not say how those are shown$/,
    next: /^add site: \{ unknownStatus: F \} .* or R \(not verified\)/,
  },
  'unset-variable': {
    change: ['${env:GATEHOUSE_MLLP_GP:-2576}', '${env:NOT_SET_ANYWHERE}'],
    says: /^the environment variable NOT_SET_ANYWHERE is not set$/,
  },
  'same-port': {
    change: [/port: \d+/, 'port: 3100'],
    at: '3100',
    says: /^channel "a-sound-one" listens on 127\.0\.0\.1:3100 too$/,
    next: /another port/,
  },
  'asker-nowhere': {
    change: [/^ {2}QRY\^A19: \*zau\n/m, ''],
    at: /asker-nowhere\.yaml:\d+:\d+$/,
    says: /^QRY\^A19 has no fields for the asker/,
    next: /^add asker: \{ QRY\^A19:/,
  },
  'asker-of-its-own': {
    change: ['QRY^R02: *zau', 'QBP^Q11: *zau'],
    at: '*zau\n  VXQ',
    says: /^QBP\^Q11 names the asker in fields of its own$/,
  },
  'asker-of-nothing': {
    change: ['QRY^R02: *zau', 'QRY^R03: *zau'],
    at: '*zau\n  VXQ',
    says: /^there is no query QRY\^R03; did you mean "QRY\^R02"\?$/,
  },
  'unknown-query': {
    change: [/^accepts: .*$/m, 'accepts: [QBP^Q12]'],
    at: 'QBP^Q12',
    says: /^QBP\^Q12 is no query, and the route .* answers queries; did you mean "QBP\^Q11"\?$/,
  },
  'no-query': {
    change: [/^accepts: .*$/m, 'accepts: [QBP^Q11, ADT^A01]'],
    at: 'ADT^A01]',
    says: /^ADT\^A01 is no query, and the route of this channel answers queries$/,
  },
  'version-too-old': {
    change: [/^accepts: .*$/m, 'versions: ["2.3"]\naccepts: [QBP^Q11]'],
    at: 'QBP^Q11]',
    says: /^none of this channel's versions has QBP\^Q11, which came with 2\.4$/,
  },
  'unknown-to-gp': {
    change: ['kind: mllp', 'kind: mllp\n    accepts: [QBP^Q99]'],
    at: 'QBP^Q99',
    says: /^"accepts": write QBP\^Q11, .* or /,
  },
  'no-asid': {
    change: [/, asid: "\d+"/, ''],
    at: /no-asid\.yaml:\d+:\d+$/,
    says: /^organisation R0A has no ASID to ask under$/,
  },
  'no-unit': {
    change: ['answer: 15s', 'answer: 15'],
    at: '15 }',
    says: /^"answer": a duration is needed: .* for example 15s$/,
  },
  'twice-the-same-key': {
    change: ['keep: 30d', 'keep: 30d\nkeep: 40d'],
    at: /twice-the-same-key\.yaml:\d+:\d+$/,
    says: /^this is not YAML: Map keys must be unique/,
  },
  'outcome-unhandled': {
    change: ['route: gp-record', 'route: leaky'],
    at: /routes\/leaky\.yaml:\d+:\d+$/,
    says: /^state "locate" does not say what follows "timeout"$/,
    next: /^add "timeout: <state>"/,
  },
  'bad-practices': {
    change: ['practices: practices.csv', 'practices: bad.csv'],
    at: /bad\.csv:3$/,
    says: /^"address": the http or https address of the service is needed$/,
  },
};

/** As `-o json` has it. */
type Found = Finding & { code: string };

describe('gatehouse check', function () {
  this.timeout(30_000);
  const site = mkdtempSync(join(tmpdir(), 'gatehouse-site-'));
  const channels = join(site, 'channels');
  const data = join(site, 'data');
  const texts: Record<string, string> = {};
  let findings: Found[] = [];

  before(async () => {
    mkdirSync(join(channels, 'routes'), { recursive: true });
    // The patient alone: every channel below loads its mapping.
    for (const part of ['tables', 'gp-record/patient.yaml', 'gp-record/datatypes.yaml']) {
      cpSync(join(root, 'mappings', part), join(site, 'mappings', part), { recursive: true });
    }
    const results = join(site, 'mappings', 'results');
    cpSync(join(site, 'mappings', 'gp-record'), results, { recursive: true });
    writeFileSync(
      join(results, 'patient.yaml'),
      `dataset: PAT
title: Asks the site how to show a status
items:
  - { item: Status, resource: Patient, segments: [{ obx: X^Status, value: '%site.unknownStatus' }] }
`,
    );
    cpSync(join(root, 'channels', 'practices.csv'), join(channels, 'practices.csv'));
    writeFileSync(join(channels, 'routes', 'gp-record.yaml'), route);
    writeFileSync(
      join(channels, 'routes', 'leaky.yaml'),
      route
        .replace('route: gp-record', 'route: leaky')
        .replace(/(do: locate\n[^]*?) {6}timeout: refuse\n/, '$1'),
    );
    writeFileSync(
      join(channels, 'bad.csv'),
      'ods,name,kind,address,asid,destination\nZ99907,A,mllp,,,legacy-gp\nZ99908,B,gpconnect,ftp://x,918999000101,\n',
    );
    const write = (name: string, port: number, [from, to]: Broken['change']) => {
      const plain = sound
        .replace('channel: gp-record', `channel: ${name}`)
        .replace('port: 2575', `port: ${port}`);
      texts[name] = plain.replace(from, () => to);
      if (from !== '') assert.notEqual(texts[name], plain, name);
      writeFileSync(join(channels, `${name}.yaml`), texts[name]);
    };
    write('a-sound-one', 3100, ['', '']);
    for (const [i, [name, { change }]] of Object.entries(broken).entries()) {
      write(name, 3101 + i, change);
    }
    const { code, stdout, stderr } = await gatehouse(['check', '--site', site, '-o', 'json']);
    assert.equal(code, exits.badConfig);
    assert.equal(stderr, '');
    assert.ok(!stdout.includes(noSecret));
    const read = jsonOf<{ errors: number; channels: string[]; findings: Found[] }>(stdout, 'check');
    assert.equal(read.errors, Object.keys(broken).length);
    // The one that is sound, and the one whose port is taken by it.
    assert.deepEqual(read.channels, ['a-sound-one', 'same-port']);
    findings = read.findings;
  });
  after(() => rmSync(site, { recursive: true, force: true }));

  for (const [name, { change, at = change[1], says, next }] of Object.entries(broken)) {
    it(`${name}: tells it with its place`, () => {
      const place = typeof at === 'string' ? placeOf(texts[name] ?? '', at, name) : at;
      const found = findings.filter(({ where }) => place.test(where));
      assert.equal(found.length, 1, `${place} in ${findings.map((f) => f.where).join('\n')}`);
      assert.match(found[0]?.says ?? '', says);
      if (next) assert.match(found[0]?.next ?? '', next);
    });
  }

  it('is obeyed by serve: the same findings, exit 78, and nothing is made on disk', async () => {
    const checked = await called(['check', '--site', site]);
    const served = await called(['serve', '--site', site, '--data', data]);
    assert.deepEqual([checked.code, served.code], [exits.badConfig, exits.badConfig]);
    assert.match(checked.stderr, new RegExp(`^${findings.length} errors\n$`));
    assert.equal(served.stdout, '');
    for (const { code, where, says, next } of findings) {
      assert.ok(checked.stdout.includes(`${where}  error ${code}  ${says}`), where);
      assert.ok(served.stderr.includes(`error ${code}  ${where}  ${says}`), where);
      assert.ok(next, where);
    }
    assert.ok(!`${checked.stdout}${served.stderr}`.includes(noSecret));
    assert.ok(!existsSync(data));
  });

  it('finds the site that comes with Gatehouse sound', async () => {
    const { code, stdout, stderr } = await called(['check']);
    assert.equal(code, exits.ok);
    assert.equal(stdout, '');
    assert.match(stderr, /^3 channels and 3 routes are sound/);
  });
});

/** `file:line:column` of a text in a channel file. */
function placeOf(text: string, part: string, name: string): RegExp {
  const before = text.slice(0, text.indexOf(part)).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return new RegExp(`/${name}\\.yaml:${before.length}:${column}$`);
}
