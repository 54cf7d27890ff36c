/**
 * The command tree. Each command says what it does here and does it in a file of its own, loaded
 * only when it is called, so that `gatehouse --version` stays quick.
 */
import { Command, CommanderError } from 'commander';
import { form } from './form.ts';
import { data, run, site } from './options.ts';
import { complain } from './output.ts';
import { holdOutput, showHeld, withoutPager } from './pager.ts';
import { commandOf, complainOfUsage, refuseWithoutReason } from './usage.ts';
import { version } from './version.ts';

/** Run the command line of this process; pipes that are closed on it do not end in an error. */
export async function launch(argv: string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader went away ("gatehouse message list | head"): nobody is left to tell.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    // Who no longer listens to the talk may still read the data.
    if (error.code !== 'EPIPE') throw error;
  });
  await main(argv);
}

/** Run a command line. Sets the process's exit code; never throws. */
export async function main(argv: string[]): Promise<void> {
  const program = await tree(argv[2]);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode =
      error instanceof CommanderError
        ? complainOfUsage(error, program, argv)
        : complain(error, commandOf(program, argv.slice(2)));
  }
  await showHeld();
}

/** For Node itself, and for what is started from here. */
function withoutColour(): void {
  process.env.NO_COLOR = '1';
  delete process.env.FORCE_COLOR;
}

type Add = (program: Command) => unknown;

/** The first words of what is declared in this file. */
const own = ['serve', 'demo', 'send', 'route', 'explain', 'version'];

/** The files that declare commands, by the first words of these: before `send`, after it, and at the end. */
const declared: readonly (readonly [words: string, load: () => Promise<Add>])[][] = [
  [
    ['check config', async () => (await import('./config-commands.ts')).addConfigCommands],
    ['status metrics', async () => (await import('./engine-commands.ts')).addEngineCommands],
    ['doctor tap top', async () => (await import('./looking-commands.ts')).addLookingCommands],
    ['cert', async () => (await import('./cert-commands.ts')).addCertCommands],
    ['key', async () => (await import('./key-commands.ts')).addKeyCommands],
    // What completes commands knows all of them.
    ['', async () => (await import('./completion-commands.ts')).addCompletionCommands],
  ],
  [
    ['init channel', async () => (await import('./channel-commands.ts')).addChannelCommands],
    ['mapping', async () => (await import('./mapping-commands.ts')).addMappingCommands],
    ['message', async () => (await import('./message-commands.ts')).addMessageCommands],
    ['queue', async () => (await import('./queue-commands.ts')).addQueueCommands],
    ['store', async () => (await import('./store-commands.ts')).addStoreCommands],
    ['practice', async () => (await import('./practice-commands.ts')).addPracticeCommands],
  ],
  [['sim', async () => (await import('./sim-commands.ts')).addSimCommands]],
];

/** @param first word of the command line: of the files that declare, that of this word alone is loaded */
async function tree(first = ''): Promise<Command> {
  const isIn = (words: string) => first !== '' && words.split(' ').includes(first);
  const isOpen = !own.includes(first) && !declared.flat().some(([words]) => isIn(words));
  const program = new Command('gatehouse')
    .description('An open HL7 v2 / MLLP integration engine')
    .version(version(), '--version', 'print the version')
    .option('--no-color', 'no colour, as with the environment variable NO_COLOR')
    .on('option:no-color', withoutColour)
    .option('--no-pager', 'no pager, as with an empty GATEHOUSE_PAGER')
    .on('option:no-pager', withoutPager)
    .hook('preAction', (_, command) => {
      refuseWithoutReason(command);
      holdOutput(command);
    })
    .exitOverride()
    .showSuggestionAfterError()
    // Errors are told below, as every other error is.
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ showGlobalOptions: true });

  program
    .command('serve')
    .description('run every channel of this site')
    .addOption(site)
    .addOption(data)
    .option(
      '--key-file <file>',
      'key file of the journal (made on the first start where none is named)',
    )
    .addHelpText('after', '\nExample:\n  gatehouse serve --data /var/lib/gatehouse')
    .action(async (options) => {
      await run((await import('./serve.ts')).serve(options));
      // All is stopped and written. Where threads came and went, Node's own end sometimes waits for
      // ever in Environment::CleanupHandles, and keeps a core busy.
      process.exit();
    });

  program
    .command('demo')
    .description('run the engine, a simulated GP side and one hospital query')
    .option('--once', 'end after the answer')
    .option('--data <folder>', 'keep the journal here (a temporary folder unless told)')
    .addHelpText('after', '\nExample:\n  gatehouse demo --once')
    .action(async (options) => run((await import('./demo.ts')).demo(options)));

  const add = async (part = 0) => {
    for (const [words, load] of declared[part] ?? []) {
      if (isOpen || isIn(words)) (await load())(program);
    }
  };
  await add(0);

  const send = (command: Command) =>
    command
      .description(
        'send the messages of a file over MLLP and print what comes back ("-" reads stdin)',
      )
      .requiredOption('--to <host:port>', 'where to send them')
      .option('--tls', 'use TLS')
      .option('--authorities <file>', 'PEM file of the authorities to trust')
      .option('--timeout <seconds>', 'longest wait for one answer', '30')
      .option('--continue', 'where the answer has more parts (DSC), ask for them too')
      .option('--new-id', 'give each message a new MSH-10')
      .option('--count <n>', 'so many, from the file again and again, each with a new MSH-10')
      .option('--rate <n>', 'messages a second at most, each with a new MSH-10')
      .addOption(form)
      .addHelpText(
        'after',
        '\nExample:\n  gatehouse send fixtures/gp-record/qbp-q11.hl7 --to 127.0.0.1:2575',
      )
      .action(async (file, options) => run((await import('./send.ts')).send(file, options)));
  send(program.command('send <file>'));

  await add(1);
  const message = program.commands.find((one) => one.name() === 'message');
  if (message) send(message.command('send <file>'));

  program
    .command('route')
    .description('routes')
    .command('graph <route>')
    .description('print a route as a Mermaid state diagram')
    .addOption(site)
    .addHelpText('after', '\nExample:\n  gatehouse route graph gp-record')
    .action(async (route, options) => run((await import('./route.ts')).graph(route, options)));

  await add(2);

  program
    .command('explain <code>')
    .description('explain a fault: GH-4002, 4002 or nhsNumberInvalid')
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse explain GH-4002')
    .action(async (code, options) => run((await import('./explain.ts')).explain(code, options)));

  program
    .command('version')
    .description('print the version of Gatehouse, and of the Node it runs on')
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse version -o json')
    .action(async (options) => run((await import('./versions.ts')).versions(options)));
  return program;
}
