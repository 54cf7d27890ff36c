/**
 * The processes of a benchmark: each with a time limit, none left behind. Servers, the load and
 * what is measured inside one thread all run apart, so that none pays for another's memory.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reply } from './processes/requests.ts';

export interface Child {
  pid: number;
  /** @throws Error when the process says so, ends, or is silent for `limitMs` */
  ask<Value>(request: object, limitMs: number): Promise<Value>;
  stop(): Promise<void>;
}

/** A process that serves a port. */
export interface Server {
  pid: number;
  port: number;
  stop(): Promise<void>;
}

const startLimitMs = 30_000;
const alive = new Set<ChildProcess>();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));

/** Start a process of `processes/`. @returns it, and what its first message says */
export async function startChild<First>(
  name: string,
  args: string[] = [],
): Promise<Child & { first: First }> {
  const file = join(import.meta.dirname, 'processes', `${name}.ts`);
  const child = startProcess(file, args, 'ignore');
  const first = await reply<First>(child, name, startLimitMs);
  return {
    first,
    pid: child.pid ?? 0,
    ask: (request, limitMs) => askProcess(child, name, request, limitMs),
    stop: () => stopProcess(child),
  };
}

/** Ask a process that answers requests. @throws Error as `Child.ask` does */
export function askProcess<Value>(
  child: ChildProcess,
  name: string,
  request: object,
  limitMs: number,
): Promise<Value> {
  child.send(request);
  return reply(child, name, limitMs);
}

/** Start a server of `processes/`. */
export async function startServer(name: string, args: string[] = []): Promise<Server> {
  const { pid, first, stop } = await startChild<number>(name, args);
  return { pid, port: first, stop };
}

/**
 * Start a Node process that ends with us.
 * @param output where its standard error goes: a file descriptor or `ignore`
 * @param imports modules it loads first
 */
export function startProcess(
  file: string,
  args: string[],
  output: number | 'ignore',
  imports: string[] = [],
) {
  const child = fork(file, args, {
    execArgv: imports.flatMap((module) => ['--import', module]),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', output, 'ipc'],
  });
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  return child;
}

/** Ask a process to end, and see that it does. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}

function reply<Value>(child: ChildProcess, name: string, limitMs: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const over = (settle: () => void) => {
      clearTimeout(timer);
      child.off('message', told);
      child.off('exit', ended);
      settle();
    };
    const told = (message: unknown) => {
      const said = message as Reply<Value>;
      over(() => ('value' in said ? resolve(said.value) : reject(new Error(said.error))));
    };
    const ended = () => over(() => reject(new Error(`the process ${name} ended`)));
    const timer = setTimeout(() => {
      over(() => reject(new Error(`the process ${name} did not answer within ${limitMs} ms`)));
      child.kill('SIGKILL');
    }, limitMs);
    child.on('message', told);
    child.once('exit', ended);
  });
}

/** CPU time of a process with all its threads, in milliseconds; undefined where nobody tells. */
export function cpuTime(pid: number): number | undefined {
  const stat = procFile(pid, 'stat');
  // User and system time in ticks of 10 ms; the name before them may hold spaces.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The most memory a process had resident since `forgetPeak`, in MB; undefined where nobody tells. */
export function peakMemory(pid: number): number | undefined {
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(procFile(pid, 'status') ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}

/** Begin the peak anew (proc(5), clear_refs); without it, it is the peak since the start. */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Not Linux, or not allowed.
  }
}

/**
 * Wait until a process has come to rest, so that its work is all counted and the next one has the
 * machine to itself.
 * @param quietMs how long it must have done nothing: longer than what it does by a timer
 */
export async function atRest(pid: number, quietMs: number): Promise<void> {
  const deadline = performance.now() + 20_000;
  let busy = performance.now();
  let before = cpuTime(pid) ?? 0;
  while (performance.now() - busy < quietMs && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const now = cpuTime(pid) ?? 0;
    // One tick in a tenth of a second is the process looking at its timers.
    if (now - before > 10) busy = performance.now();
    before = now;
  }
}

function procFile(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}
