/** The files that a channel depends on beside its own. */
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { Channel } from '../channel.ts';
import { feedFolder } from '../mapping/feed/load.ts';
import { deliveryFiles } from './delivery-check.ts';
import { filesBelow } from './revision.ts';
import type { LoadedChannel } from './site.ts';
import { isSecretReference } from './values.ts';

/** The files a channel names, with the places where it does. */
export function* filesNamed(channel: Channel): Generator<[PropertyKey[], string]> {
  if (channel.ask.practices) yield [['ask', 'practices'], channel.ask.practices];
  const { tls } = channel.listen;
  for (const key of ['certificate', 'key', 'clients'] as const) {
    if (tls?.[key]) yield [['listen', 'tls', key], tls[key]];
  }
  for (const [name, { tls: client }] of Object.entries(channel.destinations)) {
    for (const key of ['certificate', 'key', 'authorities'] as const) {
      if (client?.[key]) yield [['destinations', name, 'tls', key], client[key]];
    }
  }
  yield* deliveryFiles(channel);
}

/** The paths of everything a channel reads beside its own file, its keys among them. */
export function filesOf({ channel, file }: { channel: Channel; file: string }): string[] {
  const keys = Object.values(channel.destinations).flatMap((one) =>
    'signed' in one && one.signed && !isSecretReference(one.signed.privateKey)
      ? [one.signed.privateKey]
      : [],
  );
  const named = Array.from(filesNamed(channel), ([, name]) => name);
  return [...named, ...keys].map((name) => resolve(dirname(file), name));
}

/**
 * The paths of what its mappings are made of: their rules, the tables these ask, and every file of
 * functions, for one may import another.
 */
export function mappingFilesOf({ channel, mapping, mappings, maps }: LoadedChannel): string[] {
  if (mappings === undefined || (!mapping && !maps?.size)) return [];
  const feeds = [...(maps ?? [])];
  const tables = new Set([
    ...(mapping?.tablesUsed ?? []),
    ...feeds.flatMap(([, feed]) => [...feed.tables.keys()]),
  ]);
  const rules = new Set(feeds.map(([name]) => join(feedFolder, `${name}.yaml`)));
  const isOf = (name: string): boolean => {
    const [folder] = name.split(sep);
    if (folder === 'tables') return tables.has(basename(name, '.csv'));
    if (!name.endsWith('.yaml')) return true;
    return rules.has(name) || (mapping !== undefined && folder === channel.mapping);
  };
  return filesBelow(mappings, '.')
    .filter(isOf)
    .map((name) => join(mappings, name));
}
