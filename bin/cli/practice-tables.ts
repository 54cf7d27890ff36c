/** The practice tables of a site, and which of them a command means. */
import { tableOf } from '../../engine/config/practice-check.ts';
import type { LoadedChannel, Site } from '../../engine/config/site.ts';
import { nearest } from '../../engine/config/yaml.ts';
import type { Practice } from '../../engine/gp/practices.ts';
import type { Route } from '../../engine/practices/plan.ts';
import { exits } from './exits.ts';
import { readInput } from './input.ts';
import { CommandError } from './output.ts';

/** A practice table, and the channels that look into it. */
export interface SiteTable {
  file: string;
  channels: LoadedChannel[];
}

/** What a table is asked for: a destination, perhaps with the channel before it. */
export interface Meant {
  to?: string;
  channel?: string;
}

const kinds: ReadonlySet<string> = new Set<Practice['kind']>(['gpconnect', 'mllp', 'cdg']);

/** Every table of a site, each once. @param channel only those of this channel */
export function tablesIn(site: Site, channel?: string): SiteTable[] {
  const tables = new Map<string, SiteTable>();
  const names = site.channels.map((one) => one.channel.channel);
  if (channel !== undefined && !names.includes(channel)) {
    const next = `channels: ${names.join(', ')}`;
    throw new CommandError(`there is no channel "${channel}"`, next, exits.notFound);
  }
  for (const loaded of site.channels) {
    if (channel !== undefined && loaded.channel.channel !== channel) continue;
    const file = tableOf(loaded.channel, loaded.file);
    if (file === undefined) continue;
    const table = tables.get(file) ?? { file, channels: [] };
    table.channels.push(loaded);
    tables.set(file, table);
  }
  if (tables.size === 0) {
    throw new CommandError(
      'no channel has a practice table',
      'add "practices: practices.csv" under "ask" of the channel, and make that file (it may be empty)',
      exits.notFound,
    );
  }
  return [...tables.values()];
}

/**
 * The one table that has a destination.
 * @returns it, the route its rows would have, and the destination that is meant where a row names none
 * @throws CommandError where there is none, or more than one
 */
export function tableFor(
  site: Site,
  { to = '', channel }: Meant,
): { table: SiteTable; route: Route; byDefault: string } {
  const [first = '', second] = to.split('/');
  const destination = second ?? first;
  const tables = tablesIn(site, second === undefined ? channel : first);
  const known = new Set<string>();
  const found = tables.flatMap((table) => {
    const [{ channel: of } = { channel: undefined }] = table.channels;
    for (const [name, { kind }] of Object.entries(of?.destinations ?? {})) {
      if (kinds.has(kind)) known.add(name);
    }
    const kind = of?.destinations[destination]?.kind as Practice['kind'];
    const route = { kind, destination };
    return kinds.has(kind) ? [{ table, route, byDefault: of?.ask.record ?? '' }] : [];
  });
  const [one, other] = found;
  if (!one) {
    const near = nearest(destination, [...known]);
    throw new CommandError(
      `no practice can be asked by way of "${destination}"${near ? `; did you mean "${near}"?` : ''}`,
      `destinations of kind gpconnect, mllp or cdg: ${[...known].join(', ')}`,
      exits.notFound,
    );
  }
  if (other) {
    const names = found.map(({ table }) => table.channels[0]?.channel.channel);
    throw new CommandError(
      `"${destination}" is a destination of several channels`,
      `name one: --to ${names.map((name) => `${name}/${destination}`).join(' or --to ')}`,
    );
  }
  return one;
}

/**
 * The codes of `--commissioner`: codes, lists of codes, and `@FILE`, where each line begins with one.
 * @throws CommandError with `file:line` of what is no code
 */
export function commissionersOf(given: readonly string[] = []): Set<string> {
  const codes = new Set<string>();
  const add = (text: string, where: string): void => {
    if (!/^[A-Za-z0-9]{2,10}$/.test(text)) {
      throw new CommandError(`${where}: "${text}" is no ODS code`, 'for example 08M or QWE');
    }
    codes.add(text.toUpperCase());
  };
  for (const one of given) {
    if (!one.startsWith('@')) {
      // None of them would be all of them, and that is not what an empty variable of a script means.
      for (const code of one.split(',')) add(code.trim(), '--commissioner');
      continue;
    }
    const file = one.slice(1);
    for (const [at, line] of readInput(file)
      .toString()
      .replace(/^\ufeff/, '')
      .split('\n')
      .entries()) {
      const [code] = line
        .replace(/#.*/, '')
        .trim()
        .split(/[\s,;"]+/)
        .filter((part) => part !== '');
      if (code !== undefined) add(code, `${file}:${at + 1}`);
    }
    if (codes.size === 0) throw new CommandError(`${file} names no commissioner`);
  }
  return codes;
}
