/** `gatehouse key …` in the command tree. */
import type { Command } from 'commander';
import { form } from './form.ts';
import { data, run } from './options.ts';

/** Add the commands that look at the keys of the journal, and add one. */
export function addKeyCommands(program: Command): void {
  const key = program.command('key').description('the keys that seal the journal');
  const of = (command: Command) =>
    command.addOption(data).option('--key-file <file>', 'key file of the journal').addOption(form);
  of(
    key
      .command('list')
      .description('list the keys, without showing them: exit 6 where one is missing'),
  )
    .addHelpText('after', '\nExample:\n  gatehouse key list')
    .action(async (options) => run((await import('./key.ts')).list(options)));
  of(
    key
      .command('rotate')
      .description('add a new current key; a running engine seals with it at once'),
  )
    .option('--dry-run', 'tell what would be done; change nothing')
    .option('--yes', 'do not ask')
    .option('--reason <text>', 'why; recorded in the journal')
    .addHelpText('after', '\nExample:\n  gatehouse key rotate --reason CHG0042')
    .action(async (options) => run((await import('./key.ts')).rotate(options)));
}
