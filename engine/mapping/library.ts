/** What the rules of a mapping may use: tables, types and functions; and where findings go. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { type Finding, type YamlFile, nearest, shortPath } from '../config/yaml.ts';
import type { Values } from './evaluate.ts';
import type { IndexedRecord, Resource } from './record.ts';
import type { Repetition } from '../hl7/segment.ts';
import type { TypesFile } from './schema.ts';
import type { Table } from './tables.ts';

/** What a function of a mapping gives for one value: text, or the components of a repetition. */
export type Made = string | Repetition;

/** What a function of a mapping is given besides the values its rule found. */
export interface FunctionContext {
  resource: Resource;
  record: IndexedRecord;
  now: Date;
}

/**
 * A function named by a mapping (`call: ./functions.ts#name`). It must be pure; what it throws
 * stops the mapping with the fault `mappingFailed`.
 */
export type MappingFunction = (values: Values, context: FunctionContext) => readonly Made[];

export interface Library {
  tables: ReadonlyMap<string, Table>;
  /** Names of the tables that rules ask. */
  tablesUsed: Set<string>;
  types: { source: YamlFile; file: TypesFile };
  findings: Finding[];
  /** Names of the extensions that paths read. */
  extensions: Set<string>;
  /** Settings of the site that paths read: `%site.patientClass`. */
  siteSettings: Set<string>;
}

/** A node of a mapping file. */
export interface Place {
  source: YamlFile;
  path: readonly PropertyKey[];
}

export const below = (place: Place, ...path: PropertyKey[]): Place => ({
  source: place.source,
  path: [...place.path, ...path],
});

/**
 * A file of a mapping as its site names it. A running engine has those of its revision
 * (`config/revisions.ts`), and what was compiled serves all that are the same (`config/compiled.ts`).
 */
export const inSite = (file: string): string => file.replace(/^.*\/(?=mappings\/)/, '');

/** `mappings/gp-record/allergies.yaml:14`: how provenance names a rule. */
export function ruleAt(place: Place): string {
  return inSite(place.source.where(place.path, true).replace(/:\d+$/, ''));
}

/** Report a finding at a node. */
export function report(
  library: Pick<Library, 'findings'>,
  place: Place,
  says: string,
  next?: string,
): void {
  library.findings.push({ severity: 'error', where: place.source.where(place.path), says, next });
}

/** "did you mean", where a known word is near. */
export function suggestion(word: string, known: Iterable<string>): string {
  const near = nearest(word, [...known]);
  return near ? `; did you mean "${near}"?` : '';
}

export function findTable(library: Library, name: string, place: Place): Table | undefined {
  const table = library.tables.get(name);
  library.tablesUsed.add(name);
  if (!table) {
    const near = suggestion(name, library.tables.keys());
    report(
      library,
      place,
      `there is no table "${name}"${near}`,
      'tables are files tables/NAME.csv',
    );
  }
  return table;
}

/** Find a function of a mapping, as `findExport` does. */
export function findFunction(
  library: Library,
  reference: string,
  place: Place,
): MappingFunction | undefined {
  return findExport(library, reference, place) as MappingFunction | undefined;
}

/**
 * Find the function `./file.ts#name`, relative to the mapping file. Where the package has been
 * compiled, `file.js` stands in its place.
 */
export function findExport(
  library: Pick<Library, 'findings'>,
  reference: string,
  place: Place,
): unknown {
  const [file = '', name = ''] = reference.split('#');
  const written = resolve(dirname(place.source.file), file);
  const actual = existsSync(written) ? written : written.replace(/\.ts$/, '.js');
  if (!name || !existsSync(actual)) {
    report(library, place, `"${reference}" names no function`, 'write ./file.ts#function');
    return undefined;
  }
  let module: Record<string, unknown>;
  try {
    module = createRequire(import.meta.url)(actual) as Record<string, unknown>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // The example sites of the package are TypeScript, to be copied: Node strips no types there.
    const next =
      code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING'
        ? 'copy the site out of node_modules, and name the copy with --site'
        : `node ${shortPath(actual)} shows the line`;
    const says = `${file} cannot be loaded: ${message.split('\n')[0]}`;
    // Once, and not at each rule that names a function of it.
    if (!library.findings.some((one) => one.says === says)) report(library, place, says, next);
    return undefined;
  }
  const found = module[name];
  if (typeof found === 'function') return found;
  report(
    library,
    place,
    `${file} exports no function "${name}"${suggestion(name, Object.keys(module))}`,
  );
  return undefined;
}
