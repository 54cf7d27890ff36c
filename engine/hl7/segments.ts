/** The segments of one message: found by name and occurrence, replaced without touching the rest. */
import type { MessageWarning } from './header.ts';
import { longestName, segmentName } from './path.ts';
import { splitSegments } from './split.ts';
import type { Split } from './split.ts';

/** Segments are numbered from 0 in the order in which they stand. */
export interface Segments extends Split {
  /** Byte text, starting with `MSH`; never changed. */
  body: string;
  separator: string;
  /** The text now of the segments that were replaced. */
  edits: Map<number, string> | undefined;
  byName: Map<string, number[]> | undefined;
}

/**
 * @param body byte text, starting with `MSH`
 * @param separator MSH-1
 */
export function createSegments(body: string, separator: string): Segments {
  const { starts, ends, lineFeeds, blankLines, unterminated } = splitSegments(body, separator);
  return {
    body,
    separator,
    starts,
    ends,
    lineFeeds,
    blankLines,
    unterminated,
    edits: undefined,
    byName: undefined,
  };
}

/** The name of a segment; `''` for a line that begins with none. A replacement keeps the name. */
export function nameOf({ body, separator, starts, ends }: Segments, number: number): string {
  const start = starts[number] ?? 0;
  const head = body.slice(start, Math.min(ends[number] ?? 0, start + longestName + 1));
  const separated = head.indexOf(separator);
  const name = separated < 0 ? head : head.slice(0, separated);
  return segmentName.test(name) ? name : '';
}

/** The names of all segments, in order. */
export function namesOf(segments: Segments): string[] {
  return segments.starts.map((_, number) => nameOf(segments, number));
}

/** The numbers of the segments of this name, in order. */
export function findAll(segments: Segments, name: string): readonly number[] {
  if (!segments.byName) {
    segments.byName = new Map();
    for (let number = 0; number < segments.starts.length; number++) {
      const key = nameOf(segments, number);
      const same = segments.byName.get(key);
      if (same) same.push(number);
      else segments.byName.set(key, [number]);
    }
  }
  return segments.byName.get(name) ?? [];
}

/** The number of the segment of this name and 1-based occurrence. */
export function find(segments: Segments, name: string, occurrence: number): number | undefined {
  if (occurrence > 1 || segments.byName) return findAll(segments, name)[occurrence - 1];
  const { body, separator, starts, ends } = segments;
  for (let number = 0; number < starts.length; number++) {
    const start = starts[number] ?? 0;
    if (!body.startsWith(name, start)) continue;
    const end = start + name.length;
    if (end === ends[number] || body.startsWith(separator, end)) return number;
  }
  return undefined;
}

/** A segment as it is now: byte text without terminator. */
export function textOf({ edits, body, starts, ends }: Segments, number: number): string {
  return edits?.get(number) ?? body.slice(starts[number], ends[number]);
}

/** Replace one segment's text. */
export function replace(segments: Segments, number: number, text: string): void {
  segments.edits ??= new Map();
  segments.edits.set(number, text);
}

/** The whole body as it is now. */
export function join({ edits, body, starts, ends }: Segments): string {
  if (!edits) return body;
  let text = '';
  let done = 0;
  for (const number of [...edits.keys()].sort((a, b) => a - b)) {
    text += body.slice(done, starts[number]) + (edits.get(number) ?? '');
    done = ends[number] ?? done;
  }
  return text + body.slice(done);
}

/** What ends a segment where it stands; CR where nothing does, and for a message of one segment. */
function terminatorAt({ body, ends }: Segments, number: number): string {
  return /^(?:\r\n?|\n)/.exec(body.slice(ends[number], (ends[number] ?? 0) + 2))?.[0] ?? '';
}

/**
 * The same message with one segment more, which has only its name, right behind segment `number`.
 * It is ended as the others are, and not at all where it now stands last in place of one that was
 * not.
 */
export function inserted(given: Segments, number: number, name: string): Segments {
  const segments = createSegments(join(given), given.separator);
  const { body, ends } = segments;
  const end = ends[number] ?? body.length;
  const terminator = terminatorAt(segments, number) || terminatorAt(segments, 0) || '\r';
  return createSegments(body.slice(0, end) + terminator + name + body.slice(end), given.separator);
}

/** The same message without segment `number` and what ended it, or else what ended the one before. */
export function removed(given: Segments, number: number): Segments {
  const segments = createSegments(join(given), given.separator);
  const { body, starts, ends } = segments;
  const terminator = terminatorAt(segments, number);
  const end = (ends[number] ?? body.length) + terminator.length;
  let start = starts[number] ?? 0;
  if (terminator === '' && number > 0) start -= terminatorAt(segments, number - 1).length;
  return createSegments(body.slice(0, start) + body.slice(end), given.separator);
}

/** What was tolerated in how the segments stand. */
export function structureWarnings(segments: Segments): MessageWarning[] {
  const { lineFeeds, blankLines, unterminated } = segments;
  const names = namesOf(segments);
  const warnings: MessageWarning[] = [];
  if (lineFeeds) warnings.push('lineFeeds');
  if (names.some((_, number) => textOf(segments, number).includes('\n'))) {
    warnings.push('lineFeedInside');
  }
  if (blankLines) warnings.push('blankLines');
  if (unterminated) warnings.push('noFinalTerminator');
  if (names.includes('')) warnings.push('segmentNameOdd');
  if (names.indexOf('MSH') !== names.lastIndexOf('MSH')) warnings.push('severalHeaders');
  return warnings;
}
