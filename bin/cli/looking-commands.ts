/** `gatehouse doctor` in the command tree. */
import type { Command } from 'commander';
import { form } from './form.ts';
import { data, run, site } from './options.ts';

/** Add the commands that look at an engine and at what is around it. */
export function addLookingCommands(program: Command): void {
  program
    .command('doctor')
    .description(
      'look whether everything around the engine is as it should be: exit 0, or 6 with what is not',
    )
    .addOption(site)
    .addOption(data)
    .option('--key-file <file>', 'key file of the journal')
    .option('--network', 'connect to each endpoint as well, and send nothing')
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse doctor --network')
    .action(async (options) => run((await import('./doctor.ts')).doctor(options)));
}
