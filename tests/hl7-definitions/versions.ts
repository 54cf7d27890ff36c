/**
 * The definition files of `engine/hl7/definitions/`, generated from two development dependencies:
 * `hl7v2-dictionary` (segments, data types, message structures) and `node-hl7-client` (usage per
 * version, and the fields of 2.8, where the dictionary repeats 2.7). Only the facts of structure
 * are taken over; value tables are not. Loading both takes a quarter of a gigabyte and half a
 * second, which is why the engine reads these files instead.
 */
import type { HL7Dictionary } from 'hl7v2-dictionary';
import { formatStructure } from '../../engine/hl7/definitions/notation.ts';
import type { DefinitionFile } from '../../engine/hl7/definitions/definitions.ts';
import { sharedStructures } from './events.ts';
import { choicesOf, mendedStructure } from './structures.ts';

/** Version → the version its file is the difference to. 2.7.1 adds nothing to 2.7. */
export const versions: Record<string, string | undefined> = {
  '2.1': undefined,
  '2.2': undefined,
  '2.3': undefined,
  '2.3.1': undefined,
  '2.4': undefined,
  '2.5': undefined,
  '2.5.1': '2.5',
  '2.6': undefined,
  '2.7': undefined,
  '2.8': '2.7',
};

interface FieldSpec {
  num: number;
  name: string;
  hl7Type?: string;
  length?: number | { max?: number };
  table?: number;
  usage: Partial<Record<string, string>>;
}
type Specs = Record<
  string,
  { description: string; versions: readonly string[]; fields: readonly FieldSpec[] }
>;
type Rows = Record<string, string[]>;

/** One file a version; the sources are loaded only when one is generated. */
export const definitionFiles = Object.keys(versions).map((version) => ({
  path: `engine/hl7/definitions/v${version}.json`,
  generate: () => definitionFile(version),
}));

async function definitionFile(version: string): Promise<string> {
  const base = versions[version];
  const all = await read(version);
  if (base === undefined) return write({ version, ...all });
  const before = await read(base);
  return write({
    version,
    base,
    segments: difference(all.segments, before.segments),
    types: difference(all.types, before.types),
    structures: difference(all.structures, before.structures),
  });
}

async function read(version: string): Promise<Omit<DefinitionFile, 'version' | 'base'>> {
  const { dictionaries } = await import('hl7v2-dictionary');
  const { SEGMENT_SPECS } = await import('node-hl7-client/hl7');
  const dictionary = dictionaries[version as keyof typeof dictionaries];
  if (!dictionary) throw new Error(`hl7v2-dictionary has no version ${version}.`);
  return {
    segments: segmentRows(dictionary, SEGMENT_SPECS as Specs, version),
    types: typeRows(dictionary),
    structures: structureRows(dictionary, version),
  };
}

function segmentRows(dictionary: HL7Dictionary, specs: Specs, version: string): Rows {
  const rows: Rows = {};
  for (const [name, segment] of Object.entries(dictionary.segments)) {
    const fields: string[] = [];
    for (const [number, field] of Object.entries(segment.fields)) {
      const spec = specs[name]?.fields.find(({ num }) => num === Number(number));
      const usage = usageOf(spec, version) ?? field.opt ?? 'O';
      const repeats = field.rep === 'infinite' ? '*' : field.rep === 1 ? '' : field.rep;
      fields[Number(number) - 1] = row(
        field.desc,
        field.type,
        usage,
        repeats,
        field.len,
        field.table,
      );
    }
    rows[name] = [clean(segment.desc), ...fields];
  }
  // What only the other source knows. It does not say whether a field repeats, so it may.
  for (const [name, spec] of Object.entries(specs)) {
    if (!spec.versions.includes(version) || !/^[A-Y][A-Z0-9]{2}$/.test(name)) continue;
    const fields = (rows[name] ??= [clean(spec.description)]);
    for (const field of spec.fields) {
      const usage = usageOf(field, version);
      if (fields[field.num] !== undefined || usage === undefined) continue;
      const max = typeof field.length === 'number' ? field.length : field.length?.max;
      fields[field.num] = row(field.name, field.hl7Type, usage, '*', max, field.table);
    }
  }
  return Object.fromEntries(
    Object.entries(rows).map(([name, fields]) => [
      name,
      Array.from(fields, (field) => field ?? ''),
    ]),
  );
}

/** R, O, C, B, W or X; the source writes D (dependent) for what the standard calls C. */
function usageOf(spec: FieldSpec | undefined, version: string): string | undefined {
  const usage = spec?.usage[version];
  return usage === 'D' ? 'C' : usage;
}

function typeRows(dictionary: HL7Dictionary): Rows {
  const rows: Rows = {};
  for (const [name, type] of Object.entries(dictionary.types)) {
    const components: string[] = [clean(type.desc)];
    for (const [number, component] of Object.entries(type.fields ?? {})) {
      components[Number(number)] = row(component.desc, component.type);
    }
    rows[name] = Array.from(components, (component) => component ?? '');
  }
  return rows;
}

/**
 * `ADT_A01` → its notation; `ADT_A04` → `ADT_A01` where the standard gives both one structure;
 * `RSP_K11` → `=QCK_Q02` where two merely read the same.
 */
function structureRows(dictionary: HL7Dictionary, version: string): Record<string, string> {
  const messages = new Map(
    Object.entries(dictionary.messages).map(([id, { segments }]) => [id, segments ?? {}]),
  );
  const choices = choicesOf(messages.values());
  const rows = new Map<string, string>();
  for (const [id, parts] of messages) {
    if (/_0\d\d$/.test(id)) continue;
    // 2.6 has OML_O21 as an older version left it, and the real one with a zero for the O.
    const real = messages.get(id.replace('_O', '_0')) ?? parts;
    const structure = mendedStructure(id, version, real, choices);
    // What follows MFE in MFN_M01 is left to the site.
    if (structure && id !== 'MFN_M01') rows.set(id, formatStructure(structure));
  }
  for (const [id, shared] of sharedStructures) {
    const own = rows.get(id);
    const target = rows.get(shared) ?? own;
    if (!target || (version < '2.3.1' && own)) continue;
    rows.set(shared, target);
    rows.set(id, shared);
  }
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  const first = new Map<string, string>();
  return Object.fromEntries(
    sorted.map(([id, text]) => {
      const same = text.includes(' ') ? first.get(text) : undefined;
      if (same === undefined) first.set(text, id);
      return [id, same === undefined ? text : `=${same}`];
    }),
  );
}

function row(...cells: (string | number | undefined)[]): string {
  return cells
    .map((cell) => clean(String(cell ?? '')))
    .join('|')
    .replace(/\|+$/, '');
}

/** Names as one line of plain text; the bar separates cells. */
function clean(text: string | undefined): string {
  return (text ?? '').replaceAll('|', '/').replaceAll(/\s+/g, ' ').trim();
}

/** Entries that are new or different; null where one is gone. */
function difference<T>(
  now: Record<string, T>,
  before: Record<string, T>,
): Record<string, T | null> {
  const changed: Record<string, T | null> = {};
  for (const name of Object.keys(before)) if (!(name in now)) changed[name] = null;
  for (const [name, value] of Object.entries(now)) {
    if (JSON.stringify(before[name]) !== JSON.stringify(value)) changed[name] = value;
  }
  return changed;
}

/** JSON with one segment, type or structure a line, so that a change shows as one. */
function write(file: DefinitionFile): string {
  const block = (rows: Record<string, unknown>): string => {
    const names = Object.keys(rows).sort();
    const lines = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(rows[name])}`);
    return lines.length ? `{\n${lines.join(',\n')}\n}` : '{}';
  };
  const lines = [`"version":${JSON.stringify(file.version)}`];
  if (file.base !== undefined) lines.push(`"base":${JSON.stringify(file.base)}`);
  for (const part of ['segments', 'types', 'structures'] as const) {
    lines.push(`"${part}":${block(file[part])}`);
  }
  return `{${lines.join(',\n')}}\n`;
}
