/** Which rows of code tables are looked up while something is mapped. */
import type { Table, TableRow } from './tables.ts';

export interface RowsUsed {
  /** The codes that were found, by table. */
  used: ReadonlyMap<string, ReadonlySet<string>>;
  /** The tables are as they were. */
  end(): void;
}

/** Rows that note which of them are asked for. */
class NotingRows extends Map<string, TableRow> {
  readonly #note: (code: string) => void;
  constructor(rows: ReadonlyMap<string, TableRow>, note: (code: string) => void) {
    super(rows);
    this.#note = note;
  }
  override get(code: string): TableRow | undefined {
    const row = super.get(code);
    if (row) this.#note(code);
    return row;
  }
  override has(code: string): boolean {
    return this.get(code) !== undefined;
  }
}

/** Note from now on which rows of these tables are looked up. */
export function noteRows(tables: Iterable<Table>): RowsUsed {
  const used = new Map<string, Set<string>>();
  const before = new Map<Table, Table['rows']>();
  for (const table of tables) {
    if (before.has(table)) continue;
    const codes = used.get(table.name) ?? new Set();
    used.set(table.name, codes);
    before.set(table, table.rows);
    table.rows = new NotingRows(table.rows, (code) => codes.add(code));
  }
  return {
    used,
    end() {
      for (const [table, rows] of before) table.rows = rows;
    },
  };
}
