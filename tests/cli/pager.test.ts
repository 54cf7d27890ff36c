/** Long output and the pager of the person, at a real terminal. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { live } from '../../bin/cli/pager.ts';
import { openRevisions } from '../../engine/config/revisions.ts';
import { root } from '../world.ts';
import { rows } from './command-rows.ts';
import { called, ended } from './process.ts';

const terminal = join(import.meta.dirname, 'terminal.py');
const launcher = join(root, 'bin', 'gatehouse');
/** Says what it got, line by line. */
const marks = "sed 's/^/paged: /'";
const compiled = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'gatehouse') };
const long = ['config', 'schema'];

interface Seen {
  code: number | null;
  /** What the person sees, with plain line ends. */
  screen: string;
}

interface Sitting {
  /** What the person types, once this was said. */
  types?: [awaited: string, keys: string];
  /** What runs the command. */
  through?: string[];
}

/** Run a command at a terminal of 24 lines. */
async function seen(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { types: [awaited, keys] = ['', ''], through = [] }: Sitting = {},
): Promise<Seen> {
  const line = [...through, process.execPath, launcher, ...args];
  const child = spawn('python3', [terminal, awaited, keys, ...line], {
    cwd: root,
    env: { PATH: process.env.PATH, TERM: 'xterm', NO_COLOR: '1', ...compiled, ...env },
  });
  const { code, stdout, stderr } = await ended(child);
  assert.equal(stderr, '');
  return { code, screen: stdout.replaceAll('\r\n', '\n') };
}

describe('the pager', function () {
  this.timeout(30_000);
  let folder: string;
  let wrong: string[];

  before(function () {
    const { status } = spawnSync('python3', ['-c', 'import pty, termios'], { stdio: 'ignore' });
    if (status !== 0) {
      process.stderr.write('      left out: a terminal is made with python3, which is not here\n');
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-pager-'));
    mkdirSync(join(folder, 'channels'));
    cpSync(join(root, 'channels', 'routes'), join(folder, 'channels', 'routes'), {
      recursive: true,
    });
    const keys = Array.from({ length: 40 }, (_, i) => `unknown${i}: 1\n`).join('');
    writeFileSync(join(folder, 'channels', 'wrong.yaml'), keys);
    wrong = ['config', 'check', '--site', folder];
  });
  after(() => folder && rmSync(folder, { recursive: true, force: true }));

  it('shows what is longer than the terminal, and nothing else', async () => {
    const whole = await seen(long, { PAGER: marks });
    const { stdout } = await called(long);
    assert.deepEqual(whole, { code: 0, screen: stdout.replace(/^(?=.)/gm, 'paged: ') });
    const short = await seen(['explain', 'GH-4002'], { PAGER: marks });
    assert.deepEqual(short, { code: 0, screen: (await called(['explain', 'GH-4002'])).stdout });
  });

  it('is that of GATEHOUSE_PAGER, else of PAGER, else none', async () => {
    const first = { GATEHOUSE_PAGER: marks, PAGER: 'sed s/^/other:/' };
    assert.match((await seen(long, first)).screen, /^paged: /);
    for (const none of [{}, { GATEHOUSE_PAGER: '', PAGER: marks }, { PAGER: 'cat' }])
      assert.match((await seen(long, none)).screen, /^\{\n/, JSON.stringify(none));
    assert.match((await seen([...long, '--no-pager'], { PAGER: marks })).screen, /^\{\n/);
  });

  it('is for a person at both ends: neither of a pipe', async () => {
    const through = ['sh', '-c', '"$@" </dev/null', 'sh'];
    assert.match((await seen(long, { PAGER: marks }, { through })).screen, /^\{\n/);
    const piped = ['sh', '-c', '"$@" | cat', 'sh'];
    assert.match((await seen(long, { PAGER: marks }, { through: piped })).screen, /^\{\n/);
  });

  it('may be quit early: the command ends quietly, with its own exit code', async () => {
    const { stdout } = await called(wrong);
    const first = stdout.slice(0, stdout.indexOf('\n') + 1);
    const { code, screen } = await seen(wrong, { PAGER: 'head -n 1' });
    assert.equal(code, exits.badConfig);
    assert.ok(screen.startsWith(first), screen);
    // The talk comes after it; nobody loses it with the pager.
    assert.match(screen.slice(first.length), /^\S.*\n$/);
    // One process, which then reads from its person: a shell between two may miss the Ctrl-C.
    const waits = { PAGER: `${marks} - /dev/tty` };
    const interrupted = await seen(wrong, waits, { types: ['paged:', '\u0003'] });
    assert.equal(interrupted.code, exits.badConfig);
    assert.match(interrupted.screen, /^paged: /);
    assert.doesNotMatch(interrupted.screen, /cannot be started|GH-00/);
  });

  it('that cannot be started loses nothing, and is told', async () => {
    const { stdout } = await called(long);
    const { code, screen } = await seen(long, { GATEHOUSE_PAGER: 'no-such-pager -R' });
    assert.equal(code, 0);
    assert.ok(screen.includes(stdout));
    assert.match(
      screen,
      /\nthe pager of GATEHOUSE_PAGER cannot be started: printed without it\n +next: --no-pager/,
    );
    const failed = await seen(long, { PAGER: 'exit 3' });
    assert.match(failed.screen, /^the pager of PAGER ended with 3: .*\n +next: --no-pager/);
    assert.equal(failed.code, 0);
  });

  it('is left as its person has set it, and keeps no history', async () => {
    const tell = 'echo "$LESS|$LV|$LESSHISTFILE"';
    assert.equal((await seen(long, { PAGER: tell })).screen, 'FRX|-c|-\n');
    assert.match((await seen(long, { PAGER: tell, LESS: 'S' })).screen, /^S\|-c\|-\n/);
  });

  it('shows what stands before a question before it is asked', async () => {
    const site = join(folder, 'changed');
    const data = join(folder, 'data');
    const file = (i: number) => join(site, 'channels', `one${i}.yaml`);
    mkdirSync(join(site, 'channels'), { recursive: true });
    for (let i = 0; i < 30; i++) writeFileSync(file(i), `channel: one${i}\n`);
    const revision = openRevisions(data).keep(site);
    for (let i = 0; i < 30; i++) rmSync(file(i));
    const args = ['config', 'rollback', revision, '--site', site, '--data', data];
    const { code, screen } = await seen(args, { PAGER: marks }, { types: ['[y/N]', 'n\n'] });
    assert.equal(code, exits.failed);
    assert.match(
      screen,
      /^(paged: one\d+ {2}added\n){30}.*Back to revision .*n\r?\nerror GH-0014 /,
    );
    // Ctrl-D is no answer, and so no yes; nor is it a refusal of the operating system.
    const left = await seen(args, { PAGER: marks }, { types: ['[y/N]', '\u0004'] });
    assert.equal(left.code, exits.failed);
    assert.match(left.screen, /Back to revision .*\r?\nerror GH-0014 {2}nothing was changed/);
  });

  it('never keeps what is to be seen at once', () => {
    const lasting = Object.keys(rows).filter((name) => rows[name]?.serves);
    const kept = lasting.filter((name) => !live.includes(name));
    assert.deepEqual(kept, []);
    for (const name of live) assert.ok(rows[name], name);
  });
});
