/** The mappings of a site by name, and what uses them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedChannel } from '../../engine/config/site.ts';
import { nearest } from '../../engine/config/yaml.ts';
import { feedNames } from '../../engine/mapping/feed/load.ts';
import {
  type InventoryRule,
  recordNames,
  rulesOfFeed,
  rulesOfRecord,
} from '../../engine/mapping/inventory.ts';
import { allCases, casesOf } from '../../engine/cases/files.ts';
import { exits } from './exits.ts';
import { CommandError } from './output.ts';

export interface MappingName {
  kind: 'record' | 'feed';
  name: string;
  /** `gp-record`, `feeds/epr`: as cases and people name it. */
  shown: string;
}

/** Every mapping of a site: those of records, then those of feeds. */
export function mappingNames(root: string): MappingName[] {
  const mappings = join(root, 'mappings');
  if (!existsSync(mappings)) return [];
  return [
    ...recordNames(mappings).map((name) => ({ kind: 'record' as const, name, shown: name })),
    ...feedNames(mappings).map((name) => ({ kind: 'feed' as const, name, shown: `feeds/${name}` })),
  ];
}

/** The mapping that is meant. @throws CommandError exit 3 where there is none */
export function mappingNamed(root: string, name: string): MappingName {
  const all = mappingNames(root);
  const found = all.find((one) => one.shown === name) ?? all.find((one) => one.name === name);
  if (found) return found;
  const known = all.map(({ shown }) => shown);
  const near = nearest(name, [...known, ...all.map((one) => one.name)]);
  throw new CommandError(
    `there is no mapping "${name}"${near ? `; did you mean "${near}"?` : ''}`,
    known.length > 0 ? `one of ${known.join(', ')}` : 'gatehouse mapping new',
    exits.notFound,
  );
}

/** The rules of a mapping. @throws ConfigError where a file of it is no YAML */
export function rulesOf(root: string, { kind, name }: MappingName): InventoryRule[] {
  const mappings = join(root, 'mappings');
  return kind === 'record' ? rulesOfRecord(join(mappings, name)) : rulesOfFeed(mappings, name);
}

/** The channels that map with it. */
export function usersOf({ kind, name }: MappingName, channels: readonly LoadedChannel[]): string[] {
  return channels
    .filter(({ channel }) =>
      kind === 'record'
        ? channel.mapping === name
        : channel.deliver.some(({ map }) => map === name),
    )
    .map(({ channel }) => channel.channel);
}

/** The cases that use it: those of its channels, and those that name it themselves. */
export function casesUsing(
  root: string,
  mapping: MappingName,
  channels: readonly LoadedChannel[],
): string[] {
  const own = new RegExp(`^mapping: *${mapping.shown}\\s*$`, 'm');
  const naming = allCases(root).filter((file) => own.test(readFileSync(file, 'utf8')));
  const ofChannels = usersOf(mapping, channels).flatMap((channel) => casesOf(root, channel));
  return [...new Set([...naming, ...ofChannels])].sort();
}
