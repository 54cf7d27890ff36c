/**
 * Every rule of a mapping, read off its files: what it writes, from what, on which condition, by which
 * table. A rule has the name that provenance gives it, `file:line`.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readYaml } from '../config/yaml.ts';
import { expandFeedForms } from './feed/schema.ts';
import { feedFolder } from './feed/load.ts';
import { type Place, below, ruleAt } from './library.ts';
import { expandShortForms } from './schema.ts';

export interface InventoryRule {
  /** `mappings/gp-record/allergies.yaml:31`. */
  rule: string;
  /** What it stands under: an item, a part, a type; nothing in a feed mapping. */
  under: string;
  dataset?: string;
  /** The field, `AL1-3.1`; `OBX GPREC.X`, `NTE`. */
  target: string;
  /** What it is made of: paths, a constant, a function. */
  source: string;
  /** All conditions it stands under. */
  when?: string;
  table?: string;
}

type Json = Record<string, unknown>;

/** What is above a rule. */
interface Above {
  under: string;
  dataset?: string;
  when: readonly string[];
}

/** The rules of a record mapping, file by file. @param folder mappings/NAME, which loads */
export function rulesOfRecord(folder: string): InventoryRule[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .flatMap((name) => {
      const source = readYaml(join(folder, name));
      expandShortForms(source.value);
      const root: Place = { source, path: [] };
      const file = object(source.value);
      const dataset = text(file.dataset);
      const rules: InventoryRule[] = [];
      for (const [type, parts] of Object.entries(object(file.types))) {
        for (const [number, part] of Object.entries(object(parts))) {
          const above = { under: `type ${type}`, when: [] };
          addValue(
            rules,
            object(part),
            below(root, 'types', type, number),
            `${type}.${number}`,
            above,
          );
        }
      }
      const carriers: (readonly [Json, Place])[] = [
        ...list(file.items).map((one, i) => [object(one), below(root, 'items', i)] as const),
        ...Object.entries(object(file.parts)).map(
          ([part, one]) =>
            [{ item: `part ${part}`, ...object(one) }, below(root, 'parts', part)] as const,
        ),
      ];
      for (const [item, place] of carriers) {
        const above = { under: text(item.item) ?? '', dataset, when: conditions(item.when) };
        addSegments(rules, item.segments, below(place, 'segments'), above);
      }
      return rules;
    });
}

/** The rules of a feed mapping, in their order. @param mappings the folder of all mappings */
export function rulesOfFeed(mappings: string, name: string): InventoryRule[] {
  const source = readYaml(join(mappings, feedFolder, `${name}.yaml`));
  expandFeedForms(source.value);
  const rules: InventoryRule[] = [];
  addFeedRules(rules, object(source.value).rules, { source, path: ['rules'] }, []);
  const named = (rule: string) => rule.replace(/^.*:/, `mappings/${feedFolder}/${name}.yaml:`);
  return rules.map((one) => ({ ...one, rule: named(one.rule) }));
}

/** The record mappings there are: folders with a file of types. @param mappings the folder of all */
export function recordNames(mappings: string): string[] {
  return readdirSync(mappings, { withFileTypes: true })
    .filter((one) => one.isDirectory())
    .map(({ name }) => name)
    .filter((name) => readdirSync(join(mappings, name)).includes('datatypes.yaml'))
    .sort();
}

function addSegments(rules: InventoryRule[], value: unknown, place: Place, above: Above): void {
  for (const [i, one] of list(value).entries()) {
    const rule = object(one);
    const at = below(place, i);
    const own = { ...above, when: [...above.when, ...conditions(rule.when)] };
    if (rule.each) own.when = [...own.when, `each ${text(rule.each)}`];
    for (const [field, made] of Object.entries(object(rule.fields))) {
      addValue(rules, object(made), below(at, 'fields', field), field, own);
    }
    const code = text(rule.obx)?.split('^')[0];
    if (code) addValue(rules, object(rule.value), below(at, 'value'), `OBX ${code}`, own);
    // A note is known by its segment rule.
    if (rule.note) addLeaf(rules, object(rule.note), at, 'NTE', own);
    if (rule.terms) addLeaf(rules, { from: [rule.terms] }, below(at, 'terms'), 'NTE', own);
    addSegments(rules, rule.segments, below(at, 'segments'), own);
  }
}

/** A value; of several, or of components, each by itself. */
function addValue(
  rules: InventoryRule[],
  value: Json,
  place: Place,
  target: string,
  above: Above,
): void {
  const first = list(value.first);
  for (const [i, one] of first.entries()) {
    addValue(rules, object(one), below(place, 'first', i), target, above);
  }
  const components = Object.entries(object(value.components));
  for (const [number, one] of components) {
    addValue(rules, object(one), below(place, 'components', number), `${target}.${number}`, above);
  }
  if (first.length + components.length === 0) addLeaf(rules, value, place, target, above);
}

function addLeaf(rules: InventoryRule[], value: Json, place: Place, target: string, above: Above) {
  const table = text(value.table);
  rules.push({
    rule: ruleAt(place),
    ...{ under: above.under, dataset: above.dataset, target, source: sourceOf(value) },
    ...(above.when.length > 0 && { when: above.when.join(' and ') }),
    ...(table !== undefined && { table }),
  });
}

function addFeedRules(
  rules: InventoryRule[],
  value: unknown,
  place: Place,
  when: readonly string[],
) {
  for (const [i, one] of list(value).entries()) {
    const rule = object(one);
    const at = below(place, i);
    const own = [
      ...when,
      ...(rule.each ? [`each ${text(rule.each)}`] : []),
      ...placesIn(rule.when, ''),
      ...placesIn(rule.unless, 'unless '),
    ];
    const above = { under: '', when: own };
    const add = text(rule.add);
    if (add) {
      for (const [field, made] of Object.entries(object(rule.fields))) {
        addLeaf(rules, object(made), below(at, 'fields', field), `${add}-${field}`, above);
      }
    } else if (rule.rules) addFeedRules(rules, rule.rules, below(at, 'rules'), own);
    else if (rule.copy) {
      const source = `${text(rule.copy)} as written`;
      addLeaf(rules, { from: [source] }, at, text(rule.to) ?? '', above);
    } else if (rule.remove) {
      addLeaf(rules, { from: ['taken out'] }, at, list(rule.remove).join(', '), above);
    } else if (rule.edit) addLeaf(rules, { call: rule.edit }, at, 'the message', above);
    else addLeaf(rules, rule, at, text(rule.set) ?? '', above);
  }
}

function placesIn(value: unknown, word: string): string[] {
  return Object.entries(object(value)).map(([place, wanted]) => {
    const values = Array.isArray(wanted) ? `in [${wanted.join(', ')}]` : String(wanted);
    return `${word}${place} ${values}`;
  });
}

function sourceOf(value: Json): string {
  const called = text(value.call);
  const as = text(value.as);
  const parts = [
    value.value !== undefined ? `"${String(value.value)}"` : undefined,
    value.number ? 'position' : undefined,
    value.coded ? `${text(value.coded)} as CE` : undefined,
    value.from ? list(value.from).join(' | ') : undefined,
    as ? `as ${as}` : undefined,
    called ? `by ${called}` : undefined,
    value.absent !== undefined ? `else "${String(value.absent)}"` : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(' ');
}

const conditions = (value: unknown): string[] => (typeof value === 'string' ? [value] : []);
const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
