/** Code tables: CSV files a terminologist can edit, each with a column for the source and the HL7 code. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type Finding, shortPath } from '../config/yaml.ts';

export interface TableRow {
  /** The first column. */
  code: string;
  /** Further columns by their heading. */
  [column: string]: string;
}

export interface Table {
  name: string;
  /** By code. Only what notes which of them are used puts others in their place. */
  rows: ReadonlyMap<string, TableRow>;
  /** `tables/gender.csv:3`, for provenance. */
  where(code: string): string;
}

/** Why a code has no value: `table sex: "I" has no row`. For people who may see the code. */
export const missing = ({ name }: Table, code: string): string =>
  `table ${name}: "${code}" has no row`;

/** The columns every table of codes has; those of its own come after. */
const required = ['code', 'value'];

/**
 * Read every CSV file of a folder. Lines that begin with `#` are remarks.
 * @returns the tables by file name without `.csv`; what is wrong is added to `findings`
 */
export function readTables(folder: string, findings: Finding[]): Map<string, Table> {
  const tables = new Map<string, Table>();
  let files: string[] = [];
  try {
    files = readdirSync(folder).filter((name) => name.endsWith('.csv'));
  } catch {
    // A mapping without tables is fine; a rule that names one is reported where it stands.
  }
  for (const file of files.sort()) {
    const name = basename(file, '.csv');
    const table = readTable(name, join(folder, file), findings);
    if (table) tables.set(name, table);
  }
  return tables;
}

/** Read one table. @returns undefined where it is none; what is wrong is added to `findings` */
export function readTable(name: string, file: string, findings: Finding[]): Table | undefined {
  const report = (line: number, says: string) =>
    findings.push({ severity: 'error', where: `${shortPath(file)}:${line}:1`, says });
  let records: { record: Record<string, string>; info: { lines: number } }[];
  try {
    // With `info`, csv-parse gives each record beside its position; its types do not say so.
    records = parse(readFileSync(file, 'utf8'), {
      columns: true,
      comment: '#',
      comment_no_infix: true,
      info: true,
      trim: true,
      bom: true,
      skip_empty_lines: true,
    }) as unknown as typeof records;
  } catch (error) {
    report(
      (error as { lines?: number }).lines ?? 1,
      `this is not CSV: ${(error as Error).message}`,
    );
    return undefined;
  }
  const rows = new Map<string, TableRow>();
  const lines = new Map<string, number>();
  for (const { record, info } of records) {
    const missing = required.filter((column) => record[column] === undefined);
    if (missing.length > 0) {
      report(1, `the table has no column "${missing.join('", "')}"`);
      return undefined;
    }
    const code = record.code ?? '';
    if (rows.has(code)) report(info.lines, `the code "${code}" is in the table twice`);
    rows.set(code, record as TableRow);
    lines.set(code, info.lines);
  }
  return { name, rows, where: (code) => `tables/${name}.csv:${lines.get(code) ?? 1}` };
}
