/**
 * The same record for ADR_A19, which allows PID, PD1, PV1, OBX, AL1 and DG1 alone, in that order.
 * Every field of every other segment, and every note, becomes an OBX row, linked by OBX-4 to the
 * item it belongs to: what one profile carries, the other carries too.
 */
import type { Component, Field, Repetition } from '../hl7/segment.ts';
import type { BuiltItem } from './items.ts';
import type { MappedRecord, MappedSegment } from './mapped.ts';
import type { Note } from './scope.ts';
import type { Built } from './segments.ts';
import type { Table, TableRow } from './tables.ts';

/** Segments ADR_A19 has a place for. */
const allowed: ReadonlySet<string> = new Set(['PID', 'PD1', 'PV1', 'OBX', 'AL1', 'DG1']);

/** Whether a field needs a row in the table `a19-rows` to be carried in ADR_A19. */
export function needsRow(segment: string): boolean {
  return !allowed.has(segment);
}

/** A segment's field, or one component of it, as the table names it: `IAM-7`, `ORC-7.4`. */
export function rowFor(table: Table, target: string): TableRow | undefined {
  return table.rows.get(target) ?? table.rows.get(target.replace(/\.\d+$/, ''));
}

/**
 * Lay out items for ADR_A19.
 * @param link OBX-4 of an item without AL1 or DG1 of its own: `MED.1`, `PRB.2`
 * @returns segments without set ids on OBX: they are numbered over the whole answer
 */
export function asRows(item: BuiltItem, link: string, table: Table): MappedSegment[] {
  const shown = item.segments.map(({ segment }) => segment).filter(({ name }) => allowed.has(name));
  const anchor = shown.find(({ name }) => name === 'AL1' || name === 'DG1');
  const number = anchor?.fields[1];
  const own = anchor && typeof number === 'string' ? `${anchor.name}.${number}` : link;
  const rows = item.segments.flatMap((built) => rowsOf(built, own, shown, table));
  const children = item.children.flatMap((child, i) => asRows(child, `${own}.${i + 1}`, table));
  return [...rows, ...children];
}

function rowsOf(
  { segment, notes }: Built,
  link: string,
  shown: readonly MappedSegment[],
  table: Table,
): MappedSegment[] {
  const rows: MappedSegment[] = [];
  if (segment.name === 'OBX') rows.push(linked(segment, link));
  else if (allowed.has(segment.name)) rows.push(segment);
  else {
    for (const [number, field] of segment.fields.entries()) {
      if (number === 0 || field === undefined || field === '') continue;
      rows.push(...fieldRows(segment, number, field, link, shown, table));
    }
  }
  return [...rows, ...noteRows(notes, link, segment.from)];
}

/** Notes as rows. */
export function noteRows(notes: readonly Note[], link: string, from?: string): MappedSegment[] {
  return notes.map(({ text, rule = '', source = '' }) => {
    const row = newRow(['NTE-3', 'Note', 'L'], link, 'TX', [[text]], from);
    if (rule) row.trace = [{ target: 'OBX-5', rule, source }];
    return row;
  });
}

function fieldRows(
  segment: MappedSegment,
  number: number,
  field: Field,
  link: string,
  shown: readonly MappedSegment[],
  table: Table,
): MappedSegment[] {
  const target = `${segment.name}-${number}`;
  const whole = table.rows.get(target);
  const repetitions: Repetition[] = typeof field === 'string' ? [[field]] : (field ?? []);
  const traced = (row: MappedSegment, of: string) => {
    const traces = segment.trace?.filter(
      (one) => one.target === of || one.target.startsWith(`${of}.`),
    );
    if (traces) row.trace = traces.map((one) => ({ ...one, target: `OBX-5 (${one.target})` }));
    return row;
  };
  if (whole) {
    if (isShown(whole, shown)) return [];
    const values = repetitions.map((one) => (whole.type === 'CX' ? asCx(one) : one));
    const identifier = [target, whole.value, 'L'];
    return [traced(newRow(identifier, link, whole.type ?? 'ST', values, segment.from), target)];
  }
  // A field the table names by component (TQ) gives one row a component.
  return repetitions.flatMap((repetition) =>
    repetition.flatMap((component, i) => {
      const name = `${target}.${i + 1}`;
      const row = table.rows.get(name);
      if (!row || component === undefined || component === '') return [];
      const value = [[component]];
      return [
        traced(newRow([name, row.value, 'L'], link, row.type ?? 'ST', value, segment.from), name),
      ];
    }),
  );
}

/** Whether the item's AL1 or DG1 shows this field already. */
function isShown(row: TableRow, shown: readonly MappedSegment[]): boolean {
  const [name = '', field = ''] = (row.shown ?? '').split('-');
  const held = shown.find((segment) => segment.name === name)?.fields[Number(field)];
  return held !== undefined && held !== '';
}

/** EI as CX, which an OBX may hold: id, and the assigning authority in CX-4. */
function asCx([id, namespace, universal, type]: Repetition): Repetition {
  const text = (one: Component) => (typeof one === 'string' ? one : undefined);
  if (namespace === undefined && universal === undefined) return [id];
  return [id, undefined, undefined, [text(namespace), text(universal), text(type)]];
}

function newRow(
  identifier: (string | undefined)[],
  link: string,
  type: string,
  values: Repetition[],
  from?: string,
): MappedSegment {
  const fields: Field[] = [undefined, undefined, type, [identifier], link, values];
  fields[11] = 'F';
  return { name: 'OBX', fields, from };
}

function linked(segment: MappedSegment, link: string): MappedSegment {
  const fields = [...segment.fields];
  fields[4] = link;
  return { ...segment, fields };
}

/**
 * The segments of a whole record in the order of ADR_A19: PID PD1 PV1, every OBX, every AL1, every
 * DG1. Only for a record mapped with profile `a19`.
 */
export function inA19Order(record: MappedRecord): MappedSegment[] {
  const all = [...record.patient, ...record.datasets.flatMap(({ segments }) => segments)];
  return [...allowed].flatMap((name) => all.filter((segment) => segment.name === name));
}
