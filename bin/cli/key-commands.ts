/** `gatehouse key …` in the command tree. */
import type { Command } from 'commander';
import { form } from './form.ts';
import { data, run } from './options.ts';

/** Add the commands that look at the keys of the journal, add one, and do without an old one. */
export function addKeyCommands(program: Command): void {
  const key = program.command('key').description('the keys that seal the journal');
  const of = (command: Command) =>
    command.addOption(data).option('--key-file <file>', 'key file of the journal').addOption(form);
  const changing = (command: Command) =>
    of(command)
      .option('--dry-run', 'tell what would be done; change nothing')
      .option('--yes', 'do not ask')
      .option('--reason <text>', 'why; recorded in the journal');
  of(
    key
      .command('list')
      .description('list the keys, without showing them: exit 6 where one is missing'),
  )
    .addHelpText('after', '\nExample:\n  gatehouse key list')
    .action(async (options) => run((await import('./key.ts')).list(options)));
  changing(
    key
      .command('rotate')
      .description('add a new current key; a running engine seals with it at once'),
  )
    .option('--reencrypt', 'then seal all that is stored again with it, while messages come in')
    .addHelpText('after', '\nExample:\n  gatehouse key rotate --reencrypt --reason CHG0042')
    .action(async (options) => run((await import('./key.ts')).rotate(options)));
  changing(
    key
      .command('reencrypt')
      .description('seal all that lies under older keys again; goes on where it was interrupted'),
  )
    .addHelpText('after', '\nExample:\n  gatehouse key reencrypt --reason CHG0042')
    .action(async (options) => run((await import('./key-reencrypt.ts')).reencrypt(options)));
  changing(
    key
      .command('retire')
      .description('take an old key out of the key file, once nothing needs it')
      .argument('<key>', 'what key list calls it'),
  )
    .option('--forget-practices', 'forget the practices of patients that are known under it alone')
    .addHelpText('after', '\nExample:\n  gatehouse key retire b5a0d749f49a8740 --reason CHG0042')
    .action(async (name, options) => run((await import('./key-retire.ts')).retire(name, options)));
}
