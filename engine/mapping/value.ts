/** One value rule compiled to a closure: from source elements to text or components, with provenance. */
import { FaultError } from '../faults.ts';
import type { Repetition } from '../hl7/segment.ts';
import type { Path } from './condition.ts';
import { type ReadingScope, noteReads } from './coverage.ts';
import { type Values, textOf } from './evaluate.ts';
import {
  type Library,
  type Made,
  type MappingFunction,
  type Place,
  below,
  findFunction,
  report,
  ruleAt,
  suggestion,
} from './library.ts';
import { type Produced, leafProducer, traceOf } from './leaf.ts';
import { compileAt, placesOf } from './paths.ts';
import type { ValueRule } from './rules.ts';
import { type Scope, codedOnce, focusOn, leave } from './scope.ts';

export type Produce = (scope: Scope) => Produced[];

export interface CompiledValue {
  produce: Produce;
  /** Set where the rule is a path and nothing else, which most are: see `plainText`. */
  plain?: Path;
}

/** The text of a plain rule where it is one text; anything else, and any trace, takes `produce`. */
export function plainText({ plain }: CompiledValue, scope: Scope): string | undefined {
  if (!plain || scope.run.options.trace) return undefined;
  const values = plain.values(scope.focus, scope.variables);
  const [value] = values;
  return values.length === 1 && typeof value === 'string' && value !== '' ? value : undefined;
}

/** Compile a value rule. Findings go to the library; the closure then gives nothing. */
export function compileValue(
  rule: ValueRule,
  place: Place,
  library: Library,
  reading: ReadingScope,
): CompiledValue {
  const at = ruleAt(place);
  const { type } = rule;
  if (rule.value !== undefined) {
    const made = rule.value;
    return { produce: (scope) => [{ made, type, traces: traceOf(scope, at, 'constant') }] };
  }
  if (rule.first) return firstOf(rule.first, below(place, 'first'), library, reading);
  const key = rule.coded !== undefined ? 'coded' : 'from';
  const sources = rule.coded !== undefined ? [rule.coded] : (rule.from ?? []);
  const paths: Path[] = [];
  const read = sources.flatMap((source) => {
    const path = compileAt(source, below(place, key), library, reading);
    if (!path) return [];
    paths.push(path);
    return path.expression ? noteReads(path.expression, reading) : [];
  });
  const label = sources[0]?.replaceAll('%', '') ?? '';

  let each: Each;
  if (rule.coded !== undefined) {
    for (const one of read) one.whole = true;
    each = codedProducer(label, at);
  } else if (rule.as ?? rule.components) {
    const focus = rule.from ? read : [...reading.focus];
    each = composite(rule, place, library, { ...reading, focus }, label);
  } else {
    for (const one of read) one[rule.call ? 'whole' : 'value'] = true;
    // Joined values have their prefix once, before all of them.
    const one = rule.join === undefined ? rule : { ...rule, prefix: undefined };
    each = leafProducer(one, place, library, label);
  }
  const call = rule.call ? findFunction(library, rule.call, below(place, 'call')) : undefined;
  const { absent, join, prefix = '' } = rule;
  const isPlain = Object.keys(rule).every((name) => name === 'from' || name === 'repeat');
  const plain = isPlain && paths.length === 1 ? paths[0] : undefined;

  const begins = !rule.from && !rule.coded;
  const produce: Produce = (scope) => {
    let values: Values = begins ? scope.focus : nothing;
    let places = begins ? [scope.at] : untraced;
    for (const path of paths) {
      values = path.values(scope.focus, scope.variables);
      if (values.length === 0) continue;
      if (scope.run.options.trace) places = placesOf(path, scope);
      break;
    }
    if (call && values.length > 0) {
      values = callSafely(call, values, scope, at);
      // Each result may come from every value the function was given.
      places = [places.join(', ')];
    }
    if (values.length === 0) {
      if (absent === undefined) return noValue;
      return [{ made: absent, traces: traceOf(scope, at, 'constant: absent') }];
    }
    const produced: Produced[] = [];
    for (let i = 0; i < values.length; i++) {
      const result = each(values[i], places[i] ?? places[0] ?? scope.at, scope);
      if (result) produced.push(type === undefined ? result : { ...result, type });
    }
    const [first] = produced;
    if (join === undefined || !first) return produced;
    const made = prefix + produced.map((one) => String(one.made)).join(join);
    return [{ ...first, made, traces: produced.flatMap((one) => one.traces) }];
  };
  return { produce, plain };
}

/** The first of several rules that gives anything. */
function firstOf(
  rules: readonly ValueRule[],
  place: Place,
  library: Library,
  reading: ReadingScope,
): CompiledValue {
  const values = rules.map((rule, i) => compileValue(rule, below(place, i), library, reading));
  return {
    produce: (scope) => {
      for (const { produce } of values) {
        const produced = produce(scope);
        if (produced.length > 0) return produced;
      }
      return noValue;
    },
  };
}

/** Makes one value; its place is empty without a trace. */
type Each = (value: unknown, place: string, scope: Scope) => Produced | undefined;

const nothing: Values = [];
const noValue: Produced[] = [];
const untraced: string[] = [];

function callSafely(
  call: MappingFunction,
  values: Values,
  scope: Scope,
  at: string,
): readonly Made[] {
  const { resource, run } = scope;
  try {
    return call(values, { resource, record: run.record, now: run.options.now });
  } catch (cause) {
    throw new FaultError(
      { name: 'mappingFailed', detail: `the function of ${at} failed` },
      { cause },
    );
  }
}

function codedProducer(label: string, rule: string): Each {
  return (value, place, scope) => {
    const coded = codedOnce(scope.run, value);
    if (!coded) {
      leave(scope, label, JSON.stringify(value), rule, place);
      return undefined;
    }
    if (coded.notes.length > 0) scope.unsaid.set(value, { label, rule, place });
    const traces = scope.run.options.trace
      ? coded.components.flatMap((component, i) =>
          component === undefined
            ? []
            : [{ component: String(i + 1), rule, source: `${place}.${coded.sources[i]}` }],
        )
      : [];
    return { made: coded.components, type: 'CE', traces };
  };
}

/** Components, each by its own rule; their paths begin at the value. */
function composite(
  rule: ValueRule,
  place: Place,
  library: Library,
  reading: ReadingScope,
  label: string,
): Each {
  let components = rule.components;
  let at = below(place, 'components');
  if (rule.as) {
    const { source, file } = library.types;
    components = file.types[rule.as];
    at = { source, path: ['types', rule.as] };
    if (!components) {
      const near = suggestion(rule.as, Object.keys(file.types));
      report(library, below(place, 'as'), `there is no type "${rule.as}" in datatypes.yaml${near}`);
    }
  }
  const parts = Object.entries(components ?? {}).map(([number, part]) => {
    const steps = number.split('.').map(Number);
    if (!/^\d+(\.\d+)?$/.test(number) || steps.some((step) => step < 1)) {
      report(library, below(at, number), `"${number}" is no component number such as 4 or 4.2`);
    }
    const [component = 1, sub] = steps;
    const of = part.from?.[0] ?? part.coded ?? `${rule.as ?? ''}.${number}`;
    return {
      component,
      sub,
      number,
      label: `${label} ${of}`,
      value: compileValue(part, below(at, number), library, reading),
    };
  });
  const ruleName = ruleAt(place);
  const make: Each = (source, where, outer) => {
    const scope = focusOn(outer, source, where);
    const made: Repetition = [];
    const traces: { component: string; rule: string; source: string }[] = [];
    for (const { component, sub, number, label: leftLabel, value } of parts) {
      const text = plainText(value, scope);
      if (text !== undefined) {
        putComponent(made, component, sub, text);
        continue;
      }
      const produced = value.produce(scope);
      const [first] = produced;
      if (!first) continue;
      for (const other of produced.slice(1)) {
        leave(outer, leftLabel, String(other.made), ruleName, other.traces[0]?.source);
      }
      putComponent(made, component, sub, first.made);
      if (outer.run.options.trace) {
        for (const one of first.traces) {
          const suffix = one.component ? `.${one.component}` : '';
          traces.push({ ...one, component: number + suffix });
        }
      }
    }
    if (made.length > 0) return { made, type: rule.as, traces };
    if (rule.from) leave(outer, label, textOf(source) ?? shownAs(source), ruleName, where);
    return undefined;
  };
  return rule.as ? onceEach(rule.as, make) : make;
}

/** One person signs many items: what a type made of a value is kept, unless something was left. */
function onceEach(type: string, make: Each): Each {
  return (value, place, scope) => {
    const { options, typed } = scope.run;
    if (options.trace) return make(value, place, scope);
    let made = typed.get(type);
    if (!made) typed.set(type, (made = new Map()));
    const held = made.get(value);
    if (held) return held;
    const before = scope.run.left;
    const produced = make(value, place, scope);
    if (produced && scope.run.left === before) made.set(value, produced);
    return produced;
  };
}

/** A resource that gave nothing is named; anything else is shown as it is. */
function shownAs(value: unknown): string {
  const { resourceType, id } = value as { resourceType?: unknown; id?: unknown };
  return typeof resourceType === 'string' ? `${resourceType}/${String(id)}` : JSON.stringify(value);
}

function putComponent(
  made: Repetition,
  component: number,
  sub: number | undefined,
  value: Made,
): void {
  if (sub === undefined) {
    made[component - 1] =
      typeof value === 'string'
        ? value
        : value.map((one) => (typeof one === 'string' ? one : one?.[0]));
    return;
  }
  const held = made[component - 1];
  const parts = Array.isArray(held) ? held : [held];
  parts[sub - 1] = typeof value === 'string' ? value : undefined;
  made[component - 1] = parts;
}
