/** The person at the command line: who it is, and whether they mean it. */
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { CommandError } from './output.ts';

/** Who gives the order, as the operating system knows them; with sudo, who called it as well. */
export function whoAsks(): string {
  const { username } = userInfo();
  const caller = process.env.SUDO_USER;
  return caller && caller !== username ? `${caller} as ${username}` : username;
}

/**
 * Ask before something is changed that cannot be taken back.
 * @param yes it was answered on the command line
 * @throws CommandError where nobody can be asked, or the answer is not yes
 */
export async function confirm(question: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new CommandError(
      `${question} Nobody can be asked here`,
      'add --yes, or look first with --dry-run',
    );
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(`${question} [y/N] `);
  asking.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('nothing was changed');
}
