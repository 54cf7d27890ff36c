/** Which site a command works on. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Site, loadSite } from '../../engine/config/site.ts';
import { ConfigError } from '../../engine/config/yaml.ts';
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

/**
 * Load a site that is about to be used.
 * @throws ConfigError with every finding: what `check` refuses is not run
 */
export function soundSite(named?: string, env = process.env): Site {
  const site = loadSite(siteFolder(named), env);
  const errors = site.findings.filter((finding) => finding.severity === 'error');
  if (errors.length > 0) throw new ConfigError(errors);
  return site;
}
