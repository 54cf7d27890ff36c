/** `gatehouse route graph`. */
import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ConfigError, checkYaml, nearest, readYaml } from '../../engine/config/yaml.ts';
import { checkRoute, mermaid } from '../../engine/route-check.ts';
import { routeSchema } from '../../engine/route.ts';
import { exits } from './exits.ts';
import { CommandError, print } from './output.ts';
import { siteFolder } from './site-folder.ts';

/** Print a route as a Mermaid diagram. */
export async function graph(route: string, options: { site?: string }): Promise<number> {
  const folder = join(siteFolder(options.site), 'channels', 'routes');
  const file = join(folder, `${route}.yaml`);
  if (!existsSync(file)) {
    const known = globSync('*.yaml', { cwd: folder }).map((name) => basename(name, '.yaml'));
    const near = nearest(route, known);
    throw new CommandError(
      `there is no route "${route}"`,
      near ? `gatehouse route graph ${near}` : `routes known: ${known.join(', ') || 'none'}`,
      exits.notFound,
    );
  }
  const source = readYaml(file);
  const { value, findings } = checkYaml(source, routeSchema);
  const all = value ? checkRoute(source, value) : findings;
  if (!value || all.length > 0) throw new ConfigError(all);
  print(mermaid(value));
  return exits.ok;
}
