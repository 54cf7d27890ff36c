/** `gatehouse mapping coverage`: which rules, and which rows of their tables, the cases use. */
import { join } from 'node:path';
import { readCase } from '../../engine/cases/case.ts';
import { playCases } from '../../engine/cases/play.ts';
import { feedIn, mappingsIn } from '../../engine/config/compiled.ts';
import type { LoadedChannel } from '../../engine/config/site.ts';
import { shortPath } from '../../engine/config/yaml.ts';
import { noteRows } from '../../engine/mapping/rows-used.ts';
import type { Table } from '../../engine/mapping/tables.ts';
import { patientsOf } from '../../engine/cases/files.ts';
import { exits } from './exits.ts';
import { type Form, printRows } from './form.ts';
import {
  type MappingName,
  casesUsing,
  mappingNamed,
  mappingNames,
  rulesOf,
} from './mapping-names.ts';
import { print, say } from './output.ts';
import { siteFolder } from './site-folder.ts';
import { soundSite } from './sites.ts';

/** What no case uses: a rule, or a row of a table. */
interface Unused {
  mapping: string;
  what: 'rule' | 'row';
  /** `file:line` */
  at: string;
  says: string;
}

interface Counted {
  mapping: string;
  cases: number;
  rules: { used: number; of: number };
  rows: { used: number; of: number };
}

/** Play the cases of each mapping, and tell what they leave unused. */
export async function coverage(
  name: string | undefined,
  options: { site?: string; output: Form },
): Promise<number> {
  const root = siteFolder(options.site);
  const named = name === undefined ? mappingNames(root) : [mappingNamed(root, name)];
  const { channels } = soundSite(options.site);
  const counted: Counted[] = [];
  const unused: Unused[] = [];
  for (const mapping of named) {
    const found = await coverageOf(root, mapping, channels);
    counted.push(found.counted);
    unused.push(...found.unused);
  }
  const beside = { mappings: counted };
  printRows(
    options.output,
    { kind: 'mappingCoverage', key: 'unused', rows: unused, beside },
    () => {
      for (const { mapping, cases, rules, rows } of counted) {
        print(
          `${mapping}: ${rules.used} of ${rules.of} rules, ${rows.used} of ${rows.of} rows of tables, by ${cases} ${cases === 1 ? 'case' : 'cases'}`,
        );
        for (const { at, says } of unused.filter((one) => one.mapping === mapping)) {
          print(`    ${at}  ${says}`);
        }
      }
    },
  );
  if (unused.length > 0) say('what is listed no case uses: write one, or ask whether it is needed');
  return exits.ok;
}

async function coverageOf(
  root: string,
  mapping: MappingName,
  channels: readonly LoadedChannel[],
): Promise<{ counted: Counted; unused: Unused[] }> {
  const files = casesUsing(root, mapping, channels);
  const tables = tablesOf(root, mapping, channels);
  const noted = noteRows(tables);
  let used: Set<string>;
  try {
    const stories = files.map((file) => readCase(file));
    const played = await playCases(stories, channels, patientsOf(root));
    used = new Set(played.flatMap(({ rules }) => [...rules]));
  } finally {
    noted.end();
  }
  const shown = mapping.shown;
  const unused: Unused[] = [];
  const rules = rulesOf(root, mapping);
  const names = new Set(rules.flatMap(({ table }) => table ?? []));
  // Several rules may stand on one line, and are told apart by nobody.
  const byLine = new Map<string, string[]>();
  for (const { rule, target } of rules) byLine.set(rule, [...(byLine.get(rule) ?? []), target]);
  for (const [at, targets] of byLine) {
    if (used.has(at)) continue;
    unused.push({ mapping: shown, what: 'rule', at, says: [...new Set(targets)].join(', ') });
  }
  const rows = { used: 0, of: 0 };
  for (const table of new Map([...tables].map((one) => [one.name, one])).values()) {
    if (!names.has(table.name)) continue;
    for (const code of table.rows.keys()) {
      rows.of += 1;
      if (noted.used.get(table.name)?.has(code)) rows.used += 1;
      else {
        const at = shortPath(join(root, 'mappings', table.where(code)));
        unused.push({ mapping: shown, what: 'row', at, says: `"${code}"` });
      }
    }
  }
  const ruleCount = {
    used: [...byLine.keys()].filter((at) => used.has(at)).length,
    of: byLine.size,
  };
  return { counted: { mapping: shown, cases: files.length, rules: ruleCount, rows }, unused };
}

/** The tables as the channels, and the cases of the mapping itself, have them. */
function tablesOf(
  root: string,
  { kind, name }: MappingName,
  channels: readonly LoadedChannel[],
): Set<Table> {
  const mappings = join(root, 'mappings');
  const loaded =
    kind === 'record'
      ? [mappingsIn(join(mappings, name))]
      : [feedIn(mappings, name), ...channels.flatMap(({ maps }) => maps?.get(name) ?? [])];
  return new Set(loaded.flatMap(({ tables }) => [...tables.values()]));
}
