/** `gatehouse` as a process of its own, as a shell runs it; and in this one, for long tables of calls. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { WriteStream } from 'node:tty';
import { main } from '../../bin/cli/main.ts';
import { root } from '../world.ts';

export interface Ended {
  code: number | null;
  /** Data. */
  stdout: string;
  /** Talk. */
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string | Buffer;
  /** The Node to run it with. */
  node?: string;
}

export interface CallOptions {
  /** Both outputs are a terminal that has colours; nobody sits at it. */
  terminal?: boolean;
}

const launcher = join(root, 'bin', 'gatehouse');

/** The environment of a user who has set nothing; compiled code is kept between the many starts. */
const plain = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  TMPDIR: process.env.TMPDIR,
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'gatehouse'),
};

/** Start a command; its standard streams are pipes. */
export function start(args: readonly string[], options: RunOptions = {}): ChildProcess {
  const { cwd = root, env = {}, node = process.execPath } = options;
  return spawn(node, [launcher, ...args], { cwd, env: { ...plain, ...env } });
}

/** Run a command to its end. */
export async function gatehouse(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = start(args, options);
  child.stdin?.end(options.input ?? '');
  return ended(child);
}

/**
 * Run a command in this process: the same tree and the same exit codes, without the start.
 * @returns also what came on both outputs, in its order
 */
export async function called(
  args: readonly string[],
  { terminal = false }: CallOptions = {},
): Promise<Ended & { both: string }> {
  const { exitCode, stdout, stderr, stdin } = process;
  const ended = { code: 0, stdout: '', stderr: '', both: '' };
  const kept = [stdout, stderr].map(({ write, isTTY, getColorDepth }) => {
    return { write, isTTY, getColorDepth };
  });
  const { isTTY: attended } = stdin;
  stdin.isTTY = false;
  for (const [stream, name] of [[stdout, 'stdout'] as const, [stderr, 'stderr'] as const]) {
    stream.isTTY = terminal;
    stream.getColorDepth = (env = { ...process.env, TERM: 'xterm' }) =>
      WriteStream.prototype.getColorDepth.call(stream, env);
    stream.write = ((chunk: string | Uint8Array) => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      ended[name] += text;
      ended.both += text;
      return true;
    }) as typeof stream.write;
  }
  process.exitCode = undefined;
  try {
    await main(['node', 'gatehouse', ...args]);
    ended.code = Number(process.exitCode ?? 0);
  } finally {
    for (const [i, stream] of [stdout, stderr].entries()) Object.assign(stream, kept[i]);
    stdin.isTTY = attended;
    process.exitCode = exitCode;
  }
  return ended;
}

/** Whether a command line needs a shell. */
export const isShell = (line: string): boolean =>
  /[>|&;$]/.test(line.replace(/"[^"]*"|'[^']*'/g, ''));

/** The words of a command line that needs none. */
export const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, ...parts]) => parts.find(Boolean) ?? '');

/** What a process printed until its end. */
export async function ended(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

/** What a process says until a pattern is in it. @throws Error where it ends before */
export function says(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const found = pattern.exec(text);
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error(`it ended with: ${text}`)));
  });
}

/** The JSON a command printed, which names its kind and version. */
export function jsonOf<T>(text: string, kind: string): T {
  const read = JSON.parse(text) as T & { kind: string; version: number };
  assert.deepEqual([read.kind, read.version], [kind, 1]);
  return read;
}
