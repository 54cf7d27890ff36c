/** `gatehouse config rollback`: the files of the site as a revision had them, and that applied. */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { differenceOf } from '../../engine/config/difference.ts';
import { type CaseChange, caseChanges, casesIn } from '../../engine/config/kept-cases.ts';
import { contentOf, revisionOf } from '../../engine/config/revision.ts';
import { type Revisions, openRevisions } from '../../engine/config/revisions.ts';
import { replaceFile, syncFolder } from '../../engine/journal/durable-file.ts';
import { type Answer, tellAnswer } from './apply.ts';
import { countOfChanges, printChanges } from './changes.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { CommandError, say } from './output.ts';
import { confirm, whoAsks } from './person.ts';
import {
  type ConfigOptions,
  folderOf,
  revisionNamed,
  rootOf,
  runningConfig,
  tellDifference,
} from './revisions.ts';

interface RollbackOptions extends ConfigOptions {
  reason?: string;
  dryRun?: boolean;
  yes?: boolean;
}

/**
 * Roll back. What was edited and never applied is set aside first, as a revision of its own. The cases
 * that came with what is left go with it; those that were edited since stay. Where the engine refuses
 * what the files then say, all of it is put back.
 */
export async function rollback(name: string, options: RollbackOptions): Promise<number> {
  const running = await runningConfig(options.data);
  const revisions = openRevisions(resolve(options.data));
  const root = rootOf(options.site, running);
  const revision = revisionNamed(revisions, name, running);
  const folder = folderOf(revisions, revision);
  const before = revisionOf(root);
  const changes = differenceOf(root, folder);
  const cases = casesOf(revisions, running?.revision ?? revisions.last()?.revision, revision, root);
  if (options.dryRun) {
    tellCases(cases, 'would be');
    tellDifference(changes, { before, after: revision }, options.output);
    return exits.ok;
  }
  if (!options.yes) printChanges(changes);
  const what = `${countOfChanges(changes.length)} in the files of ${root}`;
  await confirm(`Back to revision ${revision}: ${what}?`, options.yes);
  setAside(revisions, root, running?.revision);
  write(folder, root);
  writeCases(root, cases.changes);
  tellCases(cases, 'is');
  const ran = revisions
    .history()
    .some((one) => one.revision === revision && one.how !== 'set-aside');
  if (!ran) {
    say(`the files are those of revision ${revision}, which never ran`);
    say('next: gatehouse config apply');
    return exits.ok;
  }
  if (!running) {
    say(`the files are those of revision ${revision}; no engine runs`);
    say('next: gatehouse serve');
    return exits.ok;
  }
  const order = { by: whoAsks(), reason: options.reason, how: 'rollback', revision };
  const putBack = () => {
    write(folderOf(revisions, before), root);
    const back = cases.changes.map(({ name: of, before: was }) => ({ name: of, after: was }));
    writeCases(root, back);
    say('the files of the site are as they were');
  };
  try {
    const answer = await runningEngine(options).post<Answer>('/v1/config/apply', order);
    if (!answer.applied) putBack();
    return tellAnswer(answer, changes, options.output);
  } catch (error) {
    putBack();
    throw error;
  }
}

/** Keep what the files say now; where it never ran, tell under which name. */
function setAside(revisions: Revisions, root: string, running: string | undefined): void {
  const kept = revisions.keep(root);
  const ran = revisions.history().some(({ revision }) => revision === kept);
  if (ran || kept === running) return;
  const reason = 'edits that were not applied';
  revisions.keepCases(kept, root);
  revisions.record({
    ...{ at: new Date().toISOString(), revision: kept, how: 'set-aside', by: whoAsks(), reason },
  });
  say(
    `edits that were never applied are kept as revision ${kept}: gatehouse config rollback ${kept}`,
  );
}

type CaseChanges = ReturnType<typeof caseChanges>;

/** What becomes of the cases: nothing, where it is not known how they were. */
function casesOf(
  revisions: Revisions,
  left: string | undefined,
  revision: string,
  root: string,
): CaseChanges {
  const [old, wanted] = [left && revisions.casesOf(left), revisions.casesOf(revision)];
  return old && wanted ? caseChanges(casesIn(root), old, wanted) : { changes: [], edited: [] };
}

function tellCases({ changes, edited }: CaseChanges, will: string): void {
  for (const { name, before, after } of changes) {
    const what =
      after === undefined ? 'removed' : before === undefined ? 'brought back' : 'put back';
    say(`${name} ${will} ${what}, as the case was under that revision`);
  }
  for (const name of edited) say(`${name} was edited since, and stays as it is`);
}

function writeCases(root: string, changes: readonly Omit<CaseChange, 'before'>[]): void {
  for (const { name, after } of changes) {
    put(join(root, name), after === undefined ? undefined : Buffer.from(after, 'latin1'));
  }
}

/** Make a file say this, or remove it; it is on the disk on return. */
function put(file: string, bytes: Buffer | undefined): void {
  if (bytes === undefined) {
    rmSync(file, { force: true });
    return syncFolder(dirname(file));
  }
  mkdirSync(dirname(file), { recursive: true });
  replaceFile(file, bytes, existsSync(file) ? statSync(file).mode & 0o777 : 0o644);
}

/** Make the files of a site those of a folder; keys and certificates are left alone. */
function write(from: string, root: string): void {
  const wanted = contentOf(from);
  const there = contentOf(root);
  for (const [name, bytes] of wanted) {
    const file = join(root, name);
    if (there.get(name)?.equals(bytes)) continue;
    put(file, bytes);
  }
  for (const name of there.keys()) {
    if (!wanted.has(name)) put(join(root, name), undefined);
  }
  if (revisionOf(root) !== revisionOf(from)) {
    const says = `${root} is changed by somebody else at the same time`;
    throw new CommandError(says, 'gatehouse config diff, then try again', exits.failed);
  }
}
