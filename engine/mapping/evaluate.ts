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
      const of = compileExpression(expression.of);
      const { name } = expression;
      return (focus, variables) => member(of(focus, variables), name);
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
      return (focus, variables) =>
        member(of(focus, variables), 'extension').filter((one) => isExtension(one, wanted));
    }
    case 'where': {
      const of = compileExpression(expression.of);
      const condition = compileExpression(expression.condition);
      return (focus, variables) =>
        of(focus, variables).filter((one) => truth(condition([one], variables)) === true);
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

/** The children of this name, arrays opened, absent ones left out. */
export function member(values: Values, name: string): Values {
  if (values.length === 0) return none;
  const found: unknown[] = [];
  for (const value of values) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) continue;
    const child = (value as Record<string, unknown>)[name];
    if (Array.isArray(child)) {
      for (const one of child) if (one !== null && one !== undefined) found.push(one);
    } else if (child !== null && child !== undefined) found.push(child);
  }
  return found;
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

/** The extensions of this name, for expressions that the `fhirpath` package evaluates. */
export function ext(values: Values, name: string): Values {
  const wanted = extensionName(name);
  return member(values, 'extension').filter((one) => isExtension(one, wanted));
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
  }
}

const operators = {
  '|': (left: Values, right: Values): Values => distinct([...left, ...right]),
  '=': (left: Values, right: Values): Values => logical(equal(left, right)),
  '!=': (left: Values, right: Values): Values => logical(negate(equal(left, right))),
  in: (left: Values, right: Values): Values => {
    if (left.length === 0) return none;
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
export function distinct(values: Values): Values {
  return values.filter((one, i) => values.findIndex((other) => same(one, other)) === i);
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
