/** What a command is given to read. */
import { readFileSync } from 'node:fs';
import { CommandError } from './output.ts';

/**
 * The bytes of a file that was named on the command line; `-` is standard input.
 * @throws CommandError where it is a folder, which the operating system refuses without its name
 */
export function readInput(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    const says = `${file === '-' ? 'standard input' : file} is a folder, and a file is read here`;
    throw new CommandError(says, 'name a file in it', 'inputUnreadable');
  }
}
