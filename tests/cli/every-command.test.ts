/** The rules of the command line, held against every command that there is. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseYaml } from 'yaml';
import { forms } from '../../bin/cli/form.ts';
import { helpOfAll } from '../docs/help.ts';
import { ask, root } from '../world.ts';
import { adt } from './delivering.ts';
import { type Row, rows } from './command-rows.ts';
import { type Ended, called, ended, isShell, start, wordsOf } from './process.ts';
import { type Sandbox, personal, startSandbox } from './sandbox.ts';

/** Help by command, without `gatehouse`; nouns without their verbs are left out. */
const help = new Map(
  [...(await helpOfAll())]
    .filter(([, text]) => !/^Commands:/m.test(text))
    .map(([name, text]) => [name.replace(/^gatehouse /, ''), text] as const),
);
const withForms = [...help].filter(([, text]) => /--output <form>/.test(text)).map(([n]) => n);
const rowOf = (name: string): Row => {
  const row = rows[name];
  assert.ok(row, `${name} has no row in command-rows.ts`);
  return row;
};
const exampleOf = (name: string): string => {
  const [, line] = /\nExample:\n {2}(gatehouse .+)\n/.exec(help.get(name) ?? '') ?? [];
  assert.ok(line, `${name} has no example`);
  return line;
};
const escape = /[\u001b\u009b]/;

describe('every command', function () {
  this.timeout(60_000);
  let box: Sandbox;
  const home = process.cwd();
  before(async () => void (box = await startSandbox()));
  after(async () => {
    process.chdir(home);
    await box.close();
  });

  /** A line of the documentation, as it is said here. */
  function here(line: string, { words: own = {}, about = 'delivered' }: Partial<Row> = {}): string {
    let text = line.replace(/^gatehouse /, '');
    for (const [from, to] of Object.entries(own)) text = text.replaceAll(from, to);
    for (const [from, to] of box.ports)
      text = text.replaceAll(`127.0.0.1:${from}`, `127.0.0.1:${to}`);
    return text
      .replaceAll('JZ5K0T1Q2A', box.ids[about])
      .replaceAll('b5a0d749f49a8740', box.key)
      .replaceAll('/var/lib/gatehouse', 'data')
      .replaceAll('/backup/', '../');
  }

  /** Run a line in this process, in one of the folders. */
  async function run(line: string, folder: string, terminal = false): Promise<Ended> {
    process.chdir(folder);
    try {
      return await called(wordsOf(line), { terminal });
    } finally {
      process.chdir(home);
    }
  }
  const folderOf = ({ in: where = 'running' }: Row) => box[where];

  /** What each example printed as it stands, by command. */
  const printed = new Map<string, Ended>();

  it('has a row here, and every row a command', () => {
    assert.deepEqual([...help.keys()].sort(), Object.keys(rows).sort());
    assert.ok(help.size > 35);
  });

  it('has an example that runs', async () => {
    const bin = join(box.bare, 'bin');
    mkdirSync(bin);
    symlinkSync(join(root, 'bin', 'gatehouse'), join(bin, 'gatehouse'));
    chmodSync(join(bin, 'gatehouse'), 0o755);
    const PATH = [bin, join(process.execPath, '..'), process.env.PATH].join(delimiter);
    for (const name of help.keys()) {
      const row = rowOf(name);
      const example = exampleOf(name);
      if (row.serves || row.once) continue;
      const line = here(example, row);
      const done = isShell(line)
        ? await ended(
            spawn('/bin/sh', ['-c', `gatehouse ${line}`], {
              cwd: folderOf(row),
              env: { ...process.env, PATH, HOME: box.bare },
            }),
          )
        : await run(line, folderOf(row));
      assert.ok(
        (row.exits ?? [0]).includes(done.code ?? -1),
        `${line}: ${done.code} ${done.stderr}`,
      );
      printed.set(name, done);
    }
  });

  it('that works until it is stopped says that it is ready, and ends well on Ctrl-C', async () => {
    for (const name of help.keys()) {
      const row = rowOf(name);
      if (!row.serves) continue;
      const line = `${here(exampleOf(name), row)} ${row.serves.more ?? ''}`;
      const child = start(wordsOf(line), { cwd: folderOf(row) });
      const over = once(child, 'exit');
      const feed = setInterval(() => {
        if (row.serves?.fed) void ask(Number(box.ports.get('2577')), adt('T1'));
      }, 100);
      await said(child, row.serves.ready).finally(() => clearInterval(feed));
      child.kill('SIGINT');
      assert.deepEqual(await over, [0, null], name);
    }
  });

  it('that tells something takes all six forms, or has a form of its own', () => {
    for (const [name, text] of help) {
      const { own, serves, forms: some = forms } = rowOf(name);
      if (withForms.includes(name)) {
        for (const form of some) assert.match(text, new RegExp(`choices:[^)]*"${form}"`), name);
      } else assert.ok(own ?? serves, `${name} has no -o`);
    }
  });

  it('that changes something does so once, with JSON to say what', async () => {
    for (const name of help.keys()) {
      const row = rowOf(name);
      if (!row.once) continue;
      const example = exampleOf(name);
      const plain = isShell(example) ? (example.split('&& ')[1] ?? '') : example;
      const line = `${here(plain, row)} ${withForms.includes(name) ? '-o json' : ''}`;
      if (row.edited) box.edit();
      let done = await run(line, folderOf(row));
      for (let again = 0; row.passing?.test(done.stderr) && again < 100; again++) {
        await new Promise((next) => setTimeout(next, 20));
        done = await run(line, folderOf(row));
      }
      assert.ok(
        (row.exits ?? [0]).includes(done.code ?? -1),
        `${line}: ${done.code} ${done.stderr}`,
      );
      if (withForms.includes(name)) read('json', done.stdout, name);
      printed.set(name, done);
    }
  });

  it('prints data that can be read in each form, and nothing else, to stdout', async () => {
    for (const name of withForms) {
      const row = rowOf(name);
      if (row.once || row.serves) continue;
      const line = here(exampleOf(name), row)
        .replace(/^.*&& gatehouse /, '')
        .replace(/ -o \w+/, '');
      for (const form of forms) {
        const done = await run(`${line} -o ${form}`, folderOf(row));
        assert.ok(
          (row.exits ?? [0]).includes(done.code ?? -1),
          `${line} -o ${form}: ${done.stderr}`,
        );
        read(form, done.stdout, `${name} -o ${form}`);
        printed.set(`${name} -o ${form}`, done);
      }
    }
    assert.ok(printed.size > 150);
  });

  it('of a form of its own prints that, and nothing else', () => {
    for (const [name, { own }] of Object.entries(rows)) {
      const done = printed.get(name);
      if (own && done && !isShell(exampleOf(name))) assert.match(done.stdout, own, name);
    }
  });

  it('uses no escape sequence in a pipe, with NO_COLOR, or with --no-color', async () => {
    for (const [name, { stdout, stderr }] of printed)
      assert.ok(!escape.test(stdout + stderr), name);
    let coloured = 0;
    // Build servers have no colour of their own.
    const { CI, TERM } = process.env;
    delete process.env.CI;
    process.env.TERM = 'xterm-256color';
    for (const name of help.keys()) {
      const row = rowOf(name);
      const example = exampleOf(name);
      if (row.once || row.serves || isShell(example) || name === 'demo') continue;
      const line = here(example, row);
      const plain = await run(line, folderOf(row), true);
      if (escape.test(plain.stdout + plain.stderr)) coloured++;
      process.env.NO_COLOR = '1';
      const quiet = await run(line, folderOf(row), true).finally(() => delete process.env.NO_COLOR);
      const told = await run(`${line} --no-color`, folderOf(row), true);
      delete process.env.NO_COLOR;
      assert.ok(!escape.test(quiet.stdout + quiet.stderr), `NO_COLOR=1 ${line}`);
      assert.ok(!escape.test(told.stdout + told.stderr), `${line} --no-color`);
    }
    if (CI !== undefined) process.env.CI = CI;
    if (TERM === undefined) delete process.env.TERM;
    else process.env.TERM = TERM;
    // So that the above could fail.
    assert.ok(coloured > 15, `${coloured}`);
  });

  it('shows nothing of a patient where nobody gave a reason', () => {
    for (const [name, { stdout, stderr }] of printed) {
      if (rowOf(name.replace(/ -o \w+$/, '')).shows) continue;
      // A file that the caller names may be called after a patient.
      const text = `${stdout}${stderr}`.replaceAll(/fixtures\/[\w./-]+/g, 'FILE');
      for (const secret of personal) {
        assert.ok(!text.includes(secret), `${name} shows ${secret}`);
      }
    }
  });

  it('that can reveal does so for a reason alone, by one rule', async () => {
    const revealing = [...help].filter(([, text]) => /^ {2}--reveal/m.test(text));
    assert.ok(revealing.length > 6);
    for (const [name, text] of revealing) {
      assert.match(text, /^ {2}--reason <text>/m, name);
      const line = here(exampleOf(name), rowOf(name)).replace(/ --reason \S+| > .*$/g, '');
      for (const why of ['', " --reason ' '"]) {
        // A reason that is wanted anyway is said, and says nothing.
        if (why === '' && name === 'message edit') continue;
        const done = await run(`${line} --reveal${why}`, folderOf(rowOf(name)));
        assert.deepEqual([done.code, done.stdout], [2, ''], `${name}: ${done.stderr}`);
        assert.match(done.stderr, /^error GH-0027 {2}--reveal needs --reason\n {6}next: .+\n$/);
      }
    }
  });

  it('refuses an option it does not know, and suggests one', async () => {
    for (const [name, text] of help) {
      const [, option = ''] = /^ {2}(?:-\w, )?--([a-z-]{4,})/m.exec(text) ?? [];
      const line = here(exampleOf(name).replace(/^.*&& gatehouse | >.*$/g, ''), rowOf(name));
      const { code, stdout, stderr } = await called([...wordsOf(line), `--${option}x`]);
      assert.deepEqual([code, stdout], [2, ''], name);
      assert.match(stderr, /^error GH-0023 {2}unknown option .*; did you mean .*--/, name);
      assert.match(stderr, /\n {6}next: gatehouse [a-z -]+ --help\n$/, name);
    }
  });

  it('that asks the engine ends with 69 where none runs', async () => {
    for (const [name, row] of Object.entries(rows)) {
      if (!row.engine) continue;
      const line = here(exampleOf(name), row).replace(/^.*&& gatehouse /, '');
      const { code, stdout, stderr } = await run(line, box.bare);
      assert.deepEqual([code, stdout], [69, ''], `${line}: ${stderr}`);
      assert.match(stderr, /^error GH-0692 {2}.*\n {6}next: .*gatehouse serve/, name);
    }
  });

  it('ends with 3 where what is named is not there', async () => {
    for (const [name, row] of Object.entries(rows)) {
      if (row.missing === null) continue;
      assert.ok(row.missing.startsWith(name), row.missing);
      const { code, stdout, stderr } = await run(here(row.missing), folderOf(row));
      if (row.tellsMissing) {
        assert.deepEqual([code, stderr], [3, ''], row.missing);
        continue;
      }
      assert.deepEqual([code, stdout], [3, ''], `${row.missing}: ${stderr}`);
      assert.match(stderr, /^error GH-003\d {2}.+\n {6}next: .+\n$/, name);
    }
  });

  it('that works on a site ends with 3 where that is not there, and makes none', async () => {
    const onSite = [...help].filter(([, text]) => /^ {2}--site <folder>/m.test(text));
    assert.ok(onSite.length > 20);
    for (const [name] of onSite) {
      const row = rowOf(name);
      const example = here(exampleOf(name), row).replace(/^.*&& gatehouse | >.*$/g, '');
      const { code, stdout, stderr } = await run(`${example} --site none`, folderOf(row));
      assert.deepEqual([code, stdout], [3, ''], `${name}: ${stderr}`);
      assert.match(
        stderr,
        /^error GH-0032 {2}there is no folder none\n {6}next: check --site\n$/,
        name,
      );
      assert.ok(!existsSync(join(folderOf(row), 'none')), name);
    }
    // A folder that is there, and no site: no empty listing of it.
    for (const name of ['check', 'channel list', 'cert list', 'mapping list']) {
      const { code, stderr } = await run(`${name} --site ${join(box.bare, 'fixtures')}`, box.bare);
      assert.equal(code, 78, name);
      assert.match(stderr, /GH-0781 .*no Gatehouse site|^1 error/, name);
    }
  });

  it('asks nobody where there is no terminal, and names the option', async () => {
    for (const [name, text] of help) {
      const { asks, asksAfter, about, edited } = rowOf(name);
      // What can be asked about can be told before.
      if (/^ {2}--yes/m.test(text)) assert.ok(asks, `${name} has --yes`);
      if (!asks) continue;
      const [call, option] = asks;
      for (const before of asksAfter ?? []) {
        assert.equal((await run(here(before), box.large)).code, 0, before);
      }
      if (edited) box.edit();
      const folder = asksAfter ? box.large : box.running;
      const { code, stderr } = await run(here(call, { about: about ?? 'parked' }), folder);
      if (edited) box.unedit();
      assert.equal(code, 2, `${call}: ${stderr}`);
      assert.match(stderr, /^error GH-0026 /m, name);
      assert.ok(stderr.includes(option), stderr);
      // Nobody is sent to an option that is not there.
      const [, next = ''] = /\n {6}next: (.*)\n/.exec(stderr) ?? [];
      for (const [named] of next.matchAll(/--[a-z-]+/g)) {
        assert.match(text, new RegExp(`^ {2}${named}\\b`, 'm'), `${name}: ${next}`);
      }
    }
  });

  it('ends quietly where its reader goes away', async () => {
    const waiting = [...help.keys()].filter((name) => {
      const { once: changes, serves, printsAs } = rowOf(name);
      return !changes && !serves && !printsAs && !isShell(exampleOf(name));
    });
    for (const { printsAs } of Object.values(rows)) {
      assert.ok(printsAs === undefined || waiting.includes(printsAs), printsAs);
    }
    const next = async (): Promise<void> => {
      const name = waiting.shift();
      if (name === undefined) return;
      const row = rowOf(name);
      const child = start(wordsOf(here(exampleOf(name), row)), { cwd: folderOf(row) });
      child.stdout?.destroy();
      const { code, stderr } = await ended(child);
      assert.ok([0, ...(row.exits ?? [])].includes(code ?? -1), `${name}: ${code} ${stderr}`);
      assert.doesNotMatch(stderr, /EPIPE|GH-00/, name);
      return next();
    };
    await Promise.all([next(), next()]);
  });
});

/** Wait until a process has said something, as data or as talk. */
async function said(child: ChildProcess, pattern: RegExp): Promise<void> {
  let text = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (pattern.test(text)) resolve();
      });
    }
    child.once('exit', () => reject(new Error(`it ended with: ${text}`)));
  });
}

/** Read what was printed in a form; the text itself where it is for people. */
function read(form: (typeof forms)[number], text: string, name: string): void {
  try {
    if (form === 'json' || form === 'yaml') {
      const { kind, version } = (form === 'json' ? JSON.parse(text) : parseYaml(text)) as Record<
        string,
        unknown
      >;
      assert.match(String(kind), /^[a-z]+([A-Z][a-z]+)*$/);
      assert.equal(version, 1);
    } else if (form === 'ndjson') {
      for (const line of text.split('\n').filter(Boolean)) {
        assert.equal(typeof JSON.parse(line), 'object');
      }
    } else if (form === 'csv') parseCsv(text, { columns: true });
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}\n${text.slice(0, 500)}`, {
      cause: error,
    });
  }
}
