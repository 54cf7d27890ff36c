/**
 * The summary that opens an answer: for each dataset asked for its status, how many items this
 * answer carries and the latest date among them. It is derived from what the answer carries, and
 * says so; 0 stands only where the GP system says that nothing is recorded.
 */
import type { Answered } from './answered.ts';
import { statusValue } from './completeness.ts';
import { createReading } from './coverage.ts';
import { formatDate } from './dates.ts';
import { textOf } from './evaluate.ts';
import { type Library, type Place, below } from './library.ts';
import type { MappedSegment } from './mapped.ts';
import { compileAt } from './paths.ts';
import type { Resource } from './record.ts';
import type { Run } from './scope.ts';
import type { Built } from './segments.ts';

/** The day an item is about, as HL7 writes it. */
export type DateOf = (resource: Resource, run: Run) => string | undefined;

/** Compile the `date` of an item rule: of several paths, the first that gives a date. */
export function compileDate(sources: readonly string[], place: Place, library: Library): DateOf {
  const reading = { focus: [createReading()], variables: new Map<string, never>() };
  const paths = sources.flatMap(
    (source) => compileAt(source, below(place, 'date'), library, reading) ?? [],
  );
  return (resource, run) => {
    for (const path of paths) {
      const [first] = path.values([resource], run.variables);
      const date = formatDate(textOf(first) ?? '', 'day');
      if (date) return date.text;
    }
    return undefined;
  };
}

/**
 * The latest of several dates. A partial date counts as its beginning: `2010` is before `20100501`,
 * because nothing says that it is after.
 */
export function latestOf(dates: readonly string[]): string | undefined {
  const plain = (date: string) => date.replace(/[+-]\d{4}$/, '');
  return dates.reduce<string | undefined>(
    (latest, date) => (latest === undefined || plain(date) > plain(latest) ? date : latest),
    undefined,
  );
}

const label =
  'Summary made by Gatehouse from what this answer carries; it is no part of the GP record. Read each number together with the data status beside it.';

/**
 * The OBX rows of the summary; OBX-4 names the status line they stand for. PAT itself has none.
 * @param isTraced whether the rows say where they come from
 */
export function summaryRows(answered: readonly Answered[], isTraced = false): Built[] {
  const others = answered.filter(({ dataset }) => dataset !== 'PAT');
  const lines = others.flatMap(({ lines: own }) => own);
  const rows = lines.flatMap(({ list, found, rule, items, textOnly, dates }) => {
    const row = (
      code: string,
      name: string,
      type: string,
      value: MappedSegment['fields'][number],
    ) => {
      const fields: MappedSegment['fields'] = [
        undefined,
        undefined,
        type,
        [[`GPREC.SUMMARY.${code}`, name, 'L']],
        list.status,
        value,
      ];
      fields[11] = 'F';
      const segment: MappedSegment = { name: 'OBX', fields };
      if (isTraced) segment.trace = [{ target: 'OBX-5', rule, source: 'the items of this answer' }];
      return { segment, notes: [] };
    };
    const latest = latestOf(dates);
    const isCounted =
      !textOnly &&
      // 0 stands only where the GP system says that nothing is recorded: beside a warning it lies.
      (items.length > 0 || found.statuses.every(({ status }) => 'CE'.includes(status)));
    return [
      row('STATUS', 'Data status', 'CE', found.statuses.map(statusValue)),
      ...(isCounted ? [row('ITEMS', 'Items in this answer', 'NM', String(items.length))] : []),
      ...(latest === undefined
        ? []
        : [row('LATEST', 'Latest date among them', latest.length > 8 ? 'TS' : 'DT', latest)]),
    ];
  });
  const [first] = rows;
  const note = { text: label, ...(isTraced && { rule: '', source: 'constant' }) };
  return first ? [{ ...first, notes: [note] }, ...rows.slice(1)] : [];
}
