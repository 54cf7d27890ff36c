/** Which site a command works on. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Site, loadSite } from '../../engine/config/site.ts';
import { ConfigError } from '../../engine/config/yaml.ts';
import { ownFolder } from './own-folder.ts';

/** `--site`, else the current folder where it has channels/, else Gatehouse's own. */
export function siteFolder(named?: string): string {
  if (named) return resolve(named);
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
