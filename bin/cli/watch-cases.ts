/**
 * `gatehouse channel test --watch`: the cases again whenever a file of the site changes. Each round
 * is a process of its own, so that functions of mappings are read anew, too.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { exits } from './exits.ts';
import { say } from './output.ts';
import { stopped } from './stopped.ts';
import { watchFolders } from './watch-folders.ts';

const watched = ['channels', 'mappings', 'fixtures'];

/** Watch until SIGINT or SIGTERM. */
export async function watchCases(root: string): Promise<number> {
  const [node, ...rest] = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const args = rest.filter((arg) => arg !== '--watch');
  let round: Promise<void> | undefined;
  let again = false;
  let ended = false;

  async function play(): Promise<void> {
    do {
      again = false;
      // Nobody could save the next change from within a pager.
      const env = { ...process.env, GATEHOUSE_PAGER: '' };
      const child = spawn(node ?? process.execPath, args, { env, stdio: 'inherit' });
      await once(child, 'exit');
    } while (again && !ended);
    round = undefined;
    if (!ended) say(`watching ${watched.join(', ')}; Ctrl-C ends it`);
  }

  const end = watchFolders(
    watched.map((name) => join(root, name)),
    () => {
      if (round) again = true;
      else round = play();
    },
  );
  round = play();
  await stopped();
  ended = true;
  end();
  await round;
  return exits.ok;
}
