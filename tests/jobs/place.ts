/** Where pages are played: a copy of the site that comes with Gatehouse, and what runs beside it. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { called, isShell, says, start, wordsOf } from '../cli/process.ts';
import { startGpSimulator } from '../../engine/simulator/gp.ts';
import { startMllpGp } from '../../engine/simulator/mllp-gp.ts';
import { patients, root } from '../world.ts';
import { type Playing, begin } from '../docs/transcript.ts';

export interface Place {
  /**
   * Run a command as a page has it. One that ends in `&` runs beside the next, and what it says at
   * first is its output.
   * @returns both outputs as they may stand on a terminal: where another ran beside it, what that
   *   said until it ended comes before or behind its own
   */
  play(command: string): Promise<string[]>;
  close(): Promise<void>;
}

export interface PlaceOptions {
  /** Whether an engine runs on the site, and the GP side beside it. */
  engine: boolean;
  /** Further ports that the pages name. */
  spare?: readonly string[];
  /** With a few of the cases alone, where all of them would be played at each change. */
  fewCases?: boolean;
}

export async function openPlace({ engine, spare = [], fewCases }: PlaceOptions): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-job-'));
  const left = (file: string) =>
    fewCases === true && /gp-record\/[\w-]+\/|push\/.*case$/.test(file);
  for (const name of ['channels', 'fixtures', 'mappings', 'package.json']) {
    cpSync(join(root, name), join(folder, name), {
      recursive: true,
      filter: (file) => !left(relative(root, file)),
    });
  }
  const running = engine ? await run(folder, spare) : undefined;
  const env = {
    ...process.env,
    ...running?.env,
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'gatehouse'),
  };
  /** Most commands need no process of their own, which would compile the mapping once more. */
  const ended = (command: string): Promise<string> =>
    /^npx gatehouse /.test(command) && !isShell(command)
      ? calledIn(folder, env, wordsOf(command).slice(2))
      : begin(command, folder, env).ended;
  let beside: { playing: Playing; told: number }[] = [];
  async function screens(command: string): Promise<string[]> {
    const [, behind] = /^(.*) &$/.exec(command) ?? [];
    if (behind !== undefined) {
      const playing = begin(behind, folder, env);
      await playing.begun;
      const said = playing.said();
      beside.push({ playing, told: said.length });
      return [said];
    }
    const came = await ended(command);
    if (beside.length === 0) return [came];
    const others = beside.map(async (one) => (await one.playing.ended).slice(one.told));
    const other = (await Promise.all(others)).join('');
    beside = [];
    return [other + came, came + other];
  }
  return {
    async play(command) {
      const ports = [...(running?.ports ?? [])];
      const numbered = (text: string, from: string, to: string) =>
        text.replace(new RegExp(`(?<!\\d)${from}(?!\\d)`, 'g'), to);
      const here = ports.reduce((text, [page, real]) => numbered(text, page, real), command);
      return (await screens(here)).map((came) => {
        const told = came.replaceAll(`${folder}/`, '');
        return ports.reduce((text, [page, real]) => numbered(text, real, page), told);
      });
    },
    async close() {
      for (const { playing } of beside) playing.kill();
      await running?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function calledIn(folder: string, env: NodeJS.ProcessEnv, args: string[]): Promise<string> {
  const home = process.cwd();
  const before = process.env;
  process.chdir(folder);
  process.env = { ...env };
  try {
    return (await called(args)).both;
  } finally {
    process.chdir(home);
    process.env = before;
  }
}

async function run(folder: string, spare: readonly string[]) {
  const gp = await startGpSimulator({ patients });
  const legacy = await startMllpGp({ patients });
  const env = { GATEHOUSE_GP: gp.url, GATEHOUSE_MLLP_GP: String(legacy.port) };
  const channels = join(folder, 'channels');
  const files = readdirSync(channels).filter((name) => name.endsWith('.yaml'));
  /** Ports as the pages have them, and as they are here. */
  const ports = new Map<string, string>();
  for (const port of spare) ports.set(port, await freePort());
  for (const name of files) {
    const file = join(channels, name);
    const text = readFileSync(file, 'utf8');
    const [, documented = ''] = /^ {2}port: (\d+)/m.exec(text) ?? [];
    ports.set(documented, await freePort());
    writeFileSync(file, text.replace(/^ {2}port: \d+/m, `  port: ${ports.get(documented)}`));
  }
  const serving: ChildProcess = start(['serve'], { cwd: folder, env });
  await says(serving, new RegExp(`(?:[\\w-]+ listens on \\d+\n){${files.length}}`));
  serving.stderr?.resume();
  const close = async () => {
    const over = once(serving, 'exit');
    serving.kill('SIGTERM');
    await over;
    await Promise.all([gp.close(), legacy.close()]);
  };
  return { env, ports, close };
}

/** A port that nobody listens on; not one that is given to whoever asks for any. */
async function freePort(): Promise<string> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const probe = createServer().listen(port, '127.0.0.1');
    const free = await Promise.race([
      once(probe, 'listening').then(() => true),
      once(probe, 'error').then(() => false),
    ]);
    probe.close();
    if (free) return String(port);
  }
}
