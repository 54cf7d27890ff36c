/**
 * A record as a document to read: a section for each part of it, each opened by its data status and
 * the GP system's own words about it, then its items, numbered as the record has them.
 */
import type { Field, Segment } from '../hl7/segment.ts';
import type { MappedGroup, MappedRecord, MappedSegment } from '../mapping/mapped.ts';
import { type Caution, cautionText } from '../query/cautions.ts';
import { dateWords, nameWords, valueWords } from './words.ts';

export interface Section {
  /** `MED`, `ALL.ENDED`; `GPREC` for who the patient is and what holds for all of it. */
  code: string;
  title: string;
  lines: string[];
}

export interface ReadableDocument {
  sections: Section[];
  /** What cannot be written as text: encapsulated documents (OBX-2 ED), in their order. */
  attached: MappedSegment[];
}

/**
 * Write a record laid out in the profile `text`.
 * @param fetched the time of the answer, as HL7 writes it
 */
export function readable(
  record: MappedRecord,
  cautions: readonly Caution[],
  fetched: string,
): ReadableDocument {
  const attached: MappedSegment[] = [];
  const write = (rows: readonly MappedSegment[], code: string) => itemLines(rows, code, attached);
  const rows = record.patient.filter(({ name }) => name === 'OBX');
  const about = [
    ...record.patient.filter(({ name }) => name === 'PID').flatMap(patientLines),
    `Fetched from the GP system: ${dateWords(fetched)}`,
    ...cautions.map(cautionText),
    ...rows.map((row) => rowText(row)).flatMap((text) => text.split('\n')),
  ];
  const sections = [{ code: 'GPREC', title: 'GP record', lines: about }];
  for (const group of record.datasets.flatMap(({ groups }) => groups)) {
    const { code, title, items } = group;
    const lines = [...statusLines(group), ...items.flatMap((item) => ['', ...write(item, code)])];
    sections.push({ code, title, lines });
  }
  return { sections, attached };
}

/** A section as lines of text, under its title. */
export function sectionText({ code, title, lines }: Section): string[] {
  const head = code === 'GPREC' ? title : `${title} (${code})`;
  return [head.toUpperCase(), ...lines];
}

/** The data status of a group with its notes, and what is no item of it, in words. */
export function statusLines({ code, lines }: Pick<MappedGroup, 'code' | 'lines'>): string[] {
  return lines.flatMap((segment) => {
    if (segment.name === 'NTE') return `Note: ${plain(segment.fields[3])}`.split('\n');
    if (segment.name !== 'OBX') return [];
    // A row of the summary is about the part that OBX-4 names.
    const link = plain(segment.fields[4]);
    const about = segment.summary && link !== code ? `${link}: ` : '';
    return `${about}${rowText(segment)}`.split('\n');
  });
}

function patientLines({ fields }: Segment): string[] {
  const names = typeof fields[5] === 'object' ? fields[5].map(nameWords) : [];
  const named = [
    ['Patient', names.join('; ')],
    ['Identifiers', valueWords('CX', fields[3])],
    ['Born', valueWords('TS', fields[7])],
    ['Died', valueWords('TS', fields[29]) || (fields[30] === 'Y' ? 'date not stated' : '')],
  ];
  return named.flatMap(([label, value]) => (value ? `${label}: ${value}` : []));
}

/** The rows of an item: its number once, and all that belongs to it indented beneath. */
function itemLines(
  rows: readonly MappedSegment[],
  code: string,
  attached: MappedSegment[],
): string[] {
  let last: string | undefined;
  return rows.flatMap((row) => {
    const link = plain(row.fields[4]);
    const number = link.startsWith(`${code}.`) ? link.slice(code.length + 1) : link;
    const head = number === last ? '' : number;
    last = number;
    const indent = ' '.repeat(Math.max(4, number.length + 1));
    const [first = '', ...more] = rowText(row, attached).split('\n');
    return [`${head.padEnd(indent.length)}${first}`, ...more.map((line) => `${indent}  ${line}`)];
  });
}

/** An OBX as `Label: value`, with its unit, and what else it says. */
function rowText(row: MappedSegment, attached?: MappedSegment[]): string {
  const { fields } = row;
  const type = plain(fields[2]);
  const [identifier = []] = typeof fields[3] === 'object' ? fields[3] : [];
  const [code, term, system] = identifier.map((part) => plain([[part]]));
  const label = system === 'L' ? term : valueWords('CE', fields[3]);
  if (type === 'ED') {
    attached?.push(row);
    return `${label}: attached`;
  }
  const isStatus = code === 'GPREC.STATUS' || code === 'GPREC.SUMMARY.STATUS';
  const value = isStatus ? statusWords(fields[5]) : valueWords(type, fields[5]);
  const parts = [joined([value, valueWords('CE', fields[6])]), ...beside(fields)];
  return `${label}: ${parts.filter(Boolean).join('; ')}`;
}

/** `Complete`; a warning by its code. */
function statusWords(field: Field): string {
  const all = typeof field === 'object' ? field : [];
  const words = all.map(([code, term]) => (code === 'W' ? `WARNING ${plain([[term]])}` : term));
  return words.map((word) => plain([[word]])).join('; ');
}

/** What an OBX can say beside value and unit, by field: how it is called, and its type. */
const named: Readonly<Record<number, readonly [label: string, type: string]>> = {
  7: ['reference range', 'ST'],
  8: ['flags', 'ST'],
  11: ['result status', 'ST'],
  14: ['dated', 'TS'],
  15: ['producer', 'CE'],
  16: ['by', 'XCN'],
  17: ['method', 'CE'],
};

function beside(fields: readonly Field[]): string[] {
  return fields.flatMap((field, number) => {
    // F (final) is what every row says.
    if (number < 7 || plain(field) === '' || (number === 11 && field === 'F')) return [];
    const [label, type] = named[number] ?? [`OBX-${number}`, ''];
    return `${label} ${valueWords(type, field)}`;
  });
}

function plain(field: Field): string {
  return typeof field === 'string' ? field : joined((field ?? []).flat(2));
}

const joined = (parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join(' ');
