/**
 * How one configuration differs from another, in the words of its files: channels, destinations,
 * routes, rules and rows of tables. Values are shown as they are written; secrets are references.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { channelFiles, readChannel } from './extends.ts';
import { shownOf } from './resolve.ts';
import { contentOf } from './revision.ts';
import { readYaml } from './yaml.ts';

export interface Change {
  /** `adt-feed/epr`, `route adt`, `table gender`, or a file. */
  of: string;
  change: 'added' | 'removed' | 'changed';
  /** What of it; empty for the whole. */
  key: string;
  before: string | null;
  after: string | null;
}

/** The changes from one folder with a configuration to another. */
export function differenceOf(before: string, after: string): Change[] {
  const [old, now] = [contentOf(before), contentOf(after)];
  const isChannel = /^channels\/[^/]+\.yaml$/;
  const names = [...new Set([...old.keys(), ...now.keys()])].sort();
  const others = names
    .filter((name) => !isChannel.test(name))
    .flatMap((name) => {
      const [a, b] = [old.get(name), now.get(name)];
      return a && b && a.equals(b) ? [] : ofFile(name, a, b);
    });
  return [...ofChannels(before, after), ...others];
}

function ofChannels(before: string, after: string): Change[] {
  const [old, now] = [channelsIn(before), channelsIn(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])].sort();
  return names.flatMap((name) => {
    const [a, b] = [old.get(name), now.get(name)];
    if (a === undefined || b === undefined) return [whole(name, a !== undefined)];
    return ofLeaves(leavesOf(a), leavesOf(b), (path) => {
      const [first, destination, ...rest] = path;
      return first === 'destinations' && destination !== undefined
        ? { of: `${name}/${destination}`, key: rest.join('.') }
        : { of: name, key: path.join('.') };
    });
  });
}

/** Each channel with all that it extends; one that cannot be read is as if it were empty. */
function channelsIn(root: string): Map<string, unknown> {
  const folder = join(root, 'channels');
  if (!existsSync(folder) || !readdirSync(folder).some((name) => name.endsWith('.yaml'))) {
    return new Map();
  }
  const read = channelFiles(folder).map((file) => {
    const name = file.replace(/\.yaml$/, '');
    return [name, readChannel(join(folder, file), folder).value] as const;
  });
  return new Map(read);
}

function ofFile(name: string, a: Buffer | undefined, b: Buffer | undefined): Change[] {
  const of = titleOf(name);
  if (!a || !b) return [whole(of, a !== undefined)];
  if (name.endsWith('.csv')) {
    const [old, now] = [rowsOf(a), rowsOf(b)];
    if (old && now) return ofLeaves(old, now, (path) => ({ of, key: path.join('.') }));
  }
  if (name.endsWith('.yaml')) {
    const [old, now] = [a, b].map((bytes) => readYaml(name, bytes.toString()).value);
    const place = (path: readonly string[]) => ({ of, key: path.join('.') });
    return ofLeaves(leavesOf(old), leavesOf(now), place);
  }
  return [{ of, change: 'changed', key: '', before: null, after: null }];
}

const whole = (of: string, wasThere: boolean): Change => {
  return { of, change: wasThere ? 'removed' : 'added', key: '', before: null, after: null };
};

function titleOf(name: string): string {
  const [, kind, rest = ''] =
    /^(channels\/routes|mappings\/tables|mappings\/feeds)\/(.*)\.\w+$/.exec(name) ?? [];
  if (kind === 'channels/routes') return `route ${rest}`;
  if (kind === 'mappings/tables') return `table ${rest}`;
  if (kind === 'mappings/feeds') return `feed ${rest}`;
  return name;
}

/** Leaves by their path, as JSON, so that no name can be taken for two. */
type Leaves = ReadonlyMap<string, string>;

/** Every text of a value; a list of texts counts as one. */
function leavesOf(value: unknown): Leaves {
  const found = new Map<string, string>();
  const walk = (at: unknown, path: string[]): void => {
    const isList = Array.isArray(at) && at.every((one) => typeof one === 'string');
    if (isList) found.set(JSON.stringify(path), `[${at.join(', ')}]`);
    else if (typeof at === 'string')
      found.set(JSON.stringify(path), shownOf(path.at(-1) ?? '', at));
    else if (at !== null && typeof at === 'object') {
      for (const [key, one] of Object.entries(at)) walk(one, [...path, key]);
    }
  };
  walk(value, []);
  return found;
}

/** The rows of a table, each by its first column; undefined where it is no CSV. */
function rowsOf(bytes: Buffer): Leaves | undefined {
  try {
    const rows = parse(bytes, {
      comment: '#',
      comment_no_infix: true,
      trim: true,
      bom: true,
      skip_empty_lines: true,
      relax_column_count: true,
    }) as string[][];
    const entries = rows.map(
      ([key = '', ...rest]) => [JSON.stringify([key]), rest.filter(Boolean).join('; ')] as const,
    );
    return new Map(entries);
  } catch {
    return undefined;
  }
}

function ofLeaves(
  old: Leaves,
  now: Leaves,
  placed: (path: readonly string[]) => Pick<Change, 'of' | 'key'>,
): Change[] {
  const all = [...new Set([...old.keys(), ...now.keys()])];
  return all.flatMap((at): Change[] => {
    const before = old.get(at) ?? null;
    const after = now.get(at) ?? null;
    if (before === after) return [];
    const change = before === null ? 'added' : after === null ? 'removed' : 'changed';
    return [{ ...placed(JSON.parse(at) as string[]), change, before, after }];
  });
}
