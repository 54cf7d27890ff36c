/** `gatehouse channel test`: what differs and why, JUnit, and a watch. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { root } from '../world.ts';
import { called, ended, jsonOf, start } from './process.ts';

describe('gatehouse channel test', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cases-'));
  const file = (name: string) => join(folder, name);
  const change = (name: string, edit: (text: string) => string) => {
    const before = readFileSync(file(name), 'utf8');
    const after = edit(before);
    assert.notEqual(after, before);
    writeFileSync(file(name), after);
  };
  const test = (...args: string[]) => called(['channel', 'test', ...args, '--site', folder]);

  beforeEach(() => cpSync(join(root, 'docs', 'examples', 'feeds'), folder, { recursive: true }));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('names the row that a table lacks, at the field that differs', async () => {
    change('mappings/tables/patient-class.csv', (text) => text.replace(/^IN,I\n/m, ''));
    change('mappings/feeds/epr.yaml', (text) =>
      text.replace('unknown: error', 'unknown: default U'),
    );
    const { code, stdout, stderr } = await test(file('fixtures/result.case'));
    assert.equal(code, exits.findings);
    assert.match(
      stdout,
      / {4}delivered PV1-2 expected I, got U \(table patient-class: "IN" has no row\)\n/,
    );
    assert.equal(stderr, '0 of 1 cases pass\n');
  });

  it('names the row or rule of a field that was mapped otherwise than expected', async () => {
    change('mappings/tables/patient-class.csv', (text) => text.replace(/^IN,I$/m, 'IN,E'));
    const { stdout } = await test(file('fixtures/result.case'), '-o', 'json');
    const [one] = jsonOf<{ cases: { differences: object[] }[] }>(stdout, 'cases').cases;
    assert.deepEqual(one?.differences, [
      {
        ...{ section: 'delivered', exchange: 1, at: 'PV1-2', expected: 'I', got: 'E' },
        why: 'PV1-2 through tables/patient-class.csv:2, mappings/feeds/epr.yaml:14',
      },
    ]);
  });

  it('tells of a delivery that a case says nothing of, and writes it down when asked to', async () => {
    const name = 'fixtures/refused.case';
    const whole = readFileSync(file(name), 'utf8');
    change(name, (text) => text.replace(/^== delivered\n[^]*?(?=^== journal)/m, ''));
    const { code, stdout } = await test(file(name));
    assert.equal(code, exits.ok);
    assert.match(stdout, / {4}it says nothing of epr parked GH-7004; --update writes it down\n/);
    await test(file(name), '--update');
    assert.equal(readFileSync(file(name), 'utf8'), whole);
  });

  it('writes JUnit XML, to a file or in the place of the list', async () => {
    change('mappings/tables/patient-class.csv', (text) => text.replace(/^IN,I$/m, 'IN,<E>'));
    const xml = await test('results', '--reporter', 'junit');
    assert.equal(xml.code, exits.findings);
    assert.match(xml.stdout, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites /);
    assert.match(xml.stdout, /<testsuite name="results" tests="9" failures="\d">/);
    assert.match(
      xml.stdout,
      /<failure message="\d differences?">delivered PV1-2 expected I, got &lt;E&gt; \(/,
    );
    const report = file('report.xml');
    const both = await test('results', '--reporter', 'junit', '--report-file', report);
    assert.match(both.stdout, /^(passes|differs)/);
    assert.match(readFileSync(report, 'utf8'), /<testcase name="[^"]+" classname="[^"]+"/);
    assert.equal((await test('--reporter', 'tap')).code, exits.usage);
  });

  it('plays the cases of a channel, by its name', async () => {
    const all = await test('results');
    assert.match(all.stderr, /9 of 9 cases pass/);
    const wrong = await test('result');
    assert.equal(wrong.code, exits.notFound);
    assert.match(wrong.stderr, /there is no case result, but a channel "results"/);
  });

  it('runs one message dry: each step and each field with its rule, and nothing of the message', async () => {
    const { code, stdout, stderr } = await called([
      ...['channel', 'test', 'gp-record', 'fixtures/gp-record/qbp-q11.hl7', '--steps'],
    ]);
    assert.equal(code, exits.ok);
    assert.match(stdout, /^ 1 parse {6}QBP\^Q11 2\.4, 3 segments\n 2 identify {3}found\n/);
    assert.match(stdout, /\n {3}\d+ fields set\n/);
    assert.match(
      stdout,
      /\n {3}PID-8 ← \S+#gender → tables\/gender\.csv:3 {2}\(mappings\/gp-record\//,
    );
    assert.match(stdout, /\nanswer AA\n$/);
    assert.match(stderr, /^a dry run: /);
    assert.ok(!/Nel|9465701459|Warfarin/.test(stdout));

    const refused = await called([
      ...['channel', 'test', 'gp-record', 'fixtures/adt/a01.hl7', '-o', 'json'],
    ]);
    assert.equal(refused.code, exits.findings);
    const { steps, answer } = jsonOf<{ steps: object[]; answer: string }>(refused.stdout, 'dryRun');
    assert.equal(answer, 'AR');
    assert.partialDeepStrictEqual(steps.at(-1), { step: 'rejected' });
  });

  it('plays again whenever a file of the site changes, until it is ended', async () => {
    const child = start(['channel', 'test', 'results', '--watch', '--site', folder]);
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const end = ended(child);
    const heard = async (pattern: RegExp) => {
      while (!pattern.test(said)) await new Promise((next) => setTimeout(next, 20));
    };
    await heard(/9 of 9 cases pass\nwatching/);
    change('mappings/tables/patient-class.csv', (text) => text.replace(/^IN,I$/m, 'IN,E'));
    await heard(/[0-8] of 9 cases pass\nwatching/);
    child.kill('SIGINT');
    assert.equal((await end).code, exits.ok);
  });
});
