/** `gatehouse practice …` in the command tree. */
import { type Command, Option } from 'commander';
import { form } from './form.ts';
import { data, run, site } from './options.ts';

/** Add the commands about which practices are asked, and by way of what. */
export function addPracticeCommands(program: Command): void {
  const practice = program
    .command('practice')
    .description('which practices are asked, and by way of what');
  const reading = (command: Command) =>
    command
      .addOption(site)
      .addOption(
        new Option(
          '--commissioner <codes...>',
          'those of these commissioners; @FILE reads a file with one code a line (all unless told)',
        ),
      )
      .option('--channel <name>', 'of this channel\u2019s table, where there are several')
      .addOption(form);
  const keyFile = new Option('--key-file <file>', 'key file of the journal');

  reading(
    practice
      .command('import [list]')
      .description(
        'bring the active GP practices of epraccur.csv (ODS) into the practice table; or, with --patients, where patients are registered into the patient index',
      ),
  )
    .option('--to <destination>', 'ask these practices by way of this destination of the channel')
    .option('--prune', 'remove practices that came with an earlier list and are not in this one')
    .option('--reroute', 'take over practices that are asked by way of another destination')
    .option(
      '--patients <file>',
      'CSV of NHS number, ODS code and date of the registration or of the list ("-" reads stdin)',
    )
    .option('--as-of <date>', 'date of a list of patients that has no third column')
    .addOption(data)
    .addOption(keyFile)
    .option('--dry-run', 'show what would change; change nothing (so unless --apply is given)')
    .option('--apply', 'change it: the whole of it or nothing')
    .option('--yes', 'do not ask')
    .option('--reason <text>', 'why; recorded with the import')
    .addHelpText(
      'after',
      '\nExit code 6 where rows are malformed, practices stay with another destination, or a commissioner has\nnone; with --apply 5, for the rest was done without them.\n\nExample:\n  gatehouse practice import epraccur.csv --commissioner @ccgs.txt --to legacy-gp --dry-run',
    )
    .action(async (list, options) =>
      options.patients === undefined
        ? run((await import('./practice-import.ts')).importPractices(list, options))
        : run((await import('./practice-patients.ts')).importPatients(list, options)),
    );
  reading(
    practice
      .command('diff <list>')
      .description(
        'list what an import would change: exit 6 where there is anything, or rows are malformed',
      ),
  )
    .requiredOption('--to <destination>', 'as for import')
    .addHelpText('after', '\nExample:\n  gatehouse practice diff epraccur.csv --to legacy-gp')
    .action(async (list, options) =>
      run((await import('./practice-import.ts')).diff(list, options)),
    );
  reading(practice.command('list').description('list the practices of the tables'))
    .option('--to <destination>', 'those asked by way of this destination')
    .addHelpText('after', '\nExample:\n  gatehouse practice list --commissioner 08M -o csv')
    .action(async (options) => run((await import('./practice-list.ts')).list(options)));
  practice
    .command('lookup <code>')
    .description(
      'tell by way of what a practice is asked (ODS code), or where a patient is registered (NHS number; "-" reads it from stdin)',
    )
    .addOption(site)
    .option('--channel <name>', 'for this channel alone')
    .addOption(data)
    .addOption(keyFile)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse practice lookup Z99907')
    .action(async (code, options) =>
      run((await import('./practice-lookup.ts')).lookup(code, options)),
    );
}
