/** `gatehouse mapping try --feed`: a message as a destination would get it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../world.ts';
import { called } from './process.ts';

const site = join(root, 'docs', 'examples', 'feeds');
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-try-'));
after(() => rmSync(folder, { recursive: true }));

const attempt = (lines: string[], ...options: string[]) => {
  const file = join(folder, 'one.hl7');
  writeFileSync(file, lines.map((line) => `${line}\r`).join(''));
  return called(['mapping', 'try', file, '--site', site, '--feed', ...options]);
};
const header = 'MSH|^~\\&|LAB|RXX|HUB|RXX|1||ORU^R01|1|P|2.4';

describe('gatehouse mapping try --feed', () => {
  it('shows what is sent, and with --trace each change with its rule', async () => {
    const { code, stdout } = await attempt([header, 'PID|1', 'PV1|1|IN'], 'epr', '--trace');
    assert.equal(code, 0);
    assert.match(stdout, /^MSH\|\^~\\&\|LAB\|RXX\|EPR\|R0A\|/);
    assert.match(stdout, /^PV1\|1\|I$/m);
    const rule =
      /PV1-2 I \u2190 PV1-2 through tables\/patient-class\.csv:2 {2}\(mappings\/feeds\/epr\.yaml:\d+\)/;
    assert.match(stdout, rule);
  });

  it('tells the rule that fails, and ends with 6', async () => {
    const { code, stderr } = await attempt([header, 'PID|1', 'PV1|1|SECRET'], 'epr');
    assert.equal(code, 6);
    assert.match(stderr, /mappings\/feeds\/epr\.yaml:\d+: PV1-2 holds a code that is not in/);
    assert.ok(!stderr.includes('SECRET'));
  });

  it('gives the changes as JSON', async () => {
    const { stdout } = await attempt([header, 'PID|1', 'NK1|1'], 'epr', '-o', 'json');
    const { changes } = JSON.parse(stdout) as { changes: { target: string }[] };
    assert.ok(changes.some(({ target }) => target === 'NK1[1]'));
  });

  it('knows the mappings there are, and what is no message', async () => {
    const unknown = await attempt([header], 'erp');
    assert.match(unknown.stderr, /there is no mapping feeds\/erp\.yaml[\s\S]*epr/);
    assert.notEqual(unknown.code, 0);
    const odd = await attempt(['SECRET'], 'epr');
    assert.match(odd.stderr, /is no HL7 v2 message/);
    assert.ok(!odd.stderr.includes('SECRET'));
  });
});
