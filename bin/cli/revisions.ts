/** `gatehouse config diff|history`, and which revision a person means. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { engineIn } from '../../engine/control/client.ts';
import type { RunningConfig } from '../../engine/control/config.ts';
import { Refusal } from '../../engine/control/refusal.ts';
import type { Change } from '../../engine/config/difference.ts';
import { revisionOf } from '../../engine/config/revision.ts';
import { type Revisions, openRevisions } from '../../engine/config/revisions.ts';
import { refuseAnothers } from './anothers.ts';
import { countOfChanges, printChanges } from './changes.ts';
import { exits } from './exits.ts';
import { type Form, printListing, printRows } from './form.ts';
import { CommandError, say } from './output.ts';
import { siteFolder } from './site-folder.ts';

export interface ConfigOptions {
  site?: string;
  data: string;
  output: Form;
}

/** What runs; undefined where no engine does. */
export async function runningConfig(data: string): Promise<RunningConfig | undefined> {
  try {
    return await engineIn(data).get<RunningConfig>('/v1/config');
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 503)) throw error;
    refuseAnothers(data);
    return undefined;
  }
}

/** The site an order is about: that of the engine, where one runs and no other is named. */
export const rootOf = (site: string | undefined, running: RunningConfig | undefined): string =>
  site === undefined && running ? running.root : siteFolder(site);

/** The changes from a revision, or what runs, to another one, or the files of the site. */
export async function diff(
  from: string | undefined,
  to: string | undefined,
  options: ConfigOptions,
): Promise<number> {
  const running = await runningConfig(options.data);
  const revisions = openRevisions(resolve(options.data));
  const root = rootOf(options.site, running);
  const before = revisionNamed(revisions, from ?? 'running', running);
  const after = to === undefined ? undefined : revisionNamed(revisions, to, running);
  const { differenceOf } = await import('../../engine/config/difference.ts');
  const changes = differenceOf(
    folderOf(revisions, before),
    after === undefined ? root : folderOf(revisions, after),
  );
  tellDifference(changes, { before, after: after ?? revisionOf(root) }, options.output);
  return exits.ok;
}

/** Print what differs, in the form asked for. */
export function tellDifference(
  changes: readonly Change[],
  of: { before: string; after: string },
  output: Form,
): void {
  const listing = { kind: 'configDiff', key: 'changes', rows: changes, beside: of };
  printRows(output, listing, () => {
    printChanges(changes);
    const { before, after } = of;
    if (before === after) say(`revision ${after}, as before`);
    else say(`${countOfChanges(changes.length)} from revision ${before} to ${after}`);
  });
}

/** Every revision that took effect, the newest first. */
export async function history(options: Omit<ConfigOptions, 'site'>): Promise<number> {
  if (!statSync(options.data, { throwIfNoEntry: false })?.isDirectory()) {
    const says = `there is no folder ${options.data}`;
    throw new CommandError(says, 'name its folder with --data', 'journalNotFound');
  }
  const running = await runningConfig(options.data);
  const all = openRevisions(resolve(options.data)).history();
  const newest = all.findLastIndex(({ revision }) => revision === running?.revision);
  const rows = all.map((one, i) => ({ ...one, running: i === newest })).reverse();
  printListing(options.output, {
    kind: 'configHistory',
    key: 'revisions',
    rows,
    columns: [
      { title: 'REVISION', cell: (row) => row.revision },
      { title: 'AT', cell: (row) => row.at },
      { title: 'HOW', cell: (row) => row.how },
      { title: 'BY', cell: (row) => row.by },
      { title: 'REASON', cell: (row) => row.reason },
      { title: '', cell: (row) => (row.running ? 'runs' : '') },
    ],
  });
  if (rows.length === 0) say('no engine has run on this journal yet, or it kept no revisions');
  return exits.ok;
}

/**
 * The revision that is meant: the beginning of one, `running`, or `previous`, which ran before.
 * @throws CommandError where there is none, or more than one
 */
export function revisionNamed(
  revisions: Revisions,
  name: string,
  running: RunningConfig | undefined,
): string {
  const ran = revisions.history().filter(({ how }) => how !== 'set-aside');
  const current = running?.revision ?? ran.at(-1)?.revision;
  const next = 'gatehouse config history';
  const start = 'gatehouse serve: what it starts with is the first revision';
  const special: Record<string, string | undefined> = {
    running: current,
    previous: ran.findLast(({ revision }) => revision !== current)?.revision,
  };
  if (Object.hasOwn(special, name)) {
    const found = special[name];
    if (found !== undefined) return found;
    const says = name === 'running' ? 'nothing runs, and nothing ran' : 'nothing else has run yet';
    throw new CommandError(says, current === undefined ? start : next, exits.notFound);
  }
  const found = revisions.stored().filter((one) => one.startsWith(name));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const says =
    only === undefined
      ? `no revision "${name}" is stored here`
      : `"${name}" is the beginning of ${found.length} revisions: ${found.join(', ')}`;
  throw new CommandError(says, next, exits.notFound);
}

/** Where the files of a revision are. @throws CommandError where they are not stored */
export function folderOf(revisions: Revisions, revision: string): string {
  const folder = revisions.folderOf(revision);
  if (folder !== undefined) return folder;
  const says = `the files of revision ${revision} are not stored beside this journal`;
  throw new CommandError(says, 'gatehouse config history', exits.notFound);
}
