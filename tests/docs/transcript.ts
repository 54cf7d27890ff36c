/** Transcripts of the documentation: what a page shows of a command is what comes. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../world.ts';

export const launcher = join(root, 'bin', 'gatehouse');

export interface Step {
  command: string;
  /** Lines of the output; `…` alone stands for any lines, at the end of a line for its rest. */
  shown: string[];
}

/** The commands of a `console` block, each with what it shows. */
export function commandsOf(block: string): Step[] {
  const steps: Step[] = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: [] });
    else if (line !== '') steps.at(-1)?.shown.push(line);
  }
  return steps;
}

/**
 * The first line that is shown and does not come, or comes and is not shown.
 * @param ids is given each exchange that is named: as it is shown, and as it came
 */
export function differenceOf(
  shown: readonly string[],
  output: string,
  ids = new Map<string, string>(),
): string | undefined {
  const raw = output.split('\n').filter((line) => plain(line) !== '');
  const came = output.split('\n').map(plain).filter(Boolean);
  let at = 0;
  let skipping = false;
  for (const line of shown) {
    if (line === '…') {
      skipping = true;
      continue;
    }
    const start = plain(line.replace(/…$/, ''));
    const fits = (one = '') => (line.endsWith('…') ? one.startsWith(start) : one === start);
    const found = came.findIndex((one, i) => i >= at && fits(one));
    if (found < 0 || (!skipping && found !== at)) {
      return `shown: ${line}\ncame: ${came.slice(at, skipping ? undefined : at + 1).join('\n')}`;
    }
    const real = raw[found]?.match(exchange) ?? [];
    for (const [i, name] of (line.match(exchange) ?? []).entries()) {
      ids.set(name, real[i] ?? name);
    }
    at = found + 1;
    skipping = false;
  }
  return skipping || at === came.length ? undefined : `not shown: ${came[at]}`;
}

/** A line without what differs from run to run: times, sizes, ports, ids, which system was the slowest. */
function plain(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'DATE')
    .replace(/\d\d:\d\d:\d\d\.\d{3}/g, 'TIME')
    .replace(/^\d\d:\d\d:\d\d {2}over the last [\dsmh ]+ {2}/, 'TIME over the last AGE ')
    .replace(/\b20\d{12}\+0000/g, 'NOW')
    .replace(/\+ *\d+\.\d ms/g, '+ ms')
    .replace(/\bin \d+ ms/g, 'in ms')
    .replace(/· \d+ B/g, '· B')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/--listen \d+/g, '--listen PORT')
    .replace(/\bE2E[0-9A-F]{12}\b/g, 'MESSAGE')
    .replace(/\b(?=[a-f]*\d)[0-9a-f]{12}\b/g, 'REVISION')
    .replace(/\b[0-9A-Z]{10}([RACP]?)\b/g, 'EXCHANGE$1')
    .replace(/\b(?=[a-f]*\d)[0-9a-f]{16}\b/g, 'KEY')
    .replace(/(\s\d+\s+)\d+[smhd]( \d+[smhd])?(?=\s)/g, '$1AGE')
    .replace(/\b(\d+) of \1 cases pass/g, 'ALL cases pass')
    .replace(/sent in .* a second/g, 'sent')
    .replace(/^[\d.]+\/s, p50 [\d.]+ ms, p99 [\d.]+ ms$/, 'RATE')
    .replace(/(?<=\t| {2})(\d+\.\d+|\d+ ms|\d+\.\d s)(?=\t| {2}|$)/g, 'FIGURE')
    .replace(/^gp-record\/(pds|sds|gpconnect)(?=\s+FIGURE)/, 'gp-record/ENDPOINT')
    .replace(/^(A[AER]\s+\d+)\s+\d+\s+\d+$/g, '$1 MS MS')
    .replace(/\b\d+(\.\d+)? (B|KB|MB|GB)\b/g, 'SIZE')
    .replace(/\b(answered|delivered)\s+\d+\.\d\b/g, '$1 MS')
    .replace(/(delivered|owed)\s+\d+\.\d/g, '$1 MS')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The name of an exchange. */
export const exchange = /\bH[0-9A-Z]{9}(?![0-9A-Z])/g;

/** A command of a page that runs. */
export interface Playing {
  /** Both its outputs so far, as a terminal shows them. */
  said(): string;
  /** Resolves when it has said something, or has ended. */
  begun: Promise<void>;
  /** Resolves when it has ended, with all that it said. */
  ended: Promise<string>;
  /** End it, with whatever it has started. */
  kill(): void;
}

/** Start a command of a page. */
export function begin(command: string, cwd: string, env: NodeJS.ProcessEnv): Playing {
  const real = command.replace(/\bnpx gatehouse/g, `"${process.execPath}" "${launcher}"`);
  const child = spawn('/bin/sh', ['-c', `{ ${real}\n} 2>&1`], { cwd, env, detached: true });
  let said = '';
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(said)));
  const spoken = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      resolve();
    });
  });
  return {
    said: () => said,
    begun: Promise.race([spoken, ended.then(() => {})]),
    ended,
    kill: () => void (child.pid !== undefined && process.kill(-child.pid)),
  };
}

/** Both outputs of a command of a page, as a terminal shows them. */
export function play(command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  return begin(command, cwd, env).ended;
}
