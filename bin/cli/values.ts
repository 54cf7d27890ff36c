/** Values of options, as they are written on a command line. */
import { CommandError } from './output.ts';

/** A whole number, 0 or more. @throws CommandError */
export function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new CommandError(`"${text}" is no whole number`, undefined, 'valueNotAllowed');
  return Number(text);
}
