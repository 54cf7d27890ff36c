/**
 * `gatehouse mapping watch`: a sample mapped again whenever it or the mapping is saved. Each round is
 * `mapping try --trace` in a process of its own, so that functions of mappings are read anew, too.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { diff } from 'node:util';
import { exits } from './exits.ts';
import { CommandError, print, say, style } from './output.ts';
import { siteFolder } from './site-folder.ts';
import { stopped } from './stopped.ts';
import { watchFolders } from './watch-folders.ts';

/** Lines shown around what has changed. */
const around = 1;

/** Watch until SIGINT or SIGTERM. */
export async function watchMapping(
  sample: string,
  options: { site?: string; full?: boolean },
): Promise<number> {
  const mappings = join(siteFolder(options.site), 'mappings');
  for (const file of [sample, mappings]) {
    if (!existsSync(file)) {
      throw new CommandError(`there is no ${file}`, 'check its name', exits.notFound);
    }
  }
  const args = [...process.execArgv, ...process.argv.slice(1)].filter((arg) => arg !== '--full');
  args[args.indexOf('watch', args.indexOf('mapping'))] = 'try';
  let shown: string[] | undefined;
  let saved = 0;
  let told = -1;
  let running: Promise<void> | undefined;
  let ended = false;

  /** Until what is shown is of what was saved last. */
  async function follow(): Promise<void> {
    while (told !== saved && !ended) {
      told = saved;
      const lines = (await mapped([...args, '--trace'])).split('\n');
      if (ended) return;
      if (shown === undefined || options.full) print(lines.join('\n'));
      else printChanges(shown, lines);
      shown = lines;
      say(
        style(
          'dim',
          `${new Date().toLocaleTimeString('en-GB')}  watching; Ctrl-C ends it`,
          process.stderr,
        ),
      );
    }
    running = undefined;
  }

  const end = watchFolders(
    [mappings],
    () => {
      saved += 1;
      running ??= follow();
    },
    [resolve(sample)],
  );
  running = follow();
  await stopped();
  ended = true;
  end();
  await running;
  return exits.ok;
}

/** What a command prints, data and talk. */
async function mapped(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  }
  await new Promise((closed) => child.once('close', closed));
  return said.trimEnd();
}

/** The lines that are new and those that are gone, with what stands beside them. */
function printChanges(before: readonly string[], after: readonly string[]): void {
  const lines = diff([...after], [...before]);
  for (const [at, [which, line]] of lines.entries()) {
    const near = lines.slice(Math.max(0, at - around), at + around + 1);
    if (which > 0) print(style('green', `+ ${line}`));
    else if (which < 0) print(style('red', `- ${line}`));
    else if (near.some(([other]) => other !== 0)) print(style('dim', `  ${line}`));
  }
  if (lines.every(([which]) => which === 0)) print(style('dim', 'nothing comes out otherwise'));
}
