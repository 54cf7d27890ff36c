/** `gatehouse channel …` and `gatehouse init` in the command tree. */
import { type Command, Option } from 'commander';
import { form } from './form.ts';
import { data, run, site } from './options.ts';

const template = new Option('--template <name>', 'what it is for')
  .choices(['gp-record', 'adt-feed', 'push'])
  .makeOptionMandatory();

const many = (value: string, before: string[] = []) => [...before, value];

/** Add the commands that make a site, and those of its channels. */
export function addChannelCommands(program: Command): void {
  program
    .command('init [folder]')
    .description('make a new site: channels, mappings, cases, editor settings, a systemd unit')
    .option('--empty', 'no channels: add them with "gatehouse channel add"')
    .option('--schemas', 'only write the editor schemas anew, in a site that is there')
    .option('--dry-run', 'tell what would be written')
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse init my-site')
    .action(async (folder, options) =>
      run((await import('./init.ts')).init(folder ?? '.', options)),
    );

  const channel = program.command('channel').description('channels and their cases');
  channel
    .command('list')
    .description('list the channels of this site, and how they run')
    .addOption(site)
    .addOption(data)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse channel list -o wide')
    .action(async (options) => run((await import('./channel.ts')).list(options)));
  channel
    .command('show <channel>')
    .description('show what a channel takes, whom it asks, to whom it delivers, and how it runs')
    .addOption(site)
    .addOption(data)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse channel show gp-record')
    .action(async (name, options) => run((await import('./channel.ts')).show(name, options)));
  channel
    .command('add <name>')
    .description('add a channel with a message and a case that passes at once')
    .addOption(template)
    .option('--listen <port>', 'TCP port; the first that no channel has unless told')
    .option('--sender <app|fac>', 'who may send, MSH-3 and MSH-4; may be given again', many)
    .option('--as <app|fac>', 'our own MSH-3 and MSH-4')
    .option('--organisation <ods=asid>', 'who asks for records, and the ASID of its own')
    .option('--to <host:port>', 'where messages go on to, or the record is pushed to')
    .option('--description <text>', 'one sentence for the people who run it')
    .option('--dry-run', 'tell what would be written')
    .addOption(site)
    .addOption(form)
    .addHelpText(
      'after',
      "\nExample:\n  gatehouse channel add rxx-adt --template adt-feed --listen 6661 --sender 'PAS|RXX'",
    )
    .action(async (name, options) => run((await import('./add-channel.ts')).add(name, options)));

  const says = {
    pause: 'take no messages; what the channel owes is still delivered',
    stop: 'take no messages and deliver nothing',
    start: 'take messages and deliver again, after a pause or a stop',
  } as const;
  for (const act of ['pause', 'stop', 'start'] as const) {
    const command = channel
      .command(`${act} <channel>`)
      .description(`${says[act]}; outlives a restart of the engine`)
      .option('--reason <text>', 'why; recorded in the journal')
      .option('--dry-run', 'tell how the channel stands')
      .addOption(data)
      .addOption(form)
      .addHelpText(
        'after',
        `\nExample:\n  gatehouse channel ${act} gp-record --reason "CHG0042"${act === 'stop' ? ' --yes' : ''}`,
      );
    if (act === 'stop') command.option('--yes', 'do not ask');
    command.action(async (name, options) =>
      run((await import('./channel.ts')).suspend(act, name, options)),
    );
  }

  channel
    .command('test [cases...]')
    .description(
      'play cases: files, or the names of channels; all of them unless told. With a channel and a message: a dry run',
    )
    .addOption(site)
    .option('--steps', 'show each hop; of a dry run each field with its rule')
    .option(
      '--update',
      'write what came out into the case; of a dry run, make a case of the message',
    )
    .option('--watch', 'play them again whenever a file of the site changes')
    .option('--coverage', 'tell which outcomes of the routes no case walks')
    .option('--reporter <name>', 'junit writes JUnit XML in the place of the list')
    .option('--report-file <file>', 'where the report is written; standard output unless told')
    .addOption(form)
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse channel test fixtures/gp-record/allergies.case --steps',
    )
    .action(async (cases, options) => run((await import('./cases.ts')).test(cases, options)));
}
