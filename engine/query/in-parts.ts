/**
 * An answer in parts (RCP-2, DSC): which clinical items stand in which part. An item's segments
 * stay together, and every part has the patient and every data-status line, so that each can be
 * read by itself and none looks complete that is not.
 */
import type { MappedGroup, MappedRecord, MappedSegment } from '../mapping/mapped.ts';
import { noteOf } from './body.ts';
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
      const part = partOfGroup(group, first, last);
      return to - from < all ? { ...part, lines: withSummary(part.lines, from === 0) } : part;
    });
    const segments = groups.flatMap(({ lines, items }) => [...lines, ...items.flat()]);
    const items = groups.reduce((sum, group) => sum + group.items.length, 0);
    return { ...dataset, groups, segments, items };
  });
  return { record: { ...record, datasets }, items: { all, here: to - from, left: all - to } };
}

/** A dataset that is not wholly in this part is never C, and a note says so. */
function partOfGroup(group: MappedGroup, first: number, last: number): MappedGroup {
  const items = group.items.slice(first, last);
  const [status, ...rest] = group.lines;
  if (items.length === group.items.length || !status) return group;
  const fields = [...status.fields];
  const values = Array.isArray(fields[5]) ? fields[5] : [];
  const others = values.filter(([code]) => code !== 'C');
  fields[5] = [...others, ['W', 'in-parts', 'L']];
  const here = items.length === 0 ? 'none' : `${first + 1} to ${first + items.length}`;
  const whole = others.length < values.length ? ' Only all parts together are complete.' : '';
  const says = `Items of this dataset in this part of the answer: ${here} of ${group.items.length}.${whole}`;
  return { ...group, items, lines: noted([{ ...status, fields }, ...rest], 0, says) };
}

/** The summary stands in the first part alone, and says that it is of all of them. */
function withSummary(lines: MappedSegment[], first: boolean): MappedSegment[] {
  const at = lines.findIndex(({ summary }) => summary);
  if (at < 0) return lines;
  if (!first) return lines.filter(({ summary }) => !summary);
  return noted(lines, at, 'This summary is of all parts of the answer together.');
}

/** A note after those that a segment has already. */
function noted(lines: readonly MappedSegment[], at: number, says: string): MappedSegment[] {
  let end = at + 1;
  while (lines[end]?.name === 'NTE') end++;
  return [...lines.slice(0, end), noteOf(end - at, says), ...lines.slice(end)];
}
