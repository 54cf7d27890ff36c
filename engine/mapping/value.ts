/** One value rule compiled to a closure: from source elements to text or components, with provenance. */
import { FaultError } from '../faults.ts';
import type { Repetition } from '../hl7/segment.ts';
import { codedElement } from './coded.ts';
import { type Path, compilePath } from './condition.ts';
import { type ReadingScope, noteReads } from './coverage.ts';
import { textOf } from './evaluate.ts';
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
import { type Found, type Produced, leafProducer, traceOf } from './leaf.ts';
import { locate } from './locate.ts';
import type { ValueRule } from './schema.ts';
import { type Scope, leave } from './scope.ts';

export type Produce = (scope: Scope) => Produced[];

/** Compile an expression and note what it reads; undefined, with a finding, where it is wrong. */
export function compileAt(
  source: string,
  place: Place,
  library: Library,
  reading: ReadingScope,
): Path | undefined {
  for (const [, name = ''] of source.matchAll(/%([A-Za-z_]\w*)/g)) {
    if (reading.variables.has(name)) continue;
    const known = [...reading.variables.keys()];
    report(
      library,
      place,
      `%${name} is not known here${suggestion(name, known)}`,
      `known: ${known.map((one) => `%${one}`).join(', ')}`,
    );
    return undefined;
  }
  try {
    return compilePath(source);
  } catch (error) {
    report(
      library,
      place,
      `"${source}" is not FHIRPath: ${(error as Error).message.split('\n')[0]}`,
    );
    return undefined;
  }
}

/** Compile a value rule. Findings go to the library; the closure then gives nothing. */
export function compileValue(
  rule: ValueRule,
  place: Place,
  library: Library,
  reading: ReadingScope,
): Produce {
  const at = ruleAt(place);
  if (rule.value !== undefined) {
    const made = rule.value;
    return (scope) => [{ made, traces: traceOf(scope, at, 'constant') }];
  }
  const key = rule.coded !== undefined ? 'coded' : 'from';
  const sources = rule.coded !== undefined ? [rule.coded] : (rule.from ?? []);
  const paths: Path[] = [];
  const read = sources.flatMap((source) => {
    const path = compileAt(source, below(place, key), library, reading);
    if (!path) return [];
    paths.push(path);
    return path.expression ? noteReads(path.expression, reading) : [];
  });
  const find = rule.from || rule.coded ? finder(paths) : (scope: Scope) => [here(scope)];
  const label = sources[0]?.replaceAll('%', '') ?? '';

  let each: (found: Found, scope: Scope) => Produced | undefined;
  if (rule.coded !== undefined) {
    for (const one of read) one.whole = true;
    each = codedProducer(label, at);
  } else if (rule.as ?? rule.components) {
    const focus = rule.from ? read : [...reading.focus];
    each = composite(rule, place, library, { ...reading, focus }, label);
  } else {
    for (const one of read) one[rule.call ? 'whole' : 'value'] = true;
    each = leafProducer(rule, place, library, label);
  }
  const call = rule.call ? findFunction(library, rule.call, below(place, 'call')) : undefined;
  const { absent, join } = rule;

  return (scope) => {
    let found = find(scope);
    if (call && found.length > 0) {
      const source = found[0]?.place ?? '';
      const made = callSafely(call, found, scope, at);
      found = made.map((value) => ({ value, place: source }));
    }
    if (found.length === 0) {
      if (absent === undefined) return [];
      return [{ made: absent, traces: traceOf(scope, at, 'constant: absent') }];
    }
    const produced: Produced[] = [];
    for (const one of found) {
      const result = each(one, scope);
      if (result) produced.push(result);
    }
    const [first, ...others] = produced;
    if (join === undefined || !first || others.length === 0) return produced;
    const made = produced.map((one) => String(one.made)).join(join);
    return [{ ...first, made, traces: produced.flatMap((one) => one.traces) }];
  };
}

const here = (scope: Scope): Found => ({ value: scope.focus[0], place: scope.at });

/** The values of the first path that has any. */
function finder(paths: readonly Path[]): (scope: Scope) => Found[] {
  return (scope) => {
    for (const path of paths) {
      const values = path.values(scope.focus, scope.variables);
      if (values.length === 0) continue;
      if (!scope.run.options.trace) return values.map((value) => ({ value, place: '' }));
      const places = placesOf(path, scope);
      return values.map((value, i) => ({ value, place: places[i] ?? `${scope.at}${path.source}` }));
    }
    return [];
  };
}

/** Where the values of a path stand, in their order. */
export function placesOf(path: Path, scope: Scope): string[] {
  if (!path.expression) return [];
  return locate(path.expression, {
    focus: scope.focus.map((value) => ({ value, path: scope.at })),
    variables: scope.variables,
    variable: (name) =>
      (scope.variables[name] ?? []).map((value) => ({
        value,
        path: scope.places[name] ?? `%${name}`,
      })),
  }).map((one) => one.path);
}

function callSafely(
  call: MappingFunction,
  found: readonly Found[],
  scope: Scope,
  at: string,
): readonly Made[] {
  const { resource, run } = scope;
  try {
    const values = found.map((one) => one.value);
    return call(values, { resource, record: run.record, now: run.options.now });
  } catch (cause) {
    throw new FaultError(
      { name: 'mappingFailed', detail: `the function of ${at} failed` },
      { cause },
    );
  }
}

function codedProducer(label: string, rule: string) {
  return ({ value, place }: Found, scope: Scope): Produced | undefined => {
    const coded = codedElement(value, scope.run.naming);
    if (!coded) {
      leave(scope, label, JSON.stringify(value), rule);
      return undefined;
    }
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
) {
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
    return {
      component,
      sub,
      number,
      produce: compileValue(part, below(at, number), library, reading),
    };
  });
  const name = rule.as ?? '';
  const ruleName = ruleAt(place);
  return ({ value, place: where }: Found, outer: Scope): Produced | undefined => {
    const scope: Scope = { ...outer, focus: [value], at: where };
    const made: Repetition = [];
    const traces: { component: string; rule: string; source: string }[] = [];
    for (const { component, sub, number, produce } of parts) {
      const [first, ...others] = produce(scope);
      if (!first) continue;
      for (const other of others)
        leave(outer, `${label} ${name}.${number}`, String(other.made), ruleName);
      putComponent(made, component, sub, first.made);
      if (outer.run.options.trace) {
        for (const one of first.traces) {
          const suffix = one.component ? `.${one.component}` : '';
          traces.push({ ...one, component: number + suffix });
        }
      }
    }
    if (made.length > 0) return { made, type: rule.as, traces };
    if (rule.from) leave(outer, label, textOf(value) ?? shownAs(value), ruleName);
    return undefined;
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
