/**
 * What can be wrong with a configuration: each finding with its place, and a stable code for each
 * kind, which `gatehouse explain` knows. Apart from the reading of YAML, so that a command that reads
 * none starts without it.
 */
import { relative } from 'node:path';

export interface FindingDefinition {
  /** `GH-078n`: 78 is the exit code of a configuration that has errors. */
  code: string;
  /** One sentence for the analyst. */
  says: string;
  /** The next step, where the finding itself names none. */
  next: string;
}

// prettier-ignore
const table = {
  unsound: row(0, 'What the configuration says here does not fit the rest of it, or cannot be done.', 'Change the line that is named, then run "gatehouse config check".'),
  unreadable: row(1, 'A file or folder of the configuration is missing or cannot be read.', 'Check its name and its permissions, or name the folder of the site with --site.'),
  notYaml: row(2, 'The file is not YAML from this place on.', 'Look for a missing quote, a tab or a wrong indentation at this place or just above it.'),
  unknownKey: row(3, 'There is no such key; it would have no effect.', 'Correct the name of the key: "gatehouse config schema" lists them all.'),
  missingKey: row(4, 'A key that must be there is missing.', 'Add the key: "gatehouse config schema" says what it holds.'),
  wrongValue: row(5, 'The value of a key is not one it can have.', 'Correct the value: "gatehouse config schema" says what it may be.'),
  unresolved: row(6, 'A value or a secret that is kept elsewhere (${env:NAME}, ${file:/path}) is not to be had.', 'Set the variable, or put the file there, for the user that runs Gatehouse.'),
  doubtful: row(7, 'It works, and is probably not what is meant.', 'Change it, or leave it where it is meant so.'),
} satisfies Record<string, FindingDefinition>;

export type FindingName = keyof typeof table;

/** The kinds of finding, by name. */
export const findingKinds: Readonly<Record<FindingName, FindingDefinition>> = table;

/** One finding of `gatehouse check`: what, where, why, and one next step. */
export interface Finding {
  severity: 'error' | 'warning';
  /** `file:line:column`, relative to the current folder where that is shorter. */
  where: string;
  says: string;
  next?: string;
  /** What sort of mistake it is, where that is known; `codeOf` has its stable code. */
  kind?: FindingName;
}

/** The stable code of a finding, and the next step where it names none itself. */
export function codeOf({ kind, severity }: Finding): FindingDefinition {
  return findingKinds[kind ?? (severity === 'error' ? 'unsound' : 'doubtful')];
}

/** Thrown by loaders when a file has findings of severity error. */
export class ConfigError extends Error {
  readonly findings: Finding[];
  constructor(findings: Finding[]) {
    super(findings.map((f) => `${f.where}  ${f.says}`).join('\n'));
    this.name = 'ConfigError';
    this.findings = findings;
  }
}

/** The candidate nearest to a word, when it is near enough to be meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const d = distance(word.toLowerCase(), candidate.toLowerCase());
    if (d < least) [best, least] = [candidate, d];
  }
  return best;
}

/** Edit distance (insertions, deletions, substitutions). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** A path as people see it: relative to the current folder where that is shorter. */
export function shortPath(file: string): string {
  const near = relative(process.cwd(), file);
  return near && near.length < file.length ? near : file;
}

function row(number: number, says: string, next: string): FindingDefinition {
  return { code: `GH-078${number}`, says, next };
}

/** What is wrong where the folder of the channels is not there. */
export function noSite(channels: string): Finding {
  return {
    severity: 'error',
    where: channels,
    says: 'this folder is no Gatehouse site: it has no channels/',
    next: 'go to the folder that has one, or name it with --site',
    kind: 'unreadable',
  };
}
