/** The language of feed mappings (HL7 v2 to HL7 v2), declared once: types, findings and documentation. */
import { z } from 'zod';
import { type Path, parsePath } from '../../hl7/path.ts';

const text = z.string().min(1, 'a value is needed');

/** A place that `parsePath` reads; `needs` says what is wrong with it here. */
const path = (needs: (path: Path) => string | undefined) =>
  z.string().superRefine((written, context) => {
    let problem: string | undefined;
    try {
      problem = needs(parsePath(written));
    } catch (error) {
      problem = (error as Error).message;
    }
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });

const aSegment = ({ field }: Path) => (field === undefined ? undefined : 'name the segment alone');
const aPlace = ({ field }: Path) =>
  field === undefined ? 'name the field too, as in PID-3' : undefined;

/** A field or what lies below it: `PID-3`, `PID-3[2].1`, `OBX[3]-5`. */
export const place = path(aPlace);
const anyPath = path(() => undefined);

/** A place that may be written: not what says how the rest is read. */
const written = path((at) => {
  if (at.segment !== 'MSH') return aPlace(at);
  if (at.field === 1 || at.field === 2) return 'the delimiters of a message cannot be changed';
  if (at.field === 18) return 'MSH-18 says what the bytes are in; it cannot be rewritten';
  return aPlace(at);
});

/** What is read: a place, or something the engine knows of the message. */
export const known = ['%exchange', '%received', '%number'] as const;
const source = z.string().superRefine((from, context) => {
  if ((known as readonly string[]).includes(from)) return;
  if (from.startsWith('%')) {
    context.addIssue({ code: 'custom', message: `write a place, or one of ${known.join(', ')}` });
    return;
  }
  const read = place.safeParse(from);
  if (!read.success) {
    context.addIssue({ code: 'custom', message: read.error.issues[0]?.message ?? '' });
  }
});

/** Values by place; all of them must hold. */
export const condition = z
  .record(
    anyPath,
    z.union(
      [z.array(text).min(1), z.enum(['present', 'absent'])],
      'write a list of values, or present, or absent',
    ),
  )
  .superRefine((places, context) => {
    for (const [at, wanted] of Object.entries(places)) {
      if (!Array.isArray(wanted) || at.includes('-')) continue;
      const message = 'a segment has no value: write present or absent, or name a field';
      context.addIssue({ code: 'custom', path: [at], message });
    }
  });
export type Condition = z.output<typeof condition>;

const valueShape = {
  value: text.optional().meta({ description: 'a constant' }),
  from: z.array(source).min(1).optional().meta({
    description:
      'where it comes from, of several the first that is valued; `%exchange` is the id of the exchange, `%received` its time (UTC), `%number` which one of `each` it is',
  }),
  join: z.string().optional().meta({ description: 'the values of `from` in a row, this between' }),
  call: text
    .optional()
    .meta({ description: './file.ts#function, given what `from` found; it gives text or nothing' }),
  table: text.optional().meta({ description: 'a code table: tables/NAME.csv' }),
  column: text.optional().meta({ description: 'the column of the table; without it, `value`' }),
  unknown: text
    .regex(/^(error|pass|omit|default .+)$/, 'write error, pass, omit, or default VALUE')
    .optional()
    .meta({ description: 'what becomes of a code that is not in the table' }),
  absent: text
    .regex(/^(clear|keep|error|default .+)$/, 'write clear, keep, error, or default VALUE')
    .optional()
    .meta({
      description:
        'where there is no value: the place is emptied (clear, unless told), stays as it is, the message fails, or it gets another value',
    }),
};

type ValueShape = { [K in keyof typeof valueShape]?: z.output<(typeof valueShape)[K]> };

function* valueProblems(rule: ValueShape): Generator<string> {
  if (!rule.value === !rule.from) yield 'give one of value and from';
  for (const key of ['join', 'call', 'table', 'absent'] as const) {
    if (rule[key] !== undefined && !rule.from) yield `"${key}" needs "from"`;
  }
  if (rule.table && !rule.unknown) {
    yield 'a table needs "unknown": error, pass, omit, or default VALUE';
  }
  for (const key of ['unknown', 'column'] as const) {
    if (rule[key] && !rule.table) yield `"${key}" needs a table`;
  }
}

const valueRule = z.strictObject(valueShape).superRefine((rule, context) => {
  for (const message of valueProblems(rule)) context.addIssue({ code: 'custom', message });
});
export type FeedValue = z.output<typeof valueRule>;

const actions = ['set', 'copy', 'remove', 'add', 'edit', 'rules'] as const;

/** The keys of a rule that belong together, or apart. */
interface RuleShape extends ValueShape {
  set?: string;
  copy?: string;
  to?: string;
  remove?: string[];
  add?: string;
  after?: string;
  fields?: object;
  edit?: string;
  each?: string;
  when?: Condition;
  unless?: Condition;
  rules?: unknown[];
}

function* ruleProblems(rule: RuleShape): Generator<string> {
  const given = actions.filter((key) => rule[key] !== undefined);
  if (given.length !== 1) return yield `give one of ${actions.join(', ')}`;
  if (rule.set) yield* valueProblems(rule);
  for (const key of Object.keys(valueShape) as (keyof ValueShape)[]) {
    if (rule[key] !== undefined && !rule.set) yield `"${key}" needs "set"`;
  }
  if (!rule.copy !== !rule.to) yield '"copy" and "to" go together';
  if (!rule.add !== !rule.fields) yield '"add" and "fields" go together';
  if (rule.after && !rule.add) yield '"after" needs "add"';
  if (rule.rules && !rule.each && !rule.when && !rule.unless) {
    yield '"rules" needs each, when or unless';
  }
  const taken = [rule.add, ...(rule.remove ?? [])];
  if (taken.some((at) => /^MSH(\[|$)/.test(at ?? ''))) yield 'a message has one MSH, which stays';
  if (taken.some((at) => /^MSH-(1|2|18)\b/.test(at ?? ''))) yield 'MSH-1, MSH-2 and MSH-18 stay';
}

export const feedRule = z
  .strictObject({
    set: written
      .optional()
      .meta({ description: 'the place that gets a value, by `value` or `from`' }),
    // By name: a spread would have to know the type of `rules`.
    value: valueShape.value,
    from: valueShape.from,
    join: valueShape.join,
    call: valueShape.call,
    table: valueShape.table,
    column: valueShape.column,
    unknown: valueShape.unknown,
    absent: valueShape.absent,
    copy: place.optional().meta({ description: 'what is copied as it is written, to `to`' }),
    to: written.optional().meta({ description: 'where the copy goes' }),
    remove: z.array(anyPath).min(1).optional().meta({
      description:
        'segments (NK1 every one, NK1[2] the second), a repetition, or the content of a field',
    }),
    add: path(aSegment).optional().meta({ description: 'a new segment, with `fields`' }),
    after: path(aSegment)
      .optional()
      .meta({ description: 'what it stands behind; the last segment unless told' }),
    fields: z
      .record(z.string().regex(/^\d{1,3}(\.\d{1,2}){0,2}$/, 'write 3, or 3.1'), valueRule)
      .optional()
      .meta({ description: 'the fields of the new segment: `3`, or `3.1`' }),
    edit: text.optional().meta({ description: './file.ts#function, which edits the message' }),
    each: anyPath.optional().meta({
      description:
        'once for each segment of this name, or each repetition of this field, the last first; places in the rule mean that one',
    }),
    when: condition.optional().meta({ description: 'only where all of this holds' }),
    unless: condition.optional().meta({ description: 'not where all of this holds' }),
    get rules() {
      return z.array(feedRule).min(1).optional().meta({
        description: 'several rules under one `each`, `when` or `unless`',
      });
    },
  })
  .superRefine((rule, context) => {
    for (const message of ruleProblems(rule)) context.addIssue({ code: 'custom', message });
  });
export type FeedRule = z.output<typeof feedRule>;

export const feedFile = z.strictObject({
  feed: text.meta({ description: 'name of the mapping; the name of its file' }),
  description: text.optional().meta({ description: 'one sentence for the people who run it' }),
  rules: z.array(feedRule).min(1).meta({ description: 'applied in this order' }),
});
export type FeedFile = z.output<typeof feedFile>;

/** Put the short forms into their long ones, in place: one of several where a list may stand. */
export function expandFeedForms(value: unknown): void {
  const root = object(value);
  if (root) expandRules(root.rules);
}

type Json = Record<string, unknown>;
const object = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : undefined;

function expandRules(rules: unknown): void {
  for (const one of Array.isArray(rules) ? rules : []) {
    const rule = object(one);
    if (!rule) continue;
    for (const key of ['from', 'remove']) {
      if (typeof rule[key] === 'string') rule[key] = [rule[key]];
    }
    const fields = object(rule.fields);
    for (const name in fields) {
      if (typeof fields[name] === 'string') fields[name] = { from: [fields[name]] };
      const value = object(fields[name]);
      if (value && typeof value.from === 'string') value.from = [value.from];
    }
    expandRules(rule.rules);
  }
}
