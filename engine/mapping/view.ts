/**
 * Views: datasets that GP Connect does not have and that are derived from others (risks, diagnoses,
 * procedures, admissions). A view repeats items of other datasets' primary lists under a label; an
 * item is answered where its own dataset shows it, never by a view.
 */
import type { Dataset } from '../gp/port.ts';
import { type AreaStatus, type Status, areaStatus, statusValue } from './completeness.ts';
import { createReading } from './coverage.ts';
import { textOf } from './evaluate.ts';
import type { Chosen, Group } from './gather.ts';
import type { BuiltItem, CompiledItem } from './items.ts';
import { type Library, type Place, below, findTable, report, suggestion } from './library.ts';
import type { CompiledDataset } from './load.ts';
import type { DataStatus } from './mapped.ts';
import { compileAt } from './paths.ts';
import type { ItemRule, PrimaryList, ViewRule } from './schema.ts';
import type { Run } from './scope.ts';
import type { Table } from './tables.ts';

/** Warnings of a view, ours: what it is, and that one of its sources could not be asked. */
const derivedView = 'derived-view';
const sourceDisabled = 'source-disabled';
const sourceUnavailable = 'source-unavailable';

/** A rule that takes only resources with one of the codes of a table: `%matched` are those codes. */
export function compileAmong(
  item: CompiledItem,
  rule: NonNullable<ItemRule['among']>,
  place: Place,
  library: Library,
): CompiledItem {
  const table = findTable(library, rule.table, below(place, 'table'));
  // What is only asked about is not carried: the reading is nobody's.
  const reading = { focus: [createReading()], variables: new Map<string, never>() };
  const codes = compileAt(rule.codes, below(place, 'codes'), library, reading);
  const matched = (resource: Chosen['resource'], run: Run) => {
    const found = codes?.values([resource], run.variables) ?? [];
    return found.filter((code) => table?.rows.has(textOf(code) ?? ''));
  };
  return {
    ...item,
    takes: (resource, run) => item.takes(resource, run) && matched(resource, run).length > 0,
    build: (resource, holder, list, run) => {
      const variables = { ...run.variables, matched: matched(resource, run) };
      return item.build(resource, holder, list, { ...run, variables });
    },
  };
}

/** The lists a view takes its items from, in the order of its rules: `PRB.problems`. */
export function sourcesOf({ items }: Pick<CompiledDataset, 'items'>): string[] {
  return [...new Set(items.flatMap(({ rule }) => rule.lists))];
}

/** The primary lists a dataset is answered from: its own, or those a view is derived from. */
export function listsOf(
  dataset: Dataset,
  datasets: ReadonlyMap<Dataset, CompiledDataset>,
): PrimaryList[] {
  const mapping = datasets.get(dataset);
  if (!mapping) return [];
  const own = mapping.lists.map(({ list }) => list);
  const others = mapping.view ? sourcesOf(mapping) : [];
  return [...own, ...others.flatMap((source) => findSource(source, datasets)?.list ?? [])];
}

/** The dataset and the list that a name such as `PRB.problems` means. */
function findSource(source: string, datasets: ReadonlyMap<Dataset, CompiledDataset>) {
  const [dataset, name] = source.split('.');
  const mapping = datasets.get(dataset as Dataset);
  const list = mapping?.lists.find((one) => one.list.list === name)?.list;
  return mapping && list && { mapping, list };
}

/** Report what a view may not be: one with lists of its own, or drawn from lists that nobody has. */
export function checkSources(
  view: CompiledDataset,
  datasets: ReadonlyMap<Dataset, CompiledDataset>,
  place: Place,
  library: Library,
): void {
  const known = [...datasets.values()].flatMap(({ dataset, lists }) =>
    lists.map(({ list }) => `${dataset}.${list.list}`),
  );
  if (view.lists.length > 0) {
    report(library, below(place, 'lists'), 'a view has no lists of its own');
  }
  view.items.forEach(({ rule }, i) => {
    if (rule.lists.length === 0) {
      const next = 'write lists: DATASET.list';
      report(library, below(place, 'items', i), 'an item of a view names no list', next);
    }
    for (const source of rule.lists) {
      if (findSource(source, datasets)) continue;
      const says = `no dataset has the list "${source}"${suggestion(source, known)}`;
      report(library, below(place, 'items', i, 'lists'), says, 'write DATASET.list');
    }
  });
}

/**
 * What a view comes to: its items, and a status that never says more than its sources do.
 * @param chosenOf what the primary lists of a dataset name
 */
export function readView(
  view: CompiledDataset & Required<Pick<CompiledDataset, 'view'>>,
  datasets: ReadonlyMap<Dataset, CompiledDataset>,
  chosenOf: (mapping: CompiledDataset) => readonly Group[],
  emptyReasons: Table | undefined,
  run: Run,
): { found: AreaStatus; items: BuiltItem[]; dates: string[] } {
  // A view need not carry all of an item, so what it leaves is not reported as unread.
  const aside: Run = { ...run, presented: new Map(), items: new Map() };
  const items: BuiltItem[] = [];
  const dates: string[] = [];
  const sources = sourcesOf(view).flatMap((source) => {
    const from = findSource(source, datasets);
    const group = from && chosenOf(from.mapping).find(({ list }) => list === from.list);
    if (!group) return [];
    for (const chosen of group.chosen) {
      const taking = view.items.find(
        (item) => item.rule.lists.includes(source) && item.takes(chosen.resource, run),
      );
      if (!taking) continue;
      items.push(taking.build(chosen.resource, chosen.holder, source, aside));
      dates.push(...[taking.dateOf?.(chosen.resource, run) ?? []].flat());
    }
    const { list } = group;
    const title = list.heading ?? from.mapping.title;
    const found = areaStatus(run.record, list, group, emptyReasons);
    return { title, area: list.status, found };
  });
  return { found: viewStatus(view.view, sources), items, dates };
}

/** One list a view is derived from, and what it came to. */
interface ViewSource {
  /** Name of the list, and OBX-4 of its own status line. */
  title: string;
  area: string;
  found: AreaStatus;
}

/**
 * The status of a view. It is never C or E: what a view does not show may be recorded all the same.
 * Where no source was answered the view is not there either, and says so as its sources do.
 */
function viewStatus({ noArea, says }: ViewRule, sources: readonly ViewSource[]): AreaStatus {
  const statuses: Status[] = [];
  const state = (status: DataStatus, warning?: string) => {
    if (!statuses.some((one) => one.status === status && one.warning === warning)) {
      statuses.push(warning === undefined ? { status } : { status, warning });
    }
  };
  if (noArea !== undefined) state('D');
  const all = sources.flatMap(({ found }) => found.statuses);
  if (all.some(({ status }) => status !== 'D' && status !== 'U')) {
    state('W', derivedView);
    for (const { status, warning } of all) {
      if (status === 'D') state('W', sourceDisabled);
      if (status === 'U') state('W', sourceUnavailable);
      if (status === 'W') state('W', warning);
    }
  } else state(all.length > 0 && all.every(({ status }) => status === 'D') ? 'D' : 'U');
  const notes = sources.flatMap(({ title, area, found }) => {
    const words = found.statuses.map((status) => statusValue(status)[1]);
    return [`Source ${area} (${title}): ${words.join(', ')}`, ...found.notes];
  });
  return {
    statuses,
    notes: [...(noArea === undefined ? [] : [noArea]), ...says, ...notes],
    source: [...new Set(sources.map(({ found }) => found.source))].join(', ') || 'Bundle',
  };
}
