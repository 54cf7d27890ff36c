/** docs/reference/mapping-fields.md: every field the GP record mapping fills, from its own rules. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkYaml, readYaml } from '../../engine/config/yaml.ts';
import { datasets } from '../../engine/gp/port.ts';
import {
  type ChildRule,
  type DatasetFile,
  type ItemRule,
  type SegmentRule,
  type TypesFile,
  type ValueRule,
  datasetFile,
  expandShortForms,
  typesFile,
} from '../../engine/mapping/schema.ts';
import { readTables } from '../../engine/mapping/tables.ts';
import { code, table, written } from './markdown.ts';

const folder = fileURLToPath(new URL('../../mappings/gp-record/', import.meta.url));
const tablesFolder = fileURLToPath(new URL('../../mappings/tables/', import.meta.url));
const columns = ['target', 'from', 'how'];

/** The datasets, in the order of the answer. */
export function datasetFiles(): { name: string; file: DatasetFile }[] {
  const all = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml') && name !== 'datatypes.yaml')
    .map((name) => ({ name, file: read(name, datasetFile) }));
  return datasets.flatMap((dataset) => all.find(({ file }) => file.dataset === dataset) ?? []);
}

function read<S extends Parameters<typeof checkYaml>[1]>(name: string, schema: S) {
  const source = readYaml(folder + name);
  expandShortForms(source.value);
  const { value, findings } = checkYaml(source, schema);
  if (!value) throw new Error(`${name}: ${findings[0]?.says}`);
  return value;
}

export function mappingPage(): string {
  const types: TypesFile = read('datatypes.yaml', typesFile);
  const parts = datasetFiles().map(({ name, file }) => datasetPart(name, file));
  return `${written('mappings/gp-record/ and mappings/tables/')}
# Where each field of an answer comes from

The mapping of the GP record, rule by rule, in the order in which segments are built. Sources are
FHIRPath in the STU3 resource the item is about; \`%name\` is a resource a reference led to. A field
without a value in the source is empty: nothing is padded, guessed or made up. What a field cannot
hold goes into an NTE. In ADR^A19 every field of a segment that structure has no place for is an
OBX row ([a19-rows](#a19-rows)).

\`gatehouse mapping try BUNDLE --trace\` shows the same for one record: each field with its rule and
the element it came from.

${parts.join('\n')}
## Data types

What \`as TYPE\` means, from \`mappings/gp-record/datatypes.yaml\`; sources begin at the element found.
CE is made by one rule for every CodeableConcept: SNOMED CT in CE-1 to CE-3 (where there is none, the
GP's own coding), the GP system's own coding in CE-4 to CE-6, and every term CE-2 does not show in an
NTE.

${Object.entries(types.types)
  .map(([name, components]) => {
    const rows = Object.entries(components).map(([n, rule]) => valueRow(`${name}.${n}`, rule));
    return table(columns, rows);
  })
  .join('\n')}
## Left behind on purpose

Elements that are read nowhere, each with the reason. An element that is neither read nor named here
is reported as a warning of the mapping.

${table(['element', 'why'], leftBehind(types))}
## Code tables

${codeTables()}`;
}

function datasetPart(name: string, { dataset, title, lists, items }: DatasetFile): string {
  const sources = lists.map((list) => [
    code(list.status),
    list.heading ?? title,
    code(list.code),
    code(list.parameter),
  ]);
  const areas =
    lists.length > 0
      ? `${table(['OBX-4 of the status line', 'list', 'List.code (SNOMED CT)', 'asked for by'], sources)}\n`
      : '';
  return `## ${dataset}: ${title}

From \`mappings/gp-record/${basename(name)}\`.

${areas}${items.map((item) => itemPart(item)).join('\n')}`;
}

function itemPart(item: ItemRule | ChildRule, level = '###'): string {
  const own = table(columns, item.segments.flatMap(segmentRows));
  const children = 'children' in item ? item.children : [];
  const conditions = [
    item.when && `where ${code(item.when)}`,
    'asked' in item && item.asked && 'only where the dataset is asked for',
    'theirs' in item && `those whose ${code(item.theirs)} is the same`,
  ].filter(Boolean);
  const about = [code(item.resource), ...conditions].join(', ');
  const below = children.map((child) => `\n${itemPart(child, `${level}#`)}`).join('');
  return `${level} ${item.item}\n\nEach ${about}.\n\n${own}${below}`;
}

function segmentRows(rule: SegmentRule): string[][] {
  const condition = [
    rule.each && `one for each ${code(rule.each)}`,
    rule.when && `where ${code(rule.when)}`,
  ].filter(Boolean);
  const where = condition.length > 0 ? `; ${condition.join(', ')}` : '';
  if (rule.segment) {
    const rows = Object.entries(rule.fields ?? {}).map(([target, value]) =>
      valueRow(target, value),
    );
    return where ? [[`**${rule.segment}**`, '', where.slice(2)], ...rows] : rows;
  }
  if (rule.obx && rule.value) return [withMore(valueRow(`OBX ${rule.obx}`, rule.value), where)];
  if (rule.note) return [withMore(valueRow('NTE', rule.note), where)];
  return [['NTE', code(rule.terms ?? ''), `further terms of the coded element${where}`]];
}

function withMore([target = '', from = '', how = '']: string[], more: string): string[] {
  return [target, from, how + (how ? more : more.replace(/^; /, ''))];
}

function valueRow(target: string, rule: ValueRule): string[] {
  const sources = rule.coded ? [rule.coded] : (rule.from ?? []);
  const from = rule.value === undefined ? sources.map(code).join(', else ') : '';
  const components = Object.entries(rule.components ?? {}).map(([number, part]) => {
    const [, source = '', how = ''] = valueRow(number, part);
    return `.${number} ${[source, how && `(${how})`].filter(Boolean).join(' ')}`;
  });
  const how = [
    rule.value !== undefined && `always ${code(rule.value)}`,
    rule.number && 'numbered 1, 2, 3 …',
    rule.coded && 'CE',
    rule.as && `as ${rule.as}`,
    components.join(', '),
    rule.call && `by ${code(rule.call.replace(/^.*#/, ''))}`,
    rule.table && `table [${rule.table}](#${rule.table}), unknown: ${rule.unknown}`,
    rule.format && formats[rule.format],
    rule.join !== undefined && `joined by ${code(rule.join)}`,
    rule.prefix && `after the words “${rule.prefix.trim()}”`,
    rule.repeat && 'repeats',
    rule.absent && `${code(rule.absent)} where there is none`,
  ].filter(Boolean);
  return [target, from, how.join('; ')];
}

const formats: Readonly<Record<string, string>> = {
  dateTime: 'TS, as exact as the source',
  date: 'DT',
  day: 'DT where the time is midnight, else TS',
};

function leftBehind(types: TypesFile): string[][] {
  const all = [types.leave, ...datasetFiles().map(({ file }) => file.leave)];
  return all.flatMap((leave) =>
    Object.entries(leave).flatMap(([type, elements]) =>
      Object.entries(elements).map(([path, why]) => [code(`${type}.${path}`), why]),
    ),
  );
}

function codeTables(): string {
  const tables = readTables(tablesFolder, []);
  const shown = [...tables].sort(([a], [b]) => (a < b ? -1 : 1));
  return shown
    .map(([name, { rows }]) => {
      const keys = [...new Set([...rows.values()].flatMap((row) => Object.keys(row)))];
      const named = keys.filter((key) => [...rows.values()].some((row) => cell(row, key) !== ''));
      const lines = [...rows].map(([key, row]) => [
        code(key),
        ...named.filter((column) => column !== 'code').map((column) => cell(row, column)),
      ]);
      return `### ${name}\n\n${table(['code', ...named.filter((column) => column !== 'code')], lines)}`;
    })
    .join('\n');
}

function cell(row: object, key: string): string {
  const value = (row as Record<string, unknown>)[key];
  return typeof value === 'string' ? value : '';
}
