/**
 * The same record for structures that lack most segments (ADR_A19, RCI_I05, ORF_R04, VXR_V03,
 * PPR_PC1), and for text: every field of a segment they have no place for, and every note, becomes
 * an OBX row, linked by OBX-4 to the item it belongs to. What one profile carries, the others carry
 * too.
 */
import type { Component, Field, Repetition } from '../hl7/segment.ts';
import type { BuiltItem } from './items.ts';
import type { MappedSegment, Profile } from './mapped.ts';
import type { Note } from './scope.ts';
import type { Built } from './segments.ts';
import type { Table, TableRow } from './tables.ts';

/** What a structure has a place for. */
export interface Shape {
  /** Segments that say who the patient is. */
  patient: ReadonlySet<string>;
  /** Segments of a dataset's items. */
  item: ReadonlySet<string>;
  /** Segments that NTE may follow. */
  notes: ReadonlySet<string>;
  /** The segment under which OBX stands; it comes first of its item. */
  opener?: string;
}

const set = (...names: string[]): ReadonlySet<string> => new Set(names);

/** The profiles in which rows stand for segments. */
export const shapes: Partial<Record<Profile, Shape>> = {
  a19: {
    patient: set('PID', 'PD1', 'PV1', 'OBX'),
    item: set('OBX', 'AL1', 'DG1'),
    notes: set(),
  },
  i05: {
    patient: set('PID', 'OBX'),
    item: set('OBX', 'AL1', 'DG1', 'OBR'),
    notes: set('OBR', 'OBX'),
    opener: 'OBR',
  },
  r04: {
    patient: set('PID', 'OBX'),
    item: set('OBX', 'OBR'),
    notes: set('OBR', 'OBX'),
    opener: 'OBR',
  },
  v03: {
    patient: set('PID', 'PD1', 'NK1', 'OBX'),
    item: set('OBX', 'RXA', 'RXR'),
    notes: set('OBX'),
    opener: 'RXA',
  },
  ppr: {
    patient: set('PID', 'OBX'),
    item: set('OBX', 'PRB'),
    notes: set('PRB', 'OBX'),
    opener: 'PRB',
  },
  text: {
    patient: set('PID', 'OBX'),
    item: set('OBX'),
    notes: set(),
  },
};

/**
 * Whether the fields of a segment need rows in the table `a19-rows`: a profile that shows its item
 * has no place for it. AL1 says nothing that IAM does not; the PV1 beside PID is ADR_A19's alone.
 * @param place where the item stands: before the datasets, or in one
 */
export function needsRow(segment: string, place: 'patient' | 'dataset'): boolean {
  if (segment === 'AL1' || (segment === 'PV1' && place === 'patient')) return false;
  return Object.values(shapes).some(
    (shape) => !shape[place === 'patient' ? 'patient' : 'item'].has(segment),
  );
}

/**
 * Lay out an item in a structure that lacks some of its segments.
 * @param link OBX-4 of an item without AL1 or DG1 of its own: `MED.1`, `PRB.2`
 * @param kept the segments that stay as they are
 * @returns segments without set ids on OBX: they are numbered over the whole answer
 */
export function asRows(
  item: BuiltItem,
  link: string,
  table: Table,
  kept: ReadonlySet<string>,
  shape: Shape,
): MappedSegment[] {
  const shown = item.segments.map(({ segment }) => segment).filter(({ name }) => kept.has(name));
  const anchor = shown.find(({ name }) => name === 'AL1' || name === 'DG1');
  const number = anchor?.fields[1];
  const own = anchor && typeof number === 'string' ? `${anchor.name}.${number}` : link;
  const rows = saidOnce(item.segments, kept).map((built) =>
    rowsOf(built, own, shown, table, kept, shape),
  );
  // What was built before the segment that opens OBX rows follows it.
  const first = rows.findIndex((one) => one[0]?.name === shape.opener);
  if (first > 0) {
    let after = first + 1;
    while (rows[after]?.[0]?.name === 'RXR') after++;
    rows.unshift(...rows.splice(first, after - first));
  }
  const children = item.children.flatMap((child, i) =>
    asRows(child, `${own}.${i + 1}`, table, kept, shape),
  );
  return [...rows.flat(), ...children];
}

/** Where AL1 has no place, IAM says all that it does; the notes of AL1 are then notes of IAM. */
function saidOnce(segments: readonly Built[], kept: ReadonlySet<string>): readonly Built[] {
  const al1 = segments.find(({ segment }) => segment.name === 'AL1');
  const iam = segments.find(({ segment }) => segment.name === 'IAM');
  if (!al1 || !iam || kept.has('AL1')) return segments;
  const noted = { ...iam, notes: [...al1.notes, ...iam.notes] };
  return segments.flatMap((one) => (one === al1 ? [] : one === iam ? noted : one));
}

function rowsOf(
  { segment, notes }: Built,
  link: string,
  shown: readonly MappedSegment[],
  table: Table,
  kept: ReadonlySet<string>,
  shape: Shape,
): MappedSegment[] {
  const rows: MappedSegment[] = [];
  if (segment.name === 'OBX') rows.push(linked(segment, link));
  else if (kept.has(segment.name)) rows.push(segment);
  else {
    for (const [number, field] of segment.fields.entries()) {
      if (number === 0 || field === undefined || field === '') continue;
      rows.push(...fieldRows(segment, number, field, link, shown, table));
    }
  }
  const own = kept.has(segment.name) && shape.notes.has(segment.name);
  return [...rows, ...(own ? asNotes(notes, segment.from) : noteRows(notes, link, segment.from))];
}

/** Notes as NTE, numbered from 1. */
export function asNotes(notes: readonly Note[], from?: string): MappedSegment[] {
  return notes.map(({ text, rule, source }, i) => {
    const note: MappedSegment = {
      name: 'NTE',
      fields: [undefined, String(i + 1), undefined, text],
      from,
    };
    if (rule !== undefined && source !== undefined)
      note.trace = [{ target: 'NTE-3', rule, source }];
    return note;
  });
}

/** Notes as rows. */
export function noteRows(notes: readonly Note[], link: string, from?: string): MappedSegment[] {
  return notes.map(({ text, rule, source }) => {
    const row = newRow(['NTE-3', 'Note', 'L'], link, 'TX', [[text]], from);
    if (rule !== undefined && source !== undefined) row.trace = [{ target: 'OBX-5', rule, source }];
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
