/** Reads FHIR JSON without losing what a JavaScript number cannot hold. */

/**
 * Whether a text is so long that reading it and mapping what it says keeps everybody else waiting for
 * milliseconds, which the way to a thread and back does not.
 * @param length bytes or characters
 */
export const isLarge = (length: number): boolean => length >= 128 * 1024;

/** A number that JavaScript might write otherwise: trailing zeros, an exponent, many digits, -0. */
const delicate =
  /([:,[]\s*)(-0|-?(?:(?:0|[1-9]\d*)\.\d*0|0\.0{6,}\d+|(?:0|[1-9]\d*)(?:\.\d+)?[eE][+-]?\d+|[1-9]\d{15,}(?:\.\d+)?|(?:0|[1-9]\d*)\.\d{15,}|(?:0|[1-9]\d*)\.\d{1,15}(?<=[\d.]{17,})))(?=\s*[,}\]])/g;

/** An escape that may be half a pair; the text around it was decoded and holds none. */
const surrogate = /\\u[dD][89a-fA-F]/;

/**
 * Parse JSON. Half a surrogate pair, a text that was cut inside a character, reads U+FFFD: no
 * character set could write it, and the record would have no answer for its sake. A decimal whose text a number would change (`1.10`, FHIR STU3 "decimal": precision is
 * significant) is given as that text; every other number as a number.
 * @throws SyntaxError
 */
export function parseFhir(text: string): unknown {
  const quoted = withDelicateQuoted(text);
  return surrogate.test(text) ? JSON.parse(quoted, wellFormed) : JSON.parse(quoted);
}

/**
 * Parse JSON as it came.
 * @throws TypeError or SyntaxError where the bytes are no JSON in UTF-8 (RFC 8259 §8.1)
 */
export function readFhir(bytes: Uint8Array): unknown {
  return parseFhir(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}

function wellFormed(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}

/** Such numbers as JSON strings. To read number by number costs five times as much. */
function withDelicateQuoted(text: string): string {
  const isInString = stringsOf(text);
  const parts: string[] = [];
  let taken = 0;
  for (const match of text.matchAll(delicate)) {
    const [, before = '', number = ''] = match;
    if (String(Number(number)) === number || isInString(match.index)) continue;
    const start = match.index + before.length;
    parts.push(text.slice(taken, start), '"', number, '"');
    taken = start + number.length;
  }
  if (parts.length === 0) return text;
  parts.push(text.slice(taken));
  return parts.join('');
}

/** Whether a place lies within a JSON string; to be asked from front to back. */
function stringsOf(text: string): (place: number) => boolean {
  /** Behind the last quotation mark passed, and whether it opened a string. */
  let at = 0;
  let inside = false;
  return (place) => {
    for (;;) {
      const mark = text.indexOf('"', at);
      if (mark < 0 || mark >= place) return inside;
      at = mark + 1;
      if (!inside) inside = true;
      else if (!isEscaped(text, mark)) inside = false;
    }
  };
}

/** An odd number of reverse solidi stands before it (RFC 8259 §7). */
function isEscaped(text: string, place: number): boolean {
  let from = place;
  while (text[from - 1] === '\\') from--;
  return (place - from) % 2 === 1;
}
