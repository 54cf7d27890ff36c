/** A hospital that names itself, its organisation and its users in its own way. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consumersOf } from '../../engine/cases/consumers.ts';
import { loadSite } from '../../engine/config/site.ts';
import { startEngine } from '../../engine/engine.ts';
import { silent } from '../../engine/events.ts';
import { exits } from '../../bin/cli/exits.ts';
import { ask } from '../world.ts';
import { called, ended, says, start } from './process.ts';

const asked = (user: string, organisation: string, role = 'R8000') =>
  [
    'MSH|^~\\&|PAS|RYY01|GPREC|RECGW|20260604101500||QRY^A19|Y1|P|2.3',
    'QRD|20260604101500|R|I|Q77|||1^RD|9465701459^Nel^Morris^^^^^^NHS|ALL',
    `ZPI|1|${organisation}|${user}|Bloggs^Joe^^^Dr|${role}|||G||ED`,
    '',
  ].join('\r');

describe('a second hospital', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-second-'));
  const file = join(folder, 'channels', 'ryy.yaml');
  const message = join(folder, 'asked.hl7');
  const dry = (text: string) => {
    writeFileSync(message, text);
    return called(['channel', 'test', 'ryy', message, '--site', folder]);
  };
  after(() => rmSync(folder, { recursive: true, force: true }));

  before(async () => {
    assert.equal((await called(['init', folder])).code, exits.ok);
    const given = ['--sender', 'PAS|RYY01', '--organisation', 'RYY=200000000999'];
    const add = ['channel', 'add', 'ryy', '--template', 'gp-record', ...given, '--site', folder];
    const added = await called(add);
    assert.equal(added.code, exits.ok, added.stderr);
  });

  it('is added with an ASID of its own, and its first case asks under it', async () => {
    assert.match(readFileSync(file, 'utf8'), /- \{ ods: RYY, asid: "200000000999" \}\n/);
    const played = await called(['channel', 'test', 'ryy', '--site', folder]);
    assert.equal(played.code, exits.ok, played.stdout);
    const { channels } = loadSite(folder);
    assert.ok(consumersOf(channels).some(({ ods }) => ods === 'RYY'));
  });

  it('is refused where no other example is meant: the flag wants a code and an ASID', async () => {
    const add = ['channel', 'add', 'x', '--template', 'gp-record', '--site', folder];
    const { code, stderr } = await called([...add, '--organisation', 'RYY']);
    assert.equal(code, exits.usage);
    assert.match(stderr, /write its ODS code and its ASID/);
  });

  it('may send its own code for itself, in a component of its Z-segment', async () => {
    const text = readFileSync(file, 'utf8')
      .replace('asid: "200000000999"', 'asid: "200000000999", codes: [STE]')
      .replace(
        /QRY\^A19: \*zau/,
        'QRY^A19: { user: ZPI-3, name: ZPI-4, role: ZPI-5, organisation: ZPI-2.1, consent: ZPI-8 }',
      );
    writeFileSync(file, text);
    const { code, stdout } = await dry(asked('UNK~JBLOGGS', 'STE'));
    assert.equal(code, exits.ok, stdout);
    assert.match(stdout, /answer AA\n$/);
  });

  it('is told which of its fields say nothing of who asks, and what comes next', async () => {
    const { code, stdout, stderr } = await dry(asked('UNK~JBLOGGS', '', ''));
    assert.equal(code, exits.findings);
    assert.match(stdout, / 2 identify {2}refused GH-3002 .*\(nothing at ZPI-5, ZPI-2\.1\)\n/);
    assert.match(stderr, /^next: Value QPD-7/);
  });

  it('is told which code is not registered, where it is one', async () => {
    assert.match((await dry(asked('UNK~JBLOGGS', 'ELSE'))).stdout, /GH-3005 .*\(ELSE asks\)/);
    const { stdout } = await dry(asked('UNK~JBLOGGS', 'Nel, Morris'));
    assert.match(stdout, /GH-3005/);
    assert.doesNotMatch(stdout, /Morris/);
  });

  it('has no code in common with another organisation', async () => {
    const before = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      before.replace(
        /( *- \{ ods: RYY.*)/,
        '$1\n  - { ods: RZZ, asid: "200000000998", codes: [STE] }',
      ),
    );
    const { code, stdout } = await called(['check', '--site', folder]);
    writeFileSync(file, before);
    assert.equal(code, exits.badConfig);
    assert.match(stdout, /ryy\.yaml:\d+:\d+.*a code stands for one organisation only/);
  });

  it('is named first by its fault where a case expected an answer', async () => {
    const other = readFileSync(join(folder, 'fixtures', 'ryy', 'allergies.case'), 'utf8');
    const changed = join(folder, 'fixtures', 'ryy', 'other.case');
    writeFileSync(changed, other.replaceAll('PAS|RYY01', 'PAS|RYY02'));
    const { stdout } = await called(['channel', 'test', changed, '--site', folder]);
    assert.match(stdout, /^differs .*\n {4}GH-3001 This sending .*\n {4}next: Add it to senders/);
  });

  it('is known to the simulator that runs, though it was added later', async () => {
    const sim = start(['sim', 'gp', '--port', '0', '--mllp-port', '0', '--site', folder]);
    const over = ended(sim);
    const [, url = ''] = await says(sim, /PDS (http:\/\/127\.0\.0\.1:\d+)\//);
    const given = ['--sender', 'PAS|RWW', '--organisation', 'RWW=200000000997'];
    const add = ['channel', 'add', 'rww', '--template', 'gp-record', ...given, '--site', folder];
    assert.equal((await called(add)).code, exits.ok);
    const env = { GATEHOUSE_GP: url };
    const site = loadSite(folder, env);
    for (const { channel } of site.channels) channel.listen.port = 0;
    const engine = await startEngine({ site, data: join(folder, 'data'), emit: silent, env });
    try {
      const text = readFileSync(join(folder, 'fixtures', 'rww', 'allergies.hl7'), 'utf8');
      let answer = '';
      // The simulator notices a moment after the file was saved.
      for (let i = 0; i < 50 && answer !== 'AA'; i++) {
        await new Promise((next) => setTimeout(next, 100));
        const message = await ask(engine.ports.rww ?? 0, text.replace('|M1|', `|M${i}|`));
        answer = message.get('MSA-1') ?? '';
      }
      assert.equal(answer, 'AA');
    } finally {
      await engine.stop(500);
      sim.kill('SIGTERM');
      await over;
    }
  });

  it('has a case made of its message, with what came of it, never over another one', async () => {
    writeFileSync(message, asked('UNK~JBLOGGS', 'STE'));
    const kept = ['channel', 'test', 'ryy', message, '--update', '--site', folder];
    const { code, stderr } = await called(kept);
    assert.equal(code, exits.ok, stderr);
    assert.match(stderr, /asked\.case is written: read it/);
    const made = message.replace(/hl7$/, 'case');
    assert.match(readFileSync(made, 'utf8'), /== out\nMSH.*ADR\^A19.*\nMSA\|AA\|Y1\n/);
    assert.equal((await called(['channel', 'test', made, '--site', folder])).code, exits.ok);
    const again = await called(kept);
    assert.equal(again.code, exits.failed);
    assert.match(again.stderr, /asked\.case is there already/);
  });
});
