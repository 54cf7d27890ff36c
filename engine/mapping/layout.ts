/** Puts built items in the order of the message, with set ids, in the shape of its structure. */
import type { Dataset } from '../gp/port.ts';
import type { Answered } from './answered.ts';
import { inVersion } from './by-version.ts';
import { type AreaStatus, concerns, statusSegments } from './completeness.ts';
import { ofPatient } from './gather.ts';
import type { BuiltItem } from './items.ts';
import { type CompiledMappings, engineTables } from './load.ts';
import type { MappedDataset, MappedGroup, MappedSegment } from './mapped.ts';
import { asNotes, asRows, noteRows, shapes } from './rows.ts';
import type { PrimaryList } from './schema.ts';
import { type Note, type Run, warn } from './scope.ts';
import { unknownLists } from './unknown-lists.ts';
import type { Built } from './segments.ts';
import { opensGroup } from './tree.ts';
import { listsOf } from './view.ts';

/**
 * The layout of one answer. Call `patient` first and `dataset` once for each dataset asked for, in
 * their order: OBX-1 counts over the whole answer.
 */
export function createLayout(compiled: CompiledMappings, run: Run) {
  const { options } = run;
  const rows = compiled.tables.get(engineTables.rows);
  let statusLines = 0;
  let rowNumber = 0;

  const shape = shapes[options.profile];

  /**
   * Each item's segments in the order and with the set ids of this profile.
   * @param outline OBX-4 holds the place in the tree, and OBX that nothing opens count on
   */
  function lay(
    items: readonly BuiltItem[],
    link: string,
    { patient = false, outline = false } = {},
  ): MappedSegment[][] {
    if (!shape || !rows) {
      const counter = { last: 0 };
      return items.map((item, i) => {
        const laid = outline ? flatten(item, counter, String(i + 1)) : flatten(item);
        return inVersion(laid, options.version);
      });
    }
    const kept = patient ? shape.patient : shape.item;
    return items.map((item, i) =>
      asRows(item, `${link}.${i + 1}`, rows, kept, shape).map(numberRow),
    );
  }

  const numberRow = (segment: MappedSegment) =>
    segment.name === 'OBX' ? numbered(segment, ++rowNumber) : segment;

  function layStatus(
    list: Pick<PrimaryList, 'status' | 'heading'>,
    found: AreaStatus,
    rule: string,
  ) {
    const number = shape ? ++rowNumber : ++statusLines;
    const provenance = { number, rule: options.trace ? rule : undefined };
    const { segment, notes } = statusSegments(list, found, provenance);
    if (!shape || shape.notes.has('OBX')) return [segment, ...asNotes(notes)];
    return [segment, ...noteRows(notes, list.status).map(numberRow)];
  }

  /** Rows that are about the answer and not about an item: their OBX-4 is their own. */
  function layOpening(built: readonly Built[], link: string): MappedSegment[] {
    const laid = shape
      ? built.flatMap(({ segment, notes }) =>
          [segment, ...(shape.notes.has('OBX') ? asNotes(notes) : noteRows(notes, link))].map(
            numberRow,
          ),
        )
      : flatten({ segments: [...built], children: [] });
    return laid.map((segment) => ({ ...segment, summary: true }));
  }

  return {
    /**
     * PID, PD1 and what stands with them.
     * @param built called once all items are built, before any is laid out
     */
    patient(asked: readonly Dataset[], built: () => void): MappedSegment[] {
      const items: BuiltItem[] = [];
      for (const { dataset, items: rules } of compiled.datasets.values()) {
        items.push(...ofPatient(rules, 'patient', asked.includes(dataset), run));
      }
      built();
      if (!run.record.patient) warn(run, 'the reply holds no Patient');
      const notes = [...generalNotes(compiled, asked, run), ...unknownLists(compiled, run)];
      if (shape) {
        const laid = lay(items, 'PID', { patient: true }).flat();
        return [...laid, ...noteRows(notes, 'PID').map(numberRow)];
      }
      // The notes of PID, PD1 and NK1 stand together after them.
      const segments = items.flatMap((item) => item.segments);
      const all = [...segments.flatMap((built) => built.notes), ...notes];
      return [...segments.map((built) => built.segment), ...asNotes(all)];
    },

    /** @param opening rows that stand before all else under the first status line */
    dataset({ dataset, lines }: Answered, opening: readonly Built[] = []): MappedDataset {
      const groups = lines.map(
        ({ list, title, rule, found, items, patient, outline }, i): MappedGroup => ({
          code: list.status,
          title,
          lines: [
            ...layStatus(list, found, rule),
            ...(i === 0 ? layOpening(opening, list.status) : []),
            ...lay(patient, list.status).flat(),
          ],
          items: lay(items, list.status, { outline }),
        }),
      );
      return asDataset(dataset, lines[0].found.statuses, groups);
    },
  };
}

function asDataset(
  dataset: Dataset,
  status: MappedDataset['status'],
  groups: MappedGroup[],
): MappedDataset {
  const segments = groups.flatMap(({ lines, items }) => [...lines, ...items.flat()]);
  const items = groups.reduce((sum, group) => sum + group.items.length, 0);
  return { dataset, status, items, groups, segments };
}

/** Issues the GP system raised that are about none of the datasets asked for. */
function generalNotes(compiled: CompiledMappings, asked: readonly Dataset[], run: Run): Note[] {
  const lists = asked.flatMap((dataset) => listsOf(dataset, compiled.datasets));
  return run.record.issues
    .filter((issue) => !lists.some((list) => concerns(issue, list)))
    .flatMap(({ text, diagnostics, from }) => {
      const says = text ?? diagnostics;
      if (says === undefined) return [];
      const source = run.options.trace ? from : undefined;
      return [{ text: `GP system: ${says}`, rule: 'OperationOutcome', source }];
    });
}

/**
 * An item as RSP_K11 holds it: each segment with its notes, then what hangs on the item.
 * @param counter OBX-1 given last in the group this item stands in
 * @param place its place in the tree, for OBX-4: `2.1`
 */
function flatten(item: BuiltItem, counter = { last: 0 }, place?: string): MappedSegment[] {
  const own = opensGroup(item) ? { last: 0 } : counter;
  const segments = item.segments.flatMap(({ segment, notes }) => {
    if (segment.name === 'OBX') {
      numbered(segment, ++own.last);
      if (place !== undefined) segment.fields[4] = place;
    }
    return [segment, ...asNotes(notes, segment.from)];
  });
  const children = item.children.flatMap((child, i) =>
    flatten(child, own, place === undefined ? undefined : `${place}.${i + 1}`),
  );
  return [...segments, ...children];
}

function numbered(segment: MappedSegment, number: number): MappedSegment {
  segment.fields[1] = String(number);
  return segment;
}
