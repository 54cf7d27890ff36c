/** Options that several commands have, and how a command is run. */
import { type Command, Option } from 'commander';

export const site = new Option('--site <folder>', 'folder with channels/, mappings/ and fixtures/');
export const data = new Option('--data <folder>', 'folder of the journal').default('data');

/** The options of a command that shows messages as they come. */
export function asTheyCome(command: Command): Command {
  return command
    .option('--limit <n>', 'end after so many')
    .option('--reveal', 'show patient data (needs --reason)')
    .option('--reason <text>', 'why patient data is shown; recorded')
    .addOption(data)
    .addOption(
      new Option('-o, --output <form>', 'form of the output')
        .choices(['table', 'ndjson'])
        .default('table'),
    );
}

/** Run a command; its exit code becomes the process's. */
export async function run(command: Promise<number>): Promise<void> {
  process.exitCode = await command;
}
