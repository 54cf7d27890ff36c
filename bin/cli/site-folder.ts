/** Which site a command works on. Apart from what loads it: a listing reads less of it, and starts sooner. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError } from './output.ts';
import { ownFolder } from './own-folder.ts';

/**
 * `--site`, else the current folder where it has channels/, else Gatehouse's own.
 * @throws CommandError exit 3 where there is no such folder: nothing is listed of it, nor written there
 */
export function siteFolder(named?: string): string {
  if (named !== undefined) {
    const folder = resolve(named);
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
    throw new CommandError(`there is no folder ${named}`, 'check --site', 'fileNotFound');
  }
  return existsSync(join(process.cwd(), 'channels')) ? process.cwd() : ownFolder();
}
