/**
 * What the standard says of each version's segments, fields, data types and message structures:
 * for display, and for warnings. Read from the generated files beside this one, a version at a
 * time and only when it is asked for. Nothing here changes a message.
 */
import { readFileSync } from 'node:fs';
import { parsePath } from '../path.ts';
import { parseStructure } from './notation.ts';
import type { Structure } from './notation.ts';

/**
 * Required, optional, conditional, kept for backward compatibility, withdrawn, not supported
 * (HL7 v2.5 §2.5.3.4; the conditions themselves are not in the data).
 */
export type Usage = 'R' | 'O' | 'C' | 'B' | 'W' | 'X';

export interface FieldDefinition {
  name: string;
  /** Data type, `CX`. `VARIES` where another field names it (OBX-5). */
  type: string;
  usage: Usage;
  /** How often it may stand; Infinity where there is no limit. */
  repetitions: number;
  /** Characters; a limit to 2.6, a recommendation from 2.7 on. */
  length?: number;
  /** HL7 or user-defined table, 3 for table 0003. */
  table?: number;
}

export interface SegmentDefinition {
  name: string;
  description: string;
  /** `fields[3]` is field 3; undefined where the version has none of that number. */
  fields: (FieldDefinition | undefined)[];
}

export interface TypeDefinition {
  name: string;
  description: string;
  /** `components[1]` is component 1. Empty for a data type without components. */
  components: ({ name: string; type: string } | undefined)[];
}

export interface Definitions {
  /** The version whose definitions these are. */
  version: string;
  segment(name: string): SegmentDefinition | undefined;
  field(segment: string, number: number): FieldDefinition | undefined;
  type(name: string): TypeDefinition | undefined;
  /** By structure id (MSH-9.3), `ADT_A01`. */
  structure(id: string): Structure | undefined;
  /** By message type and trigger event (MSH-9.1 and .2); table 0354 says which events share one. */
  structureFor(messageType: string, event?: string): Structure | undefined;
}

/** A generated file; `null` takes away what `base` has. */
export interface DefinitionFile {
  version: string;
  base?: string;
  /** Description, then `name|type|usage|repetitions|length|table` of each field. */
  segments: Record<string, string[] | null>;
  /** Description, then `name|type` of each component. */
  types: Record<string, string[] | null>;
  /** Notation, or the id of the structure used instead, or `=` and the id of one that reads so. */
  structures: Record<string, string | null>;
}

/** The versions there are definitions for, oldest first. */
// prettier-ignore
export const versions = ['2.1', '2.2', '2.3', '2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.8'] as const;

const loaded = new Map<string, Definitions>();

/**
 * The definitions of a version, or of the nearest one below it (2.7.1 → 2.7, 2.9 → 2.8); of 2.1
 * for anything older, and of 2.4 for text that is no version.
 * @param version as in MSH-12.1
 */
export function definitions(version: string): Definitions {
  const nearest = nearestVersion(version);
  let found = loaded.get(nearest);
  if (!found) loaded.set(nearest, (found = load(nearest)));
  return found;
}

/** The version whose definitions serve for this one. */
export function nearestVersion(version: string): string {
  if (!/^\d+(?:\.\d+){0,3}$/.test(version)) return '2.4';
  return versions.findLast((known) => compareVersions(known, version) <= 0) ?? versions[0];
}

/**
 * A place in words, for display: `PID-3.4` of 2.4 → "PID-3.4 Patient Identifier List · Assigning
 * Authority". Levels the version does not define (and Z-segments) are left as they are written.
 * @param path see `parsePath`, which also says what it throws
 */
export function describe(path: string, version: string): string {
  const { segment: name, field, component, subcomponent } = parsePath(path);
  const known = definitions(version);
  const segment = known.segment(name);
  if (field === undefined) return segment ? `${path} ${segment.description}` : path;
  const names: string[] = [];
  let current: { name: string; type: string } | undefined = known.field(name, field);
  if (current) names.push(current.name);
  for (const number of [component, subcomponent]) {
    if (number === undefined || !current) break;
    const type = known.type(current.type);
    current = type?.components[number];
    if (current) names.push(current.name);
  }
  return names.length > 0 ? `${path} ${names.join(' · ')}` : path;
}

function load(version: string): Definitions {
  const file = readFile(version);
  const segments = new Map<string, SegmentDefinition>();
  const types = new Map<string, TypeDefinition>();
  const structures = new Map<string, Structure>();

  const segment = (name: string): SegmentDefinition | undefined => {
    const [description, ...fields] = rowOf(file.segments, name) ?? [];
    if (description === undefined) return undefined;
    return remember(segments, name, () => ({
      name,
      description,
      fields: [undefined, ...fields.map(fieldDefinition)],
    }));
  };
  const structure = (id: string): Structure | undefined => {
    const text = rowOf(file.structures, id);
    if (!text) return undefined;
    if (!text.startsWith('=') && !text.includes(' ')) return structure(text);
    const notation = text.startsWith('=') ? rowOf(file.structures, text.slice(1)) : text;
    return notation ? remember(structures, id, () => parseStructure(id, notation)) : undefined;
  };

  return {
    version,
    segment,
    structure,
    field: (name, number) => segment(name)?.fields[number],
    type(name) {
      const [description, ...components] = rowOf(file.types, name) ?? [];
      if (description === undefined) return undefined;
      return remember(types, name, () => ({
        name,
        description,
        components: [undefined, ...components.map(componentDefinition)],
      }));
    },
    structureFor(messageType, event) {
      if (messageType === 'ACK' || !event) return structure(messageType);
      return structure(`${messageType}_${event}`) ?? structure(messageType);
    },
  };
}

function readFile(version: string): DefinitionFile {
  const text = readFileSync(new URL(`./v${version}.json`, import.meta.url), 'utf8');
  const file = JSON.parse(text) as DefinitionFile;
  if (file.base === undefined) return file;
  const base = readFile(file.base);
  return {
    version,
    segments: { ...base.segments, ...file.segments },
    types: { ...base.types, ...file.types },
    structures: { ...base.structures, ...file.structures },
  };
}

/** Names come from messages: one that happens to be a property of every object is no row. */
function rowOf<T>(rows: Record<string, T | null>, name: string): T | undefined {
  return Object.hasOwn(rows, name) ? (rows[name] ?? undefined) : undefined;
}

function fieldDefinition(row: string): FieldDefinition | undefined {
  const [name = '', type = '', usage = '', repetitions, length, table] = row.split('|');
  if (usage === '') return undefined;
  return {
    name,
    type,
    usage: usage as Usage,
    repetitions: repetitions === '*' ? Infinity : Number(repetitions || 1),
    ...(length && { length: Number(length) }),
    ...(table && { table: Number(table) }),
  };
}

function componentDefinition(row: string): { name: string; type: string } | undefined {
  const [name = '', type = ''] = row.split('|');
  return row === '' ? undefined : { name, type };
}

function remember<T>(kept: Map<string, T>, name: string, make: () => T): T {
  let value = kept.get(name);
  if (value === undefined) kept.set(name, (value = make()));
  return value;
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let level = 0; level < Math.max(left.length, right.length); level++) {
    const difference = (left[level] ?? 0) - (right[level] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
