/** Conditions on a message as a person writes them to look for some: `PID-3=*123`, `PV1-2!=I`. */
import type { Message } from './message.ts';
import { parsePath } from './path.ts';

/** A place and what is to stand there: `PID-3` `*123`. */
export interface Where {
  path: string;
  /** `*` stands for any text, `?` for any character. */
  pattern: string;
  /** It must not. */
  not: boolean;
}

/** @returns undefined where the text is no condition: no place, or nothing to compare it with */
export function readWhere(text: string): Where | undefined {
  const [, path, not, pattern] = /^([^=!]+)(!?)=(.*)$/s.exec(text) ?? [];
  if (path === undefined || pattern === undefined) return undefined;
  return { path: path.trim(), pattern: pattern.trim(), not: not === '!' };
}

/**
 * Whether all of it holds of a message, in capitals or not.
 * @throws Error where a place is none; it names the place, and not what it is compared with
 */
export function holding(where: readonly Where[]): (message: Message) => boolean {
  const conditions = where.map(({ path, pattern, not }) => {
    const { field } = parsePath(path);
    if (field === undefined) throw new Error(`"${path}" names a segment, not a field`);
    const expression = globOf(pattern);
    return (message: Message) =>
      valuesAt(message, path).some((value) => expression.test(value)) !== not;
  });
  return (message) => conditions.every((holds) => holds(message));
}

/** A pattern as an expression, in capitals or not. */
function globOf(pattern: string): RegExp {
  const escaped = pattern.replace(/[\\^$.+()[\]{}|]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'is');
}

/** What may be meant by a place: all of it, or the first component of any of its repetitions. */
function valuesAt(message: Message, path: string): string[] {
  const { segment, field, repetition, component } = parsePath(path);
  const found: (string | undefined)[] = [];
  for (let occurrence = 1; occurrence <= Math.max(1, message.count(segment)); occurrence++) {
    const place = path.includes('[') ? path : path.replace(segment, `${segment}[${occurrence}]`);
    found.push(message.raw(place), message.get(place));
    if (repetition !== undefined || component !== undefined) continue;
    for (let number = 1; number <= message.repetitions(place); number++) {
      found.push(message.get(`${segment}[${occurrence}]-${field}[${number}]`));
    }
  }
  return found.map((value) => value ?? '');
}
