/**
 * Builds dist/ for the packed tarball: Node strips no types under node_modules, so the package
 * carries compiled JavaScript, with every data file at the same place beside it.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = import.meta.dirname;
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });

const config = join(root, 'tsconfig.build.json');
const tsc = join(root, 'node_modules/typescript/bin/tsc');
// Types are the business of `npm run typecheck`; a build takes a third of the time without.
execFileSync(process.execPath, [tsc, '-p', config, '--noCheck'], { stdio: 'inherit' });

const data = ['engine/**/*.{sql,json}', 'channels/**', 'mappings/**', 'fixtures/**'];
for (const file of globSync(data, { cwd: root, withFileTypes: true })) {
  if (!file.isFile() || file.name.endsWith('.ts')) continue;
  const from = join(file.parentPath, file.name);
  const to = join(dist, from.slice(root.length));
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}
cpSync(join(root, 'package.json'), join(dist, 'package.json'));
writeFileSync(
  join(dist, 'README.md'),
  'Compiled from the sources of Gatehouse; see the package\u2019s own README.\n',
);
