/** `gatehouse mapping …` in the command tree. */
import { type Command, Option } from 'commander';
import { datasets } from '../../engine/gp/port.ts';
import { form } from './form.ts';
import { data, run, site } from './options.ts';

/** Add the commands that look at mappings, try them, and hold them to cases. */
export function addMappingCommands(program: Command): void {
  const mapping = program.command('mapping').description('mappings');
  const ofMapping = (command: Command) =>
    command
      .addOption(site)
      .option('--mapping <name>', 'folder in mappings/', 'gp-record')
      .option('--datasets <codes>', 'comma-separated: PAT,ALL,MED …')
      .addOption(form);
  const trying = (command: Command) =>
    ofMapping(command)
      .option('--feed <name>', 'file in mappings/feeds/: what a delivery sends of a message')
      .option(
        '--profile <name>',
        'as for the answer RSP^K11 (rsp), RSP^K21 (k21), ADR^A19 (a19), RCI^I05 (i05), ORF^R04 (r04) or VXR^V03 (v03)',
        'rsp',
      );

  mapping
    .command('list')
    .description('list the mappings of this site: what uses them, and how many rules they have')
    .addOption(site)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse mapping list')
    .action(async (options) => run((await import('./mapping-list.ts')).list(options)));
  mapping
    .command('show <name> [field]')
    .description('list the rules of a mapping, or those for a field: source, condition, table')
    .option('--datasets <codes>', 'comma-separated: only of these datasets')
    .addOption(site)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse mapping show gp-record PID-8')
    .action(async (name, field, options) =>
      run((await import('./mapping-list.ts')).show(name, field, options)),
    );
  trying(mapping.command('try <file>'))
    .description('map a FHIR bundle and print the segments, or with --feed an HL7 v2 message')
    .option('--trace', 'show the value, the rule and the source of each field')
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse mapping try fixtures/patients/9465701459.json --trace',
    )
    .action(async (file, options) =>
      options.feed === undefined
        ? run((await import('./mapping.ts')).tryBundle(file, options))
        : run((await import('./try-feed.ts')).tryFeed(file, options)),
    );
  trying(mapping.command('watch <file>'))
    .description(
      'as try --trace, again whenever the mapping or the sample is saved; Ctrl-C ends it',
    )
    .option('--full', 'print everything each time, not only what has changed')
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse mapping watch fixtures/patients/9465701459.json --datasets ALL',
    )
    .action(async (file, options) =>
      run((await import('./mapping-watch.ts')).watchMapping(file, options)),
    );
  mapping
    .command('test [name]')
    .description('play the cases that use a mapping, or those of every mapping')
    .option('--steps', 'show each hop')
    .option('--update', 'write what came out into the case')
    .option('--watch', 'again whenever a file of the site changes; Ctrl-C ends it')
    .option('--reporter <name>', 'junit: the result as JUnit XML')
    .option('--report-file <file>', 'where the reporter writes')
    .addOption(site)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse mapping test gp-record')
    .action(async (name, options) =>
      run((await import('./mapping-test.ts')).testMapping(name, options)),
    );
  mapping
    .command('coverage [name]')
    .description('tell which rules, and which rows of their code tables, no case uses')
    .addOption(site)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse mapping coverage gp-record')
    .action(async (name, options) =>
      run((await import('./mapping-coverage.ts')).coverage(name, options)),
    );
  ofMapping(mapping.command('audit <bundles...>'))
    .description('account for every element of FHIR bundles: carried where, or left why')
    .option('--elements', 'show what became of each element')
    .option('--reveal', 'show values (patient data) beside the elements (needs --reason)')
    .option('--reason <text>', 'why patient data is shown; recorded')
    .addOption(data)
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse mapping audit fixtures/patients/9465701459.json --elements',
    )
    .action(async (bundles, options) => run((await import('./audit.ts')).audit(bundles, options)));
  mapping
    .command('new <name>')
    .description('make a small mapping to grow, with a case that passes')
    .addOption(
      new Option('--dataset <code>', 'a record mapping that carries this dataset')
        .choices(datasets)
        .conflicts('feed'),
    )
    .option('--feed', 'a feed mapping: HL7 v2 to HL7 v2')
    .option('--dry-run', 'tell what would be written')
    .addOption(site)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse mapping new lab-results --feed')
    .action(async (name, options) => run((await import('./mapping-new.ts')).make(name, options)));
}
