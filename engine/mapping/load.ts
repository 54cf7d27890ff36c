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
import { type Reading, createReading, mergeReadings, noteWhole } from './coverage.ts';
import { checkRows } from './check-rows.ts';
import { type CompiledItem, compileItem } from './items.ts';
import { type LeftBehind, extensionsIn, readLeftBehind } from './left-behind.ts';
import { type Library, type Place, below, inSite, report, ruleAt, suggestion } from './library.ts';
import { type Parts, compileParts } from './parts.ts';
import {
  type DatasetFile,
  type PartRule,
  type PartsFile,
  type PrimaryList,
  type TypesFile,
  type ViewRule,
  datasetFile,
  expandShortForms,
  partsFile,
  typesFile,
} from './schema.ts';
import { type DateOf, compileDate } from './summary.ts';
import { type Table, readTables } from './tables.ts';
import { checkSources, compileAmong } from './view.ts';

export interface CompiledDataset {
  dataset: Dataset;
  title: string;
  file: string;
  /** Set where the dataset is derived from others; it has no lists then. */
  view?: ViewRule;
  /** OBX-4 says where in the tree of its item a line stands. */
  outline: boolean;
  lists: { list: PrimaryList; rule: string }[];
  items: DatasetItem[];
}

/** An item rule of a dataset. */
export interface DatasetItem extends CompiledItem {
  dateOf?: DateOf;
}

export interface CompiledMappings {
  datasets: ReadonlyMap<Dataset, CompiledDataset>;
  tables: ReadonlyMap<string, Table>;
  /** Names of those that its rules, or the engine for it, ask. */
  tablesUsed: ReadonlySet<string>;
  /** What is left behind on purpose, by element. */
  leftBehind: LeftBehind;
  /** Names of the extensions that the rules know. */
  extensions: ReadonlySet<string>;
  /** Settings of the site that the rules ask for. */
  siteSettings: ReadonlySet<string>;
  /** How coding systems are named, and which codes say the real one was lost. */
  coded: TypesFile['coded'];
  /** What these rules read of a resource of this type, with what is left behind on purpose. */
  readingOf(type: string, readings: ReadonlySet<Reading>): Reading;
}

/** The file of types, and that of parts; every other YAML file of the folder is a dataset. */
const typesName = 'datatypes.yaml';
const partsName = 'parts.yaml';

/** Tables the engine itself reads. */
export const engineTables = {
  rows: 'a19-rows',
  emptyReasons: 'list-empty-reasons',
  leftBehind: 'not-carried',
  otherLists: 'other-lists',
} as const;

/** Extensions that the engine itself reads. */
const ownExtensions = [
  'ListWarningCode',
  'coding-sctdescid',
  'descriptionDisplay',
  'DescriptionDisplay',
];

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
  const extensions = new Set(ownExtensions);
  const noted = { tablesUsed: new Set<string>(), siteSettings: new Set<string>() };
  const library: Library = { tables, types, findings, extensions, ...noted };
  const datasets = new Map<Dataset, CompiledDataset>();
  const views: Place[] = [];
  const root: Place = { source: types.source, path: ['coded'] };
  for (const key of ['systems', 'degraded'] as const)
    needTable(library, types.file.coded[key], below(root, key));
  for (const name of Object.values(engineTables)) needTable(library, name, root);

  const others = files.filter((file) => file !== typesSource);
  const read = others.flatMap((file) => readFile(file, findings) ?? []);
  const parts = collectParts(read, library);
  for (const { source, file } of read) {
    if (!('dataset' in file)) continue;
    const place: Place = { source, path: [] };
    const { dataset } = file;
    if (datasets.has(dataset)) {
      report(library, below(place, 'dataset'), `another file maps the dataset ${dataset} already`);
    }
    datasets.set(dataset, compileDataset(file, place, library, parts));
    if (file.view) views.push(place);
  }
  for (const place of views) {
    const { dataset } = place.source.value as { dataset: Dataset };
    const view = datasets.get(dataset);
    if (view) checkSources(view, datasets, place, library);
  }
  const leftBehind = readLeftBehind(tables.get(engineTables.leftBehind), findings);
  if (findings.some(({ severity }) => severity === 'error')) throw new ConfigError(findings);
  return {
    datasets,
    tables,
    tablesUsed: library.tablesUsed,
    leftBehind,
    extensions: new Set([...library.extensions, ...extensionsIn(leftBehind)]),
    siteSettings: library.siteSettings,
    coded: types.file.coded,
    readingOf: merger(readingsOf(leftBehind)),
  };
}

/** A file of the mapping: a dataset, or parts for several. */
interface ReadFile {
  source: YamlFile;
  file: DatasetFile | PartsFile;
}

function readFile(name: string, findings: Finding[]): ReadFile | undefined {
  const source = readYaml(name);
  expandShortForms(source.value);
  const checked = checkYaml(source, name.endsWith(partsName) ? partsFile : datasetFile);
  findings.push(...checked.findings);
  return checked.value && { source, file: checked.value };
}

/** The parts of all files: each is known everywhere by its name. */
function collectParts(files: readonly ReadFile[], library: Library): Parts {
  const rules = new Map<string, { rule: PartRule; place: Place }>();
  for (const { source, file } of files) {
    for (const [name, rule] of Object.entries(file.parts)) {
      const place: Place = { source, path: ['parts', name] };
      if (rules.has(name)) report(library, place, `there is another part "${name}"`);
      rules.set(name, { rule, place });
      const table = library.tables.get(engineTables.rows);
      checkRows(rule.segments, 'dataset', table, place, library);
    }
  }
  return compileParts(rules, library);
}

/** What the rows of the table leave behind counts as read, by resource type. */
function readingsOf(rows: LeftBehind): ReadonlyMap<string, Reading> {
  const left = new Map<string, Reading>();
  for (const element of rows.keys()) {
    const [type = '', ...path] = element.split('.');
    const reading = left.get(type) ?? createReading();
    left.set(type, reading);
    if (path.length > 0) noteWhole(reading, path.join('.'));
  }
  return left;
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
  library.tablesUsed.add(name);
  if (library.tables.has(name)) return;
  const near = suggestion(name, library.tables.keys());
  report(library, place, `there is no table "${name}"${near}`, 'tables are files tables/NAME.csv');
}

function compileDataset(
  file: DatasetFile,
  place: Place,
  library: Library,
  parts: Parts,
): CompiledDataset {
  const names = file.lists.map(({ list }) => list);
  const items = file.items.map((rule, i) => {
    const at = below(place, 'items', i);
    for (const [key, used] of [
      ...rule.lists.map((one) => ['lists', one]),
      ['under', rule.under?.list],
    ]) {
      if (used !== undefined && !names.includes(used) && !file.view) {
        const near = suggestion(used, names);
        report(library, below(at, key ?? ''), `this file has no list "${used}"${near}`);
      }
    }
    checkRows(rule.segments, rule.place, library.tables.get(engineTables.rows), at, library);
    const item = compileItem(rule, at, library, parts);
    const { among, date } = rule;
    return {
      ...(among ? compileAmong(item, among, below(at, 'among'), library) : item),
      ...(date && { dateOf: compileDate(date, at, library) }),
    };
  });
  return {
    dataset: file.dataset,
    title: file.title,
    file: inSite(place.source.file),
    view: file.view,
    outline: file.outline === 'yes',
    lists: file.lists.map((list, i) => ({ list, rule: ruleAt(below(place, 'lists', i, 'list')) })),
    items,
  };
}
