/** `gatehouse queue …` in the command tree. */
import type { Command } from 'commander';
import { form } from './form.ts';
import { data, run } from './options.ts';

/** Add the commands that look at the queues of the running engine, and steer them. */
export function addQueueCommands(program: Command): void {
  const queue = program.command('queue').description('deliveries of the running engine');
  const name = '<channel/destination>';
  const looking = (command: Command) => command.addOption(data).addOption(form);
  const acting = (command: Command) =>
    looking(command)
      .option('--reason <text>', 'why; recorded in the journal')
      .option('--dry-run', 'tell whether it could be done, and do nothing');

  looking(queue.command('list').description('list destinations: state, depth, age, last fault'))
    .addHelpText('after', '\nExample:\n  gatehouse queue list')
    .action(async (options) => run((await import('./queue.ts')).list(options)));
  looking(queue.command(`show ${name}`).description('show one destination and what waits for it'))
    .addHelpText('after', '\nExample:\n  gatehouse queue show adt-feed/epr')
    .action(async (to, options) => run((await import('./queue.ts')).show(to, options)));
  acting(queue.command(`hold ${name}`).description('send nothing more there, until it is released'))
    .addHelpText('after', '\nExample:\n  gatehouse queue hold adt-feed/epr --reason "EPR upgrade"')
    .action(async (to, options) => run((await import('./queue.ts')).act('hold', to, options)));
  acting(queue.command(`release ${name}`).description('go on after a hold or a halt'))
    .addHelpText('after', '\nExample:\n  gatehouse queue release adt-feed/epr')
    .action(async (to, options) => run((await import('./queue.ts')).act('release', to, options)));
  acting(queue.command(`retry ${name}`).description('try a destination that is down again at once'))
    .addHelpText('after', '\nExample:\n  gatehouse queue retry adt-feed/epr')
    .action(async (to, options) => run((await import('./queue.ts')).act('retry', to, options)));
  looking(queue.command(`skip ${name} <ids...>`).description('never deliver these messages there'))
    .requiredOption('--reason <text>', 'why; recorded in the journal')
    .option('--dry-run', 'tell what would be skipped')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse queue skip adt-feed/epr JZ5K0T1Q2A --reason "test patient"',
    )
    .action(async (to, ids, options) => run((await import('./queue.ts')).skip(to, ids, options)));
}
