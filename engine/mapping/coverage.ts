/**
 * Which elements the rules of a mapping read. An element of an answered resource that no rule
 * reads, and that no `leave` entry names, is reported: nothing is dropped in silence.
 */
import { extensionName } from './evaluate.ts';
import type { Expression } from './expression.ts';
import type { Resource } from './record.ts';

/** What is read below one element. */
export interface Reading {
  children: Map<string, Reading>;
  /** Its value is read, as far as it is text. */
  value: boolean;
  /** The whole element is read (a coded element, a function's argument). */
  whole: boolean;
}

export const createReading = (): Reading => ({
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

/** Note an element by its dotted path, as `leave` writes it: `meta.profile`, `ext(Name)`. */
export function noteWhole(reading: Reading, path: string): void {
  let at = reading;
  for (const name of path.split('.')) at = childOf(at, name);
  at.whole = true;
}

/**
 * The elements of a resource that nothing reads, as paths without values.
 * @param readings what rules read of it, and what is left on purpose for its type
 */
export function unreadElements(resource: Resource, readings: readonly Reading[]): string[] {
  const found: string[] = [];
  walk(resource, readings, resource.resourceType, found);
  return found;
}

/** Names that only say what a resource is. */
const structure: ReadonlySet<string> = new Set(['resourceType', 'id', 'contained']);

function walk(value: object, readings: readonly Reading[], path: string, found: string[]): void {
  for (const [name, child] of Object.entries(value)) {
    if (child === null || child === undefined || isStructure(name, path)) continue;
    const values: unknown[] = Array.isArray(child) ? child : [child];
    if (name === 'extension') {
      for (const one of values) walkExtension(one, readings, path, found);
    } else {
      const below = readingsOf(readings, name);
      if (below.some((one) => one.whole)) continue;
      const here = `${path}.${name}`;
      const isRead = below.some((one) => one.value);
      for (const one of values) {
        if (isObject(one) && below.length > 0) walk(one, below, here, found);
        else if (!isRead) found.push(here);
      }
    }
  }
}

function isStructure(name: string, path: string): boolean {
  return !path.includes('.') && structure.has(name);
}

function walkExtension(
  extension: unknown,
  readings: readonly Reading[],
  path: string,
  found: string[],
): void {
  if (!isObject(extension)) return;
  const name = `ext(${extensionName(typeof extension.url === 'string' ? extension.url : '')})`;
  const below = readingsOf(readings, name);
  if (below.some((one) => one.whole)) return;
  const here = `${path}.${name}`;
  if (below.length === 0) found.push(here);
  else
    walk(
      Object.fromEntries(Object.entries(extension).filter(([key]) => key !== 'url')),
      below,
      here,
      found,
    );
}

function readingsOf(readings: readonly Reading[], name: string): Reading[] {
  const found: Reading[] = [];
  for (const reading of readings) {
    const child = reading.children.get(name);
    if (child) found.push(child);
  }
  return found;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
