/** Data goes to stdout, talk to stderr; tables for people, JSON for machines. */
import { styleText } from 'node:util';
import { ConfigError, codeOf } from '../../engine/config/findings.ts';
import { FaultError, faults } from '../../engine/faults.ts';
import { type ErrorName, commandErrors, errorOfExit } from './errors.ts';
import { exits } from './exits.ts';
import { put } from './pager.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Colour where the terminal has it; NO_COLOR is honoured by Node. */
export function style(
  how: Style,
  text: string,
  stream: NodeJS.WriteStream = process.stdout,
): string {
  return styleText(how, text, { stream, validateStream: true });
}

/** Print data. */
export function print(text: string): void {
  put(process.stdout, tame(text.endsWith('\n') ? text : `${text}\n`, process.stdout));
}

/** Say something to the person. */
export function say(text: string): void {
  put(process.stderr, tame(`${text}\n`, process.stderr));
}

/** Our own styles, kept; anything else that a terminal would obey, or that turns the order of letters. */
const steering = /(\u001b\[(?:[12]|22|3[1236]|39)m)|[^\P{Cc}\n\t]|\p{Bidi_Control}/gu;

/** Text of messages may be meant to steer a terminal; a pipe is given what there is. */
function tame(text: string, { isTTY }: NodeJS.WriteStream): string {
  return isTTY ? text.replace(steering, (_, own?: string) => own ?? '\uFFFD') : text;
}

/** Print rows: aligned on a terminal, tab-separated in a pipe. */
export function printTable(
  columns: string[],
  rows: (string | number | null | undefined)[][],
): void {
  const cells = rows.map((row) => row.map((cell) => oneLine(String(cell ?? ''))));
  if (!process.stdout.isTTY) {
    for (const row of [columns, ...cells]) print(row.join('\t'));
    return;
  }
  const widths = columns.map((name, i) =>
    Math.max(name.length, ...cells.map((row) => (row[i] ?? '').length)),
  );
  const line = (row: string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  print(style('bold', line(columns)));
  for (const row of cells) print(line(row));
}

/** Cells come from messages and files: nothing in them may break a row or steer a terminal. */
const oneLine = (text: string) => text.replace(/\s/g, ' ').replace(/\p{C}/gu, '\uFFFD');

/** A mistake in how a command was called, or something it could not find. */
export class CommandError extends Error {
  readonly code: string;
  readonly exit: number;
  readonly next: string;
  /**
   * @param message what, where and why, in a sentence without patient data
   * @param next the one next step, where it is more than the table of errors says
   * @param kind which error it is, or the exit code where no more is known of it
   */
  constructor(message: string, next?: string, kind: ErrorName | number = 'calledWrongly') {
    super(message);
    const error = commandErrors[typeof kind === 'number' ? errorOfExit(kind) : kind];
    this.code = error.code;
    this.exit = typeof kind === 'number' ? kind : error.exit;
    this.next = next ?? error.next;
  }
}

/**
 * Tell an error: its code, what, where, why, and the one next step.
 * @param command what was called, as far as it is known: `gatehouse channel add`
 * @returns the exit code
 */
export function complain(error: unknown, command?: string): number {
  if (error instanceof ConfigError) {
    for (const finding of error.findings) {
      const { code, next } = codeOf(finding);
      sayError(code, `${finding.where}  ${finding.says}`, finding.next ?? next);
    }
    return exits.badConfig;
  }
  if (error instanceof FaultError) {
    const { code, says, next } = faults[error.fault.name];
    sayError(code, `${says}${error.fault.detail ? ` (${error.fault.detail})` : ''}`, next);
    return exits.unavailable;
  }
  if (error instanceof CommandError) {
    const { code, message, next, exit } = error;
    sayError(code, message, command ? next.replace(/^Call it with /, `${command} `) : next);
    return exit;
  }
  const { code, message, path, stack } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && path !== undefined) {
    return complain(new CommandError(`there is no file ${path}`, undefined, 'fileNotFound'));
  }
  if (code) return complain(new CommandError(message, undefined, 'refusedBySystem'));
  const at = String(stack?.split('\n')[1]).trim();
  const next = `this is a defect of Gatehouse; report it with: ${at}`;
  return complain(new CommandError(message, next, 'defect'));
}

function sayError(code: string, says: string, next: string): void {
  say(`${style('red', 'error', process.stderr)} ${code}  ${says}`);
  say(`      next: ${next}`);
}
