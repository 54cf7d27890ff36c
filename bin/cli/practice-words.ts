/** What an import of practices would change, in words. */
import { shortPath } from '../../engine/config/yaml.ts';
import type { Edit, Plan, Route } from '../../engine/practices/plan.ts';
import type { Skip } from '../../engine/practices/ods-list.ts';
import type { TableFile } from '../../engine/practices/table-file.ts';
import type { Compared } from './practice-import.ts';
import { print, style } from './output.ts';

/** One practice that an import would touch, or leave though it is not as the list says. */
export interface Change {
  change: 'new' | 'changed' | 'gone' | 'elsewhere';
  ods: string;
  name: string;
  commissioner: string;
  what: string;
  /** `file:line` of the table, where it is in it. */
  where?: string;
}

/** Every practice that is not in the table as the list has it. */
export function changesOf(plan: Plan, { file }: TableFile, to: Route): Change[] {
  const where = ({ line }: { line: number }) => `${shortPath(file)}:${line}`;
  return [
    ...plan.elsewhere.map(({ practice: { ods, name, commissioner }, before }): Change => ({
      ...{ change: 'elsewhere', ods, name, commissioner, where: where(before) },
      what: `asked by way of ${before.destination || before.kind}`,
    })),
    ...plan.gone.map(({ before, why }): Change => {
      const { ods, name, commissioner } = before;
      return { change: 'gone', ods, name, commissioner, what: why, where: where(before) };
    }),
    ...plan.changed.map(({ row, before, what }): Change => {
      const { ods, name, commissioner } = row;
      const says = what.join('; ');
      return { change: 'changed', ods, name, commissioner, what: says, where: where(before) };
    }),
    ...plan.added.map(({ ods, name, commissioner }): Change => {
      return { change: 'new', ods, name, commissioner, what: `to ${to.destination}` };
    }),
  ];
}

/** What an edit does, in short: `391 new, 22 changed, 2 rerouted, 4 removed`. */
export function countsOf({ put, drop }: Edit, plan: Plan): string {
  const rerouted = put.length - plan.added.length - plan.changed.length;
  const counts = [
    `${plan.added.length} new`,
    `${plan.changed.length} changed`,
    ...(rerouted > 0 ? [`${rerouted} rerouted`] : []),
    `${drop.length} removed`,
  ];
  return counts.join(', ');
}

const reasons: Readonly<Record<Skip, string>> = {
  otherCommissioner: 'of other commissioners',
  notGpPractice: 'no GP practice',
  closed: 'closed',
  dormant: 'dormant',
  proposed: 'proposed',
};

/** Tell what was read and what it comes to. Everything skipped is counted with its reason. */
export function tellImport(
  { file, list, table, to, plan, commissioners }: Compared,
  { prune = false, reroute = false }: { prune?: boolean; reroute?: boolean },
): void {
  const whose = commissioners.size > 0 ? ` of ${counted(commissioners.size, 'commissioner')}` : '';
  const active = counted(list.practices.size, 'active GP practice');
  print(`${file}: ${counted(list.rows, 'row')}, ${active}${whose}`);
  const skipped = [
    ...Object.entries(list.skipped).map(([why, count]) => [reasons[why as Skip], count] as const),
    ['malformed', list.malformed.length] as const,
  ].filter(([, count]) => count > 0);
  if (skipped.length > 0) {
    print(`skipped: ${skipped.map(([why, count]) => `${amount(count)} ${why}`).join(', ')}`);
  }
  const { added, changed, same, gone, elsewhere } = plan;
  print(
    `${shortPath(table.file)}, to ${to.destination}: ${style('green', `+${amount(added.length)} new`)}  ${style('yellow', `~${amount(changed.length)} changed`)}  ${style('red', `-${amount(gone.length)} gone`)}  ${amount(same)} as they are`,
  );
  const changes = changesOf(plan, table, to);
  const few = (which: Change['change'], heading: string): void => {
    const found = changes.filter(({ change }) => change === which);
    if (found.length === 0) return;
    print(heading);
    for (const { ods, name, what, where } of found.slice(0, mostShown)) {
      print(`    ${ods}  ${name}: ${what}  (${where})`);
    }
    if (found.length > mostShown) {
      print(`    and ${found.length - mostShown} more: gatehouse practice diff lists them`);
    }
  };
  few('gone', prune ? 'gone (removed):' : 'gone (kept; --prune removes them):');
  const taken = reroute ? `(rerouted to ${to.destination})` : '(kept; --reroute takes them over)';
  few(
    'elsewhere',
    `${style('yellow', '!')} ${counted(elsewhere.length, 'practice')} asked elsewhere ${taken}:`,
  );
  tellUntaken(file, list, print);
}

/** Tell what of a list, and of what was asked of it, cannot be taken, each with its place. */
export function tellUntaken(
  file: string,
  { malformed, empty }: Compared['list'],
  tell: (line: string) => void,
): void {
  const stream = tell === print ? process.stdout : process.stderr;
  for (const { line, says } of malformed.slice(0, mostShown)) {
    tell(`${style('yellow', 'malformed', stream)} ${file}:${line}  ${says}`);
  }
  if (malformed.length > mostShown) {
    tell(`    and ${malformed.length - mostShown} more: -o json has them all`);
  }
  if (empty.length > 0) {
    tell(`${style('yellow', 'without a practice in the list:', stream)} ${empty.join(', ')}`);
  }
}

/** That so many practices need no change. */
export const asTheList = (same: number): string =>
  same === 0
    ? 'the list has no practice to be taken'
    : `${counted(same, 'practice')} in the table ${same === 1 ? 'is' : 'are'} as the list has ${same === 1 ? 'it' : 'them'}`;

const mostShown = 10;
const amount = (n: number): string => n.toLocaleString('en-GB');
const counted = (n: number, what: string): string => `${amount(n)} ${what}${n === 1 ? '' : 's'}`;
