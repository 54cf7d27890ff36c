/** What each dataset asked for comes to: status lines with their items, before they are laid out. */
import type { Dataset } from '../gp/port.ts';
import { type AreaStatus, areaStatus } from './completeness.ts';
import { type Group, build, choose, ofPatient } from './gather.ts';
import type { BuiltItem } from './items.ts';
import { type CompiledDataset, type CompiledMappings, engineTables } from './load.ts';
import type { Resource } from './record.ts';
import type { PrimaryList } from './schema.ts';
import type { Run } from './scope.ts';
import { readView } from './view.ts';

/** One data-status line and what stands under it. */
export interface Line {
  list: Pick<PrimaryList, 'status' | 'heading'>;
  title: string;
  rule: string;
  found: AreaStatus;
  /** Clinical items. */
  items: BuiltItem[];
  /** The items are sections of text: how many entries they hold, nobody has counted. */
  textOnly?: true;
  /** The days they are about, where the record states them. */
  dates: string[];
  /** OBX-4 says where in the tree of its item a line stands. */
  outline?: boolean;
  /** What is said of the patient: no clinical items. */
  patient: BuiltItem[];
}

export interface Answered {
  dataset: Dataset;
  /** The first is the dataset's own; none has no status. */
  lines: [Line, ...Line[]];
}

/** Reads one dataset after the other: set ids count over the answer, in the order of the calls. */
export function createReader(compiled: CompiledMappings, run: Run): (one: Dataset) => Answered {
  const { datasets, tables } = compiled;
  const emptyReasons = tables.get(engineTables.emptyReasons);
  const chosen = new Map<CompiledDataset, Group[]>();
  const chosenOf = (mapping: CompiledDataset) => {
    let groups = chosen.get(mapping);
    if (!groups) chosen.set(mapping, (groups = choose(mapping, run)));
    return groups;
  };

  /** Whether another dataset of this answer, no view, shows a resource. */
  const elsewhere = (mapping: CompiledDataset) => {
    const others = run.options.datasets.filter((one) => one !== mapping.dataset);
    let listed: Set<Resource> | undefined;
    return (resource: Resource) => {
      listed ??= new Set(
        others
          .flatMap((one) => datasets.get(one) ?? [])
          .flatMap((one) => chosenOf(one).flatMap((group) => group.chosen))
          .map((chosen) => chosen.resource),
      );
      return listed.has(resource);
    };
  };

  function ofLists(mapping: CompiledDataset): Line[] {
    return chosenOf(mapping).map((held) => {
      // What building brings to light is about this line; a view reads the lists as they came.
      const group = { ...held, missing: [...held.missing], cautions: [...held.cautions] };
      const { list, rule } = group;
      const items = build(group, run, elsewhere(mapping));
      const dates = group.chosen.flatMap(
        ({ rule, resource }) => rule.dateOf?.(resource, run) ?? [],
      );
      const found = areaStatus(run.record, list, group, emptyReasons);
      const title = list.heading ?? mapping.title;
      const { outline } = mapping;
      return { list, title, rule, found, items, dates, outline, patient: [] };
    });
  }

  return (dataset) => {
    const mapping = datasets.get(dataset);
    const line: Line = {
      list: { status: dataset },
      title: mapping?.title ?? dataset,
      rule: mapping?.file ?? 'no mapping',
      found: { statuses: [{ status: 'U' }], notes: [], source: 'Patient' },
      items: [],
      dates: [],
      patient: [],
    };
    if (!mapping) return { dataset, lines: [line] };
    if (mapping.view) {
      return {
        dataset,
        lines: [
          {
            ...line,
            ...readView({ ...mapping, view: mapping.view }, datasets, chosenOf, emptyReasons, run),
          },
        ],
      };
    }
    const [main, ...others] = ofLists(mapping);
    if (!main) {
      const patient = ofPatient(mapping.items, 'dataset', true, run);
      const statuses: AreaStatus['statuses'] = [{ status: run.record.patient ? 'C' : 'U' }];
      return { dataset, lines: [{ ...line, found: { ...line.found, statuses }, patient }] };
    }
    // A further list of an area that was not answered at all has nothing to add.
    const listed = (one: Line, i: number) =>
      run.record.lists(mapping.lists[i]?.list.code ?? '').length > 0 || one.items.length > 0;
    const isAnswered = listed({ ...main, items: [] }, 0);
    return {
      dataset,
      lines: [main, ...others.filter((one, i) => isAnswered || listed(one, i + 1))],
    };
  };
}
