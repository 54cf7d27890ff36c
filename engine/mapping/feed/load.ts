/**
 * Loads a feed mapping (`mappings/feeds/NAME.yaml`): what is received as HL7 v2 becomes what a
 * destination is sent. It works on the lossless message, so what no rule touches keeps its bytes.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ConfigError, type Finding, checkYaml, readYaml, shortPath } from '../../config/yaml.ts';
import { FaultError } from '../../faults.ts';
import type { Message } from '../../hl7/message.ts';
import { type Place, below, findExport, ruleAt, suggestion } from '../library.ts';
import { type Table, readTable } from '../tables.ts';
import { editorOf } from './editor.ts';
import { compileRule } from './rules.ts';
import { expandFeedForms, feedFile } from './schema.ts';
import type { FeedContext, Scope, Told } from './scope.ts';

export interface FeedMapping {
  name: string;
  file: string;
  /** The tables that its rules name. */
  tables: ReadonlyMap<string, Table>;
  /**
   * Change a message as the rules say, in their order.
   * @param told what is told of each place that was written
   * @throws FaultError preparationFailed, whose detail names the rule and holds no patient data
   */
  apply(message: Message, context: FeedContext, told?: Told): void;
}

/** What stands behind the names in the rules, and where it is told that nothing does. */
export interface Names {
  table(name: string, at: Place): Table | undefined;
  function(reference: string, at: Place): unknown;
  report(at: Place, says: string, next?: string): void;
  /** A rule as it is told: `mappings/feeds/epr.yaml:14`, wherever the site is. */
  rule(at: Place): string;
  /** The fault of a rule that cannot be followed. */
  fail(rule: string, error: unknown): FaultError;
}

/** The folder of the feed mappings, in that of all mappings. */
export const feedFolder = 'feeds';

/** The feed mappings there are, by name. */
export function feedNames(mappings: string): string[] {
  const folder = join(mappings, feedFolder);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return files.map((name) => basename(name, '.yaml')).sort();
}

/**
 * Load a feed mapping.
 * @param mappings the folder of all mappings
 * @throws ConfigError with every finding, where there is any
 */
export function loadFeed(mappings: string, name: string): FeedMapping {
  const file = join(mappings, feedFolder, `${name}.yaml`);
  const source = readYaml(file);
  expandFeedForms(source.value);
  const checked = checkYaml(source, feedFile);
  if (!checked.value) throw new ConfigError(checked.findings);
  const { value } = checked;
  const findings: Finding[] = [];
  const names = namesIn(mappings, name, findings);
  const root: Place = { source, path: [] };
  if (value.feed !== name) {
    names.report(
      below(root, 'feed'),
      `the file is called ${name}.yaml, the mapping "${value.feed}"`,
    );
  }
  const rules = value.rules.map((rule, i) => compileRule(rule, below(root, 'rules', i), names));
  if (findings.length > 0) throw new ConfigError(findings);
  return {
    name,
    file: shortPath(file),
    tables: names.tables,
    apply(message, context, told = () => {}) {
      const scope: Scope = {
        message,
        context,
        told,
        bound: [],
        editor: (rule, from, missed) =>
          editorOf(message, (target) =>
            told({ target, rule, source: from, ...(missed !== undefined && { missed }) }),
          ),
      };
      for (const apply of rules) apply(scope);
    },
  };
}

function namesIn(
  mappings: string,
  feed: string,
  findings: Finding[],
): Names & { tables: Map<string, Table> } {
  const folder = join(mappings, 'tables');
  const tables = new Map<string, Table>();
  const report: Names['report'] = ({ source, path }, says, next) =>
    void findings.push({ severity: 'error', where: source.where(path), says, next });
  return {
    tables,
    report,
    rule: (at) => ruleAt(at).replace(/^.*:/, `mappings/${feedFolder}/${feed}.yaml:`),
    table(name, at) {
      const file = join(folder, `${name}.csv`);
      if (!existsSync(file)) {
        const known = existsSync(folder) ? readdirSync(folder) : [];
        const near = suggestion(
          name,
          known.map((one) => basename(one, '.csv')),
        );
        report(at, `there is no table "${name}"${near}`, 'tables are files tables/NAME.csv');
        return undefined;
      }
      const table = tables.get(name) ?? readTable(name, file, findings);
      if (table) tables.set(name, table);
      return table;
    },
    function: (reference, at) => findExport({ findings }, reference, at),
    fail(rule, error) {
      if (error instanceof FaultError) return error;
      const why = error instanceof Error ? error.message : typeof error;
      const fault = { name: 'preparationFailed', detail: `${rule}: ${why}` } as const;
      return new FaultError(fault, { cause: error });
    },
  };
}
