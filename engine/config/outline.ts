/**
 * The channels of a site as their files say, for a listing: without their mappings and tables, and
 * without what they would need to run. `check` and `serve` load everything (`site.ts`).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Channel, channelSchema } from '../channel.ts';
import { channelFiles, readChannel } from './extends.ts';
import { noSite } from './findings.ts';
import { resolveAll } from './resolve.ts';
import type { Surroundings } from './values.ts';
import { ConfigError, checkYaml, readYaml } from './yaml.ts';

export interface OutlinedChannel {
  channel: Channel;
  route: { name: string; version: string };
}

/**
 * @param root the folder that holds channels/
 * @param env where `${env:NAME}` is looked up
 * @returns the channels that can be read, and how many cannot
 * @throws ConfigError where the folder is no site
 */
export function outlineOf(
  root: string,
  env: Surroundings = process.env,
): { channels: OutlinedChannel[]; unreadable: number } {
  const folder = join(root, 'channels');
  const channels: OutlinedChannel[] = [];
  let unreadable = 0;
  if (!existsSync(folder)) throw new ConfigError([noSite(folder)]);
  for (const name of channelFiles(folder)) {
    try {
      const source = readChannel(join(folder, name), folder);
      resolveAll(source, env);
      const { value } = checkYaml(source, channelSchema);
      if (!value) unreadable += 1;
      else channels.push({ channel: value, route: routeOf(folder, value.route) });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      unreadable += 1;
    }
  }
  return { channels, unreadable };
}

function routeOf(folder: string, name: string): OutlinedChannel['route'] {
  const { value } = readYaml(join(folder, 'routes', `${name}.yaml`));
  const { version } = (value ?? {}) as { version?: unknown };
  return { name, version: String(version ?? '') };
}
