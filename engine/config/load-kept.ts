/** The site as an engine runs it: by what is stored of its revision. */
import { join } from 'node:path';
import { ConfigError, shortPath } from './findings.ts';
import type { Revisions } from './revisions.ts';
import { missingSecrets } from './secrets.ts';
import { type Site, loadSite } from './site.ts';
import type { Surroundings } from './values.ts';

/**
 * Load a site that an engine is to run, with its mappings from the stored revision: what is edited
 * afterwards is not run before it is applied, whenever a thread is started anew.
 * @throws ConfigError with every finding, by the names of the site's own files
 */
export function loadKept(revisions: Revisions, root: string, env: Surroundings): Site {
  const isNew = (revision: string) => !revisions.history().some((one) => one.revision === revision);
  for (let tries = 1; ; tries++) {
    const revision = revisions.keep(root);
    const folder = revisions.folderOf(revision) ?? root;
    const own = (text: string) => text.replaceAll(`${shortPath(folder)}/`, prefixOf(root));
    const { findings, ...site } = loadSite(root, env, join(folder, 'mappings'));
    findings.push(...missingSecrets(site.channels, env));
    if (site.revision !== revision && tries < 3) continue;
    const named = findings.map((one) => ({ ...one, where: own(one.where), says: own(one.says) }));
    const errors = named.filter(({ severity }) => severity === 'error');
    if (errors.length === 0) {
      try {
        revisions.keepCases(revision, root);
      } catch {
        // Nothing that runs needs them; a rollback then leaves the cases as they are.
      }
      return { ...site, findings: named };
    }
    if (isNew(revision)) revisions.forget(revision);
    throw new ConfigError(errors);
  }
}

/** How the files of a site are named: by nothing where it is the current folder. */
function prefixOf(root: string): string {
  return shortPath(join(root, 'x')).slice(0, -1);
}
