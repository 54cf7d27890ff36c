/** Data goes to stdout, talk to stderr; tables for people, JSON for machines. */
import { styleText } from 'node:util';
import { ConfigError } from '../../engine/config/yaml.ts';
import { FaultError, faults } from '../../engine/faults.ts';
import { exits } from './exits.ts';

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
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Say something to the person. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Print rows: aligned on a terminal, tab-separated in a pipe. */
export function printTable(
  columns: string[],
  rows: (string | number | null | undefined)[][],
): void {
  const cells = rows.map((row) => row.map((cell) => String(cell ?? '')));
  if (!process.stdout.isTTY) {
    for (const row of [columns, ...cells])
      print(row.map((c) => c.replace(/[\t\n]/g, ' ')).join('\t'));
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

/** A mistake in how a command was called, or something it could not find. */
export class CommandError extends Error {
  readonly exit: number;
  readonly next?: string;
  constructor(message: string, next?: string, exit: number = exits.usage) {
    super(message);
    this.exit = exit;
    this.next = next;
  }
}

/** Tell an error: what, where, why, and the one next step. @returns the exit code */
export function complain(error: unknown): number {
  const red = (text: string) => style('red', text, process.stderr);
  if (error instanceof ConfigError) {
    for (const finding of error.findings) {
      say(`${red('error')} ${finding.where}  ${finding.says}`);
      if (finding.next) say(`      next: ${finding.next}`);
    }
    return exits.badConfig;
  }
  if (error instanceof FaultError) {
    const { code, says, next } = faults[error.fault.name];
    say(`${red('error')} ${code}  ${says}${error.fault.detail ? ` (${error.fault.detail})` : ''}`);
    say(`      next: ${next}`);
    return exits.unavailable;
  }
  if (error instanceof CommandError) {
    say(`${red('error')} ${error.message}`);
    if (error.next) say(`      next: ${error.next}`);
    return error.exit;
  }
  const { code, message, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && path !== undefined) {
    say(`${red('error')} there is no file ${path}`);
    say('      next: check its name and the current folder');
    return exits.notFound;
  }
  say(`${red('error')} ${message}`);
  if (!code)
    say(
      `      next: this is a defect of Gatehouse; report it with: ${String((error as Error).stack?.split('\n')[1]).trim()}`,
    );
  return exits.failed;
}
