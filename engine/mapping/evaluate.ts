/** Simple FHIRPath as closures: property walks over plain JSON, one closure a step. */
import type { Call, Expression } from './expression.ts';

export type Values = readonly unknown[];
/** What `%name` stands for. */
export type Variables = Readonly<Record<string, Values>>;
export type Evaluate = (focus: Values, variables: Variables) => Values;

/** A collection where one value was needed (FHIRPath §4.5, singleton evaluation). */
export class NotOneValue extends Error {}

const none: Values = [];
const yes: Values = [true];
const no: Values = [false];

/** Compile a simple expression. The closures never change what they read. */
export function compileExpression(expression: Expression): Evaluate {
  switch (expression.kind) {
    case 'focus':
      return (focus) => focus;
    case 'nothing':
      return () => none;
    case 'literal': {
      const value = [expression.value];
      return () => value;
    }
    case 'variable': {
      const { name } = expression;
      return (_focus, variables) => variables[name] ?? none;
    }
    case 'name': {
      return compileWalk(expression);
    }
    case 'index': {
      const of = compileExpression(expression.of);
      const { index } = expression;
      return (focus, variables) => {
        const values = of(focus, variables);
        return index < values.length ? [values[index]] : none;
      };
    }
    case 'skip': {
      const of = compileExpression(expression.of);
      const { count } = expression;
      return (focus, variables) => of(focus, variables).slice(count);
    }
    case 'ext': {
      const of = compileExpression(expression.of);
      const wanted = extensionName(expression.name);
      return (focus, variables) => extensionsOf(of(focus, variables), wanted);
    }
    case 'where': {
      const of = compileExpression(expression.of);
      const condition = compileExpression(expression.condition);
      return (focus, variables) => {
        let found: unknown[] | undefined;
        for (const one of of(focus, variables)) {
          const focused = [one];
          if (truth(condition(focused, variables)) !== true) continue;
          if (found) found.push(one);
          else found = focused;
        }
        return found ?? none;
      };
    }
    case 'call':
      return called(expression.call, compileExpression(expression.of));
    case 'binary': {
      const left = compileExpression(expression.left);
      const right = compileExpression(expression.right);
      const combine = operators[expression.operator];
      return (focus, variables) => combine(left(focus, variables), right(focus, variables));
    }
  }
}

/** A chain of names is one walk: `dispenseRequest.quantity.value` makes no lists on its way. */
function compileWalk(expression: Expression): Evaluate {
  const names: string[] = [];
  let base = expression;
  for (; base.kind === 'name'; base = base.of) names.unshift(base.name);
  const of = compileExpression(base);
  return (focus, variables) => {
    const values = of(focus, variables);
    if (values.length === 0) return none;
    let found: unknown[] | undefined;
    for (const value of values) found = walk(value, names, 0, found);
    return found ?? none;
  };
}

function walk(value: unknown, names: readonly string[], at: number, found?: unknown[]) {
  let current = value;
  let step = at;
  for (let name = names[step]; name !== undefined; name = names[++step]) {
    if (typeof current !== 'object' || current === null) return found;
    const child = (current as Record<string, unknown>)[name];
    if (Array.isArray(child)) {
      let all = found;
      for (const one of child as unknown[]) all = walk(one, names, step + 1, all);
      return all;
    }
    current = child;
  }
  if (current === null || current === undefined) return found;
  if (!found) return [current];
  found.push(current);
  return found;
}

/** The children of this name, arrays opened, absent ones left out. */
export function member(values: Values, name: string): Values {
  let found: unknown[] | undefined;
  for (const value of values) {
    if (typeof value !== 'object' || value === null) continue;
    const child = (value as Record<string, unknown>)[name];
    if (child === null || child === undefined) continue;
    for (const one of Array.isArray(child) ? (child as unknown[]) : [child]) {
      if (one === null || one === undefined) continue;
      // A list that begins with its first value takes a tenth of the room of one that begins empty.
      if (found) found.push(one);
      else found = [one];
    }
  }
  return found ?? none;
}

/** One child of one value, where only one is looked at: the first. */
export function child(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = (value as Record<string, unknown>)[name];
  return Array.isArray(found) ? (found as unknown[])[0] : found;
}

/** A primitive as text; undefined for nothing, empty text and anything that is no primitive. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

const extensionNames = new Map<string, string>();

/**
 * What an extension is called, whatever base, profile prefix and version its URL has: fhir.nhs.uk
 * and fhir.hl7.org.uk URLs of the same extension occur side by side, with and without `GPC-`.
 */
export function extensionName(url: string): string {
  let name = extensionNames.get(url);
  if (name === undefined) {
    name = url
      .slice(url.lastIndexOf('/') + 1)
      .replace(/^Extension-/, '')
      .replace(/^CareConnect-/, '')
      .replace(/^GPC-/, '')
      .replace(/-\d+$/, '');
    if (extensionNames.size > 1000) extensionNames.clear();
    extensionNames.set(url, name);
  }
  return name;
}

function isExtension(value: unknown, wanted: string): boolean {
  const url = (value as { url?: unknown } | null)?.url;
  return typeof url === 'string' && extensionName(url) === wanted;
}

function extensionsOf(values: Values, wanted: string): Values {
  let found: unknown[] | undefined;
  for (const value of values) {
    const extensions = (value as { extension?: unknown } | null | undefined)?.extension;
    if (!Array.isArray(extensions)) continue;
    for (const one of extensions as unknown[]) {
      if (!isExtension(one, wanted)) continue;
      if (found) found.push(one);
      else found = [one];
    }
  }
  return found ?? none;
}

/** The extensions of this name, for expressions that the `fhirpath` package evaluates. */
export function ext(values: Values, name: string): Values {
  return extensionsOf(values, extensionName(name));
}

/** True, false, or undefined for nothing (FHIRPath's three-valued logic). */
export function truth(values: Values): boolean | undefined {
  if (values.length === 0) return undefined;
  if (values.length > 1) throw new NotOneValue('one value was expected, several were found');
  const [value] = values;
  return typeof value === 'boolean' ? value : true;
}

function called(call: Call, of: Evaluate): Evaluate {
  switch (call) {
    case 'exists':
      return (focus, variables) => (of(focus, variables).length > 0 ? yes : no);
    case 'empty':
      return (focus, variables) => (of(focus, variables).length > 0 ? no : yes);
    case 'not':
      return (focus, variables) => logical(negate(truth(of(focus, variables))));
    case 'first':
      return (focus, variables) => of(focus, variables).slice(0, 1);
    case 'last':
      return (focus, variables) => of(focus, variables).slice(-1);
    case 'tail':
      return (focus, variables) => of(focus, variables).slice(1);
    case 'resolve':
      return (focus, variables) => resolved(of(focus, variables), variables);
  }
}

/** What `resolve()` looks references up in: the variable that holds it, which no rule can name. */
export const recordVariable = 'the record';

interface References {
  resolve(reference: string, holder?: unknown): unknown;
}

/** The resources that references lead to (FHIRPath for FHIR STU3, `resolve`); others give nothing. */
function resolved(values: Values, variables: Variables): Values {
  const [record] = variables[recordVariable] ?? [];
  const [holder] = variables.resource ?? [];
  return values.flatMap((value) => {
    const reference = textOf(typeof value === 'string' ? value : child(value, 'reference'));
    if (reference === undefined || record === undefined) return [];
    return (record as References).resolve(reference, holder) ?? [];
  });
}

const operators = {
  '|': (left: Values, right: Values): Values => {
    if (left.length + right.length < 2) return left.length > 0 ? left : right;
    const [first] = left.length > 0 ? left : right;
    return addNew(addNew([first], left), right);
  },
  '=': (left: Values, right: Values): Values => logical(equal(left, right)),
  '!=': (left: Values, right: Values): Values => logical(negate(equal(left, right))),
  in: (left: Values, right: Values): Values => {
    if (left.length === 0) return none;
    if (right.length === 0) return no;
    if (left.length > 1) throw new NotOneValue('one value was expected before "in"');
    return right.some((one) => same(one, left[0])) ? yes : no;
  },
  and: (left: Values, right: Values): Values => {
    const [a, b] = [truth(left), truth(right)];
    return a === false || b === false ? no : a && b ? yes : none;
  },
  or: (left: Values, right: Values): Values => {
    const [a, b] = [truth(left), truth(right)];
    return a || b ? yes : a === false && b === false ? no : none;
  },
};

const logical = (value: boolean | undefined): Values =>
  value === undefined ? none : value ? yes : no;
const negate = (value: boolean | undefined) => (value === undefined ? undefined : !value);

function equal(left: Values, right: Values): boolean | undefined {
  if (left.length === 0 || right.length === 0) return undefined;
  return left.length === right.length && left.every((one, i) => same(one, right[i]));
}

/** The values without repeats, in order. */
export const distinct = (values: Values): Values => addNew([], values);

/** Add the values that are not there yet. */
function addNew(known: unknown[], values: Values): unknown[] {
  for (const value of values) {
    let at = 0;
    while (at < known.length && !same(known[at], value)) at++;
    if (at === known.length) known.push(value);
  }
  return known;
}

/** The same JSON, whatever the order of members. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) =>
        Object.hasOwn(b, key) &&
        same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  );
}
