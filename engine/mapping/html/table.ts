/**
 * A table as text, row by row: `label: value; label: value`.
 *
 * A row is labelled only where its cells, with what spans rows and columns, fill the columns of the
 * header exactly. Where they do not, they stand without labels: a dose under a wrong label is worse
 * than a dose under none. An empty cell keeps its label, for that it is empty is said, too.
 */
import type { Element } from './xhtml.ts';

export interface Row {
  kind: 'columns' | 'row' | 'text';
  text: string;
}

type Nodes = Element['children'];

interface Cell {
  text: string;
  header: boolean;
  columns: number;
  rows: number;
}

/**
 * The rows of a table, the header's among them, and what stands between them.
 * @param textOf the text of the content of a cell
 */
export function rowsOf(table: Element, textOf: (nodes: Nodes) => string): Row[] {
  const rows: Row[] = [];
  const grid = createGrid();
  const add = (kind: Row['kind'], text: string) => {
    if (text !== '') rows.push({ kind, text });
  };
  const addRow = (cells: Cell[], isHead: boolean) => {
    if (cells.length === 0) return;
    if (isHead || cells.every(({ header }) => header)) {
      grid.header(cells);
      add('columns', cells.flatMap(({ text }) => text || []).join('; '));
    } else add('row', grid.row(cells));
  };
  const walk = (nodes: Nodes, isHead: boolean) => {
    // Cells that stand in no row of their own are one.
    let loose: Cell[] = [];
    const flush = () => {
      addRow(loose, isHead);
      loose = [];
    };
    for (const node of nodes) {
      if (typeof node === 'string') {
        if (node.trim() === '') continue;
        flush();
        add('text', textOf([node]));
      } else if (node.name === 'td' || node.name === 'th') loose.push(cellOf(node, textOf));
      else {
        flush();
        if (node.name === 'tr') addRow(cellsOf(node, textOf), isHead);
        else if (/^(thead|tbody|tfoot)$/.test(node.name)) {
          walk(node.children, node.name === 'thead');
        } else add('text', textOf([node]));
      }
    }
    flush();
  };
  walk(table.children, false);
  return rows;
}

/** The columns of a table: what they are called, and which of them a cell above still fills. */
function createGrid() {
  let labels: (string | undefined)[] = [];
  let inHeader = false;
  let spanned: number[] = [];

  /** The column each cell starts at, and how many there are. */
  function place(cells: Cell[]): { starts: number[]; width: number } {
    const below: number[] = spanned.map((rows) => Math.max(0, rows - 1));
    let column = 0;
    const skip = () => {
      while ((spanned[column] ?? 0) > 0) column++;
    };
    const starts = cells.map(({ columns, rows }) => {
      skip();
      const start = column;
      for (; column < start + columns; column++) below[column] = rows - 1;
      return start;
    });
    skip();
    spanned = below;
    return { starts, width: column };
  }

  return {
    /** A header row; one that follows another says more exactly what that says. */
    header(cells: Cell[]) {
      if (!inHeader) labels = [];
      inHeader = true;
      const { starts } = place(cells);
      cells.forEach(({ text, columns }, i) => {
        const start = starts[i] ?? 0;
        for (let column = start; column < start + columns; column++) labels[column] = text;
      });
    },
    row(cells: Cell[]): string {
      inHeader = false;
      const { starts, width } = place(cells);
      const labelled = cells.length > 1 && width === labels.length;
      const texts = cells.map(({ text, columns }, i) => {
        const label = labelled && columns === 1 ? labels[starts[i] ?? 0] : undefined;
        return label ? `${label}: ${text}`.trimEnd() : text;
      });
      return texts.filter((text) => text !== '').join('; ');
    },
  };
}

function cellsOf(row: Element, textOf: (nodes: Nodes) => string): Cell[] {
  return row.children.flatMap((node) => {
    if (typeof node !== 'string') return cellOf(node, textOf);
    const text = textOf([node]);
    return text === '' ? [] : { text, header: false, columns: 1, rows: 1 };
  });
}

function cellOf(cell: Element, textOf: (nodes: Nodes) => string): Cell {
  const isCell = cell.name === 'td' || cell.name === 'th';
  return {
    text: textOf(isCell ? cell.children : [cell]),
    header: cell.name === 'th',
    columns: spanOf(cell.attributes.colspan),
    rows: spanOf(cell.attributes.rowspan),
  };
}

/** A span as HTML reads it: a whole number from 1; anything else is 1. */
function spanOf(written: string | undefined): number {
  const number = Number(written ?? 1);
  return Number.isInteger(number) && number >= 1 && number <= 1000 ? number : 1;
}
