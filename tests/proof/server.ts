/** `gatehouse serve` as a process of its own, which may die. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../world.ts';

export interface ServerOptions {
  site: string;
  data: string;
  /** Modules to load first, in every thread. */
  imports?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** A program and its arguments that start the server: `prlimit --nofile=100 …`. */
  under?: readonly string[];
  /** Kills it, also before it listens. */
  signal?: AbortSignal;
}

export interface Server {
  pid: number;
  /** By channel. */
  ports: Readonly<Record<string, number>>;
  /** Resolves when it has ended, however that was. */
  ended: Promise<Ending>;
  /** What it has said on standard error. */
  said(): string;
  kill(signal?: NodeJS.Signals): void;
}

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** It ended before it listened. */
export class NotStarted extends Error {
  readonly ending: Ending;
  constructor(ending: Ending, said: string) {
    super(`gatehouse ended before it listened (${ending.signal ?? ending.code}): ${said}`);
    this.ending = ending;
  }
}

const alive = new Set<ChildProcess>();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));
const startLimitMs = 60_000;

/**
 * Start a server; it ends with us at the latest.
 * @param channels how many channels its site has
 * @throws NotStarted when it ends before it listens on all of them, or takes more than a minute
 */
export function startServer(options: ServerOptions, channels: number): Promise<Server> {
  const { site, data, imports = [], env, under = [], signal } = options;
  const preloads = imports.flatMap((file) => ['--import', file]);
  const program = [process.execPath, ...preloads, join(root, 'bin', 'gatehouse')];
  const [command = '', ...args] = [...under, ...program, 'serve', '--site', site, '--data', data];
  const child = spawn(command, args, {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'gatehouse'),
      NODE_NO_WARNINGS: '1',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  alive.add(child);
  signal?.addEventListener('abort', () => child.kill('SIGKILL'));
  let said = '';
  const ended = new Promise<Ending>((resolve) => {
    child.once('exit', (code, signal) => {
      alive.delete(child);
      resolve({ code, signal });
    });
  });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => child.kill('SIGKILL'), startLimitMs);
    void ended.then((ending) => {
      clearTimeout(late);
      reject(new NotStarted(ending, said.slice(-2000)));
    });
    child.once('error', reject);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-64 * 1024);
      const ports = [...said.matchAll(/^(\S+) listens on (\d+)$/gm)];
      if (ports.length < channels) return;
      clearTimeout(late);
      resolve({
        pid: child.pid ?? 0,
        ports: Object.fromEntries(ports.map(([, name = '', port]) => [name, Number(port)])),
        ended,
        said: () => said,
        kill: (signal = 'SIGKILL') => void child.kill(signal),
      });
    });
  });
}
