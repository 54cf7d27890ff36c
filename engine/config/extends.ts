/**
 * `extends:` between channel files: what several channels have alike stands in one file, and each
 * says only what it has otherwise. Mappings are merged, deep; everything else, lists among them, is
 * replaced. Every value keeps the place where it was written.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type Finding, nearest } from './findings.ts';
import { type YamlFile, readYaml } from './yaml.ts';

/** The file that holds for whoever names it, and is never a channel itself. */
const defaults = 'defaults.yaml';

/**
 * Read a channel file with all that it extends.
 * @param folder channels/ of the site: nothing is extended from elsewhere
 * @throws ConfigError where the file itself cannot be read
 */
export function readChannel(file: string, folder: string): YamlFile {
  const layers: YamlFile[] = [];
  const findings: Finding[] = [];
  for (let next: string | undefined = file; next !== undefined;) {
    const layer: YamlFile = readYaml(next);
    layers.push(layer);
    findings.push(...layer.findings);
    next = findings.length > 0 ? undefined : baseOf(layer, layers, folder, findings);
  }
  const value = layers.reduceRight<unknown>((below, { value: above }) => merged(below, above), {});
  return {
    file,
    value: plain(value),
    findings,
    where: (path, key) => ownerOf(layers, path).where(path, key),
  };
}

/** The files of channels/ that are channels, by name; the others are there to be extended. */
export function channelFiles(folder: string): string[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml') && name !== defaults)
    .sort();
  const read = names.map((name) => [name, extendedBy(join(folder, name))] as const);
  const bases = new Set(
    read.flatMap(([, { base }]) => (base === undefined ? [] : [resolve(folder, base)])),
  );
  return read
    .filter(([name, { isNamed }]) => isNamed || !bases.has(join(folder, name)))
    .map(([name]) => name);
}

/** What a file extends, and whether it names itself a channel. */
function extendedBy(file: string): { base?: string; isNamed: boolean } {
  try {
    const { value } = readYaml(file);
    const { extends: base } = mapping(value) ?? {};
    const isNamed = mapping(value)?.channel !== undefined;
    return typeof base === 'string' ? { base, isNamed } : { isNamed };
  } catch {
    // Whoever reads it as a channel says why.
    return { isNamed: true };
  }
}

/** The file that a layer extends; what is wrong with its name is added to `findings`. */
function baseOf(
  layer: YamlFile,
  layers: readonly YamlFile[],
  folder: string,
  findings: Finding[],
): string | undefined {
  const named = mapping(layer.value)?.extends;
  if (named === undefined) return undefined;
  const refuse = (says: string, next: string) => {
    const where = layer.where(['extends']);
    findings.push({ severity: 'error', where, says, next });
    return undefined;
  };
  if (typeof named !== 'string' || named === '') {
    return refuse('"extends": the name of one file is needed', `for example extends: ${defaults}`);
  }
  const file = resolve(dirname(layer.file), named);
  if (relative(folder, file).startsWith('..')) {
    return refuse(
      `"extends": ${named} is not in channels/, so no revision would hold it`,
      'move it into channels/',
    );
  }
  if (!existsSync(file)) {
    const known = readdirSync(dirname(layer.file)).filter((name) => name.endsWith('.yaml'));
    const near = nearest(named, known);
    const meant = near ? `; did you mean "${near}"?` : '';
    return refuse(`"extends": there is no file ${named}${meant}`, `files: ${known.join(', ')}`);
  }
  if (layers.some((one) => one.file === file)) {
    const way = [...layers.map((one) => one.file), file].map((one) => relative(folder, one));
    return refuse(`"extends" goes round in a circle: ${way.join(' → ')}`, 'take one of them out');
  }
  return file;
}

type Mapping = Record<string, unknown>;

const mapping = (value: unknown): Mapping | undefined =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Mapping)
    : undefined;

/** `above` wins; where both are mappings, key by key. */
function merged(below: unknown, above: unknown): unknown {
  const [low, high] = [mapping(below), mapping(above)];
  if (!low || !high) return above;
  const keys = Object.entries(high).map(([key, value]) => [
    key,
    key in low ? merged(low[key], value) : value,
  ]);
  return { ...low, ...(Object.fromEntries(keys) as Mapping) };
}

/** Without what only names parts of the file: `extends`, and `x-…` for anchors. */
function plain(value: unknown): unknown {
  const given = mapping(value);
  if (!given) return value;
  return Object.fromEntries(
    Object.entries(given).filter(([key]) => key !== 'extends' && !key.startsWith('x-')),
  );
}

/** The layer in which the value at a path stands; for one that is nowhere, the nearest that could. */
function ownerOf(layers: readonly YamlFile[], path: readonly PropertyKey[]): YamlFile {
  let [owner, deepest] = [layers[0] as YamlFile, -1];
  for (const layer of layers) {
    const { depth, isReplaced } = reach(layer.value, path);
    if (depth > deepest) [owner, deepest] = [layer, depth];
    if (isReplaced || depth === path.length) break;
  }
  return owner;
}

/** How far a path leads; `isReplaced` where what stands there hides all layers below. */
function reach(value: unknown, path: readonly PropertyKey[]) {
  let at = value;
  for (const [depth, step] of path.entries()) {
    const holder = at as Record<PropertyKey, unknown> | null | undefined;
    if (!mapping(at)) {
      const found = Array.isArray(at) && holder?.[step] !== undefined;
      if (!found) return { depth, isReplaced: depth > 0 };
    }
    if (holder?.[step] === undefined) return { depth, isReplaced: false };
    at = holder[step];
  }
  return { depth: path.length, isReplaced: true };
}
