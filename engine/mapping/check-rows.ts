/** Holds every field to a row in the table `a19-rows`, where some structure has no place for it. */
import { type Library, type Place, below, report } from './library.ts';
import { needsRow } from './rows.ts';
import type { SegmentRule } from './rules.ts';
import type { Table } from './tables.ts';

/**
 * Report the fields that would be lost in ADR^A19 and its like.
 * @param place the node with `segments`
 */
export function checkRows(
  segments: readonly SegmentRule[],
  stands: 'patient' | 'dataset',
  table: Table | undefined,
  place: Place,
  library: Library,
): void {
  const rows = [...(table?.rows.keys() ?? [])];
  segments.forEach(({ segment, fields, segments: inner }, i) => {
    const at = below(place, 'segments', i);
    if (inner) checkRows(inner, stands, table, at, library);
    if (!segment || !fields || !needsRow(segment, stands)) return;
    for (const target of Object.keys(fields)) {
      const [field = ''] = target.split('.');
      if (rows.some((row) => row === field || row === target || row.startsWith(`${target}.`)))
        continue;
      report(
        library,
        below(at, 'fields', target),
        `${target} has no row in the table a19-rows: answers without ${segment} would lose it`,
        `add ${target} to tables/a19-rows.csv`,
      );
    }
  });
}
