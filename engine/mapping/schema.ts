/** The language of mappings, declared once: types, findings and documentation come from it. */
import { z } from 'zod';
import { datasets } from '../gp/port.ts';
import { path, paths, segmentRule, text, valueRule } from './rules.ts';

const joins = z
  .record(text, paths)
  .default({})
  .meta({ description: 'references to follow: afterwards %name is the resource' });

const children = z
  .array(
    z
      .strictObject({
        item: text.meta({ description: 'what hangs on it, in words' }),
        follow: path.optional().meta({ description: 'our references that lead to them, in order' }),
        theirs: path.optional().meta({ description: 'their references that lead back to us' }),
        ours: path
          .optional()
          .meta({ description: 'with `theirs`: they lead not to us but to what these lead to' }),
        parts: z
          .array(text)
          .min(1)
          .meta({ description: 'the parts that may carry one: the first that takes it' }),
      })
      .superRefine((rule, context) => {
        const problem = (message: string) => context.addIssue({ code: 'custom', message });
        if (!rule.follow === !rule.theirs) problem('give one of follow and theirs');
        if (rule.ours && !rule.theirs) problem('"ours" needs "theirs"');
      }),
  )
  .default([])
  .meta({ description: 'what hangs on it, each resource once' });
export type ChildRule = z.output<typeof children>[number];

const named = z.array(text).default([]).meta({
  description:
    'joined resources, or `resource` itself, that are only named here: what else they hold is not missed',
});

/** A rule for a resource wherever it hangs on another, known by its name in every file. */
export const partRule = z.strictObject({
  resource: text.meta({ description: 'FHIR resource type; * takes any' }),
  when: path.optional().meta({ description: 'a FHIRPath condition' }),
  notes: z
    .literal('yes')
    .optional()
    .meta({ description: 'notes alone: they stand under the first segment of what it hangs on' }),
  with: joins,
  named,
  segments: z.array(segmentRule).min(1),
  children,
});
export type PartRule = z.output<typeof partRule>;

const parts = z
  .record(text, partRule)
  .default({})
  .meta({ description: 'rules that items and other parts refer to by name' });

export const itemRule = z.strictObject({
  item: text.meta({ description: 'what this rule carries, in words' }),
  resource: text.meta({ description: 'FHIR resource type' }),
  lists: z.array(text).default([]).meta({
    description:
      'the primary lists it is taken from; none: the Patient; in a view `PRB.problems`, a list of another dataset',
  }),
  among: z
    .strictObject({
      codes: path,
      table: text.meta({ description: 'a code table: tables/NAME.csv' }),
    })
    .optional()
    .meta({ description: 'only those with one of these codes in the table: afterwards %matched' }),
  date: paths
    .optional()
    .meta({ description: 'the day it is about, for the summary; of several, the first found' }),
  under: z
    .strictObject({ list: text, when: path })
    .optional()
    .meta({ description: 'another list it is shown under, where the condition holds' }),
  place: z
    .enum(['patient', 'dataset'])
    .default('dataset')
    .meta({ description: 'patient: before the datasets' }),
  asked: z.literal('yes').optional().meta({ description: 'only where the dataset is asked for' }),
  when: path.optional().meta({ description: 'a FHIRPath condition; the first rule that holds' }),
  part: text.optional().meta({ description: 'the part that carries it, in place of segments' }),
  for: path
    .optional()
    .meta({ description: 'it stands for what this leads to, which is taken in its place' }),
  with: joins,
  named,
  segments: z.array(segmentRule).default([]),
  children,
});
export type ItemRule = z.output<typeof itemRule>;

export const primaryList = z.strictObject({
  list: text.meta({ description: 'name used by the rules of this file' }),
  code: text.meta({ description: 'SNOMED CT code of List.code' }),
  parameter: text.meta({ description: 'the GP Connect parameter that asks for it' }),
  status: text.meta({ description: 'OBX-4 of its status line' }),
  heading: text.optional().meta({ description: 'the NTE that heads it' }),
});
export type PrimaryList = z.output<typeof primaryList>;

/** A dataset that is derived from others; its rules take their items from lists of those. */
export const viewRule = z.strictObject({
  noArea: text.optional().meta({
    description: 'GP Connect has no area for it: the status is D, and this sentence says why',
  }),
  says: paths.meta({ description: 'what the view is and is not, each an NTE of its status line' }),
});
export type ViewRule = z.output<typeof viewRule>;

export const datasetFile = z.strictObject({
  dataset: z.enum(datasets),
  title: text,
  view: viewRule.optional(),
  lists: z.array(primaryList).default([]),
  outline: z
    .literal('yes')
    .optional()
    .meta({ description: 'OBX-4 says where in the tree of its item a line stands: 2.1.3' }),
  parts,
  items: z.array(itemRule).min(1),
});
export type DatasetFile = z.output<typeof datasetFile>;

/** parts.yaml: the parts that several datasets use. */
export const partsFile = z.strictObject({ parts });
export type PartsFile = z.output<typeof partsFile>;

export const typesFile = z.strictObject({
  coded: z
    .strictObject({
      systems: text.meta({ description: 'table: URI of a coding system → its name in CE-3, CE-6' }),
      unknown: z.enum(['pass', 'omit']),
      degraded: text.meta({ description: 'table of codes that say the real code was lost' }),
    })
    .meta({ description: 'the rule for every CodeableConcept' }),
  types: z.record(text, z.record(text, valueRule)),
});
export type TypesFile = z.output<typeof typesFile>;

/**
 * Put the short forms into their long ones, in place: text, or a list of it, where a value is
 * described is `from`; one path where several may stand is a list of one.
 */
export function expandShortForms(value: unknown): void {
  const root = object(value);
  if (!root) return;
  for (const components of values(root.types)) expandValues(components);
  for (const item of [...list(root.items), ...values(root.parts)]) expandItem(item);
  const view = object(root.view);
  if (typeof view?.says === 'string') view.says = [view.says];
}

type Json = Record<string, unknown>;
const object = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : undefined;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const values = (value: unknown): unknown[] => Object.values(object(value) ?? {});

function expandItem(value: unknown): void {
  const item = object(value);
  if (!item) return;
  for (const key of ['lists', 'date']) {
    if (typeof item[key] === 'string') item[key] = [item[key]];
  }
  const joined = object(item.with);
  for (const name in joined) {
    if (typeof joined[name] === 'string') joined[name] = [joined[name]];
  }
  expandSegments(item.segments);
}

function expandSegments(value: unknown): void {
  for (const one of list(value)) {
    const segment = object(one);
    if (!segment) continue;
    expandValues(segment.fields);
    for (const key of ['value', 'note']) {
      if (key in segment) segment[key] = expandValue(segment[key]);
    }
    expandSegments(segment.segments);
  }
}

function expandValues(value: unknown): void {
  const map = object(value);
  for (const key in map) map[key] = expandValue(map[key]);
}

function expandValue(value: unknown): unknown {
  if (typeof value === 'string') return { from: [value] };
  if (Array.isArray(value)) return { from: value as unknown };
  const rule = object(value);
  if (!rule) return value;
  if (typeof rule.from === 'string') rule.from = [rule.from];
  if (Array.isArray(rule.first)) rule.first = rule.first.map(expandValue);
  expandValues(rule.components);
  return rule;
}
