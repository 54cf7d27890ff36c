/** Where the cases of a site are, and which of them speak of a channel. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Every case of a site, in the order of their names. */
export function allCases(root: string): string[] {
  return globSync('fixtures/**/*.case', { cwd: root })
    .sort()
    .map((name) => join(root, name));
}

/** The cases in which something comes in on this channel. */
export function casesOf(root: string, channel: string): string[] {
  const named = /^(?:channel: *|== in +)(\S+)\s*$/gm;
  return allCases(root).filter((file) =>
    [...readFileSync(file, 'utf8').matchAll(named)].some(([, name]) => name === channel),
  );
}

/** The folder of the simulated patients: the site's own, else those that come with Gatehouse. */
export function patientsOf(root: string): string {
  const own = join(root, 'fixtures', 'patients');
  return existsSync(own) ? own : resolve(import.meta.dirname, '../../fixtures/patients');
}
