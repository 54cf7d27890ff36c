/** Puts built items in the order of the message, with set ids: RSP_K11 or ADR_A19. */
import type { Dataset } from '../gp/port.ts';
import { asRows, noteRows } from './a19.ts';
import { type AreaStatus, areaStatus, concerns, statusSegments } from './completeness.ts';
import { type Group, gather, ofPatient } from './gather.ts';
import type { BuiltItem } from './items.ts';
import { type CompiledMappings, engineTables } from './load.ts';
import type { MappedDataset, MappedSegment } from './mapped.ts';
import type { PrimaryList } from './schema.ts';
import { type Note, type Run, warn } from './scope.ts';

/**
 * The layout of one answer. Call `patient` first and `dataset` once for each dataset asked for, in
 * their order: set ids count over the whole answer.
 */
export function createLayout(compiled: CompiledMappings, run: Run) {
  const { options } = run;
  const rows = compiled.tables.get(engineTables.rows);
  const emptyReasons = compiled.tables.get(engineTables.emptyReasons);
  let statusLines = 0;
  let rowNumber = 0;

  /** Segments of an item in the order and with the set ids of this profile. */
  function lay(items: readonly BuiltItem[], link: string): MappedSegment[] {
    if (options.profile === 'a19' && rows) {
      const laid = items.flatMap((item, i) => asRows(item, `${link}.${i + 1}`, rows));
      return laid.map((segment) =>
        segment.name === 'OBX' ? numbered(segment, ++rowNumber) : segment,
      );
    }
    return items.flatMap(flatten);
  }

  function layStatus(
    list: Pick<PrimaryList, 'status' | 'heading'>,
    found: AreaStatus,
    rule: string,
  ) {
    const number = options.profile === 'a19' ? ++rowNumber : ++statusLines;
    const provenance = { number, rule: options.trace ? rule : undefined };
    const { segment, notes } = statusSegments(list, found, provenance);
    if (options.profile !== 'a19') return [segment, ...numberedNotes(notes)];
    const lines = noteRows(notes, list.status).map((row) => numbered(row, ++rowNumber));
    return [segment, ...lines];
  }

  return {
    /** PID, PD1 and what stands with them. */
    patient(asked: readonly Dataset[]): MappedSegment[] {
      const items: BuiltItem[] = [];
      for (const { dataset, items: rules } of compiled.datasets.values()) {
        items.push(...ofPatient(rules, 'patient', asked.includes(dataset), run));
      }
      if (!run.record.patient) warn(run, 'the reply holds no Patient');
      const notes = generalNotes(compiled, asked, run);
      if (options.profile === 'a19') {
        const laid = lay(items, 'PID');
        return [...laid, ...noteRows(notes, 'PID').map((row) => numbered(row, ++rowNumber))];
      }
      // The notes of PID, PD1 and NK1 stand together after them.
      const segments = items.flatMap((item) => item.segments);
      const all = [...segments.flatMap((built) => built.notes), ...notes];
      return [...segments.map((built) => built.segment), ...numberedNotes(all)];
    },

    dataset(dataset: Dataset): MappedDataset {
      const mapping = compiled.datasets.get(dataset);
      if (!mapping || mapping.lists.length === 0) {
        const status = { status: run.record.patient && mapping ? 'C' : 'U' } as const;
        const found = { statuses: [status], notes: [], source: 'Patient' };
        const items = mapping ? ofPatient(mapping.items, 'dataset', true, run) : [];
        const line = layStatus({ status: dataset }, found, mapping?.file ?? 'no mapping');
        return { dataset, status: [status], items: 0, segments: [...line, ...lay(items, dataset)] };
      }
      const groups = gather(mapping, run);
      const segments: MappedSegment[] = [];
      const [main, ...others] = groups.map((group) => ({
        group,
        found: areaStatus(run.record, group.list, group, emptyReasons),
      }));
      let items = 0;
      const add = ({ group, found }: { group: Group; found: AreaStatus }) => {
        segments.push(...layStatus(group.list, found, group.rule));
        segments.push(...lay(group.items, group.list.status));
        items += group.items.length;
      };
      if (main) add(main);
      for (const other of others) {
        // A further list of an area that was not answered at all has nothing to add.
        const answered = run.record.lists(other.group.list.code).length > 0;
        const mainAnswered = main && run.record.lists(main.group.list.code).length > 0;
        if (answered || mainAnswered || other.group.items.length > 0) add(other);
      }
      if (options.profile === 'a19') {
        segments.sort((a, b) => rank(a.name) - rank(b.name));
      }
      return { dataset, status: main?.found.statuses ?? [], items, segments };
    },
  };
}

const rank = (name: string) => ['OBX', 'AL1', 'DG1'].indexOf(name);

/** Issues the GP system raised that are about none of the datasets asked for. */
function generalNotes(compiled: CompiledMappings, asked: readonly Dataset[], run: Run): Note[] {
  const lists = asked.flatMap((dataset) => compiled.datasets.get(dataset)?.lists ?? []);
  return run.record.issues
    .filter((issue) => !lists.some(({ list }) => concerns(issue, list)))
    .flatMap(({ text, diagnostics }) => {
      const says = text ?? diagnostics;
      return says === undefined ? [] : [{ text: `GP system: ${says}`, source: 'OperationOutcome' }];
    });
}

/** An item as RSP_K11 holds it: each segment with its notes, then what hangs on the item. */
function flatten(item: BuiltItem): MappedSegment[] {
  let observations = 0;
  const own = item.segments.flatMap(({ segment, notes }) => {
    const set = segment.name === 'OBX' ? numbered(segment, ++observations) : segment;
    return [set, ...numberedNotes(notes, segment.from)];
  });
  return [...own, ...item.children.flatMap(flatten)];
}

function numbered(segment: MappedSegment, number: number): MappedSegment {
  segment.fields[1] = String(number);
  return segment;
}

function numberedNotes(notes: readonly Note[], from?: string): MappedSegment[] {
  return notes.map(({ text, rule, source = '' }, i) => {
    const note: MappedSegment = {
      name: 'NTE',
      fields: [undefined, String(i + 1), undefined, text],
      from,
    };
    if (rule !== undefined) note.trace = [{ target: 'NTE-3', rule, source }];
    return note;
  });
}
