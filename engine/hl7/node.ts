/**
 * Finds one node (field, repetition, component, sub-component) inside the text of one segment,
 * and says what has to be written before it where the segment ends too early.
 */
import type { Delimiters } from './delimiters.ts';
import type { Path } from './path.ts';

export interface Span {
  start: number;
  /** Exclusive. */
  end: number;
  /** Separators to write before a value at `start`; empty when the node is there. */
  missing: string;
}

/** MSH and the batch headers, whose field 1 is the separator itself (HL7 v2.5 §2.15.9.1). */
export function isHeader(segment: string): boolean {
  return segment.startsWith('MSH') || segment.startsWith('FHS') || segment.startsWith('BHS');
}

/**
 * Where a node lies.
 * @param segment the whole text of one segment, without its terminator
 * @param path `field` must be given; a level named without the ones above it means their first
 * @param leaf go down to the sub-component, taking 1 for each level that is not named
 * @returns undefined when the message has no separator for a level the path needs
 */
export function locate(
  segment: string,
  path: Path,
  delimiters: Delimiters,
  leaf: boolean,
): Span | undefined {
  const header = isHeader(segment) && segment.charAt(3) === delimiters.field;
  const number = path.field ?? 1;
  if (header && number <= 2) return locateDelimiters(segment, number, path, delimiters);
  const span: Span = { start: 0, end: segment.length, missing: '' };
  descend(segment, 0, span, delimiters.field, header ? number : number + 1);
  if (!leaf && path.repetition === undefined && path.component === undefined) return span;

  // From here on only this field is searched, however long the segment is.
  return narrow(segment.slice(span.start, span.end), span, path, delimiters, leaf);
}

/**
 * The text of a node inside the text of its field; undefined when it is not there. What `locate`
 * does, for a reader that has the field already.
 */
export function readInField(
  field: string,
  path: Path,
  delimiters: Delimiters,
  leaf: boolean,
): string | undefined {
  const { repetition = 1, component = 1, subcomponent = 1 } = path;
  if (!leaf && path.repetition === undefined && path.component === undefined) return field;
  if (
    !field.includes(delimiters.component) &&
    !field.includes(delimiters.repetition) &&
    !field.includes(delimiters.subcomponent)
  ) {
    return repetition === 1 && component === 1 && subcomponent === 1 ? field : undefined;
  }
  const span: Span = { start: 0, end: field.length, missing: '' };
  const found = narrow(field, span, path, delimiters, leaf);
  return found?.missing === '' ? field.slice(found.start, found.end) : undefined;
}

/** Narrow `span`, which is the field, to the repetition, component and sub-component of a path. */
function narrow(
  field: string,
  span: Span,
  path: Path,
  delimiters: Delimiters,
  leaf: boolean,
): Span | undefined {
  const offset = span.start;
  const { repetition = 1, component, subcomponent } = path;
  if (!descend(field, offset, span, delimiters.repetition, repetition)) return undefined;
  if (!leaf && component === undefined) return span;
  if (!descend(field, offset, span, delimiters.component, component ?? 1)) return undefined;
  if (!leaf && subcomponent === undefined) return span;
  if (!descend(field, offset, span, delimiters.subcomponent, subcomponent ?? 1)) return undefined;
  return span;
}

/** How many nodes a separator makes of a text: none of an empty one. */
export function pieces(text: string, separator: string): number {
  if (text === '') return 0;
  let count = 1;
  if (separator === '') return count;
  for (let at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, at + 1)) count++;
  return count;
}

/** MSH-1 and MSH-2 are the delimiters themselves: never split, never unescaped. */
function locateDelimiters(
  segment: string,
  number: number,
  path: Path,
  { field }: Delimiters,
): Span | undefined {
  const deeper = [path.repetition, path.component, path.subcomponent];
  if (deeper.some((level) => level !== undefined && level > 1)) return undefined;
  if (number === 1) return { start: 3, end: 4, missing: '' };
  const next = segment.indexOf(field, 4);
  return { start: 4, end: next < 0 ? segment.length : next, missing: '' };
}

/**
 * Narrow `span` to its piece number `index`; `text` begins at `offset` of the segment. False when
 * there is no such separator in this message.
 */
function descend(
  text: string,
  offset: number,
  span: Span,
  separator: string,
  index: number,
): boolean {
  if (separator === '') return index === 1;
  const end = span.end - offset;
  let at = span.start - offset;
  if (span.missing === '') {
    for (let left = index - 1; left > 0; left--) {
      const next = text.indexOf(separator, at);
      if (next < 0 || next >= end) {
        span.start = span.end;
        span.missing = separator.repeat(left);
        return true;
      }
      at = next + 1;
    }
    const next = text.indexOf(separator, at);
    span.start = offset + at;
    if (next >= 0 && next < end) span.end = offset + next;
  } else {
    span.missing += separator.repeat(index - 1);
  }
  return true;
}
