/** What is wrong with a command line, as commander finds it, told as every other error is. */
import type { Command, CommanderError } from 'commander';
import type { ErrorName } from './errors.ts';
import { exits } from './exits.ts';
import { CommandError, complain } from './output.ts';

const kinds: Readonly<Record<string, ErrorName>> = {
  'commander.unknownCommand': 'unknownCommand',
  'commander.unknownOption': 'unknownOption',
  'commander.missingArgument': 'argumentMissing',
  'commander.optionMissingArgument': 'argumentMissing',
  'commander.missingMandatoryOptionValue': 'argumentMissing',
  'commander.invalidArgument': 'valueNotAllowed',
};

/**
 * Tell what is wrong with a command line.
 * @param argv as of the process: the words follow the program and the script
 * @returns the exit code; 0 where help or the version was asked for
 */
export function complainOfUsage(
  { code, message, exitCode }: CommanderError,
  program: Command,
  argv: readonly string[],
): number {
  if (exitCode === 0) return exits.ok;
  // The help of a noun without a verb is printed already, and says what there is.
  if (code === 'commander.help') return exits.usage;
  const says = message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.+)\?\)$/s, '; did you mean $1?');
  const next = `${commandOf(program, argv.slice(2))} --help`;
  return complain(new CommandError(says, next, kinds[code] ?? 'calledWrongly'));
}

/**
 * Patient data is shown for a reason alone, whichever command shows it; and a reason says something.
 * @throws CommandError
 */
export function refuseWithoutReason(command: Command): void {
  const { reveal, reason } = command.opts<{ reveal?: boolean; reason?: string }>();
  if (reveal && !reason?.trim()) {
    const next = 'say why patient data is shown: --reason "…"';
    throw new CommandError('--reveal needs --reason', next, 'reasonMissing');
  }
  if (reason?.trim() === '')
    throw new CommandError('--reason says nothing', undefined, 'valueNotAllowed');
}

/** The command that the words lead to, as far as they lead. @param words without the program and the script */
export function commandOf(program: Command, words: readonly string[]): string {
  const path = [program.name()];
  let at = program;
  for (const word of words) {
    const next = at.commands.find((one) => one.name() === word);
    if (!next) continue;
    path.push(word);
    at = next;
  }
  return path.join(' ');
}
