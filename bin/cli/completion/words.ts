/** Which words can stand next on a command line, going by the command tree. */
import type { Argument, Command, Option } from 'commander';

/** What is wanted in the place of a value. */
export interface Wanted {
  /** What the place is called in the help: `channel/destination`, `id`, `file`. */
  name: string;
  /** The option it belongs to, without hyphens: `channel`. */
  option?: string;
  /** The command it stands behind: `channel test`. */
  command: string;
  choices?: readonly string[];
}

export interface Candidate {
  word: string;
  says?: string;
}

/** What can stand next: words, or a value of some kind, or both. */
export interface Next {
  words: Candidate[];
  wanted?: Wanted;
  /** To be put before each value: `--channel=`. */
  before: string;
  /** Options that were given so far, with their values. */
  given: Readonly<Record<string, string>>;
}

/**
 * What can stand in the place of the last word.
 * @param program the tree
 * @param words all that was typed behind the program's name; the last may be empty
 */
export function nextOn(program: Command, words: readonly string[]): Next {
  let command = program;
  let open: Option | undefined;
  let [arguments_, ended] = [0, false];
  const given: Record<string, string> = {};
  for (const word of words.slice(0, -1)) {
    if (open && !(open.variadic && word.startsWith('-'))) {
      given[open.attributeName()] = word;
      if (!open.variadic) open = undefined;
      continue;
    }
    open = undefined;
    if (word === '--' && !ended) ended = true;
    else if (word.startsWith('-') && word !== '-' && !ended) {
      const [name = '', value] = word.split(/=(.*)/s);
      const option = optionNamed(command, name);
      if (option && takesValue(option)) {
        if (value === undefined) open = option;
        else given[option.attributeName()] = value;
      }
    } else {
      const below = arguments_ === 0 && !ended ? commandNamed(command, word) : undefined;
      if (below) command = below;
      else arguments_ += 1;
    }
  }

  const current = words.at(-1) ?? '';
  const next: Next = { words: [], before: '', given };
  if (open && !(open.variadic && current.startsWith('-'))) {
    return { ...next, wanted: wantedBy(command, open) };
  }
  const [, name, typed] = /^(--[\w-]+=)(.*)$/s.exec(current) ?? [];
  if (name !== undefined && typed !== undefined) {
    const option = optionNamed(command, name.slice(0, -1));
    return option ? { ...next, before: name, wanted: wantedBy(command, option) } : next;
  }
  if (current.startsWith('-') && !ended) {
    return { ...next, words: optionsOf(command).map(optionWord) };
  }
  const below =
    arguments_ > 0 || ended ? [] : command.createHelp().visibleCommands(command).filter(isNamed);
  next.words = below.map((one) => ({ word: one.name(), says: one.description() }));
  const { registeredArguments: all } = command;
  const last = all.at(-1);
  const argument = all[arguments_] ?? (last?.variadic ? last : undefined);
  if (argument) next.wanted = wantedOf(command, argument);
  return next;
}

const isNamed = (command: Command) => command.name() !== 'help';

const takesValue = ({ required, optional }: Option) => required || optional;

const optionWord = ({ long, short, description }: Option): Candidate => ({
  word: long ?? short ?? '',
  says: description,
});

/** Those of a command and of the ones above it. */
function optionsOf(command: Command | null): Option[] {
  if (!command) return [];
  const visible = command.createHelp().visibleOptions(command);
  return [...visible, ...optionsOf(command.parent)];
}

function optionNamed(command: Command, name: string): Option | undefined {
  return optionsOf(command).find(({ long, short }) => long === name || short === name);
}

function commandNamed(command: Command, name: string): Command | undefined {
  return command.commands.find((one) => one.name() === name || one.aliases().includes(name));
}

function wantedBy(command: Command, option: Option): Wanted {
  const [, name = ''] = /[<[]([^>\]]+?)(?:\.\.\.)?[>\]]/.exec(option.flags) ?? [];
  const choices = option.argChoices;
  return { name, option: option.long?.slice(2), command: pathOf(command), choices };
}

function wantedOf(command: Command, argument: Argument): Wanted {
  return { name: argument.name(), command: pathOf(command), choices: argument.argChoices };
}

/** `message show` */
function pathOf(command: Command): string {
  return command.parent?.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}
