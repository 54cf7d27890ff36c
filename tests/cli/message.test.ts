/** `gatehouse message`, read beside a running engine: covered unless somebody says why. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { warningsOf } from '../../bin/cli/warnings.ts';
import { type World, ask, qbp, startWorld } from '../world.ts';
import { type Ended, called, gatehouse, jsonOf } from './process.ts';
import { assertNothingOf, patient } from './secrets.ts';

interface Summary {
  id: string;
  state: string;
  controlId: string;
  fault: string | null;
  repeatOf: string | null;
}

describe('gatehouse message', function () {
  this.timeout(30_000);
  let world: World;
  const query = qbp(patient, { 'MSH-10': 'FIRST', 'QPD-13': 'Wierzba', 'QPD-14': '19581201' });
  const message = (verb: string, ...args: string[]) =>
    called(['message', verb, ...args, '--data', world.data]);
  const exchanges = async (...args: string[]) =>
    jsonOf<{ exchanges: Summary[] }>(
      (await message('list', ...args, '-o', 'json')).stdout,
      'exchanges',
    ).exchanges;
  const idOf = async (controlId: string) => {
    const [found] = await exchanges('--control-id', controlId);
    return found?.id ?? assert.fail(`there is no ${controlId}`);
  };

  before(async () => {
    world = await startWorld();
    const port = world.engine.ports['gp-record'] ?? 0;
    await ask(port, query);
    await ask(port, query);
    await ask(port, qbp('9465701458', { 'MSH-10': 'DIGIT' }));
    await ask(port, qbp('9465701458', { 'MSH-10': 'DIGIT2' }));
  });
  after(() => world.close());

  it('list shows what was exchanged, newest first, and nothing of the patient', async () => {
    const { code, stdout, stderr } = await gatehouse(['message', 'list', '--data', world.data]);
    assert.equal(code, exits.ok);
    assert.equal(stderr, '');
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    assert.deepEqual(rows[0]?.slice(0, 5), ['ID', 'TIME', 'CHANNEL', 'TYPE', 'STATE']);
    assert.deepEqual(
      rows.slice(1).map((row) => row[4]),
      ['rejected', 'rejected', 'answered', 'answered'],
    );
    assert.equal(rows[1]?.at(-1), 'GH-4002 nhsNumberInvalid');
    assertNothingOf(stdout, 'message list');
    assertNothingOf((await message('list', '-o', 'json')).stdout, 'message list -o json');
  });

  it('list finds by state, fault, control id, time and patient', async () => {
    const ids = async (...args: string[]) => (await exchanges(...args)).map((e) => e.controlId);
    assert.deepEqual(await ids('--state', 'rejected'), ['DIGIT2', 'DIGIT']);
    assert.deepEqual(await ids('--fault', 'gh-4002', '--limit', '1'), ['DIGIT2']);
    assert.deepEqual(await ids('--control-id', 'FIRST', '--since', '15m'), ['FIRST', 'FIRST']);
    assert.deepEqual(await ids('--since', '2099-01-01'), []);
    assert.deepEqual([...new Set(await ids('--nhs', patient))], ['FIRST']);
    assert.deepEqual(await ids('--nhs', '9990000018'), []);
    // The number stays out of the shell's history, and of the list of processes.
    const args = ['message', 'list', '--nhs', '-', '-o', 'json', '--data', world.data];
    const { stdout } = await gatehouse(args, { input: `${patient}\n` });
    const [found] = jsonOf<{ exchanges: Summary[] }>(stdout, 'exchanges').exchanges;
    assert.equal(found?.controlId, 'FIRST');
    const none = await message('list', '--channel', 'adt-feed');
    assert.deepEqual([none.code, none.stderr], [exits.ok, 'no exchange fits\n']);
    for (const fault of ['4002', 'nhsNumberInvalid']) {
      assert.deepEqual(await ids('--fault', fault), ['DIGIT2', 'DIGIT'], fault);
    }
    const grouped = `${patient.slice(0, 3)} ${patient.slice(3, 6)}-${patient.slice(6)}`;
    assert.deepEqual([...new Set(await ids('--nhs', grouped))], ['FIRST']);
    const cut = await message('list', '--limit', '1');
    assert.equal(cut.stderr, 'only the newest 1; --limit gives more\n');
    // What cannot be meant is no search that finds nothing.
    const digits = await message('list', '--nhs', patient.slice(1));
    assert.equal(digits.code, exits.usage);
    assert.ok(!digits.stderr.includes(patient.slice(1)));
    const fault = await message('list', '--fault', 'GH-4020');
    assert.deepEqual([fault.code, fault.stdout], [exits.notFound, '']);
    assert.match(fault.stderr, /there is no fault GH-4020\n +next: gatehouse explain GH-/);
    for (const wrong of [
      ['--since', 'yesterday'],
      ['--limit', '0'],
      ['--sender', 'MILLENNIUM'],
      ['--limit', 'all'],
    ]) {
      const { code, stderr } = await message('list', ...wrong);
      assert.equal(code, exits.usage, stderr);
    }
  });

  it('show covers the patient and keeps the structure', async () => {
    const id = await idOf('FIRST');
    const runs: [string, Ended][] = [
      ['message show', await gatehouse(['message', 'show', id, '--data', world.data])],
      ['message show -o json', await message('show', id, '-o', 'json')],
    ];
    for (const [name, { code, stdout }] of runs) {
      assert.equal(code, exits.ok, name);
      assertNothingOf(stdout, name);
      assert.match(stdout, /MSA\|AA\|FIRST/);
      assert.match(stdout, /PID\|•\|\|•{10}\^\^\^•{3}\^•{2}\|/);
    }
    assert.match(runs[0]?.[1].stderr ?? '', /covered; --reveal --reason/);
    jsonOf(runs[1]?.[1].stdout ?? '', 'exchange');
    assert.ok(!existsSync(join(world.data, 'reveals.ndjson')));
  });

  it('explain tells the story, the fault and the next step, and nothing of the patient', async () => {
    const first = await idOf('FIRST');
    const digit = await idOf('DIGIT');
    const told = await gatehouse(['message', 'explain', digit, '--data', world.data]);
    assert.equal(told.code, exits.ok);
    assert.match(told.stdout, /^gp-record {2}QBP\^Q11\^QBP_Q11 {2}rejected\n/);
    assert.match(told.stdout, /\+ +0\.0 ms {2}received from .* · \d+ B\n/);
    assert.match(told.stdout, /identify: refused · GH-4002 at QPD-3 \(gp-record@1\)\n/);
    assert.match(told.stdout, /GH-4002 .*\nnext: Correct the number at the sender\.\n/);
    assert.match(
      told.stdout,
      /\n1 other ended so, the first at \S+Z: gatehouse message list --fault GH-4002\n/,
    );
    const again = await message('explain', first);
    assert.match(again.stdout, /a repeat of /);
    for (const id of [first, digit]) {
      const { stdout } = await message('explain', id, '-o', 'json');
      const read = jsonOf<{ steps: { what: string }[]; entries?: unknown }>(stdout, 'explanation');
      assert.ok(read.steps.length > 2);
      assert.equal(read.entries, undefined);
      assertNothingOf(stdout, 'message explain -o json');
      assertNothingOf((await message('explain', id)).stdout, 'message explain');
    }
  });

  it('explain warns of what the sender does otherwise than the standard, and not of our profile', async () => {
    const port = world.engine.ports['gp-record'] ?? 0;
    const warnings = async (id: string, version: string, more = '') => {
      const type = version === '2.3' ? 'QRY^A19' : 'QRY^A19^QRY_A19';
      const text = [
        `MSH|^~\\&|MILLENNIUM|R0A|GPREC|RECGW|20260604101500||${type}|${id}|P|${version}|||||GBR|UNICODE UTF-8|EN`,
        `QRD|20260604101500|R|I|Q2|||1^RD|${patient}^^^^^^^^NHS^^^^NH|ALL`,
        `${more}ZAU|10019^Smith^Jo^^^Dr~JSMITH|UNK|HOSPITAL^^R0A|R||ED`,
      ];
      const answer = await ask(port, `${text.join('\r')}\r`);
      assert.match(answer.toBytes().toString(), /\rMSA\|AE\|/);
      const { stdout } = await message('explain', await idOf(id), '-o', 'json');
      return jsonOf<{ warnings: string[] }>(stdout, 'explanation').warnings;
    };
    const empty = 'received: QRD-10 What Department Data Code is required and is empty.';
    assert.deepEqual(await warnings('A19A', '2.3'), [empty]);
    assert.deepEqual(await warnings('A19B', '2.4'), [empty]);
    assert.deepEqual(await warnings('A19C', '2.3', 'PID|1\r'), [
      'received: PID is not part of the structure QRY_A19.',
      empty,
      'received: PID-3 Patient ID is required and is empty.',
      'received: PID-5 Patient Name is required and is empty.',
    ]);
    // An answer that is not as the profile says, as a mapping of the site may make it.
    const header = 'MSH|^~\\&|A|B|C|D|20260604101500||ADR^A19|1|P|2.3';
    const body = Buffer.from(`${header}\rMSA|AA|1\rQAK|Q2|OK\rQRD|20260604101500|R|I|Q2\rPRB|AD\r`);
    const found = warningsOf([{ kind: 'answer', at: 0, body }]);
    assert.match(found[0] ?? '', /^answer: PRB is not part of the structure ADR_A19/);
  });

  it('shows the patient only to somebody who says why, and records it', async () => {
    const [, original] = await exchanges('--control-id', 'FIRST');
    const id = original?.id ?? '';
    const bare = await message('show', id, '--reveal');
    assert.deepEqual([bare.code, bare.stdout], [exits.usage, '']);
    assert.match(bare.stderr, /--reveal needs --reason/);
    const part = await message('show', id, '--part', 'received');
    assert.deepEqual([part.code, part.stdout], [exits.usage, '']);
    const log = join(world.data, 'reveals.ndjson');
    assert.ok(!existsSync(log));

    const reason = ['--reveal', '--reason', 'CHG0042: answer looks wrong'];
    const shown = await message('show', id, ...reason);
    assert.match(shown.stdout, /PID\|1\|\|9990000026\^\^\^NHS\^NH\|\|Wierzba\^Tomasz/);
    const exact = await message('show', id, '--part', 'received', ...reason);
    assert.equal(exact.stdout, query);
    const none = await message('show', id, '--part', 'broken', ...reason);
    assert.equal(none.code, exits.notFound);

    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, 3);
    for (const line of lines) {
      const { at, user, exchange, reason: why } = JSON.parse(line) as Record<string, string>;
      assert.deepEqual([exchange, why], [id, 'CHG0042: answer looks wrong']);
      assert.ok(user && Date.parse(at ?? ''));
    }
    assertNothingOf(lines.join(), 'reveals.ndjson');
    assert.equal(statSync(log).mode & 0o777, 0o600);
    rmSync(log);
  });

  it('says what is wrong with a name or a key', async () => {
    for (const name of ['NOSUCH', 'HJ5POXU0W1', '../x']) {
      const { code, stderr } = await message('show', name);
      assert.equal(code, exits.notFound);
      assert.match(stderr, /there is no exchange .*\n +next: gatehouse message list/);
    }
    const other = join(world.data, 'other.key');
    writeFileSync(other, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    const wrong = await gatehouse(['message', 'list', '--data', world.data, '--key-file', other]);
    assert.notEqual(wrong.code, exits.ok);
    assert.match(wrong.stderr, /GH-6006 .*does not hold the key this journal was written with/);
    assert.match(wrong.stderr, /next: Name the right key file/);
    const none = await message('list', '--key-file', join(world.data, 'none.key'));
    assert.match(none.stderr, /GH-6004/);
    for (const { stdout, stderr } of [wrong, none]) {
      assert.equal(stdout, '');
      assert.doesNotMatch(stderr, /\n {4}at |defect/);
    }
  });
});
