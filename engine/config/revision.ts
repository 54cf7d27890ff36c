/**
 * Which configuration it is: the revision of a site, by which people and the journal know it, and
 * the fingerprint of one channel, by which a reload knows what it need not touch.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isSecretReference, resolveText, strings } from './values.ts';
import type { Surroundings } from './values.ts';

/**
 * What a site consists of. Cases and the simulator's patients (fixtures/) change nothing that runs;
 * keys and certificates (PEM) have a life of their own, and are no part of it wherever they stand.
 */
export const ofSite = ['channels', 'mappings', 'site.yaml'];

/** What editors and people leave beside a file they change: no revision is another for it. */
const spare = /(~|\.(bak|orig|swp))$/;

/**
 * The revision of a site: 12 hexadecimal digits of the SHA-256 of its files, their names and order.
 * The same files anywhere have the same revision.
 * @param root the folder that holds channels/ and mappings/
 * @param parts files and folders of it that count; those of a site unless told
 */
export function revisionOf(root: string, parts: readonly string[] = ofSite): string {
  return hashOf(contentOf(root, parts));
}

/** The revision of files that are at hand. */
export function hashOf(content: ReadonlyMap<string, Buffer>): string {
  const hash = createHash('sha256');
  for (const [name, bytes] of content) {
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex').slice(0, 12);
}

/** The files that a revision consists of, each by its name from the root, in order. */
export function contentOf(
  root: string,
  parts: readonly string[] = ofSite,
): ReadonlyMap<string, Buffer> {
  const names = parts.flatMap((part) => filesBelow(root, part));
  const all = names.map((name) => [name, readFileSync(join(root, name))] as const);
  return new Map(all.filter(([, bytes]) => !bytes.includes('-----BEGIN ')));
}

/** What a channel's fingerprint is made of. */
export interface Fingerprinted {
  /** The channel as it was read. */
  channel: unknown;
  /** The files it names, each with its path. */
  files: readonly string[];
  /** The folder of mappings, and the files of it that it uses. */
  mappings: { folder: string; files: readonly string[] };
  /** What else it depends on. */
  beside: unknown;
}

/**
 * The fingerprint of a channel: equal where it would run no otherwise. It covers what its secrets
 * say, so it stays in memory.
 * @param env where `${env:NAME}` is looked up
 */
export function fingerprintOf(of: Fingerprinted, env: Surroundings): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([of.channel, of.beside]));
  for (const { text } of strings(of.channel)) {
    if (isSecretReference(text)) hash.update(`\0${told(() => resolveText(text, env))}`);
  }
  for (const file of of.files) hash.update(`\0${file}\0`).update(told(() => readFileSync(file)));
  const { folder, files } = of.mappings;
  // A copy of the same files is the same: every revision has its own.
  for (const file of files) {
    hash.update(`\0${relative(folder, file)}\0`).update(told(() => readFileSync(file)));
  }
  return hash.digest('base64');
}

/** What cannot be read is as if it were empty: whoever needs it says so. */
function told<T>(read: () => T): T | '' {
  try {
    return read();
  } catch {
    return '';
  }
}

/** The files of one part, from the root, in the order of their names. */
export function filesBelow(root: string, part: string): string[] {
  const found = statSync(join(root, part), { throwIfNoEntry: false });
  if (!found) return [];
  if (found.isFile()) return [part];
  return readdirSync(join(root, part), { recursive: true, encoding: 'utf8' })
    .map((name) => join(part, name))
    .filter(
      (name) =>
        !spare.test(name) && statSync(join(root, name), { throwIfNoEntry: false })?.isFile(),
    )
    .sort();
}
