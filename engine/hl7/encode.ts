/** Writes a built message: delimiters, escapes, character set, MSH-1, MSH-2 and MSH-18. */
import { encode, encodeRaw, isAsciiText } from './charset.ts';
import type { CharsetName } from './charset.ts';
import { completeDelimiters, encodingCharacters } from './delimiters.ts';
import type { Delimiters } from './delimiters.ts';
import { isHeader } from './node.ts';
import type { Component, Field, Repetition, Segment } from './segment.ts';
import { escape } from './text.ts';

/**
 * Write a message, each segment ended with CR.
 *
 * MSH-18 states what was used. It stays empty only where it was given empty and every character is
 * ASCII, which is what an empty MSH-18 means (HL7 v2.5 §2.15.9.18). Where the character set lacks
 * a character, the whole message becomes UTF-8: nothing is replaced or left out.
 * @param segments MSH first; its fields 1 and 2 are written from `delimiters`
 * @param options.delimiters the receiver's; missing ones are filled in, for text must be escaped
 * @returns the bytes and the character set they are in
 * @throws Error when the first segment is not MSH, or a value holds half a surrogate pair, which
 *   no character set can write
 */
export function encodeMessage(
  segments: Segment[],
  options: { delimiters: Delimiters; charset: CharsetName },
): { bytes: Buffer; charset: CharsetName } {
  const [msh, ...others] = segments;
  if (msh?.name !== 'MSH') throw new Error('A message is built from MSH first.');
  const delimiters = completeDelimiters(options.delimiters);
  const { charset } = options;
  const given = msh.fields[18];
  const stated = given !== undefined && given !== '';
  const head = encodeSegment(stated && given !== charset ? stating(msh, charset) : msh, delimiters);
  let text = head + '\r';
  for (const segment of others) text += encodeSegment(segment, delimiters) + '\r';
  if (isAsciiText(text)) return { bytes: Buffer.from(text, 'latin1'), charset };

  const rest = text.slice(head.length);
  const echoes = segments.some((segment) => segment.echo);
  if (echoes) refuseHalfPairs(segments, delimiters);
  for (const used of new Set<CharsetName>([charset, 'UNICODE UTF-8'])) {
    const whole = encodeSegment(stating(msh, used), delimiters) + rest;
    const encoded = echoes ? encodeRaw(whole, used) : encode(whole, used);
    if (encoded !== undefined) return { bytes: Buffer.from(encoded, 'latin1'), charset: used };
  }
  throw halfPair();
}

/** One segment, escaped, without a terminator and without trailing empty fields. */
export function encodeSegment(segment: Segment, delimiters: Delimiters): string {
  const { name, fields, echo, written } = segment;
  const separator = delimiters.field;
  if (written !== undefined) {
    return name + separator + encodeField(fields[1], delimiters) + separator + written;
  }
  let text = name;
  let first = 1;
  if (isHeader(name)) {
    text += separator + encodingCharacters(delimiters);
    first = 3;
  }
  let waiting = '';
  let last = fields.length - 1;
  for (const number in echo) last = Math.max(last, Number(number));
  for (let number = first; number <= last; number++) {
    const field = echo?.[number] ?? encodeField(fields[number], delimiters);
    waiting += separator;
    if (field === '') continue;
    text += waiting + field;
    waiting = '';
  }
  return text;
}

/**
 * A segment with what follows its field 1 written out, which costs less to keep and to carry; field 1
 * may still be changed. A segment that has nothing there, or is a header, is given back as it is.
 * @param delimiters missing ones are filled in, as `encodeMessage` does
 */
export function writeSegment<One extends Segment>(segment: One, given: Delimiters): One {
  const { name, fields, echo, written } = segment;
  if (isHeader(name) || echo || written !== undefined) return segment;
  const delimiters = completeDelimiters(given);
  const own = `${name}${delimiters.field}${encodeField(fields[1], delimiters)}${delimiters.field}`;
  const text = encodeSegment(segment, delimiters);
  if (text.length <= own.length) return segment;
  return { ...segment, fields: fields.slice(0, 2), written: text.slice(own.length) };
}

/** One field, escaped, without trailing empty repetitions, components and sub-components. */
export function encodeField(field: Field, delimiters: Delimiters): string {
  if (field === undefined || field === '') return '';
  if (typeof field === 'string') return escape(field, delimiters);
  return joined(field, delimiters.repetition, (repetition: Repetition) =>
    joined(repetition, delimiters.component, (component: Component) =>
      typeof component === 'object'
        ? joined(component, delimiters.subcomponent, (value) => escape(value ?? '', delimiters))
        : escape(component ?? '', delimiters),
    ),
  );
}

function joined<Part>(parts: Part[], separator: string, write: (part: Part) => string): string {
  let text = '';
  let waiting = '';
  for (const part of parts) {
    const written = write(part);
    if (written !== '') {
      text += waiting + written;
      waiting = '';
    }
    waiting += separator;
  }
  return text;
}

function stating(msh: Segment, charset: CharsetName): Segment {
  const fields = [...msh.fields];
  for (let number = fields.length; number < 18; number++) fields[number] = undefined;
  fields[18] = charset;
  return { ...msh, fields };
}

/** The lone surrogates of an echo are bytes; those of a value are broken text. */
function refuseHalfPairs(segments: Segment[], delimiters: Delimiters): void {
  for (const { name, fields, written } of segments) {
    if (!encodeSegment({ name, fields, written }, delimiters).isWellFormed()) throw halfPair();
  }
}

function halfPair(): Error {
  return new Error(
    'A value holds half a surrogate pair (broken UTF-16), which no character set can write. ' +
      'Mend the value where it was cut; text must not be cut inside a character.',
  );
}
