/** `gatehouse doctor`, `tap` and `top` in the command tree. */
import { type Command, Option } from 'commander';
import { progressStates } from '../../engine/journal/journal.ts';
import { form } from './form.ts';
import { asTheyCome, data, run, site } from './options.ts';

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
  const tap = program
    .command('tap [channel]')
    .description('show the messages of the running engine as they end, until Ctrl-C')
    .option(
      '--where <place=text...>',
      "only with this there: 'PID-3=*123', 'PV1-2!=I'; * and ? stand for any text; \"-\" reads stdin",
    )
    .addOption(new Option('--state <state...>', 'that end so').choices(progressStates))
    .option('--type <type>', 'of this type: ADT, or ADT^A01')
    .option('--fault <code>', 'that end with this fault, GH-nnnn')
    .option('--content', 'show the message as well, patient data covered');
  asTheyCome(tap)
    .addHelpText('after', "\nExample:\n  gatehouse tap adt-feed --where 'PID-3=*018' --content")
    .action(async (channel, options) => run((await import('./tap.ts')).tap(channel, options)));
  program
    .command('top')
    .description('show how busy the running engine is: rates, queues, the slowest endpoints')
    .option('--once', 'once, since the engine started (as where the output is no terminal)')
    .option('--every <seconds>', 'how often it is drawn anew', '1')
    .addOption(data)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse top --once')
    .action(async (options) => run((await import('./top.ts')).top(options)));
}
