/** Values of options, as they are written on a command line. */
import { CommandError } from './output.ts';

/** A TCP port; 0 for any that is free. @throws CommandError */
export function portOf(text: string): number {
  const port = whole(text);
  if (port <= 65_535) return port;
  throw new CommandError(`"${text}" is no TCP port`, 'take one from 1 to 65535', 'valueNotAllowed');
}

/** How many at most: 1 or more. @throws CommandError */
export function atMost(text: string): number {
  const most = whole(text);
  if (most > 0) return most;
  throw new CommandError(`"${text}" shows nothing`, 'take 1 or more', 'valueNotAllowed');
}

/** A whole number, 0 or more. @throws CommandError */
export function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new CommandError(`"${text}" is no whole number`, undefined, 'valueNotAllowed');
  return Number(text);
}
