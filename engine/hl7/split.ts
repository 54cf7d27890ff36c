/**
 * Cuts a message into segments, keeping what stands between them.
 *
 * CR ends a segment (HL7 v2.5 §2.5.4); CRLF and LF are met too. A LF that nothing like a segment
 * follows is a line feed somebody left inside a field, and stays there.
 */

export interface SegmentText {
  /** Byte text without the terminator. */
  text: string;
  /** The terminator and any blank lines after it, as sent; empty where the message just ends. */
  end: string;
}

export interface Split {
  segments: SegmentText[];
  /** LF or CRLF ends a segment. */
  lineFeeds: boolean;
  /** A LF lies inside a field. */
  lineFeedInside: boolean;
  /** Blank lines lie between segments. */
  blankLines: boolean;
}

const blank = /^[ \t]*$/;

/** One expression per field separator; a message of another separator is rare. */
const boundaries = new Map<string, RegExp>();

/**
 * @param text byte text, starting with `MSH`
 * @param separator MSH-1
 */
export function splitSegments(text: string, separator: string): Split {
  const split: Split = { segments: [], lineFeeds: false, lineFeedInside: false, blankLines: false };
  if (!text.includes('\n')) {
    let start = 0;
    for (let at = text.indexOf('\r'); at >= 0; at = text.indexOf('\r', start)) {
      add(split, text.slice(start, at), '\r');
      start = at + 1;
    }
    add(split, text.slice(start), '');
    return split;
  }
  let start = 0;
  let ended = 0;
  for (const match of text.matchAll(boundaryFor(separator))) {
    add(split, text.slice(start, match.index), match[0]);
    if (match[0] !== '\r') ended++;
    start = match.index + match[0].length;
  }
  add(split, text.slice(start), '');
  split.lineFeeds = ended > 0;
  split.lineFeedInside = split.segments.some((segment) => segment.text.includes('\n'));
  return split;
}

function add(split: Split, text: string, end: string): void {
  const previous = split.segments.at(-1);
  if (previous === undefined || !blank.test(text)) {
    split.segments.push({ text, end });
  } else {
    previous.end += text + end;
    if (end !== '') split.blankLines = true;
  }
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
