/** The person at the command line: who it is, and whether they mean it. */
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { CommandError } from './output.ts';
import { showHeld } from './pager.ts';

/** Who gives the order, as the operating system knows them; with sudo, who called it as well. */
export function whoAsks(): string {
  const name = ownName();
  const caller = process.env.SUDO_USER;
  return caller && caller !== name ? `${caller} as ${name}` : name;
}

/** In a container the user may have a number and no name. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/**
 * Ask before something is changed that cannot be taken back.
 * @param yes it was answered on the command line
 * @param next what to call instead, where nobody can be asked
 * @throws CommandError where nobody can be asked, or the answer is not yes
 */
export async function confirm(
  question: string,
  yes: boolean | undefined,
  next = 'add --yes, or look first with --dry-run',
): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new CommandError(`${question} Nobody can be asked here`, next, 'cannotAsk');
  }
  await showHeld();
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D are no yes.
  const answer = await asking.question(`${question} [y/N] `).catch((error: Error) => {
    if (error.name !== 'AbortError') throw error;
    process.stderr.write('\n');
    return '';
  });
  asking.close();
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new CommandError('nothing was changed', undefined, 'declined');
}
