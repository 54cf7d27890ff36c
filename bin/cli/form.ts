/**
 * The forms of the output (`-o`): tables for people; JSON, NDJSON, YAML and CSV for machines. A
 * command declares what it tells once, and it comes out in the form that was asked for.
 *
 * Machines get `{"kind": …, "version": 1, …}`; a listing has its rows under one key. NDJSON is one
 * row a line, CSV has the keys of the rows as its header (RFC 4180, with LF); both lack what stands
 * beside the rows.
 */
import { createRequire } from 'node:module';
import { Option } from 'commander';
import { print, printTable } from './output.ts';

/** Loaded where they are asked for: every command loads this file, few print YAML or CSV. */
const load = createRequire(import.meta.url);
const csvOf = (...of: Parameters<typeof import('csv-stringify/sync').stringify>) =>
  (load('csv-stringify/sync') as typeof import('csv-stringify/sync')).stringify(...of);
const yamlOf = (value: unknown) =>
  (load('yaml') as typeof import('yaml')).stringify(value, { lineWidth: 0 });

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

/** Rows as a machine is given them. */
export interface Rows<Row extends object> {
  /** Name of the JSON shape. */
  kind: string;
  /** Where the rows stand in it. */
  key: string;
  rows: readonly Row[];
  /** What stands beside the rows. */
  beside?: object;
}

export interface Listing<Row extends object> extends Rows<Row> {
  columns: readonly Column<Row>[];
}

/** Print rows: as a table, or as the data they are. */
export function printListing<Row extends object>(asked: Form, listing: Listing<Row>): void {
  const { rows, columns } = listing;
  printRows(asked, listing, () => {
    const shown = columns.filter(({ wide }) => wide !== true || asked === 'wide');
    printTable(
      shown.map(({ title }) => title),
      rows.map((row) => shown.map(({ cell }) => cell(row))),
    );
  });
}

/**
 * Print rows that people are told otherwise than in one table.
 * @param tell prints them for people
 */
export function printRows<Row extends object>(
  asked: Form,
  { kind, key, rows, beside }: Rows<Row>,
  tell: () => void,
): void {
  if (isForPeople(asked)) tell();
  else printData(asked, kind, { ...beside, [key]: rows }, rows);
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
  const named = { kind, version: 1, ...value };
  switch (asked) {
    case 'yaml':
      return print(yamlOf(plain(named)));
    case 'ndjson':
      for (const row of rows) print(JSON.stringify(row));
      return;
    case 'csv': {
      // Without a row there is no header: nobody knows the keys.
      if (rows.length === 0) return;
      const plainRows = rows.map(plain);
      const columns = [...new Set(plainRows.flatMap((row) => Object.keys(row)))];
      return print(csvOf(plainRows, { header: true, columns, cast: { boolean: String } }));
    }
    default:
      return print(JSON.stringify(named, null, 2));
  }
}

/** As JSON has it: without what is undefined, dates as text. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
