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
      '\nExample:\n  gatehouse completion bash > ~/.local/share/bash-completion/completions/gatehouse',
    )
    .action(async (shell) => run((await import('./completion.ts')).completion(shell)));
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words) => run((await import('./completion.ts')).complete(program, words)));
}
