/** The README's tour, command by command: what it shows is what comes. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../world.ts';
import { blocksOf } from './pages.ts';
import { commandsOf, differenceOf, play } from './transcript.ts';

const launcher = join(root, 'bin', 'gatehouse');
const tour = blocksOf(readFileSync(join(root, 'README.md'), 'utf8'), 'console').flatMap(commandsOf);

describe('the tour of the README', function () {
  this.timeout(60_000);
  let folder: string;
  /** A port as the README has it, and the one that stands for it here. */
  const ports = new Map<string, string>();
  const running: ChildProcess[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-tour-'));
    for (const name of ['channels', 'fixtures']) {
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    symlinkSync(join(root, 'mappings'), join(folder, 'mappings'));
    for (const name of ['gp-record', 'adt-feed']) {
      const file = join(folder, 'channels', `${name}.yaml`);
      writeFileSync(file, readFileSync(file, 'utf8').replace(/^ {2}port: \d+/m, '  port: 0'));
    }
    const sim = await start(['sim', 'gp', '--port', '0', '--mllp-port', '0'], /HL7 v2: .*:(\d+)\n/);
    const [, http = ''] = /PDS http:\/\/127\.0\.0\.1:(\d+)/.exec(sim) ?? [];
    const [, mllp = ''] = /HL7 v2: 127\.0\.0\.1:(\d+)/.exec(sim) ?? [];
    const env = { GATEHOUSE_GP: `http://127.0.0.1:${http}`, GATEHOUSE_MLLP_GP: mllp };
    const serve = await start(['serve'], /gp-record listens on \d+\n/, env);
    const [, channel = ''] = /gp-record listens on (\d+)/.exec(serve) ?? [];
    ports.set('8480', http).set('2575', channel);
  });

  after(async () => {
    await Promise.all(
      running.map(
        (child) =>
          new Promise((ended) => {
            child.once('exit', ended);
            child.kill();
          }),
      ),
    );
    rmSync(folder, { recursive: true, force: true });
  });

  /** A dozen processes read the same sources: what Node made of them is kept for the next. */
  const compiled = join(root, 'node_modules', '.cache', 'gatehouse');
  const environment = () => ({ ...process.env, NODE_COMPILE_CACHE: compiled });

  /** Start a server of the tour; what it has said once it is ready. */
  function start(args: string[], ready: RegExp, env: Record<string, string> = {}): Promise<string> {
    const child = spawn(process.execPath, [launcher, ...args], {
      cwd: folder,
      env: { ...environment(), ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    running.push(child);
    let said = '';
    return new Promise((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}: ${said}`)));
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (ready.test(said)) resolve(said);
      });
    });
  }

  it('is not empty', () => assert.ok(tour.length > 8));

  /** Name of the exchange answered last: our MSH-10 without its letter. */
  let newest = '';
  for (const { command, shown } of tour) {
    it(command, async () => {
      let here = command;
      for (const [readme, real] of ports)
        here = here.replace(`127.0.0.1:${readme}`, `127.0.0.1:${real}`);
      if (/ message (explain|show) /.test(here)) here = here.replace(/\b[0-9A-Z]{10}\b/, newest);
      const came = await (here.startsWith('curl ') ? fetched(here) : run(here));
      newest = /\^RSP_K11\|([0-9A-Z]{10})R\|/.exec(came)?.[1] ?? newest;
      let difference = differenceOf(shown, came);
      // That an answer was delivered is stored up to a second later.
      for (let again = 0; difference && /message (list|explain)/.test(here) && again < 8; again++) {
        await new Promise((next) => setTimeout(next, 250));
        difference = differenceOf(shown, await run(here));
      }
      assert.equal(difference, undefined);
    });
  }

  const run = (command: string) => play(command, folder, environment());

  /** `curl -X … URL -d …`, on machines without curl too. */
  async function fetched(command: string): Promise<string> {
    const [, method, url = '', body] = /-X (\w+) (\S+)(?: -d '(.*)')?$/.exec(command) ?? [];
    return (await fetch(url, { method, body })).text();
  }
});
