/** What holds for every command: exit codes, help, where data and talk go, pipes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { helpOfAll } from '../docs/help.ts';
import { called, gatehouse, jsonOf, start } from './process.ts';

const bundle = 'fixtures/patients/9465701459.json';
const escape = '\u001b';

describe('gatehouse', function () {
  this.timeout(30_000);
  let folder: string;
  before(() => void (folder = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('ends with the exit code of what happened', async () => {
    const runs = await Promise.all([
      gatehouse(['--version']),
      gatehouse(['mesage']),
      gatehouse(['explain', 'GH-4020']),
      gatehouse(['send', 'fixtures/adt/a01.hl7', '--to', `127.0.0.1:${await closedPort()}`]),
      gatehouse(['check', '--site', 'docs']),
    ]);
    assert.deepEqual(
      runs.map(({ code }) => code),
      [exits.ok, exits.usage, exits.notFound, exits.unavailable, exits.badConfig],
    );
    assert.match(runs[0]?.stdout ?? '', /^\d+\.\d+\.\d+\n$/);
    assert.match(runs[3]?.stderr ?? '', /cannot be reached \(ECONNREFUSED\)\n +next: check/);
    for (const { stdout } of runs.slice(1, 4)) assert.equal(stdout, '');
  });

  it('shows an example of every command in its help', async () => {
    for (const [name, text] of await helpOfAll()) {
      if (/^Commands:/m.test(text)) continue;
      assert.match(text, new RegExp(`\nExample:\n {2}gatehouse \\S`), name);
    }
    const help = await gatehouse(['message', 'show', '--help']);
    assert.equal(help.code, exits.ok);
    assert.match(help.stdout, /Usage: gatehouse message show .*--reveal.*Example:/s);
    assert.equal(help.stderr, '');
  });

  /** How a wrong call ends: with this code, this said to the person, and no data. */
  const wrong: [args: string[], code: number, ...says: RegExp[]][] = [
    [['mesage', 'list'], exits.usage, /unknown command 'mesage'/, /message/],
    [['channel'], exits.usage, /Usage: gatehouse channel/],
    [['send', 'fixtures/adt/a01.hl7', '--to', 'nowhere'], exits.usage, /127\.0\.0\.1:2575/],
    [['send', 'none.hl7', '--to', '1'], exits.notFound, /no file none\.hl7/, /next: /],
    [['send', 'package.json', '--to', '1'], exits.usage, /no HL7 v2 message/],
    [['explain', 'GH-4020'], exits.notFound, /no fault GH-4020/, /next: gatehouse explain GH-/],
    [['message', 'list', '--data', 'none'], exits.notFound, /no journal in none/, /--data/],
    [['message', 'list', '--state', 'lost'], exits.usage, /answered, rejected, parked/],
    [['route', 'graph', 'gp-recrod'], exits.notFound, /next: gatehouse route graph gp-record/],
    [['mapping', 'try', 'package.json'], exits.usage, /no FHIR Bundle/],
    [['mapping', 'try', bundle, '--datasets', 'XYZ'], exits.usage, /PAT, ALL, RSK, MED, PRB/],
    [['channel', 'test', 'none.case'], exits.notFound, /no case none\.case/],
    [['sim', 'gp', '--scenario', '9465701459=slwo'], exits.usage, /did you mean "slow"/],
    [['sim', 'hospital', '--to', '1', '--count', 'x'], exits.usage, /"x" is no whole number/],
    [['sim', 'hospital', '--to', '1', '--type', 'ORU^R01'], exits.usage, /QBP\^Q11/],
    [['check', '--site', 'none'], exits.notFound, /no folder none/],
    [['check', '--site', 'docs'], exits.badConfig, /1 error/],
    [['serve', '--site', 'docs', '--data', 'none'], exits.badConfig, /no Gatehouse site/, /--site/],
  ];
  it('tells a wrong call what was wrong and what comes next, on stderr, with its exit code', async () => {
    for (const [args, code, ...patterns] of wrong) {
      const { stdout, stderr, code: got } = await called(args);
      const shown = `gatehouse ${args.join(' ')}: ${stderr}`;
      assert.equal(got, code, shown);
      for (const pattern of patterns) assert.match(stderr, pattern, shown);
      if (args[0] !== 'check') assert.equal(stdout, '', shown);
      assert.doesNotMatch(stderr, /defect of Gatehouse|\n {4}at /, shown);
    }
    assert.ok(!existsSync('none'));
  });

  /** Every command with `-o json` that needs no journal and nobody to talk to. */
  const json: [args: string[], kind: string][] = [
    [['check'], 'check'],
    [['config', 'check'], 'check'],
    [['channel', 'list'], 'channels'],
    [['channel', 'test', '--coverage', 'fixtures/gp-record/allergies.case'], 'cases'],
    [['mapping', 'try', bundle, '--trace'], 'mapped'],
    [['explain', 'GH-4002'], 'fault'],
    [['explain', '4002'], 'fault'],
    [['explain', 'nhsNumberInvalid'], 'fault'],
  ];
  it('prints versioned JSON with -o json, and nothing else on stdout', async () => {
    const printed = new Map<string, string>();
    for (const [args, kind] of json) {
      const { stdout, code } = await called([...args, '-o', 'json']);
      assert.equal(code, exits.ok, args.join(' '));
      jsonOf(stdout, kind);
      printed.set(kind, stdout);
    }
    const cases = jsonOf<{ cases: { passed: boolean }[]; coverage: { route: string }[] }>(
      printed.get('cases') ?? '',
      'cases',
    );
    assert.deepEqual(
      cases.cases.map(({ passed }) => passed),
      [true],
    );
    assert.deepEqual(cases.coverage.map(({ route }) => route).sort(), ['adt', 'gp-record', 'push']);
  });

  it('has no colour in a pipe', async () => {
    const args = ['mapping', 'try', bundle, '--datasets', 'ALL'];
    const [piped, forced] = await Promise.all([
      gatehouse(args),
      gatehouse(args, { env: { FORCE_COLOR: '1' } }),
    ]);
    assert.ok(!piped.stdout.includes(escape) && !piped.stderr.includes(escape));
    assert.match(piped.stdout, /^PID\|1\|\|9465701459/);
    // So that the line above can fail at all.
    assert.ok(forced.stdout.includes(escape));
  });

  it('prints tables tab-separated in a pipe', async () => {
    const { stdout } = await called(['channel', 'list']);
    const [names, ...rows] = stdout.trimEnd().split('\n');
    assert.equal(names, 'CHANNEL\tLISTEN\tSTATE\tROUTE\tACCEPTS');
    assert.equal(rows.length, 3);
    for (const row of rows) assert.equal(row.split('\t').length, 5);
  });

  it('ends quietly where its reader goes away', async () => {
    // More than a pipe holds, so that a write meets the closed end.
    const child = start(['mapping', 'try', bundle, '--trace']);
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.stdout?.once('data', () => child.stdout?.destroy());
    const code = await new Promise((resolve) => child.once('exit', resolve));
    assert.equal(code, exits.ok);
    assert.doesNotMatch(stderr, /EPIPE|error/);
  });

  it('tells a case that differs by its field, and ends with 6', async () => {
    const file = join(folder, 'changed.case');
    const text = readFileSync('fixtures/gp-record/silences/nothing-recorded.case', 'utf8');
    writeFileSync(file, text.replace('|20030730|2|', '|20030730|F|'));
    const changed = await gatehouse(['channel', 'test', file]);
    assert.equal(changed.code, exits.findings);
    assert.match(changed.stdout, /PID-8 expected F, got 2/);
    assert.equal(changed.stderr, '0 of 1 cases pass\n');

    const updated = await called(['channel', 'test', '--update', file]);
    assert.equal(updated.code, exits.ok);
    assert.match(updated.stderr, /changed\.case updated/);
    assert.equal(readFileSync(file, 'utf8'), text);
  });

  it('tells an old Node in one sentence what is needed', async function () {
    const old = oldNode();
    if (old === undefined) {
      console.log('      skipped: no Node older than 22.18 on the PATH');
      this.skip();
    }
    const { code, stdout, stderr } = await gatehouse(['demo', '--once'], { node: old });
    assert.equal(code, exits.unavailable);
    assert.equal(stdout, '');
    assert.match(stderr, /^gatehouse: this is Node \d+\.\d+\.\d+; Gatehouse needs Node 22\.18/);
    assert.match(stderr, /next: .*npx gatehouse/);
    assert.doesNotMatch(stderr, /SyntaxError|\n {4}at /);
  });
});

/** A port nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The first Node on the PATH, outside node_modules, that is too old. */
function oldNode(): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, 'node');
    if (folder.includes('node_modules') || !existsSync(file)) continue;
    const [major = 0, minor = 0] = execFileSync(file, ['--version'])
      .toString()
      .replace('v', '')
      .split('.')
      .map(Number);
    if (major < 22 || (major === 22 && minor < 18)) return file;
  }
  return undefined;
}
