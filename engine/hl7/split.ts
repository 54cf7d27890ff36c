/**
 * Finds the segments of a message; the bytes between them stay where they are.
 *
 * CR ends a segment (HL7 v2.5 §2.5.4); CRLF and LF are met too. A LF that nothing like a segment
 * follows is a line feed somebody left inside a field, and stays there.
 */

export interface Split {
  /** Where each segment starts in the text, and where its terminator starts. */
  starts: number[];
  ends: number[];
  /** LF or CRLF ends a segment. */
  lineFeeds: boolean;
  /** Blank lines lie between segments. */
  blankLines: boolean;
  /** The last segment has no terminator. */
  unterminated: boolean;
}

const blank = /^[ \t]*$/;

/** One expression per field separator; a message of another separator is rare. */
const boundaries = new Map<string, RegExp>();

/**
 * @param text byte text, starting with `MSH`
 * @param separator MSH-1
 */
export function splitSegments(text: string, separator: string): Split {
  const split: Split = {
    starts: [],
    ends: [],
    lineFeeds: false,
    blankLines: false,
    unterminated: false,
  };
  let start = 0;
  if (!text.includes('\n')) {
    for (let at = text.indexOf('\r'); at >= 0; at = text.indexOf('\r', start)) {
      add(split, text, start, at);
      start = at + 1;
    }
  } else {
    for (const { 0: terminator, index } of text.matchAll(boundaryFor(separator))) {
      add(split, text, start, index);
      if (terminator !== '\r') split.lineFeeds = true;
      start = index + terminator.length;
    }
  }
  if (!isBlank(text, start, text.length)) {
    add(split, text, start, text.length);
    split.unterminated = true;
  }
  return split;
}

/** Where the first segment ends: the index of its terminator, or the length of the text. */
export function firstSegmentEnd(text: string, separator: string): number {
  const end = text.includes('\n') ? text.search(boundaryFor(separator)) : text.indexOf('\r');
  return end < 0 ? text.length : end;
}

function add(split: Split, text: string, start: number, end: number): void {
  if (isBlank(text, start, end)) {
    split.blankLines = true;
  } else {
    split.starts.push(start);
    split.ends.push(end);
  }
}

function isBlank(text: string, start: number, end: number): boolean {
  if (start === end) return true;
  const first = text.charAt(start);
  return (first === ' ' || first === '\t') && blank.test(text.slice(start, end));
}

function boundaryFor(separator: string): RegExp {
  const seen = boundaries.get(separator);
  if (seen) return seen;
  const escaped = separator.replace(/\W/, '\\$&');
  const name = `(?:[A-Z][A-Z0-9]{2}|Z[A-Z0-9]{3,7})(?:${escaped}|[\\r\\n]|$)`;
  const boundary = new RegExp(`\\r\\n?|\\n(?=[ \\t]*(?:[\\r\\n]|$)|${name})`, 'g');
  if (boundaries.size < 100) boundaries.set(separator, boundary);
  return boundary;
}
