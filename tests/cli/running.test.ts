/**
 * The long-running commands as processes of their own: `sim gp`, `serve`, and what is sent to them.
 * At the end everything they printed, were called with and named on disk is searched for the patient.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { framed, qbp, rawPeer, root } from '../world.ts';
import { until } from './delivering.ts';
import { type Ended, called, ended, gatehouse, jsonOf, says, start } from './process.ts';
import { assertNothingOf, patient } from './secrets.ts';

const name = 'Wierzba^Tomasz^Jan';
const born = '19581201';

describe('gatehouse serve and sim', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-running-'));
  const data = join(folder, 'data');
  const children: ChildProcess[] = [];
  const outputs: Promise<Ended>[] = [];
  const argv: string[] = [];
  const ports: Record<string, string> = {};

  const launch = (args: string[], env: NodeJS.ProcessEnv = {}) => {
    const child = start(args, { env });
    children.push(child);
    outputs.push(ended(child));
    return child;
  };

  before(async () => {
    const channels = join(folder, 'channels');
    cpSync(join(root, 'channels'), channels, { recursive: true });
    rmSync(join(channels, 'record-push.yaml'));
    cpSync(join(root, 'mappings'), join(folder, 'mappings'), { recursive: true });
    for (const file of ['gp-record.yaml', 'adt-feed.yaml']) {
      const text = readFileSync(join(channels, file), 'utf8');
      const short = text.replace(/port: 257[57]/, 'port: 0').replace('answer: 15s', 'answer: 2s');
      writeFileSync(join(channels, file), short);
    }
    const sim = launch([
      ...['sim', 'gp', '--port', '0', '--mllp-port', '0'],
      ...['--scenario', '9990000018=notJson502', '9990000034=slow:10000'],
      ...['--scenario', '9990000042=otherPatient', '9990000085 INVALID_RESOURCE'],
    ]);
    const [, url = ''] = await says(sim, /PDS (http:\/\/127\.0\.0\.1:\d+)\//);
    const serve = launch(['serve', '--site', folder, '--data', data], { GATEHOUSE_GP: url });
    const listening = /(adt-feed) listens on (\d+)\n(gp-record) listens on (\d+)\n/;
    const [, adt = '', adtPort = '', gp = '', gpPort = ''] = await says(serve, listening);
    ports[adt] = adtPort;
    ports[gp] = gpPort;
  });

  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(outputs);
    rmSync(folder, { recursive: true, force: true });
  });

  it('send prints each answer, and its exit code says whether one was negative', async () => {
    const to = ['--to', `127.0.0.1:${ports['gp-record']}`];
    const good = await gatehouse(['send', '-', ...to], { input: qbp(patient) });
    assert.equal(good.code, exits.ok, good.stderr);
    assert.match(good.stdout, /^MSH.*\nMSA\|AA\|.*\nQAK\|Q1\|OK/);
    assert.match(good.stderr, /^AA in \d+ ms {2}MSA-2=T\d+\n$/);

    const both = join(folder, 'both.hl7');
    writeFileSync(both, `${framed(qbp('9465701458'))}${framed(qbp(patient))}`);
    const mixed = await called(['send', both, ...to, '--new-id', '-o', 'json']);
    assert.equal(mixed.code, exits.findings);
    const { answers } = jsonOf<{ answers: { code: string; controlId: string }[] }>(
      mixed.stdout,
      'answers',
    );
    assert.deepEqual(
      answers.map(({ code }) => code),
      ['AE', 'AA'],
    );
    for (const { controlId } of answers) assert.match(controlId, /^E2E[0-9A-F]{12}$/);
    const inParts = await gatehouse(['send', '-', ...to, '--continue'], {
      input: qbp(patient, { 'RCP-2': '2^RD' }),
    });
    assert.equal(inParts.code, exits.ok, inParts.stderr);
    const left = [...inParts.stdout.matchAll(/^QAK\|Q1\|OK\|[^|]*\|\d+\|\d+\|(\d+)$/gm)];
    assert.ok(left.length > 1);
    assert.equal(left.at(-1)?.[1], '0');
    const late = qbp('9990000034');
    const { code } = await gatehouse(['send', '-', ...to, '--timeout', '1'], { input: late });
    assert.equal(code, exits.unavailable);
  });

  it('sim hospital asks at a rate and counts the answers', async () => {
    const to = ['--to', `127.0.0.1:${ports['gp-record']}`];
    const asked = await gatehouse([
      ...['sim', 'hospital', ...to, '--nhs', patient],
      ...['--count', '5', '--rate', '100', '-o', 'json'],
    ]);
    assert.equal(asked.code, exits.ok, asked.stderr);
    const figures = jsonOf<{ answers: object; failed: number }>(asked.stdout, 'figures');
    assert.deepEqual([figures.answers, figures.failed], [{ AA: 5 }, 0]);
    const adt = await called([
      ...['sim', 'hospital', '--to', `127.0.0.1:${ports['adt-feed']}`, '--type', 'ADT^A01'],
      ...['--nhs', patient, '--count', '3', '--rate', '100'],
    ]);
    assert.equal(adt.code, exits.ok);
    assert.match(adt.stdout, /^AA 3\nno answer 0\n.*p50 .* ms, p99 .* ms\n$/);
    const a19 = await called(['sim', 'hospital', ...to, '--type', 'QRY^A19']);
    assert.match(a19.stdout, /^AA 1\n/);
  });

  it('nothing printed, logged, given as argument or named on disk tells of the patient', async () => {
    const gp = Number(ports['gp-record']);
    const adt = Number(ports['adt-feed']);
    const pid = `PID|1||${patient}^^^NHS^NH||${name}||${born}|1`;
    const header = (type: string, more = '|P|2.4') =>
      `MSH|^~\\&|MILLENNIUM|R0A|GPREC|RECGW|20260604101500||${type}|L${++count}${more}`;
    let count = 0;
    const odd: [port: number, text: string][] = [
      [gp, qbp(patient, { 'QPD-13': 'Wierzba', 'QPD-14': born })],
      [gp, qbp(patient, { 'QPD-13': 'Otherwise', 'QPD-14': '19000101' })],
      [gp, qbp(patient, { 'QPD-2': name, 'QPD-12': name, 'MSH-8': name })],
      [gp, qbp(patient, { 'QPD-5': `${name} ${born}`, 'QPD-4': 'Wierzba' })],
      [gp, qbp(patient, { 'QPD-3': `${patient} Wierzba^^^NHS^NH` })],
      [gp, qbp(patient, { 'QPD-7': `${patient}^Wierzba`, 'QPD-9': name })],
      [gp, qbp(patient, { 'QPD-9': `Wierzba^^${patient}` })],
      [gp, qbp(patient, { 'MSH-3': 'Wierzba', 'MSH-4': patient })],
      [gp, qbp(patient, { 'MSH-11': 'Wierzba' })],
      [gp, qbp(patient, { 'MSH-12': patient })],
      [gp, qbp(patient, { 'MSH-18': 'Wierzba' })],
      // The practice's system, the proxy and PDS failing in the middle of it.
      ...['9990000018', '9990000042', '9990000085', '9990000107'].map(
        (number): [number, string] => [gp, qbp(number, { 'QPD-13': 'Wierzba' })],
      ),
      // A patient where no patient belongs, and bytes that are no message.
      [gp, `${header('QBP^Q11^QBP_Q11')}\r${pid}\r`],
      [gp, `${header('QBP^Q21^QBP_Q21')}\r${pid}\r`],
      [gp, `${pid}\r`],
      [gp, `MSH|^~\\&|${name}`],
      [adt, `${header('ADT^A01^ADT_A01')}\r${pid}\rPD1|||${name}^^${patient}\r`],
      [adt, `${header('ADT^A03^ADT_A03')}\r${pid}\r`],
      [adt, `${header('ADT^A01^ADT_A01', '')}\r${pid}\r`],
    ];
    await Promise.all(
      odd.map(async ([port, text]) => {
        const peer = await rawPeer(port);
        peer.write(framed(text));
        await peer.next().catch(() => undefined);
        peer.socket.destroy();
      }),
    );
    // Without a frame, with a frame that never ends, and with garbage between frames.
    for (const bytes of [pid, `\x0b${pid}`, `\x1c\r${pid}${framed(qbp(patient))}`]) {
      const peer = await rawPeer(gp);
      peer.write(bytes);
      peer.end();
      await peer.closed();
    }
    for (const child of children) {
      const file = `/proc/${child.pid}/cmdline`;
      if (existsSync(file)) argv.push(readFileSync(file, 'utf8'));
    }
    for (const child of children) child.kill('SIGTERM');
    const runs = await Promise.all(outputs);
    for (const [i, { code, stdout, stderr }] of runs.entries()) {
      assert.equal(code, exits.ok, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /"msg":"/);
      assertNothingOf(stderr, ['sim gp', 'serve'][i] ?? '');
    }
    // The faults above were met, and told by their codes.
    const log = runs[1]?.stderr ?? '';
    for (const code of ['GH-2001', 'GH-2006', 'GH-3001', 'GH-4005', 'GH-5010', 'GH-5015']) {
      assert.ok(log.includes(code), code);
    }
    assertNothingOf(argv.join('\n'), 'the command line');
    const files = readdirSync(data, { recursive: true, encoding: 'utf8' });
    assert.ok(files.includes('journal.sqlite'));
    assertNothingOf(files.join('\n'), 'a file name');
    assert.equal(statSync(data).mode & 0o077, 0);
    // The journal is sealed: its bytes tell no more than its name.
    for (const file of files.filter((each) => each.startsWith('journal.'))) {
      const bytes = readFileSync(join(data, file)).toString('latin1');
      for (const secret of [patient, 'Wierzba', born, 'Amlodipine']) {
        assert.ok(!bytes.includes(secret), `${file} holds ${secret}`);
      }
    }
  });

  it('what the engine stored is read when it has stopped', async () => {
    const { stdout } = await called(['message', 'list', '--data', data, '--limit', '500']);
    assert.ok(stdout.split('\n').length > 30);
    assertNothingOf(stdout, 'message list');
    mkdirSync(join(folder, 'empty'));
    const none = await called(['message', 'list', '--data', join(folder, 'empty')]);
    assert.equal(none.code, exits.notFound);
  });
});

describe('gatehouse demo', function () {
  this.timeout(30_000);

  /** The folder for temporary files of one run; nothing is to be left in it. */
  let own: string;
  beforeEach(() => void (own = mkdtempSync(join(tmpdir(), 'gatehouse-own-'))));
  afterEach(() => {
    const left = readdirSync(own);
    rmSync(own, { recursive: true });
    assert.deepEqual(left, []);
  });

  it('--once shows the question, what was done and the answer, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await gatehouse(['demo', '--once'], { env: { TMPDIR: own } });
    assert.equal(code, exits.ok, stderr);
    assert.match(stdout, /The hospital asks[^]*QPD\|[^]*What Gatehouse did[^]*asks pds/);
    assert.match(stdout, /The hospital is answered[^]*MSA\|AA\|/);
  });

  it('leaves nothing behind where it is ended early', async () => {
    const demo = start(['demo'], { env: { TMPDIR: own } });
    await until(() => readdirSync(own).length > 0, 'it has a folder');
    demo.kill('SIGINT');
    assert.equal((await ended(demo)).code, exits.ok);
  });

  it('leaves nothing behind where its reader goes away', async () => {
    const demo = start(['demo'], { env: { TMPDIR: own } });
    demo.stdout?.destroy();
    assert.equal((await ended(demo)).code, exits.ok);
  });
});
