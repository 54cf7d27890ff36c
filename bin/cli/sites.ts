/** The site that a command works on. */
import { type Site, loadSite } from '../../engine/config/site.ts';
import { ConfigError } from '../../engine/config/yaml.ts';
import { siteFolder } from './site-folder.ts';

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
