/**
 * Which elements the rules of a mapping read. An element of an answered resource that no rule
 * reads, and that no row of `not-carried` names, is reported: nothing is dropped in silence.
 */
import { extensionName, textOf } from './evaluate.ts';
import type { Expression } from './expression.ts';
import type { Resource } from './record.ts';

/** What is read below one element. */
export interface Reading {
  /** Tells readings apart. */
  id: number;
  children: Map<string, Reading>;
  /** Its value is read, as far as it is text. */
  value: boolean;
  /** The whole element is read (a coded element, a function's argument). */
  whole: boolean;
}

let readings = 0;

export const createReading = (): Reading => ({
  id: ++readings,
  children: new Map(),
  value: false,
  whole: false,
});

/** Where the paths of a rule begin. */
export interface ReadingScope {
  focus: readonly Reading[];
  variables: ReadonlyMap<string, Reading>;
}

/** Note what an expression reads; gives what its result stands for. */
export function noteReads(expression: Expression, scope: ReadingScope): Reading[] {
  switch (expression.kind) {
    case 'focus':
      return [...scope.focus];
    case 'variable': {
      const reading = scope.variables.get(expression.name);
      return reading ? [reading] : [];
    }
    case 'name':
      return noteReads(expression.of, scope).map((one) => childOf(one, expression.name));
    case 'ext':
      return noteReads(expression.of, scope).map((one) =>
        childOf(one, `ext(${extensionName(expression.name)})`),
      );
    case 'where': {
      const focus = noteReads(expression.of, scope);
      noteReads(expression.condition, { ...scope, focus });
      return focus;
    }
    case 'index':
    case 'skip':
      return noteReads(expression.of, scope);
    case 'call': {
      const read = noteReads(expression.of, scope);
      if (['first', 'last', 'tail'].includes(expression.call)) return read;
      for (const one of read) one.value = true;
      return [];
    }
    case 'binary': {
      const read = [expression.left, expression.right].flatMap((side) => noteReads(side, scope));
      if (expression.operator === '|') return read;
      for (const one of read) one.value = true;
      return [];
    }
    default:
      return [];
  }
}

function childOf(reading: Reading, name: string): Reading {
  let child = reading.children.get(name);
  if (!child) {
    child = createReading();
    reading.children.set(name, child);
  }
  return child;
}

/** Note an element by its dotted path, as `not-carried` writes it: `meta.profile`, `ext(Name)`. */
export function noteWhole(reading: Reading, path: string): void {
  let at = reading;
  for (const name of path.split('.')) at = childOf(at, name);
  at.whole = true;
}

/** The union of several readings. */
export function mergeReadings(readings: readonly Reading[]): Reading {
  const merged = createReading();
  for (const { children, value, whole } of readings) {
    merged.value ||= value;
    merged.whole ||= whole;
    for (const name of children.keys()) {
      if (merged.children.has(name)) continue;
      const same = readings.flatMap((one) => one.children.get(name) ?? []);
      merged.children.set(name, mergeReadings(same));
    }
  }
  return merged;
}

/** An element that no rule reads, by its path: `AllergyIntolerance.onsetAge`. */
export interface Unread {
  path: string;
  value: unknown;
}

/** The elements of a resource that its rules do not read. */
export function unreadElements(resource: Resource, reading: Reading): Unread[] {
  const found: Unread[] = [];
  if (!reading.whole) walk(resource, reading, { names: [resource.resourceType], found });
  return found;
}

/** Where a walk is: names are joined for the few elements alone that nobody reads. */
interface Walk {
  names: string[];
  found: Unread[];
}

function walk(value: Record<string, unknown>, reading: Reading, at: Walk, isExtension = false) {
  const isResource = at.names.length === 1;
  for (const name in value) {
    const child = value[name];
    if (child === null || child === undefined) continue;
    // These only say which resource it is; what is contained is carried by whatever refers to it.
    if (isResource && (name === 'resourceType' || name === 'id' || name === 'contained')) continue;
    if (name === 'extension') {
      for (const one of Array.isArray(child) ? (child as unknown[]) : [child]) {
        if (!isObject(one)) continue;
        const url = typeof one.url === 'string' ? one.url : '';
        walkElement(one, reading, `ext(${extensionName(url)})`, at, true);
      }
    } else if (isExtension && name === 'url') continue;
    else if (!Array.isArray(child)) walkElement(child, reading, name, at);
    else for (const one of child as unknown[]) walkElement(one, reading, name, at);
  }
}

function walkElement(
  value: unknown,
  parent: Reading,
  name: string,
  at: Walk,
  isExtension = false,
): void {
  const reading = parent.children.get(name);
  if (reading?.whole) return;
  if (reading && isObject(value)) {
    at.names.push(name);
    walk(value, reading, at, isExtension);
    at.names.pop();
  } else if (!reading?.value) at.found.push({ path: [...at.names, name].join('.'), value });
}

/** Every text, number and truth value in an element, each with its path. */
export function leavesBelow({ path, value }: Unread): { path: string; text: string }[] {
  if (Array.isArray(value))
    return value.flatMap((one: unknown) => leavesBelow({ path, value: one }));
  if (!isObject(value)) {
    const text = textOf(value);
    return text === undefined ? [] : [{ path, text }];
  }
  const names = Object.keys(value).filter((name) => !(name === 'url' && path.endsWith(')')));
  return names.flatMap((name) => leavesBelow({ path: `${path}.${name}`, value: value[name] }));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
