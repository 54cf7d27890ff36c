/**
 * Output that is longer than the terminal goes through the pager of the person: GATEHOUSE_PAGER, else
 * PAGER, else none. Where one may be needed, what is printed is held until the command has ended or
 * asks something; then it is known how long it is. It reaches the pager by a pipe: patient data stands
 * in no file and among no arguments.
 */
import { stripVTControlCharacters } from 'node:util';
import type { Command } from 'commander';

/** What these tell is to be seen at once; or, as stored messages, it has no bound. */
export const live: readonly string[] = [
  ...['serve', 'demo', 'tap', 'top', 'mapping watch', 'sim gp', 'sim receiver'],
  ...['send', 'message send', 'message export'],
];

interface Piece {
  stream: NodeJS.WriteStream;
  text: string;
}

let held: Piece[] | undefined;

/** Write to one of the standard streams, or hold it for the pager. */
export function put(stream: NodeJS.WriteStream, text: string): void {
  // Talk stays in its order with the data, and waits for nothing else.
  if (held && (stream === process.stdout || held.length > 0)) held.push({ stream, text });
  else stream.write(text);
}

/** Hold what a command prints from here on, where it might go through a pager. */
export function holdOutput(command: Command): void {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY || pagerOf(process.env) === undefined) return;
  if (live.includes(nameOf(command)) || command.opts().watch) return;
  held = [];
  // Also where the command ends otherwise than it should, nothing of it is lost.
  process.once('exit', showPlainly);
}

/** For this process, and for what is started from here. */
export function withoutPager(): void {
  process.env.GATEHOUSE_PAGER = '';
}

/** Show what is held, and wait until it was read; what comes after is not held. */
export async function showHeld(): Promise<void> {
  if (held === undefined) return;
  const isData = ({ stream }: Piece) => stream === process.stdout;
  const data = held
    .filter(isData)
    .map(({ text }) => text)
    .join('');
  const pager = pagerOf(process.env);
  if (pager === undefined || fits(data, process.stdout)) return showPlainly();
  const { trouble, unread } = await page(data, pager);
  if (!unread) held = held.filter((one) => !isData(one));
  showPlainly();
  if (trouble) process.stderr.write(`${trouble}\n      next: --no-pager leaves it out\n`);
}

function showPlainly(): void {
  const all = held ?? [];
  held = undefined;
  for (const { stream, text } of all) stream.write(text);
}

interface Pager {
  /** The variable that names it. */
  by: string;
  command: string;
}

function pagerOf(env: NodeJS.ProcessEnv): Pager | undefined {
  const by = env.GATEHOUSE_PAGER === undefined ? 'PAGER' : 'GATEHOUSE_PAGER';
  const command = env[by]?.trim() ?? '';
  return command === '' || command === 'cat' ? undefined : { by, command };
}

/** `message list` */
function nameOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${nameOf(parent)} ${command.name()}` : command.name();
}

/** Whether it can be seen at once, with a line left for the shell. */
function fits(text: string, { rows, columns }: NodeJS.WriteStream): boolean {
  // A terminal that does not tell its size has the one that all began with.
  let left = (rows || 24) - 1;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    left -= Math.max(1, Math.ceil(stripVTControlCharacters(line).length / (columns || 80)));
    if (left < 0) return false;
  }
  return true;
}

/** Where git leaves a pager its own wishes, so do we; what is searched for in it is kept nowhere. */
const wishes = { LESS: 'FRX', LV: '-c', LESSHISTFILE: '-' };

/** Have a pager show it. @returns what went wrong, and whether nothing was shown */
async function page(
  data: string,
  { by, command }: Pager,
): Promise<{ trouble?: string; unread?: boolean }> {
  const { spawn } = await import('node:child_process');
  const env = { ...wishes, ...process.env };
  const child = spawn('sh', ['-c', command], { env, stdio: ['pipe', 'inherit', 'inherit'] });
  // Ctrl-C is for the pager to understand; it must not be left alone at the terminal.
  const unmoved = () => undefined;
  process.on('SIGINT', unmoved);
  // Who has seen enough quits it: nobody is left to tell.
  child.stdin.on('error', unmoved);
  child.stdin.end(data);
  const ended = await new Promise<number | Error | null>((resolve) => {
    child.once('error', resolve).once('close', resolve);
  });
  process.off('SIGINT', unmoved);
  if (ended instanceof Error || ended === 126 || ended === 127) {
    return { trouble: `the pager of ${by} cannot be started: printed without it`, unread: true };
  }
  // Above 128 a signal ended it, as Ctrl-C does.
  if (ended === null || ended === 0 || ended > 128) return {};
  return { trouble: `the pager of ${by} ended with ${ended}: it may not have shown everything` };
}
