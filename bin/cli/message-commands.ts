/** `gatehouse message …` in the command tree. */
import { type Command, Option } from 'commander';
import { form } from './form.ts';
import { data, run } from './options.ts';
import { selecting } from './selecting.ts';

/** Options of what is sent again. */
const to = () => new Option('--to <channel/destination>', 'for this destination alone');
const from = () =>
  new Option(
    '--from <step>',
    'start: as if it came in now; failed: owed again where it is parked (unless told)',
  ).choices(['start', 'failed']);
const dryRun = () => new Option('--dry-run', 'show what would be sent; change nothing');
const reveal = () => new Option('--reveal', 'show patient data (needs --reason)');
const reason = () => new Option('--reason <text>', 'why patient data is shown; recorded');
const yes = () => new Option('--yes', 'do not ask');
const superseded = () =>
  new Option(
    '--include-superseded',
    'send also what a newer message with the same key has overtaken',
  );

/**
 * Add the commands that read the journal, and those that send again what is in it.
 * @returns `gatehouse message`
 */
export function addMessageCommands(program: Command): Command {
  const message = program.command('message').description('messages in the journal');
  const reading = (command: Command) =>
    command.addOption(data).option('--key-file <file>', 'key file of the journal').addOption(form);
  const states =
    'in this state; parked: bytes that were no message, and deliveries that failed for good';
  selecting(
    reading(
      message
        .command('list')
        .description('list exchanges, newest first; dead letters (--state parked) by their cause'),
    ),
    states,
  )
    .addOption(
      new Option('--by <what>', 'dead letters by their cause (unless told), or one by one').choices(
        ['cause', 'message'],
      ),
    )
    .option('--to <channel/destination>', 'dead letters of this destination')
    .option('--all', 'dead letters that somebody has dealt with (ack-error), too')
    .option('--text <text>', 'that hold this text ("-" reads it from stdin): opens each message')
    .option('--yes', 'with --text: do not ask')
    .option('--limit <n>', 'at most this many', '50')
    .addHelpText('after', '\nExample:\n  gatehouse message list --state rejected --since 1d')
    .action(async (options) => {
      if (options.text !== undefined)
        return run((await import('./text-search.ts')).searchText(options));
      return options.state === 'parked'
        ? run((await import('./parked.ts')).parked(options))
        : run((await import('./message-list.ts')).list(options));
    });
  reading(message.command('show <id>').description('print what is stored of one exchange'))
    .option(
      '--part <part>',
      'received, asking, reply, answer or sent (to a destination): print its exact bytes',
    )
    .option('--to <channel/destination>', 'with --part sent or reply: of this delivery')
    .addOption(reveal())
    .addOption(reason())
    .addHelpText('after', '\nExample:\n  gatehouse message show JZ5K0T1Q2A')
    .action(async (id, options) => run((await import('./message.ts')).show(id, options)));
  reading(message.command('explain <id>').description('tell the story of one exchange'))
    .addHelpText('after', '\nExample:\n  gatehouse message explain JZ5K0T1Q2A')
    .action(async (id, options) => run((await import('./message.ts')).explain(id, options)));

  reading(
    message
      .command('diff <a> <b>')
      .description(
        'tell how two messages differ, by field: ID, ID:PART (as show has them) or a file',
      ),
  )
    .addOption(reveal())
    .addOption(reason())
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse message diff JZ5K0T1Q2A:received JZ5K0T1Q2A:sent:adt-feed/epr',
    )
    .action(async (a, b, options) => run((await import('./diff.ts')).diff(a, b, options)));
  selecting(
    message
      .command('export')
      .description('write stored messages, oldest first, as a batch, JSON lines or a table'),
  )
    .addOption(data)
    .option('--key-file <file>', 'key file of the journal')
    .addOption(
      new Option('--format <format>', 'hl7: a batch; ndjson; csv: without content')
        .choices(['hl7', 'ndjson', 'csv'])
        .default('hl7'),
    )
    .option('--part <part>', 'received, answer, sent or reply (of a destination)', 'received')
    .option('--to <channel/destination>', 'with --part sent or reply: of this delivery')
    .option('--limit <n>', 'the newest, at most this many')
    .option('-O, --out <file>', 'write this file, whole or not at all (mode 0600)')
    .option('--force', 'take the place of a file that is there')
    .option('--mask', 'cover patient data (unless told)')
    .addOption(reveal())
    .addOption(reason())
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse message export --since 1d --format ndjson -O yesterday.ndjson',
    )
    .action(async (options) => run((await import('./export.ts')).exportMessages(options)));
  message
    .command('ack-error [ids...]')
    .description('close dead letters that somebody has dealt with: not counted or listed any more')
    .option('--fault <code>', 'dead letters with this fault, GH-nnnn')
    .option('--channel <name>', 'dead letters of this channel')
    .addOption(to())
    .addOption(dryRun())
    .addOption(yes())
    .requiredOption('--reason <text>', 'what was done about them; recorded')
    .addOption(data)
    .addOption(form)
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse message ack-error --fault GH-7004 --reason "sent by hand" --dry-run',
    )
    .action(async (ids, options) => run((await import('./ack-error.ts')).ackError(ids, options)));
  message
    .command('replay [ids...]')
    .description('have the running engine send stored messages again, each as a new exchange')
    .option('--fault <code>', 'dead letters with this fault, GH-nnnn')
    .addOption(to())
    .addOption(from())
    .addOption(superseded())
    .addOption(dryRun())
    .addOption(yes())
    .option('--reason <text>', 'why; recorded')
    .addOption(data)
    .addOption(form)
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse message replay --fault GH-7004 --to adt-feed/epr --dry-run',
    )
    .action(async (ids, options) => run((await import('./replay.ts')).replay(ids, options)));
  message
    .command('edit <id>')
    .description('have the running engine send a changed copy of a message, as a new exchange')
    .option(
      '--set <place=text...>',
      'put this text (as HL7 has it) at this place; "-" reads such lines from stdin',
    )
    .option('--file <file>', 'the whole message, changed ("-" reads stdin)')
    .option('--new-id', 'give it an MSH-10 of its own')
    .addOption(to())
    .addOption(from())
    .addOption(superseded())
    .addOption(dryRun())
    .addOption(yes())
    .requiredOption('--reason <text>', 'why; recorded')
    .option('--reveal', 'show the values that differ (patient data); recorded')
    .addOption(data)
    .addOption(form)
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse message edit JZ5K0T1Q2A --set PV1-2=I --reason CHG0042 --dry-run',
    )
    .action(async (id, options) => run((await import('./replay.ts')).edit(id, options)));
  return message;
}
