/** `gatehouse config apply`: the files of the site, rehearsed and then run by the engine. */
import { resolve } from 'node:path';
import type { Rehearsal } from '../../engine/cases/rehearsal.ts';
import type { Applied } from '../../engine/channels.ts';
import type { RunningConfig } from '../../engine/control/config.ts';
import { type Change, differenceOf } from '../../engine/config/difference.ts';
import type { Finding } from '../../engine/config/findings.ts';
import { revisionOf } from '../../engine/config/revision.ts';
import { openRevisions } from '../../engine/config/revisions.ts';
import { countOfChanges, printChanges } from './changes.ts';
import { coded, printFindings } from './check.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { type Form, printOne } from './form.ts';
import { CommandError, print, say, style } from './output.ts';
import { confirm, whoAsks } from './person.ts';

interface ApplyOptions {
  data: string;
  reason?: string;
  dryRun?: boolean;
  yes?: boolean;
  skipCases?: boolean;
  output: Form;
}

/** What the engine says of an order to apply. */
export interface Answer {
  applied?: Applied;
  findings: Finding[];
}

/**
 * Apply. @returns 78 where the new configuration has errors, 6 where one of its cases fails: then
 * nothing has changed
 */
export async function apply(options: ApplyOptions): Promise<number> {
  if (options.skipCases && !options.reason) {
    const says = '--skip-cases needs --reason';
    throw new CommandError(says, 'say why nothing is tried first: --reason "…"', 'reasonMissing');
  }
  const engine = runningEngine(options);
  const { root, revision: running } = await engine.get<RunningConfig>('/v1/config');
  const revision = revisionOf(root);
  const changes = changesOf(options.data, running, root);
  if (revision !== running && !options.skipCases) {
    const code = refusal(await rehearsed(engine, root), changes, options);
    if (code !== undefined) return code;
  }
  if (options.dryRun) return tellDry(running, revision, changes, options.output);
  if (revision !== running) {
    const what = changes ? countOfChanges(changes.length) : 'changes';
    if (changes && !options.yes) printChanges(changes);
    await confirm(`Apply ${what} (revision ${revision} in the place of ${running})?`, options.yes);
  }
  const order = { by: whoAsks(), reason: options.reason, revision };
  const answer = await engine.post<Answer>('/v1/config/apply', order);
  return tellAnswer(answer, changes ?? [], options.output);
}

/** From what runs to the files; undefined where the files of what runs are not stored. */
function changesOf(data: string, running: string, root: string): Change[] | undefined {
  const folder = openRevisions(resolve(data)).folderOf(running);
  return folder === undefined ? undefined : differenceOf(folder, root);
}

async function rehearsed(engine: ReturnType<typeof runningEngine>, root: string) {
  if (process.stderr.isTTY) say(`playing the cases of ${root} …`);
  return engine.post<Rehearsal>('/v1/config/rehearse', {});
}

/** Why it is not applied; undefined where it may be. @returns an exit code */
function refusal(
  { findings, failed, played }: Rehearsal,
  changes: Change[] | undefined,
  { output }: ApplyOptions,
): number | undefined {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0 && failed.length === 0) {
    say(played === 0 ? 'there are no cases to play' : `${played} of ${played} cases pass`);
    return undefined;
  }
  const told = { applied: null, findings: findings.map(coded), failed, changes: changes ?? [] };
  printOne(output, 'applied', told, () => {
    printFindings(findings);
    for (const { file, title, differences } of failed) {
      print(`${style('red', 'differs')}  ${file}  ${title}`);
      const [first] = differences;
      const more = differences.length > 1 ? `, and ${differences.length - 1} more` : '';
      if (first) {
        const { section, at, expected, got, why } = first;
        const reason = why === undefined ? '' : ` (${why})`;
        print(
          `    ${section} ${at} expected ${expected || 'empty'}, got ${got || 'empty'}${reason}${more}`,
        );
      }
    }
  });
  if (errors.length > 0) {
    say('nothing was changed; the engine runs on as before');
    return exits.badConfig;
  }
  say(`${played - failed.length} of ${played} cases pass; nothing was changed`);
  say('next: gatehouse channel test, then mend the configuration or the case');
  return exits.findings;
}

function tellDry(
  before: string,
  after: string,
  changes: Change[] | undefined,
  output: Form,
): number {
  printOne(output, 'applied', { applied: null, dryRun: true, before, after, changes }, () => {
    printChanges(changes ?? []);
    if (before === after) say(`revision ${after}, as before`);
    else say(`revision ${after} would take the place of ${before}; nothing was changed`);
  });
  return exits.ok;
}

/** Tell what the engine made of an order. @returns 78 where it refused it */
export function tellAnswer(
  { applied, findings }: Answer,
  changes: readonly Change[],
  output: Form,
): number {
  const told = { applied: applied ?? null, findings: findings.map(coded), changes };
  printOne(output, 'applied', told, () => {
    if (!applied) return printFindings(findings);
    printChanges(changes);
    tell(applied);
  });
  if (applied) return exits.ok;
  say('nothing was changed; the engine runs on as before');
  return exits.badConfig;
}

function tell({ revision, before, added, changed, removed }: Applied): void {
  if (revision === before) say(`revision ${revision}, as before`);
  else say(`revision ${revision} in the place of ${before}`);
  for (const [what, names] of Object.entries({ added, changed, removed })) {
    if (names.length > 0) say(`${what}: ${names.join(', ')}`);
  }
  if (added.length + changed.length + removed.length === 0) say('no channel runs otherwise');
}
