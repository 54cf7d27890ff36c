/**
 * What can go wrong with a command, each with a stable code; `gatehouse explain` knows them beside
 * the faults of messages. `GH-0` and two digits of the exit code, then a number of its own.
 */
import { findingKinds } from '../../engine/config/findings.ts';
import { exits } from './exits.ts';

export interface ErrorDefinition {
  code: string;
  exit: number;
  /** One sentence for the person at the command line. */
  says: string;
  /** The next step, where the error itself names none. */
  next: string;
}

// prettier-ignore
const table = {
  failed: row(exits.failed, 1, 'The command could not do what it was told.', 'Mend what the message names, then call it again.'),
  defect: row(exits.failed, 2, 'The command met something it was not made for: a defect of Gatehouse.', 'Report it with the line that is named.'),
  refusedBySystem: row(exits.failed, 3, 'The operating system refused what the command asked of it.', 'Check permissions, disk space and the name of the file or folder.'),
  declined: row(exits.failed, 4, 'A person was asked and did not say yes; nothing was changed.', 'Call it again and answer y, or look first with --dry-run.'),

  calledWrongly: row(exits.usage, 1, 'The command was called in a way that says nothing it could do.', 'Call it with --help: an example stands at the end.'),
  unknownCommand: row(exits.usage, 2, 'There is no such command.', 'gatehouse --help lists the commands.'),
  unknownOption: row(exits.usage, 3, 'The command has no such option.', 'Call it with --help: it lists the options.'),
  argumentMissing: row(exits.usage, 4, 'The command needs an argument or an option that was not given.', 'Call it with --help: an example stands at the end.'),
  valueNotAllowed: row(exits.usage, 5, 'An argument or an option has a value it cannot have.', 'Call it with --help: it says what the value may be.'),
  cannotAsk: row(exits.usage, 6, 'The command would ask a person, and there is no terminal to ask at.', 'Add --yes, or look first with --dry-run.'),
  reasonMissing: row(exits.usage, 7, 'Patient data is shown only for a reason, which is recorded.', 'Add --reveal --reason "…".'),
  inputUnreadable: row(exits.usage, 8, 'A file or the standard input does not hold what the command reads.', 'Check that it is the right file, and whole.'),

  notFound: row(exits.notFound, 1, 'There is nothing of the name that was given.', 'Check its spelling; the list command of the same noun shows what there is.'),
  fileNotFound: row(exits.notFound, 2, 'There is no file or folder of this name.', 'Check its name and the current folder.'),
  journalNotFound: row(exits.notFound, 3, 'The folder holds no journal.', 'Name the folder of the journal with --data.'),
  exchangeNotFound: row(exits.notFound, 4, 'The journal holds no exchange of this name.', 'gatehouse message list'),

  partlyDone: row(exits.partly, 1, 'Some of it was done, and some was not.', 'The output says which; call it again for the rest.'),
  interrupted: row(exits.partly, 2, 'The command was interrupted between two steps; what is done stays so.', 'Call the same command again for the rest.'),

  findings: row(exits.findings, 1, 'The command ran, and what it looked at is not as it should be.', 'Mend what it names, then call it again.'),

  unavailable: row(exits.unavailable, 1, 'Something the command needs cannot be reached.', 'Check that it runs, and its address.'),
  noEngine: row(exits.unavailable, 2, 'No engine runs on this journal, so nobody can be asked.', 'Start it with "gatehouse serve", or name the folder of its journal with --data.'),
  peerSilent: row(exits.unavailable, 3, 'The other system cannot be reached, or gave no answer that can be read.', 'Check its address, that it listens there, and that it speaks HL7 v2 over MLLP.'),

  badConfiguration: row(exits.badConfig, 8, 'The configuration cannot be used as it is.', 'gatehouse config check'),
} satisfies Record<string, ErrorDefinition>;

export type ErrorName = keyof typeof table;

/** Errors of commands, by name. */
export const commandErrors: Readonly<Record<ErrorName, ErrorDefinition>> = table;

/** The error for an exit code of which no more is known. */
export function errorOfExit(exit: number): ErrorName {
  const found = Object.entries(commandErrors).find(([, row]) => row.exit === exit);
  return (found?.[0] ?? 'failed') as ErrorName;
}

/** Errors of commands and findings of a configuration, in the order of their codes. */
export function allErrors(): (ErrorDefinition & { name: string })[] {
  const findings = Object.entries(findingKinds).map(([name, kind]) => {
    return { name, exit: exits.badConfig, ...kind };
  });
  const errors = Object.entries(commandErrors).map(([name, error]) => ({ name, ...error }));
  return [...errors, ...findings].sort((a, b) => (a.code < b.code ? -1 : 1));
}

function row(exit: number, number: number, says: string, next: string): ErrorDefinition {
  return { code: `GH-0${String(exit).padStart(2, '0')}${number}`, exit, says, next };
}
