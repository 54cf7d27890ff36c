/** Options that several commands have, and how a command is run. */
import { Option } from 'commander';

export const site = new Option('--site <folder>', 'folder with channels/, mappings/ and fixtures/');
export const data = new Option('--data <folder>', 'folder of the journal').default('data');

/** Run a command; its exit code becomes the process's. */
export async function run(command: Promise<number>): Promise<void> {
  process.exitCode = await command;
}
