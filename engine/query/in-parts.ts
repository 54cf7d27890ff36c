/**
 * An answer in parts (RCP-2, DSC): which clinical items stand in which part. An item's segments
 * stay together, and every part has the patient and every data-status line, so that each can be
 * read by itself and none looks complete that is not.
 */
import type { MappedGroup, MappedRecord, MappedSegment } from '../mapping/mapped.ts';
import type { AnswerPart } from './response.ts';

/** How many clinical items a record holds, as QAK-4 counts them. */
export function itemsOf(record: MappedRecord): number {
  return record.datasets.reduce((sum, { items }) => sum + items, 0);
}

/**
 * One part of a record.
 * @param from items in the parts before this one
 * @param quantity items in this part at most
 */
export function partOf(
  record: MappedRecord,
  from: number,
  quantity: number,
): { record: MappedRecord; items: AnswerPart['items'] } {
  const all = itemsOf(record);
  const to = Math.min(all, from + quantity);
  let before = 0;
  const datasets = record.datasets.map((dataset) => {
    const groups = dataset.groups.map((group) => {
      const [first, last] = [Math.max(0, from - before), Math.max(0, to - before)];
      before += group.items.length;
      return partOfGroup(group, first, last);
    });
    const segments = groups.flatMap(({ lines, items }) => [...lines, ...items.flat()]);
    const items = groups.reduce((sum, group) => sum + group.items.length, 0);
    return { ...dataset, groups, segments, items };
  });
  return { record: { ...record, datasets }, items: { all, here: to - from, left: all - to } };
}

function partOfGroup(group: MappedGroup, first: number, last: number): MappedGroup {
  const items = group.items.slice(first, last);
  if (items.length === group.items.length) return group;
  const all = group.items.length;
  const here =
    items.length === 0
      ? `None of the ${all} items of this dataset is in this part of the answer.`
      : `Items ${first + 1} to ${first + items.length} of ${all} are in this part of the answer.`;
  return { ...group, items, lines: inParts(group.lines, here) };
}

/** The status line of a dataset that is not wholly in this part: never C, and a note that says so. */
function inParts(lines: readonly MappedSegment[], says: string): MappedSegment[] {
  const [status, ...others] = lines;
  if (!status) return [];
  const fields = [...status.fields];
  const values = (Array.isArray(fields[5]) ? fields[5] : []).filter(([code]) => code !== 'C');
  fields[5] = [...values, ['W', 'in-parts', 'L']];
  const end = others.findIndex(({ name }) => name !== 'NTE');
  const notes = end < 0 ? others.length : end;
  const note = { name: 'NTE', fields: [undefined, String(notes + 1), undefined, says] };
  return [{ ...status, fields }, ...others.slice(0, notes), note, ...others.slice(notes)];
}
