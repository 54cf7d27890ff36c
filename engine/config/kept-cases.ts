/**
 * The cases of a site as they were when a revision last took effect, kept beside it as one compressed
 * file. They are no part of the revision, for they change nothing that runs; but a rollback that left
 * the cases of a change behind would have them refuse whatever is applied next.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { replaceFile } from '../journal/durable-file.ts';

/** What each says, by its name from the root; byte for byte, as Latin-1. */
export type Cases = ReadonlyMap<string, string>;

/** What a rollback does to a case; `undefined` is a case that is not there. */
export interface CaseChange {
  name: string;
  before: string | undefined;
  after: string | undefined;
}

const kept = z.record(z.string(), z.string());

/** The cases of a site as they are. */
export function casesIn(root: string): Cases {
  const names = globSync('fixtures/**/*.case', { cwd: root }).sort();
  return new Map(names.map((name) => [name, readFileSync(join(root, name), 'latin1')] as const));
}

/** Keep the cases of a site in a file. It is written only where it would say something else. */
export function keepCases(root: string, file: string): void {
  const text = JSON.stringify(Object.fromEntries(casesIn(root)));
  if (existsSync(file) && textOf(file) === text) return;
  replaceFile(file, gzipSync(text, { level: 1 }), 0o600);
}

/** Read such a file. @returns undefined where there is none, or it is damaged */
export function keptCases(file: string): Cases | undefined {
  const text = existsSync(file) ? textOf(file) : undefined;
  return text === undefined ? undefined : new Map(Object.entries(kept.parse(JSON.parse(text))));
}

function textOf(file: string): string | undefined {
  try {
    return gunzipSync(readFileSync(file)).toString('utf8');
  } catch {
    return undefined;
  }
}

/**
 * What becomes of the cases where one revision is left for another.
 * @param left as they were when the revision took effect that is left
 * @param wanted as they were when the other one did
 * @returns what is to be changed; and the names of those that would be, had nobody edited them since
 */
export function caseChanges(
  there: Cases,
  left: Cases,
  wanted: Cases,
): { changes: CaseChange[]; edited: string[] } {
  const names = [...new Set([...left.keys(), ...wanted.keys()])].sort();
  const other = names.filter(
    (name) => left.get(name) !== wanted.get(name) && there.get(name) !== wanted.get(name),
  );
  const isEdited = (name: string) => there.get(name) !== left.get(name);
  return {
    changes: other
      .filter((name) => !isEdited(name))
      .map((name) => ({ name, before: left.get(name), after: wanted.get(name) })),
    edited: other.filter(isEdited),
  };
}
