/** `gatehouse completion` in the command tree. */
import { Argument, type Command } from 'commander';
import { run } from './options.ts';

/** Add the command that tells a shell how to complete, and the hidden one that it then calls. */
export function addCompletionCommands(program: Command): void {
  program
    .command('completion')
    .description('print what a shell reads to complete commands, channels, faults and messages')
    .addArgument(new Argument('<shell>', 'which').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      '\nHave the shell read it when it starts: for bash, a line "source ~/.gatehouse-completion" in ~/.bashrc.\n\nExample:\n  gatehouse completion bash > ~/.gatehouse-completion',
    )
    .action(async (shell) => run((await import('./completion.ts')).completion(shell)));
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words) => run((await import('./completion.ts')).complete(program, words)));
}
