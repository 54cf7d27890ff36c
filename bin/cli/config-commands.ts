/** `gatehouse config …` in the command tree. */
import { Argument, type Command } from 'commander';
import { form } from './form.ts';
import { data, run, site } from './options.ts';

/** Add the commands that look at the configuration, and have the engine run another one. */
export function addConfigCommands(program: Command): void {
  const check = (command: Command) =>
    command
      .description('check every channel, route and mapping; change nothing')
      .addOption(site)
      .addOption(form)
      .addHelpText('after', '\nExample:\n  gatehouse config check -o json')
      .action(async (options) => run((await import('./check.ts')).check(options)));
  check(program.command('check'));
  const config = program.command('config').description('the configuration of this site');
  check(config.command('check'));
  config
    .command('schema')
    .description('print the JSON Schema of a file, for editors')
    .addArgument(
      new Argument('[file]', 'which').choices(['channel', 'site', 'route']).default('channel'),
    )
    .addHelpText('after', '\nExample:\n  gatehouse config schema > channel.schema.json')
    .action(async (file) => run((await import('./check.ts')).schema(file)));
  config
    .command('render [channel]')
    .description('print channels with all that they extend; secrets as their reference')
    .option('--origins', 'tell where each value is written')
    .addOption(site)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse config render gp-record')
    .action(async (name, options) => run((await import('./render.ts')).render(name, options)));
  config
    .command('diff [from] [to]')
    .description('tell how the files of the site differ from what runs, or two revisions')
    .addOption(site)
    .addOption(data)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse config diff')
    .action(async (from, to, options) =>
      run((await import('./revisions.ts')).diff(from, to, options)),
    );
  config
    .command('history')
    .description('list the revisions that ran: when, by whom, why')
    .addOption(data)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse config history')
    .action(async (options) => run((await import('./revisions.ts')).history(options)));
  const acting = (command: Command) =>
    command
      .option('--reason <text>', 'why; recorded with the revision')
      .option('--dry-run', 'tell what would change')
      .option('--yes', 'do not ask')
      .addOption(data)
      .addOption(form);
  acting(config.command('apply'))
    .description('play the cases, then have the engine run the files: all of them or nothing')
    .option('--skip-cases', 'do not play the cases first; needs --reason')
    .addHelpText('after', '\nExample:\n  gatehouse config apply --reason CHG0042 --yes')
    .action(async (options) => run((await import('./apply.ts')).apply(options)));
  acting(config.command('rollback [revision]'))
    .description('put the files of a revision back and have the engine run them')
    .addOption(site)
    .addHelpText('after', '\nExample:\n  gatehouse config rollback previous --reason CHG0042 --yes')
    .action(async (revision, options) =>
      run((await import('./rollback.ts')).rollback(revision ?? 'previous', options)),
    );
}
