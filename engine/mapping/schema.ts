/** The language of mappings, declared once: types, findings and documentation come from it. */
import { z } from 'zod';
import { datasets } from '../gp/port.ts';
import { dateFormats } from './dates.ts';

const text = z.string().min(1, 'a value is needed');
const path = text.meta({ description: 'a FHIRPath expression' });
const paths = z.array(path).min(1);

/** How one value is made. Written as plain text it is a FHIRPath expression (`from`). */
export const valueRule = z
  .strictObject({
    from: paths
      .optional()
      .meta({ description: 'where it comes from; of several, the first found' }),
    coded: path.optional().meta({ description: 'a CodeableConcept, carried as CE' }),
    value: text.optional().meta({ description: 'a constant' }),
    number: z.literal('yes').optional().meta({ description: 'the set id: 1, 2, 3 …' }),
    call: text.optional().meta({ description: './file.ts#function, given what `from` found' }),
    as: text.optional().meta({ description: 'a type of datatypes.yaml' }),
    get components() {
      return z
        .record(text, valueRule)
        .optional()
        .meta({ description: 'components by number, `4` or `4.2`; paths begin at `from`' });
    },
    table: text.optional().meta({ description: 'a code table: tables/NAME.csv' }),
    unknown: text
      .regex(/^(error|pass|omit|default .+)$/, 'write error, pass, omit, or default VALUE')
      .optional()
      .meta({ description: 'what becomes of a code that is not in the table' }),
    format: z.enum(dateFormats).optional().meta({ description: 'how a date is written' }),
    prefix: text.optional().meta({ description: 'words put before the text' }),
    join: z
      .string()
      .optional()
      .meta({ description: 'several values become one, with this between' }),
    repeat: z.literal('yes').optional().meta({ description: 'each value is a repetition' }),
    absent: text.optional().meta({ description: 'what is sent where the source has nothing' }),
  })
  .superRefine((rule, context) => {
    const problem = (message: string) => context.addIssue({ code: 'custom', message });
    const sources = [rule.from, rule.coded, rule.value, rule.number].filter(Boolean).length;
    if (sources > 1) problem('give one of from, coded, value and number');
    if (sources === 0 && !rule.components) {
      problem('needs a source: from, coded, value, number or components');
    }
    if (rule.table && !rule.unknown) {
      problem('a table needs "unknown": error, pass, omit, or default VALUE');
    }
    if (rule.unknown && !rule.table) problem('"unknown" needs a table');
    for (const key of ['call', 'as'] as const) {
      if (rule[key] && !rule.from) problem(`"${key}" needs "from"`);
    }
    if (rule.as && rule.components) problem('give one of as and components');
  });
export type ValueRule = z.output<typeof valueRule>;

export const segmentRule = z
  .strictObject({
    segment: z
      .string()
      .regex(/^[A-Z][A-Z0-9]{2}$/, 'a segment name such as AL1 is needed')
      .optional(),
    fields: z.record(text, valueRule).optional().meta({ description: 'by field: AL1-3, ORC-7.4' }),
    obx: z
      .string()
      .regex(/^[A-Z0-9.]+\^.+$/, 'a local code and its name are needed: GPREC.X^Name')
      .optional()
      .meta({ description: 'an OBX with this identifier; its type follows from the value' }),
    value: valueRule.optional(),
    type: text.optional().meta({ description: 'OBX-2, where it does not follow from the value' }),
    note: valueRule.optional().meta({ description: 'an NTE to the segment before, one a value' }),
    terms: path
      .optional()
      .meta({ description: 'a CodeableConcept whose further terms go into NTE' }),
    when: path.optional().meta({ description: 'a FHIRPath condition' }),
    each: path.optional().meta({ description: 'one segment for each of these' }),
  })
  .superRefine((rule, context) => {
    const kinds = [rule.segment, rule.obx, rule.note, rule.terms].filter(Boolean).length;
    const problem = (message: string) => context.addIssue({ code: 'custom', message });
    if (kinds !== 1) problem('give one of segment, obx, note and terms');
    if (rule.segment && !rule.fields) problem('"segment" needs "fields"');
    if (rule.obx && !rule.value) problem('"obx" needs "value"');
  });
export type SegmentRule = z.output<typeof segmentRule>;

const joins = z
  .record(text, paths)
  .default({})
  .meta({ description: 'references to follow: afterwards %name is the resource' });

export const childRule = z.strictObject({
  item: text,
  resource: text,
  theirs: text.meta({ description: 'their element that refers to what ours refers to' }),
  ours: text,
  when: path.optional(),
  with: joins,
  segments: z.array(segmentRule).min(1),
});
export type ChildRule = z.output<typeof childRule>;

export const itemRule = z.strictObject({
  item: text.meta({ description: 'what this rule carries, in words' }),
  resource: text.meta({ description: 'FHIR resource type' }),
  lists: z
    .array(text)
    .default([])
    .meta({ description: 'the primary lists it is taken from; none: the Patient' }),
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
  with: joins,
  segments: z.array(segmentRule).min(1),
  children: z.array(childRule).default([]),
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

const leave = z
  .record(text, z.record(text, text))
  .default({})
  .meta({ description: 'by resource type: elements left behind on purpose, each with the reason' });

export const datasetFile = z.strictObject({
  dataset: z.enum(datasets),
  title: text,
  lists: z.array(primaryList).default([]),
  leave,
  items: z.array(itemRule).min(1),
});
export type DatasetFile = z.output<typeof datasetFile>;

export const typesFile = z.strictObject({
  coded: z
    .strictObject({
      systems: text.meta({ description: 'table: URI of a coding system → its name in CE-3, CE-6' }),
      unknown: z.enum(['pass', 'omit']),
      degraded: text.meta({ description: 'table of codes that say the real code was lost' }),
    })
    .meta({ description: 'the rule for every CodeableConcept' }),
  types: z.record(text, z.record(text, valueRule)),
  leave,
});
export type TypesFile = z.output<typeof typesFile>;

/**
 * Put the short forms into their long ones, in place: text where a value is described is `from`,
 * one path where several may stand is a list of one.
 */
export function expandShortForms(value: unknown): void {
  const root = object(value);
  if (!root) return;
  for (const components of values(root.types)) expandValues(components);
  for (const item of list(root.items)) expandItem(item);
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
  if (typeof item.lists === 'string') item.lists = [item.lists];
  const joined = object(item.with);
  for (const name in joined) {
    if (typeof joined[name] === 'string') joined[name] = [joined[name]];
  }
  for (const one of list(item.segments)) {
    const segment = object(one);
    if (!segment) continue;
    expandValues(segment.fields);
    for (const key of ['value', 'note']) {
      if (key in segment) segment[key] = expandValue(segment[key]);
    }
  }
  for (const child of list(item.children)) expandItem(child);
}

function expandValues(value: unknown): void {
  const map = object(value);
  for (const key in map) map[key] = expandValue(map[key]);
}

function expandValue(value: unknown): unknown {
  if (typeof value === 'string') return { from: [value] };
  const rule = object(value);
  if (!rule) return value;
  if (typeof rule.from === 'string') rule.from = [rule.from];
  expandValues(rule.components);
  return rule;
}
