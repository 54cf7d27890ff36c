/** `gatehouse store …` in the command tree. */
import { type Command, Option } from 'commander';
import { form } from './form.ts';
import { data, run } from './options.ts';

/** Add the commands that look after the journal as a whole. */
export function addStoreCommands(program: Command): void {
  const store = program.command('store').description('the journal as a whole');
  const ofStore = (command: Command) =>
    command.addOption(data).option('--key-file <file>', 'key file of the journal').addOption(form);

  ofStore(store.command('stats').description('tell what the journal holds and takes up'))
    .addHelpText('after', '\nExample:\n  gatehouse store stats -o wide')
    .action(async (options) => run((async () => (await import('./store.ts')).stats(options))()));
  ofStore(
    store
      .command('prune')
      .description('delete old exchanges for good, through the running engine or without one'),
  )
    .requiredOption('--older-than <when>', 'received before: 30d, 12h or an ISO time')
    .option('--channel <name...>', 'of these channels; of all unless told')
    .addOption(
      new Option(
        '--state <state>',
        'only what ended so; parked: dead letters too. Unless told, all that is done with and not parked',
      ).choices(['answered', 'rejected', 'parked', 'closed']),
    )
    .option('--keep-errors', 'keep what ended with a fault')
    .option('--dry-run', 'tell how many and how much, by channel; delete nothing')
    .option('--yes', 'do not ask')
    .option('--reason <text>', 'why; recorded in the journal')
    .addHelpText(
      'after',
      '\nWhat is still owed to a destination is never deleted.\n\nExample:\n  gatehouse store prune --older-than 30d --keep-errors --dry-run',
    )
    .action(async (options) => run((await import('./store-prune.ts')).prune(options)));
  ofStore(
    store
      .command('backup <folder>')
      .description(
        'copy the journal, while an engine serves from it, into a new folder; verify the copy',
      ),
  )
    .option('--with-key', 'copy the key file too; without it the copy cannot be read')
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse store backup /backup/gatehouse-2026-06-04 --data /var/lib/gatehouse',
    )
    .action(async (to, options) => run((await import('./store-backup.ts')).backup(to, options)));
  ofStore(
    store
      .command('verify')
      .description(
        'look over the journal: both databases, every block with its key, every exchange; change nothing',
      ),
  )
    .addHelpText(
      'after',
      '\nWorks beside a running engine. Exit code 6 where anything is damaged.\n\nExample:\n  gatehouse store verify --data /var/lib/gatehouse',
    )
    .action(async (options) => run((await import('./store-verify.ts')).verify(options)));
  ofStore(
    store
      .command('salvage')
      .description('make a new journal of all that can be read in a damaged one; keep that beside'),
  )
    .option('--dry-run', 'tell what can be saved; change nothing')
    .option('--yes', 'do not ask')
    .option('--reason <text>', 'why; recorded beside the damaged files')
    .addHelpText(
      'after',
      '\nNo engine may run, and the disk must have room for the journal once more. Exit code 5 where\nsomething could not be saved.\n\nExample:\n  gatehouse store salvage --dry-run',
    )
    .action(async (options) => run((await import('./store-verify.ts')).salvageIt(options)));
}
