/** `gatehouse status`, `metrics` and `config apply` in the command tree. */
import type { Command } from 'commander';
import { form } from './form.ts';
import { data, run } from './options.ts';

/** Add the commands that look at the running engine as a whole, and change its configuration. */
export function addEngineCommands(program: Command, config: Command): void {
  program
    .command('status')
    .description(
      'tell how the running engine is: exit 0 where all is well, 6 where something is not',
    )
    .addOption(data)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse status --data /var/lib/gatehouse')
    .action(async (options) => run((await import('./status.ts')).status(options)));
  program
    .command('metrics')
    .description('metrics of the running engine')
    .command('show [name]')
    .description('print them, or those whose name holds a text')
    .option('--channel <name>', 'those of this channel and of its destinations')
    .addOption(data)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse metrics show queue --channel adt-feed')
    .action(async (name, options) => run((await import('./metrics.ts')).show(name, options)));
  config
    .command('apply')
    .description('have the running engine read its configuration again: the whole of it or nothing')
    .addOption(data)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse check && gatehouse config apply')
    .action(async (options) => run((await import('./apply.ts')).apply(options)));
}
