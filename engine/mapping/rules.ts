/** The rules for one segment and its values, declared once. */
import { z } from 'zod';
import { dateFormats } from './dates.ts';

export const text = z.string().min(1, 'a value is needed');
export const path = text.meta({ description: 'a FHIRPath expression' });
export const paths = z.array(path).min(1);

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
    get first() {
      return z
        .array(valueRule)
        .min(2)
        .optional()
        .meta({ description: 'other rules: the first that gives anything' });
    },
    type: text.optional().meta({ description: 'the HL7 type of the value, for OBX-2' }),
    get components() {
      return z
        .record(text, valueRule)
        .optional()
        .meta({ description: 'components by number, `4` or `4.2`; paths begin at `from`' });
    },
    table: text.optional().meta({ description: 'a code table: tables/NAME.csv' }),
    column: text.optional().meta({ description: 'the column of the table; without it, `value`' }),
    unknown: text
      .regex(
        /^(error|pass|omit|shown|default .+)$/,
        'write error, pass, omit, shown, or default VALUE',
      )
      .optional()
      .meta({
        description:
          'what becomes of a code that is not in the table; shown: nothing, for another component shows it as it came',
      }),
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
    const sources = [rule.from, rule.coded, rule.value, rule.number, rule.first];
    const given = sources.filter(Boolean).length;
    if (given > 1) problem('give one of from, coded, value, number and first');
    if (given === 0 && !rule.components) {
      problem('needs a source: from, coded, value, number, first or components');
    }
    if (rule.table && !rule.unknown) {
      problem('a table needs "unknown": error, pass, omit, shown, or default VALUE');
    }
    for (const key of ['unknown', 'column'] as const) {
      if (rule[key] && !rule.table) problem(`"${key}" needs a table`);
    }
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
    get segments() {
      return z
        .array(segmentRule)
        .min(1)
        .optional()
        .meta({ description: 'several rules for each of these, or under one condition' });
    },
  })
  .superRefine((rule, context) => {
    const kinds = [rule.segment, rule.obx, rule.note, rule.terms, rule.segments];
    const problem = (message: string) => context.addIssue({ code: 'custom', message });
    if (kinds.filter(Boolean).length !== 1) {
      problem('give one of segment, obx, note, terms and segments');
    }
    if (rule.segments && !rule.each && !rule.when) problem('"segments" needs "each" or "when"');
    if (rule.segment && !rule.fields) problem('"segment" needs "fields"');
    if (rule.obx && !rule.value) problem('"obx" needs "value"');
  });
export type SegmentRule = z.output<typeof segmentRule>;
