/** `gatehouse mapping audit`: its exit codes, what it prints, and what it covers. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { called, gatehouse, jsonOf } from './process.ts';

const bundle = 'fixtures/patients/9990000026.json';

interface Printed {
  bundles: {
    file: string;
    elements: number;
    percent: number;
    counts: Record<string, number>;
    unaccounted: { element: string; why: string; times: number; first: string }[];
    resources?: { type: string; elements: { element: string; fate: string; value?: unknown }[] }[];
  }[];
  total: { elements: number; percent: number };
  meanings: Record<string, string>;
}

describe('gatehouse mapping audit', function () {
  this.timeout(30_000);
  let folder: string;
  let strange: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-audit-'));
    strange = join(folder, 'strange.json');
    const read = JSON.parse(readFileSync(bundle, 'utf8')) as { entry: { resource: object }[] };
    Object.assign(read.entry[0]?.resource ?? {}, { 'shoe\u001bSize': 'size-43', colour: 'Mauve' });
    writeFileSync(strange, JSON.stringify(read));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('ends with 0 where every element is accounted for, with 6 where one is not', async () => {
    const [whole, lost] = await Promise.all([
      gatehouse(['mapping', 'audit', bundle]),
      gatehouse(['mapping', 'audit', bundle, strange]),
    ]);
    assert.equal(whole.code, exits.ok, whole.stderr);
    assert.match(whole.stdout, /^BUNDLE\tELEMENTS\tCARRIED\t.*\tUNACCOUNTED\tACCOUNTED FOR\n/);
    assert.match(whole.stdout, /\t0\t100 %\n$/);
    assert.equal(lost.code, exits.findings);
    assert.match(lost.stdout, /\ntotal\t.*\t2\t99\.\d+ %\n/);
    assert.match(
      lost.stdout,
      /unaccounted \S+\.colour ×1: .*; first at \S+strange\.json Bundle\.entry\[0\]/,
    );
    assert.match(lost.stderr, /next: .*not-carried\.csv/);
  });

  it('shows structure and no values, unless they are asked for', async () => {
    const covered = await called(['mapping', 'audit', strange, '--elements']);
    for (const secret of ['Mauve', 'size-43', ...valuesOf(strange)]) {
      assert.ok(!covered.stdout.includes(secret), secret);
    }
    assert.match(covered.stdout, /\n {4}code\.coding\[0\]\.display {2}carried {2}[A-Z0-9]{3}-\d/);
    assert.ok(!covered.stdout.includes('\u001b'), 'a name may not steer the terminal');
    const reveal = ['--reveal', '--reason', 'CHG0042', '--data', dirname(strange)];
    const open = await called(['mapping', 'audit', strange, '--elements', ...reveal]);
    const record = join(dirname(strange), 'reveals.ndjson');
    assert.match(readFileSync(record, 'utf8'), /"exchange":"mapping audit","reason":"CHG0042"/);
    assert.match(open.stdout, /colour = "Mauve" {2}unaccounted/);
  });

  it('prints JSON for machines', async () => {
    const { stdout, code } = await called(['mapping', 'audit', bundle, strange, '-o', 'json']);
    assert.equal(code, exits.findings);
    const { bundles, total, meanings } = jsonOf<Printed>(stdout, 'audit');
    assert.deepEqual(
      bundles.map(({ percent }) => percent === 100),
      [true, false],
    );
    assert.deepEqual(
      bundles[1]?.unaccounted.map(({ times }) => times),
      [1, 1],
    );
    assert.equal(
      total.elements,
      bundles.reduce((sum, { elements }) => sum + elements, 0),
    );
    for (const fate of Object.keys(bundles[1]?.counts ?? {})) assert.ok(meanings[fate], fate);
    assert.equal(bundles[0]?.resources, undefined);
    const all = await called(['mapping', 'audit', bundle, '-o', 'json', '--elements']);
    const [one] = jsonOf<Printed>(all.stdout, 'audit').bundles;
    const elements = one?.resources?.flatMap((resource) => resource.elements) ?? [];
    assert.equal(elements.length, one?.elements);
    assert.ok(elements.every(({ value }) => value === undefined));
  });

  it('audits what is asked for alone, and says what was not', async () => {
    const { stdout, code } = await called(['mapping', 'audit', bundle, '--datasets', 'PRB']);
    assert.equal(code, exits.ok, stdout);
    assert.match(stdout, /\tNOTASKED\t/);
  });

  it('names a mapping that refuses a bundle as a finding, and no file that is none', async () => {
    const none = await called(['mapping', 'audit', 'package.json']);
    assert.equal(none.code, exits.usage);
    assert.match(none.stderr, /no FHIR Bundle/);
    const missing = await called(['mapping', 'audit', 'none.json']);
    assert.equal(missing.code, exits.notFound);
  });
});

/** Texts of a bundle that are about the patient. */
function valuesOf(file: string): string[] {
  const { entry } = JSON.parse(readFileSync(file, 'utf8')) as {
    entry: { resource: { resourceType: string; name?: { family: string }[]; id?: string } }[];
  };
  const patient = entry.map((one) => one.resource).find((one) => one.resourceType === 'Patient');
  return [patient?.id, patient?.name?.[0]?.family].filter((one) => one !== undefined);
}
