/** `gatehouse mapping`: what mappings there are, their rules, cases, coverage, and trying them live. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { adtChannel, until } from '../story/small-site.ts';
import { root } from '../world.ts';
import { called, ended, jsonOf, start } from './process.ts';

describe('gatehouse mapping', function () {
  this.timeout(30_000);
  let folder: string;
  const at = (...names: string[]) => join(folder, ...names);
  const run = (...args: string[]) => called(['mapping', ...args, '--site', folder]);
  const rules = () => at('mappings', 'feeds', 'lab.yaml');
  const change = (from: string | RegExp, to: string, file = rules()) =>
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-mapping-'));
    cpSync(join(root, 'channels', 'routes', 'adt.yaml'), at('channels', 'routes', 'adt.yaml'));
    writeFileSync(at('channels', 'one.yaml'), adtChannel('one'));
    const made = await run('new', 'lab', '--feed');
    assert.equal(made.code, exits.ok, made.stderr);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('makes a mapping of each kind, with a case that passes', async () => {
    const record = await run('new', 'short', '--dataset', 'ALL');
    assert.equal(record.code, exits.ok, record.stderr);
    assert.match(record.stdout, /created mappings\/short\/all\.yaml\n/);
    const test = await run('test');
    assert.match(test.stderr, /2 of 2 cases pass/);
    const text = readFileSync(at('fixtures', 'mappings', 'short-all.case'), 'utf8');
    assert.match(text, /\|GPREC\.ITEM\^Item of the record\^L\|\|12345678\^An example\^SCT\|/);
    const check = await called(['check', '--site', folder]);
    assert.equal(check.code, exits.ok, check.stdout);
  });

  it('writes nothing where something is there already, or it does not know what to make', async () => {
    const cases: [args: string[], code: number, says: RegExp][] = [
      [['new', 'lab', '--feed'], exits.failed, /there already: mappings\/feeds\/lab\.yaml/],
      [['new', 'tables', '--feed'], exits.usage, /no name of a mapping/],
      [['new', 'other'], exits.usage, /--dataset CODE, or --feed/],
      [['new', 'other', '--dataset', 'PAT'], exits.usage, /one of ALL, /],
    ];
    for (const [args, code, says] of cases) {
      const wrong = await run(...args);
      assert.equal(wrong.code, code, args.join(' '));
      assert.match(wrong.stderr, says);
    }
    const dry = await run('new', 'other', '--feed', '--dry-run', '-o', 'json');
    assert.deepEqual(jsonOf<{ created: string[] }>(dry.stdout, 'mappingNew').created.length, 4);
    assert.match((await run('list')).stdout, /^MAPPING.*\nfeeds\/lab\tfeed\t3\t1\t\n$/);
  });

  it('lists the rules with source, condition, table and place', async () => {
    const all = await run('show', 'lab', '-o', 'json');
    assert.deepEqual(
      jsonOf<{ rules: object[] }>(all.stdout, 'rules').rules.map((one) => ({ under: '', ...one })),
      [
        { under: '', target: 'MSH-5', source: '"LAB"', rule: 'mappings/feeds/lab.yaml:9' },
        {
          ...{ under: '', target: 'PV1-6', source: 'PV1-3 as written', when: 'PV1 present' },
          rule: 'mappings/feeds/lab.yaml:13',
        },
        {
          ...{ under: '', target: 'PV1-2', source: 'PV1-2', when: 'PV1 present' },
          ...{ table: 'lab-class', rule: 'mappings/feeds/lab.yaml:19' },
        },
      ],
    );
    const field = await called(['mapping', 'show', 'gp-record', 'PID-8', '--site', root]);
    assert.match(
      field.stdout,
      /\nPID-8\tgender\tgender\t\t.*mappings\/gp-record\/patient\.yaml:\d+\n$/,
    );
    assert.equal((await run('show', 'lab', 'ZZZ')).code, exits.notFound);
    assert.match((await run('show', 'labb')).stderr, /did you mean "lab"\?/);
  });

  it('names the field that differs with its reason, and takes over what came out', async () => {
    change('I,I\n', '', at('mappings', 'tables', 'lab-class.csv'));
    change('unknown: pass', 'unknown: default U');
    const differs = await run('test', 'feeds/lab');
    assert.equal(differs.code, exits.findings);
    assert.match(differs.stdout, /out PV1-2 expected I, got U \(table lab-class: "I" has no row\)/);
    change('unknown: default U', 'unknown: error');
    assert.match((await run('test', 'lab')).stdout, /got GH-7008 .*lab\.yaml:19/);
    change('unknown: error', 'unknown: omit');
    const updated = await run('test', 'lab', '--update');
    assert.match(updated.stderr, /lab\.case updated/);
    assert.match(readFileSync(at('fixtures', 'mappings', 'lab.case'), 'utf8'), /\nPV1\|1\|\|WARD1/);
    assert.equal((await run('test', 'lab')).code, exits.ok);
  });

  it('tells which rules and rows no case uses', async () => {
    const { stdout } = await run('coverage', 'lab', '-o', 'json');
    const { mappings, unused } = jsonOf<{
      mappings: { rules: object; rows: object }[];
      unused: { what: string; says: string }[];
    }>(stdout, 'mappingCoverage');
    assert.deepEqual(mappings[0]?.rules, { used: 3, of: 3 });
    assert.deepEqual(mappings[0]?.rows, { used: 1, of: 4 });
    assert.deepEqual(
      unused.map(({ what, says }) => `${what} ${says}`),
      ['row "O"', 'row "E"', 'row "DC"'],
    );
    change('value: LAB', 'value: LAB\n  - when: { NK1: present }\n    remove: NK1');
    const told = await run('coverage');
    assert.match(told.stdout, /^feeds\/lab: 3 of 4 rules, 1 of 4 rows of tables, by 1 case\n/);
    assert.match(told.stdout, /lab\.yaml:11 {2}NK1\n/);
  });

  it('counts rules whose value a type of the mapping makes, and notes', async () => {
    await run('new', 'short', '--dataset', 'ALL');
    const file = at('mappings', 'short', 'all.yaml');
    change('types: {}', 'types:\n  PAIR:\n    1: code', at('mappings', 'short', 'datatypes.yaml'));
    const obx = '      - obx: GPREC.PAIR^Pair\n        value: { from: code.coding, as: PAIR }\n';
    change(/$/, obx, file);
    const { stdout } = await run('coverage', 'short');
    assert.match(stdout, /^short: 4 of 5 rules/, stdout);
    assert.match(stdout, /all\.yaml:\d+ {2}NTE\n/);
  });

  it('says where a case or a mapping of a case is wrong', async () => {
    change('mapping: feeds/lab', 'mapping: feeds/lob', at('fixtures', 'mappings', 'lab.case'));
    const wrong = await called([
      'channel',
      'test',
      at('fixtures', 'mappings', 'lab.case'),
      '--site',
      folder,
    ]);
    assert.equal(wrong.code, exits.badConfig);
    assert.match(
      wrong.stderr,
      /lab\.case:2 .*no mapping "feeds\/lob"; did you mean "feeds\/lab"\?/,
    );
    assert.equal((await run('test', 'lab')).code, exits.notFound);
  });

  it('shows value, rule and source of each field', async () => {
    const bundle = join(root, 'fixtures', 'patients', '9465701459.json');
    const args = ['mapping', 'try', bundle, '--datasets', 'ALL', '--trace', '--site', root];
    const { stdout } = await called(args);
    assert.match(
      stdout,
      /AL1-2\.1 DA \u2190 AllergyIntolerance\/\S+category\S* .*\(mappings\/gp-record\/allergies\.yaml:35\)/,
    );
    assert.match(
      stdout,
      /IAM-14\.1 \S+ \u2190 .*datatypes\.yaml:\d+, for mappings\/gp-record\/allergies\.yaml:\d+\)/,
    );
  });

  it('watches the sample and the mapping, by whatever way they are saved', async () => {
    const sample = at('fixtures', 'mappings', 'lab.hl7');
    const child = start(['mapping', 'watch', sample, '--feed', 'lab', '--site', folder]);
    const over = ended(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: string) => (said += chunk));
    }
    const seen = async (pattern: RegExp) => {
      await until(() => pattern.test(said), `${String(pattern)} in ${said}`);
      said = '';
    };
    try {
      await seen(/LAB\|R0A[^]*MSH-5 LAB \u2190 a constant .*lab\.yaml:9[^]*watching/);
      // As editors do: another file takes its place.
      const beside = at('mappings', 'feeds', '.lab.yaml.swp');
      writeFileSync(beside, readFileSync(rules(), 'utf8').replace('value: LAB', 'value: NEW'));
      renameSync(beside, rules());
      await seen(/- MSH.*\|LAB\|[^]*\+ MSH.*\|NEW\||\+ MSH.*\|NEW\|[^]*- MSH.*\|LAB\|/);
      change('set: MSH-5', 'sett: MSH-5');
      await seen(/lab\.yaml:9:\d+ .*unknown key "sett"; did you mean "set"/);
      change('sett: MSH-5', 'set: MSH-5');
      await seen(/\+ MSH.*\|NEW\|/);
      change('WARD1', 'WARD2', sample);
      await seen(/\+ PV1\|1\|I\|WARD2/);
    } finally {
      child.kill('SIGINT');
    }
    assert.equal((await over).code, exits.ok);
  });
});
