/**
 * The revisions of a site that ran, kept beside the journal: `revisions/HASH/` holds the files of one
 * as they were, `history.ndjson` who had it take effect, when and why. A file that says the same in
 * two revisions is stored once. Keys and certificates are no part of a revision; secrets are
 * references, so none is stored here. `HASH.cases.gz` holds the cases that were there beside it.
 */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type Cases, keepCases, keptCases } from './kept-cases.ts';
import { appendLine, syncFolder } from '../journal/durable-file.ts';
import { contentOf, hashOf } from './revision.ts';

const event = z.object({
  /** ISO 8601. */
  at: z.string(),
  revision: z.string(),
  /** `set-aside`: it never ran; edits that a rollback put away. */
  how: z.enum(['start', 'apply', 'reload', 'rollback', 'set-aside']),
  by: z.string(),
  reason: z.string().optional(),
});

/** A revision took effect, or was set aside. */
export type RevisionEvent = z.infer<typeof event>;

export interface Revisions {
  /** Everything that happened, the oldest first. */
  history(): RevisionEvent[];
  /** The last one that took effect. */
  last(): RevisionEvent | undefined;
  record(one: RevisionEvent): void;
  /** Store the files of a site as they are now. @returns their revision */
  keep(root: string): string;
  /** Remove a revision that never ran, and the folders that were made for it. */
  forget(revision: string): void;
  /** Where the files of a revision are; undefined where none is stored. */
  folderOf(revision: string): string | undefined;
  /** Keep the cases of a site beside a revision, as they are now. */
  keepCases(revision: string, root: string): void;
  /** The cases that were kept beside a revision; undefined where none were. */
  casesOf(revision: string): Cases | undefined;
  /** Names of all that are stored. */
  stored(): string[];
}

/** The revisions in the folder of a journal. */
export function openRevisions(data: string): Revisions {
  const folder = join(data, 'revisions');
  const log = join(folder, 'history.ndjson');
  const at = (revision: string) => join(folder, revision);

  function history(): RevisionEvent[] {
    if (!existsSync(log)) return [];
    const lines = readFileSync(log, 'utf8').split('\n');
    // The last line may be cut, where the process died while it was written.
    return lines.flatMap((line) => {
      const read = event.safeParse(jsonOf(line));
      return read.success ? [read.data] : [];
    });
  }
  const cases = (revision: string) => `${at(revision)}.cases.gz`;
  const last = () => history().findLast(({ how }) => how !== 'set-aside');

  return {
    history,
    last,
    folderOf: (revision) => (existsSync(at(revision)) ? at(revision) : undefined),
    stored: () =>
      existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9a-f]{12}$/.test(name)) : [],
    keepCases: (revision, root) => keepCases(root, cases(revision)),
    casesOf: (revision) => keptCases(cases(revision)),
    record(one) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      appendLine(log, JSON.stringify(event.parse(one)), 0o600);
    },
    forget(revision) {
      rmSync(at(revision), { recursive: true, force: true });
      rmSync(cases(revision), { force: true });
      for (const empty of [folder, data]) {
        try {
          rmdirSync(empty);
        } catch {
          // There is more in it, or it is not there.
          return;
        }
      }
    },
    keep(root) {
      const content = contentOf(root);
      const revision = hashOf(content);
      // A power cut may have left the names of its files without what they say.
      if (existsSync(at(revision))) {
        if (hashOf(contentOf(at(revision))) === revision) return revision;
        rmSync(at(revision), { recursive: true });
      }
      const before = last();
      const part = `${at(revision)}.part`;
      rmSync(part, { recursive: true, force: true });
      mkdirSync(part, { recursive: true, mode: 0o700 });
      for (const [name, bytes] of content) {
        const to = join(part, name);
        mkdirSync(dirname(to), { recursive: true });
        store(bytes, to, before && join(at(before.revision), name));
      }
      // Functions of mappings are modules here as they are in the site.
      const module = '{ "private": true, "type": "module" }\n';
      writeFileSync(join(part, 'package.json'), module, { flush: true });
      const folders = [...content].map(([name]) => dirname(join(part, name)));
      for (const one of new Set([...folders, part])) syncFolder(one);
      renameSync(part, at(revision));
      for (const one of [folder, data]) syncFolder(one);
      return revision;
    },
  };
}

/** As a second name of the same file, where it says the same. */
function store(bytes: Buffer, to: string, same: string | undefined): void {
  if (same !== undefined && existsSync(same) && readFileSync(same).equals(bytes)) {
    linkSync(same, to);
  } else writeFileSync(to, bytes, { mode: 0o600, flush: true });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
