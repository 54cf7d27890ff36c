/** `gatehouse completion SHELL`, and what the shell then asks for each word. */
import type { Command } from 'commander';
import { type Shell, scripts } from './completion/scripts.ts';
import { valuesFor } from './completion/values.ts';
import { type Candidate, nextOn } from './completion/words.ts';
import { exits } from './exits.ts';
import { print } from './output.ts';

/** Print what a shell has to read. */
export async function completion(shell: Shell): Promise<number> {
  print(scripts[shell]);
  return exits.ok;
}

/**
 * Print the words that can stand in the place of the last, each with a word about it behind a tab;
 * `:files` and `:folders` have the shell offer its own. Whatever goes wrong, nothing is offered.
 */
export async function complete(program: Command, words: readonly string[]): Promise<number> {
  const current = words.at(-1) ?? '';
  const { words: known, wanted, before, given } = nextOn(program, words);
  const found = known.filter(({ word }) => word.startsWith(current));
  if (wanted) {
    const none = { words: [] as Candidate[], shell: undefined };
    const values = await valuesFor(wanted, given).catch(() => none);
    const typed = current.slice(before.length).toLowerCase();
    const fitting = values.words.filter(({ word }) => word.toLowerCase().startsWith(typed));
    found.push(...fitting.map(({ word, says }) => ({ word: before + word, says })));
    if (values.shell) found.push({ word: `:${values.shell}` });
  }
  for (const { word, says } of found) print(says ? `${word}\t${firstLine(says)}` : word);
  return exits.ok;
}

const firstLine = (text: string) => (text.split('\n')[0] ?? '').slice(0, 100);
