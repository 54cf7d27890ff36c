/** docs/reference/mapping-fields.md: every field the GP record mapping fills, from its own rules. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkYaml, readYaml } from '../../engine/config/yaml.ts';
import { datasets } from '../../engine/gp/port.ts';
import type { SegmentRule, ValueRule } from '../../engine/mapping/rules.ts';
import {
  type DatasetFile,
  type ItemRule,
  type PartRule,
  type TypesFile,
  type ViewRule,
  datasetFile,
  expandShortForms,
  partsFile,
  typesFile,
} from '../../engine/mapping/schema.ts';
import { leftClasses } from '../../engine/mapping/left-behind.ts';
import { type TableRow, readTables } from '../../engine/mapping/tables.ts';
import { code, table, written } from './markdown.ts';

const folder = fileURLToPath(new URL('../../mappings/gp-record/', import.meta.url));
const tablesFolder = fileURLToPath(new URL('../../mappings/tables/', import.meta.url));
const columns = ['target', 'from', 'how'];

/** The datasets, in the order of the answer. */
export function datasetFiles(): { name: string; file: DatasetFile }[] {
  const all = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml') && !/^(datatypes|parts)\.yaml$/.test(name))
    .map((name) => ({ name, file: read(name, datasetFile) }));
  return datasets.flatMap((dataset) => all.find(({ file }) => file.dataset === dataset) ?? []);
}

/** Every part with its name, whichever file it stands in. */
export function allParts(): Record<string, PartRule> {
  const files = [...datasetFiles().map(({ file }) => file), read('parts.yaml', partsFile)];
  return Object.assign({}, ...files.map(({ parts }) => parts)) as Record<string, PartRule>;
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
  const shared = Object.entries(read('parts.yaml', partsFile).parts);
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
## Parts of several datasets

Rules for a resource wherever it hangs on another, from \`mappings/gp-record/parts.yaml\`; \`%parent\`
is what it hangs on, \`%elsewhere\` says that another dataset of the same answer shows it.

${shared.map(([name, part]) => sharedPart(name, part)).join('\n')}
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

The rows of \`mappings/tables/not-carried.csv\`, one an element. \`gatehouse mapping audit\` holds each to
what it claims; an element that is neither carried nor named here is a finding of the audit, and a
warning of the mapping.

${leftBehind()}
## Code tables

${codeTables()}`;
}

function datasetPart(name: string, file: DatasetFile): string {
  const { dataset, title, view, lists, items, parts } = file;
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

${view ? viewPart(view) : ''}${areas}${[
    ...items.map((item) => itemPart(item, view !== undefined)),
    ...Object.entries(parts).map(([part, rule]) => sharedPart(part, rule)),
  ].join('\n')}`;
}

/** What the status line of a view says of it. */
function viewPart({ noArea, says }: ViewRule): string {
  const notes = [noArea, ...says].flatMap((text) => (text === undefined ? [] : `- ${text}`));
  return `A view: its items repeat those of other datasets. Its status line says so:\n\n${notes.join('\n')}\n\n`;
}

function itemPart(item: ItemRule, isView: boolean): string {
  const conditions = [
    isView && `of ${item.lists.map(code).join(', ')}`,
    item.among &&
      `that has one of ${code(item.among.codes)} in the table [${item.among.table}](#${item.among.table})`,
    item.when && `where ${code(item.when)}`,
    item.asked && 'only where the dataset is asked for',
  ].filter(Boolean);
  const carried = [
    item.part && `Carried by the part ${code(item.part)}.\n`,
    item.for && `It stands for what ${code(item.for)} leads to, which is taken in its place.\n`,
  ].filter(Boolean);
  const about = [kindOf(item.resource), ...conditions].join(', ');
  return `### ${item.item}\n\nEach ${about}.\n\n${carried.join('')}${bodyOf(item)}`;
}

/** A part under its name, which the rules that use it give. */
function sharedPart(name: string, part: PartRule): string {
  const conditions = [
    part.when && `where ${code(part.when)}`,
    part.notes && 'as notes of what it hangs on',
  ].filter(Boolean);
  const about = [kindOf(part.resource), ...conditions].join(', ');
  return `### The part ${code(name)}\n\nEach ${about}.\n\n${bodyOf(part)}`;
}

const kindOf = (type: string) => (type === '*' ? 'resource of any type' : code(type));

function bodyOf({ segments, children }: Pick<PartRule, 'segments' | 'children'>): string {
  const own = segments.length > 0 ? table(columns, segments.flatMap(segmentRows)) : '';
  const below = children.map(({ item, follow, theirs, ours, parts }) => {
    const found = follow
      ? `what ${code(follow)} leads to`
      : `those whose ${code(theirs ?? '')} leads to ${ours ? `what ${code(ours)} leads to` : 'it'}`;
    return `- ${item}: ${found}, each as ${parts.map(code).join(', else ')}`;
  });
  return (
    own + (below.length > 0 ? `\nOn it hang, each resource once:\n\n${below.join('\n')}\n` : '')
  );
}

function segmentRows(rule: SegmentRule): string[][] {
  const condition = [
    rule.each && `one for each ${code(rule.each)}`,
    rule.when && `where ${code(rule.when)}`,
  ].filter(Boolean);
  const where = condition.length > 0 ? `; ${condition.join(', ')}` : '';
  if (rule.segments) {
    return [['**together**', '', where.slice(2)], ...rule.segments.flatMap(segmentRows)];
  }
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
  if (rule.first) {
    const ways = rule.first.map((one) => valueRow(target, one).slice(1).filter(Boolean).join(' '));
    return [target, '', `the first of: ${ways.join(', else ')}`];
  }
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
    rule.type && `type ${rule.type}`,
    components.join(', '),
    rule.call && `by ${code(rule.call.replace(/^.*#/, ''))}`,
    rule.table &&
      `table [${rule.table}](#${rule.table})${rule.column ? `, column ${rule.column}` : ''}, unknown: ${rule.unknown}`,
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

/** The rows of `not-carried`, under what each reason means. */
function leftBehind(): string {
  const { rows } = readTables(tablesFolder, []).get('not-carried') ?? {
    rows: new Map<string, TableRow>(),
  };
  const isOf = (kind: string) => [...rows.values()].filter(({ value }) => value === kind);
  return Object.entries(leftClasses)
    .map(([kind, means]) => {
      const lines = isOf(kind).map((row) => {
        const also = [row.of && `with ${code(row.of)}`, row.when && `where ${code(row.when)}`];
        return [code(row.code), [row.reason, ...also].filter(Boolean).join('; ')];
      });
      return `### ${kind}\n\n${means[0]?.toUpperCase()}${means.slice(1)}.\n\n${table(['element', 'why'], lines)}`;
    })
    .join('\n');
}

function codeTables(): string {
  const tables = readTables(tablesFolder, []);
  const shown = [...tables]
    .filter(([name]) => name !== 'not-carried')
    .sort(([a], [b]) => (a < b ? -1 : 1));
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
