/**
 * Compares a message with the standard and says where it differs. Real senders differ all the
 * time, so everything here is a warning for the analyst: nothing is refused, and nothing changed.
 * No finding holds a value, nor a name that could be a piece of one.
 */
import type { FaultLocation } from '../faults.ts';
import { definitions, describe, nearestVersion, versions } from './definitions/definitions.ts';
import type { Definitions, FieldDefinition } from './definitions/definitions.ts';
import type { Structure } from './definitions/notation.ts';
import type { Message } from './message.ts';
import { hasShape, shapeMissed } from './shapes.ts';
import { matchStructure } from './structure.ts';
import type { Mismatch } from './structure.ts';

/** What each kind of finding means. */
export const findingMeanings = {
  'version.unknown': 'MSH-12 is not a version with definitions; the nearest one was used.',
  'structure.unknown': 'The version has no structure for this message type and event (MSH-9).',
  'segment.missing': 'A required segment is missing.',
  'segment.misplaced': 'A segment stands where the structure does not allow it.',
  'segment.unexpected': 'A segment is not part of the structure.',
  'segment.unknown': 'A line begins with no segment name that HL7 or a site (Z) defines.',
  'field.required': 'A required field is empty.',
  'field.repeated': 'A field repeats more often than it may.',
  'field.length': 'A field is longer than the standard says.',
  'field.type': 'A value does not have the form of its data type.',
  'byte.framing': 'A byte that frames messages in MLLP (VT or FS) lies inside the message.',
} as const;
export type FindingCode = keyof typeof findingMeanings;

export interface Finding {
  code: FindingCode;
  severity: 'warning';
  /** The first place. */
  at: FaultLocation;
  /** A sentence for the analyst; names of the standard, never values. */
  says: string;
  /** How many places of the message have this finding. */
  times: number;
}

export interface ValidateOptions {
  /** Walk this structure instead of the one MSH-9 names, for example one of `profileStructures`. */
  structure?: Structure;
  /** Also look for fields longer than the standard says; most senders have some. */
  lengths?: boolean;
}

/**
 * Look at a message's structure and fields. Segments that begin with Z are passed over.
 * @returns findings, those on structure first; the same finding in several segments is one, with
 *   the number of places. Never throws.
 */
export function validateMessage(message: Message, options: ValidateOptions = {}): Finding[] {
  const findings = new Map<string, Finding>();
  const add: Add = (code, at, says) => {
    const key = [code, at.segment, at.field, at.component].join();
    const known = findings.get(key);
    if (known) known.times++;
    else findings.set(key, { code, severity: 'warning', at, says, times: 1 });
  };
  const known = versionOf(message, add);
  const names = message.segmentNames();
  const named = names.filter((name) => isKnown(name, known));
  checkStructure(message, named, known, options.structure, add);
  if (named.length < names.length) {
    const at = { segment: '?', sequence: names.findIndex((name) => !isKnown(name, known)) + 1 };
    const lines = names.length - named.length === 1 ? 'A line begins' : 'Lines begin';
    add('segment.unknown', at, `${lines} with no known segment name, first line ${at.sequence}.`);
  }
  const seen = new Map<string, number>();
  for (const name of named) {
    const sequence = (seen.get(name) ?? 0) + 1;
    seen.set(name, sequence);
    checkSegment(message, name, sequence, known, options.lengths === true, add);
  }
  return [...findings.values()];
}

type Add = (code: FindingCode, at: FaultLocation, says: string) => void;

function versionOf(message: Message, add: Add): Definitions {
  const version = message.get('MSH-12') ?? '';
  const nearest = nearestVersion(version);
  // 2.7.1 changed nothing that is defined here.
  if (version !== '2.7.1' && !(versions as readonly string[]).includes(version)) {
    const what = version === '' ? 'is empty' : 'is not a version Gatehouse has definitions for';
    const at = { segment: 'MSH', sequence: 1, field: 12 };
    add('version.unknown', at, `MSH-12 ${what}; the message was compared with ${nearest}.`);
  }
  return definitions(nearest);
}

/** Names of later versions are known too: they then are unexpected, and can be named. */
function isKnown(name: string, known: Definitions): boolean {
  if (name.startsWith('Z') || known.segment(name)) return true;
  return definitions('2.8').segment(name) !== undefined;
}

function checkStructure(
  message: Message,
  names: string[],
  known: Definitions,
  wanted: Structure | undefined,
  add: Add,
): void {
  const [type = '', event = '', id = ''] = [1, 2, 3].map((part) => message.get(`MSH-9.${part}`));
  const structure = wanted ?? known.structure(id) ?? known.structureFor(type, event);
  if (!structure) {
    const plain = /^[A-Z]{3}$/.test(type) && /^(?:[A-Z0-9]{3})?$/.test(event);
    const what = plain ? [type, event].filter(Boolean).join('^') : 'what MSH-9 says';
    const at = { segment: 'MSH', sequence: 1, field: 9 };
    const says = `Version ${known.version} has no message structure for ${what}; the order of the segments was not checked.`;
    add('structure.unknown', at, says);
    return;
  }
  for (const mismatch of matchStructure(structure, names)) {
    const at = { segment: mismatch.segment, sequence: mismatch.occurrence };
    add(`segment.${mismatch.kind}`, at, sentence(mismatch, names, structure.id));
  }
}

function sentence(mismatch: Mismatch, names: string[], id: string): string {
  const { kind, segment, index, after, group } = mismatch;
  if (kind === 'unexpected') return `${segment} is not part of the structure ${id}.`;
  if (kind === 'missing') {
    const where = index < names.length ? `before ${names[index]}` : 'at the end';
    const inGroup = group === undefined ? '' : ` (group ${group})`;
    return `${segment} is missing ${where}${inGroup} in the structure ${id}.`;
  }
  const some = mismatch.expected.slice(0, 10).join(', ');
  const expected = mismatch.expected.length > 10 ? `${some} and others` : some || 'nothing';
  const place = after === undefined ? 'first' : `after ${after}`;
  return `${segment} may not stand ${place} in the structure ${id}; there it allows ${expected}.`;
}

function checkSegment(
  message: Message,
  name: string,
  sequence: number,
  known: Definitions,
  lengths: boolean,
  add: Add,
): void {
  const { delimiters } = message;
  const text = message.raw(`${name}[${sequence}]`) ?? '';
  const header = name === 'MSH' || name === 'FHS' || name === 'BHS';
  const parts = text.split(delimiters.field);
  // MSH-1 is the separator itself, so MSH-2 is the first of the parts.
  if (header) parts.unshift('');
  const fields = known.segment(name)?.fields ?? [];
  for (let number = header ? 3 : 1; number < Math.max(parts.length, fields.length); number++) {
    const value = parts[number] ?? '';
    const at = { segment: name, sequence, field: number };
    if (/[\x0b\x1c]/.test(value)) {
      const byte = value.includes('\x1c') ? 'FS (0x1C)' : 'VT (0x0B)';
      add(
        'byte.framing',
        at,
        `${name}-${number} holds a ${byte}, which MLLP uses to frame messages.`,
      );
    }
    const field = fields[number];
    if (field) checkField(message, at, value, field, known, lengths, add);
  }
}

function checkField(
  message: Message,
  at: FaultLocation & { field: number },
  value: string,
  field: FieldDefinition,
  known: Definitions,
  lengths: boolean,
  add: Add,
): void {
  const { delimiters } = message;
  const place = `${at.segment}-${at.field}`;
  const called = `${place} ${field.name}`;
  if (value === '') {
    if (field.usage === 'R') add('field.required', at, `${called} is required and is empty.`);
    return;
  }
  const repetitions = delimiters.repetition ? value.split(delimiters.repetition) : [value];
  // How often a field of varying type may stand is for whoever fixes its type (QPD-3 and after).
  if (repetitions.length > field.repetitions && field.type !== 'VARIES') {
    const may = field.repetitions === 1 ? 'once' : `${field.repetitions} times`;
    const says = `${called} repeats; in version ${known.version} it may stand ${may}.`;
    add('field.repeated', { ...at, repetition: field.repetitions + 1 }, says);
  }
  const type = typeOf(message, at, field);
  for (const [index, text] of repetitions.entries()) {
    const repetition = index + 1;
    if (lengths && field.length !== undefined && text.length > field.length) {
      const says = `${called} is longer than the ${field.length} characters of the standard.`;
      add('field.length', { ...at, repetition }, says);
    }
    const separators = [delimiters.component, delimiters.subcomponent];
    for (const { path, should } of misshapen(type, text, separators, known)) {
      const where = describe([place, ...path].join('.'), known.version);
      add('field.type', { ...at, repetition, component: path[0] }, `${where} is not ${should}.`);
    }
  }
}

/** The type of OBX-5 stands in OBX-2. */
function typeOf(message: Message, at: FaultLocation, field: FieldDefinition): string {
  if (at.segment !== 'OBX' || at.field !== 5) return field.type;
  return message.get(`OBX[${at.sequence}]-2`) ?? 'VARIES';
}

/** The places below a value whose text does not have the form of its type. */
function misshapen(
  type: string,
  text: string,
  [separator, ...below]: string[],
  known: Definitions,
): { path: number[]; should: string }[] {
  if (text === '') return [];
  if (hasShape(type) || type === 'TS') {
    // A time stamp to 2.5 has a second component, its precision.
    const value = type === 'TS' && separator ? (text.split(separator)[0] ?? '') : text;
    const should = shapeMissed(type === 'TS' ? 'DTM' : type, value);
    return should === undefined ? [] : [{ path: [], should }];
  }
  const components = known.type(type)?.components;
  if (!separator || !components) return [];
  return text.split(separator).flatMap((part, index) => {
    const component = components[index + 1];
    if (!component) return [];
    const found = misshapen(component.type, part, below, known);
    return found.map(({ path, should }) => ({ path: [index + 1, ...path], should }));
  });
}
