/** `gatehouse status` and `metrics` in the command tree. */
import type { Command } from 'commander';
import { form } from './form.ts';
import { data, run } from './options.ts';

/** Add the commands that look at the running engine as a whole. */
export function addEngineCommands(program: Command): void {
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
}
