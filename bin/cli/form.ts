/**
 * The forms of the output (`-o`): tables for people; JSON, NDJSON, YAML and CSV for machines. A
 * command declares what it tells once, and it comes out in the form that was asked for.
 *
 * Machines get `{"kind": …, "version": 1, …}`; a listing has its rows under one key. NDJSON is one
 * row a line, CSV has the keys of the rows as its header (RFC 4180, with LF); both lack what stands
 * beside the rows.
 */
import { Option } from 'commander';
import { stringify as csvOf } from 'csv-stringify/sync';
import { stringify as yamlOf } from 'yaml';
import { print, printJson, printTable } from './output.ts';

export const forms = ['table', 'wide', 'json', 'ndjson', 'csv', 'yaml'] as const;
export type Form = (typeof forms)[number];

/** `-o`, for every command that tells something. */
export const form = new Option('-o, --output <form>', 'form of the output')
  .choices(forms)
  .default('table');

/** Whether a person reads it. */
export const isForPeople = (asked: Form): boolean => asked === 'table' || asked === 'wide';

export interface Column<Row> {
  title: string;
  cell(row: Row): string | number | null | undefined;
  /** Shown by `-o wide` only. */
  wide?: boolean;
}

export interface Listing<Row extends object> {
  /** Name of the JSON shape. */
  kind: string;
  /** Where the rows stand in it. */
  key: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  /** What stands beside the rows. */
  beside?: object;
}

/** Print rows: as a table, or as the data they are. */
export function printListing<Row extends object>(asked: Form, listing: Listing<Row>): void {
  const { kind, key, rows, columns, beside } = listing;
  if (isForPeople(asked)) {
    const shown = columns.filter(({ wide }) => wide !== true || asked === 'wide');
    printTable(
      shown.map(({ title }) => title),
      rows.map((row) => shown.map(({ cell }) => cell(row))),
    );
    return;
  }
  printData(asked, kind, { ...beside, [key]: rows }, rows);
}

/**
 * Print one thing: what `tell` prints for people, or the data it is.
 * @param tell prints it for people
 */
export function printOne(asked: Form, kind: string, value: object, tell: () => void): void {
  if (isForPeople(asked)) tell();
  else printData(asked, kind, value, [value]);
}

function printData(asked: Form, kind: string, value: object, rows: readonly object[]): void {
  switch (asked) {
    case 'yaml':
      return print(yamlOf(plain({ kind, version: 1, ...value })));
    case 'ndjson':
      for (const row of rows) print(JSON.stringify(row));
      return;
    case 'csv': {
      const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
      return print(csvOf(rows.map(plain), { header: true, columns }));
    }
    default:
      return printJson(kind, value);
  }
}

/** As JSON has it: without what is undefined, dates as text. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
