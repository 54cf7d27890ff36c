/**
 * A practice table as a file that people read, comment and keep in git: an import changes the lines it
 * must and no other, and the file is replaced whole, or not at all.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { replaceFile } from '../journal/durable-file.ts';
import { type Practices, loadPractices, practiceColumns, practiceHeader } from '../gp/practices.ts';
import { type Edit, type Row, rowOf } from './plan.ts';

export interface TableFile {
  file: string;
  /** As it was read; empty where there is no such file yet. */
  text: string;
  practices: Practices;
}

/** The table cannot be changed as it is now. */
export class TableRefusal extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}

/** Read a table. @throws ConfigError with every finding of it */
export function readTable(file: string): TableFile {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return { file, text, practices: loadPractices(file, text) };
}

/**
 * The text of a table after changes: lines of rows that are as before stay as they are written, new rows
 * come last, and what the import was stands as a comment above the columns.
 * @throws TableRefusal where the file cannot be changed line by line
 */
export function edited(table: TableFile, { put, drop }: Edit, comment: string): string {
  const { text, practices } = table;
  const ending = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  const isRow = (line: string): boolean => line.trim() !== '' && !/^\ufeff?\s*#/.test(line);
  let top = lines.findIndex(isRow);
  if (top < 0) top = lines.push(practiceHeader) - 1;
  const columns = columnsOf(lines[top] ?? '');
  const missing = practiceColumns.filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    for (const [at, line] of lines.entries()) {
      if (isRow(line)) lines[at] = line + (at === top ? `,${missing.join(',')}` : commas(missing));
    }
    columns.push(...missing);
  }
  const written = (row: Row): string => stringify([row], { columns }).trimEnd();
  const added: string[] = [];
  const gone = new Set<number>();
  for (const row of put) {
    const line = practices.get(row.ods)?.line;
    if (line === undefined) added.push(written(row));
    else lines[line - 1] = written(row);
  }
  for (const ods of drop) gone.add((practices.get(ods)?.line ?? 0) - 1);
  const kept = lines.filter((_, at) => !gone.has(at));
  kept.splice(top, 0, `# ${comment.replace(/[\r\n]+/g, ' ')}`);
  const after = [...kept, ...added, ''].join(ending);
  assertSame(table.file, after, practices, { put, drop });
  return after;
}

const columnsOf = (line: string): string[] =>
  (parse(line.replace(/^\ufeff/, ''), { trim: true }) as string[][])[0] ?? [];
const commas = (missing: readonly unknown[]): string => ','.repeat(missing.length);

/** A value that goes over several lines would make the change hit another line. */
function assertSame(file: string, text: string, before: Practices, { put, drop }: Edit): void {
  const wanted = new Map([...before].map(([ods, practice]) => [ods, rowOf(practice)]));
  for (const ods of drop) wanted.delete(ods);
  for (const row of put) wanted.set(row.ods, row);
  const read = loadPractices(file, text);
  const found = new Map([...read].map(([ods, practice]) => [ods, rowOf(practice)]));
  if (!isDeepStrictEqual(found, wanted)) {
    throw new TableRefusal(
      `${file} has values that go over several lines`,
      'write each row on one line',
    );
  }
}

/**
 * Put a text in the place of the file, durably: after a crash there is the old one or the new one.
 * @throws TableRefusal where the file is not what was read: somebody else has changed it meanwhile
 */
export function replaceTable({ file, text: before }: TableFile, text: string): void {
  const known = statSync(file, { throwIfNoEntry: false });
  const now = known ? readFileSync(file, 'utf8') : '';
  if (now !== before)
    throw new TableRefusal(`${file} was changed meanwhile`, 'run the import again');
  replaceFile(file, text, known ? known.mode & 0o777 : 0o644);
}
