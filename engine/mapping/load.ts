/** Loads a mapping: reads its YAML and tables, reports every finding, compiles once to closures. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  ConfigError,
  type Finding,
  type YamlFile,
  checkYaml,
  readYaml,
  shortPath,
} from '../config/yaml.ts';
import type { Dataset } from '../gp/port.ts';
import { needsRow } from './a19.ts';
import { type Reading, createReading, mergeReadings, noteWhole } from './coverage.ts';
import { type CompiledItem, compileItem } from './items.ts';
import { type Library, type Place, below, report, ruleAt, suggestion } from './library.ts';
import {
  type DatasetFile,
  type PrimaryList,
  type TypesFile,
  datasetFile,
  expandShortForms,
  typesFile,
} from './schema.ts';
import { type Table, readTables } from './tables.ts';

export interface CompiledDataset {
  dataset: Dataset;
  title: string;
  file: string;
  lists: { list: PrimaryList; rule: string }[];
  items: CompiledItem[];
}

export interface CompiledMappings {
  datasets: ReadonlyMap<Dataset, CompiledDataset>;
  tables: ReadonlyMap<string, Table>;
  /** How coding systems are named, and which codes say the real one was lost. */
  coded: TypesFile['coded'];
  /** What these rules read of a resource of this type, with what is left behind on purpose. */
  readingOf(type: string, readings: ReadonlySet<Reading>): Reading;
}

/** The file of types; every other YAML file of the folder is a dataset. */
const typesName = 'datatypes.yaml';

/** Tables the engine itself reads. */
export const engineTables = { rows: 'a19-rows', emptyReasons: 'list-empty-reasons' } as const;

/**
 * Load a mapping from its folder, with the tables beside it (`../tables`).
 * @throws ConfigError with every finding, where there is any
 */
export function loadMappings(folder: string): CompiledMappings {
  const findings: Finding[] = [];
  const tables = readTables(join(dirname(folder), 'tables'), findings);
  const files = yamlFiles(folder, findings);
  const typesSource = files.find((file) => file.endsWith(typesName));
  const types = typesSource && readTypes(typesSource, findings);
  if (!types) {
    if (!typesSource) {
      const says = `the mapping has no ${typesName}`;
      findings.push({ severity: 'error', where: shortPath(folder), says });
    }
    throw new ConfigError(findings);
  }
  const library: Library = { tables, types, findings };
  const datasets = new Map<Dataset, CompiledDataset>();
  const leave = new Map<string, Reading>();
  addLeave(leave, types.file.leave);
  const root: Place = { source: types.source, path: ['coded'] };
  for (const key of ['systems', 'degraded'] as const)
    needTable(library, types.file.coded[key], below(root, key));
  for (const name of Object.values(engineTables)) needTable(library, name, root);

  for (const file of files) {
    if (file === typesSource) continue;
    const source = readYaml(file);
    expandShortForms(source.value);
    const checked = checkYaml(source, datasetFile);
    findings.push(...checked.findings);
    if (!checked.value) continue;
    const place: Place = { source, path: [] };
    const { dataset } = checked.value;
    if (datasets.has(dataset)) {
      report(library, below(place, 'dataset'), `another file maps the dataset ${dataset} already`);
    }
    datasets.set(dataset, compileDataset(checked.value, place, library));
    addLeave(leave, checked.value.leave);
  }
  if (findings.some(({ severity }) => severity === 'error')) throw new ConfigError(findings);
  return { datasets, tables, coded: types.file.coded, readingOf: merger(leave) };
}

/** Merges readings, each combination once. */
function merger(leave: ReadonlyMap<string, Reading>): CompiledMappings['readingOf'] {
  const merged = new Map<string, Reading>();
  return (type, readings) => {
    let key = type;
    for (const { id } of readings) key += `,${id}`;
    let reading = merged.get(key);
    if (!reading) {
      const left = leave.get(type);
      reading = mergeReadings(left ? [...readings, left] : [...readings]);
      merged.set(key, reading);
    }
    return reading;
  };
}

function yamlFiles(folder: string, findings: Finding[]): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    return names.sort().map((name) => join(folder, name));
  } catch (error) {
    const says = `the mapping cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`;
    findings.push({ severity: 'error', where: shortPath(folder), says });
    throw new ConfigError(findings);
  }
}

function readTypes(
  file: string,
  findings: Finding[],
): { source: YamlFile; file: TypesFile } | undefined {
  const source = readYaml(file);
  expandShortForms(source.value);
  const checked = checkYaml(source, typesFile);
  findings.push(...checked.findings);
  return checked.value && { source, file: checked.value };
}

function needTable(library: Library, name: string, place: Place): void {
  if (library.tables.has(name)) return;
  const near = suggestion(name, library.tables.keys());
  report(library, place, `there is no table "${name}"${near}`, 'tables are files tables/NAME.csv');
}

function compileDataset(file: DatasetFile, place: Place, library: Library): CompiledDataset {
  const names = file.lists.map(({ list }) => list);
  const items = file.items.map((rule, i) => {
    const at = below(place, 'items', i);
    for (const [key, used] of [
      ...rule.lists.map((one) => ['lists', one]),
      ['under', rule.under?.list],
    ]) {
      if (used !== undefined && !names.includes(used)) {
        const near = suggestion(used, names);
        report(library, below(at, key ?? ''), `this file has no list "${used}"${near}`);
      }
    }
    checkRows(rule, at, library);
    rule.children.forEach((child, c) => checkRows(child, below(at, 'children', c), library));
    return compileItem(rule, at, library);
  });
  return {
    dataset: file.dataset,
    title: file.title,
    file: shortPath(place.source.file),
    lists: file.lists.map((list, i) => ({ list, rule: ruleAt(below(place, 'lists', i, 'list')) })),
    items,
  };
}

/** Every field that ADR_A19 has no place for must have a row to be carried in. */
function checkRows(
  rule: { segments: DatasetFile['items'][number]['segments'] },
  place: Place,
  library: Library,
): void {
  const rows = [...(library.tables.get(engineTables.rows)?.rows.keys() ?? [])];
  rule.segments.forEach(({ segment, fields }, i) => {
    if (!segment || !fields || !needsRow(segment)) return;
    for (const target of Object.keys(fields)) {
      const [field = ''] = target.split('.');
      if (rows.some((row) => row === field || row === target || row.startsWith(`${target}.`)))
        continue;
      report(
        library,
        below(place, 'segments', i, 'fields', target),
        `${target} has no row in the table ${engineTables.rows}: ADR^A19 would lose it`,
        `add ${target} to tables/${engineTables.rows}.csv`,
      );
    }
  });
}

function addLeave(leave: Map<string, Reading>, elements: DatasetFile['leave']): void {
  for (const [type, paths] of Object.entries(elements)) {
    const reading = leave.get(type) ?? createReading();
    leave.set(type, reading);
    for (const path of Object.keys(paths)) noteWhole(reading, path);
  }
}
