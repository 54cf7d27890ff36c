/**
 * `gatehouse channel test --watch`: the cases again whenever a file of the site changes. Each round
 * is a process of its own, so that functions of mappings are read anew, too.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { exits } from './exits.ts';
import { say } from './output.ts';
import { stopped } from './stopped.ts';

const watched = ['channels', 'mappings', 'fixtures'];

/** An editor writes a file in several steps, milliseconds. */
const quietMs = 150;

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
      const child = spawn(node ?? process.execPath, args, { stdio: 'inherit' });
      await once(child, 'exit');
    } while (again && !ended);
    round = undefined;
    if (!ended) say(`watching ${watched.join(', ')}; Ctrl-C ends it`);
  }

  let timer: NodeJS.Timeout | undefined;
  const changed = (_: string, name: string | null) => {
    // Half-written files of editors, and what --update writes, is no change of ours.
    if (name !== null && /(^|\/)[.#]|~$|\.swp$/.test(name)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (round) again = true;
      else round = play();
    }, quietMs);
  };
  const watchers = watched
    .map((name) => join(root, name))
    .filter((folder) => existsSync(folder))
    .map((folder) => watch(folder, { recursive: true }, changed));
  round = play();
  await stopped();
  ended = true;
  clearTimeout(timer);
  for (const one of watchers) one.close();
  await round;
  return exits.ok;
}
