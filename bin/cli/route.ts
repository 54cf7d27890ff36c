/** `gatehouse route graph`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, checkYaml, readYaml } from '../../engine/config/yaml.ts';
import { checkRoute, mermaid } from '../../engine/route-check.ts';
import { routeSchema } from '../../engine/route.ts';
import { exits } from './exits.ts';
import { CommandError, print } from './output.ts';
import { siteFolder } from './sites.ts';

/** Print a route as a Mermaid diagram. */
export async function graph(route: string, options: { site?: string }): Promise<number> {
  const file = join(siteFolder(options.site), 'channels', 'routes', `${route}.yaml`);
  if (!existsSync(file)) {
    throw new CommandError(`there is no route "${route}"`, 'ls channels/routes', exits.notFound);
  }
  const source = readYaml(file);
  const { value, findings } = checkYaml(source, routeSchema);
  const all = value ? checkRoute(source, value) : findings;
  if (!value || all.length > 0) throw new ConfigError(all);
  print(mermaid(value));
  return exits.ok;
}
