/**
 * A mapped record that has a long way to go: its items written as they will stand in the answer.
 * Thousands of segments with their fields and components cost more to carry from thread to thread
 * than to make; their text costs next to nothing.
 */
import type { Delimiters } from '../hl7/delimiters.ts';
import { writeSegment } from '../hl7/encode.ts';
import type { MappedRecord, MappedSegment } from './mapped.ts';

/**
 * The record with the segments of its items written, but for field 1, which the layout of the answer
 * may number anew. Patient and status lines, which it may add to, stay as they are. It has no
 * `segments`: they would be carried twice.
 * @param delimiters those the answer will have
 */
export function toCarry(record: MappedRecord, delimiters: Delimiters): MappedRecord {
  const datasets = record.datasets.map((dataset) => {
    const groups = dataset.groups.map((group) => ({
      ...group,
      items: group.items.map((item) => item.map((segment) => written(segment, delimiters))),
    }));
    return { ...dataset, groups, segments: [] };
  });
  return { ...record, datasets };
}

/** What `toCarry` gave, with the segments of its datasets again. */
export function carried(record: MappedRecord): MappedRecord {
  const datasets = record.datasets.map((dataset) => {
    const segments = dataset.groups.flatMap(({ lines, items }) => [...lines, ...items.flat()]);
    return { ...dataset, segments };
  });
  return { ...record, datasets };
}

/** Where it came from is for a trace, which is never made apart. */
function written(segment: MappedSegment, delimiters: Delimiters): MappedSegment {
  const { name, fields, written: text } = writeSegment(segment, delimiters);
  return { name, fields, written: text };
}
