/**
 * A value of HL7 in the words a clinician reads: nothing is left out, nothing is added but the
 * signs between the parts. Dates are written `dd-Mmm-yyyy`, as the NHS does, and only as far as
 * they are stated.
 */
import type { Component, Field, Repetition } from '../hl7/segment.ts';

/** The value of an OBX in words. @param type OBX-2 */
export function valueWords(type: string, field: Field): string {
  if (field === undefined) return '';
  if (typeof field === 'string') return plainWords(type, field);
  const words = writers[type] ?? partsInOrder;
  return field
    .map((repetition) => (repetition.length > 1 ? words(repetition) : onlyPart(type, repetition)))
    .filter((text) => text !== '')
    .join('; ');
}

/** A date or a time: `17-May-2004 10:30 +0100`, `May-2004`, `2004`. What is none stays as it is. */
export function dateWords(value: string): string {
  const found = /^(\d{4})(?:(\d\d)(?:(\d\d)(\d{4}(?:\d\d)?(?:\.\d+)?)?)?)?([+-]\d{4})?$/.exec(
    value,
  );
  if (!found) return value;
  const [, year = '', month, day, time, zone] = found;
  const name = month === undefined ? undefined : months[Number(month) - 1];
  if (month !== undefined && name === undefined) return value;
  const date = [day, name, year].filter(Boolean).join('-');
  const clock = time && time.slice(0, 4).replace(/^(..)(..)$/, '$1:$2') + secondsOf(time.slice(4));
  return [date, clock, zone].filter(Boolean).join(' ');
}

const secondsOf = (rest: string): string => (rest === '' ? '' : `:${rest}`);

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** A person's name: prefix, given names, family name in capitals, suffix; then what else is said of it. */
export function nameWords(name: Repetition): string {
  const [family, given, further, suffix, prefix, ...rest] = name.map(text);
  return withRest(joined([prefix, given, further, family?.toUpperCase(), suffix]), rest);
}

/** A code with its term, each coding with its system: `Asthma [195967001 SCT; H33.. RC]`. */
function codeWords(value: Repetition): string {
  const [code, term, system, otherCode, otherTerm, otherSystem, ...rest] = value.map(text);
  const own = joined([term && code, system !== 'L' && system]);
  const other = joined([otherCode, otherTerm !== term && otherTerm, otherSystem]);
  const codings = [own, other].filter((part) => part !== '').join('; ');
  return withRest(term || code || '', [codings, ...rest]);
}

/** A person by name, with the identifier and its authority. */
function personWords([id, ...name]: Repetition): string {
  return withRest(nameWords(name.slice(0, 5)), [text(id), ...name.slice(5).map(text)]);
}

/** An organisation by name, with its identifier. */
function organisationWords([name, ...rest]: Repetition): string {
  return withRest(text(name), rest.map(text));
}

function identifierWords(value: Repetition): string {
  return joined(value.map(text));
}

/** Whatever it is: its parts, in their order. */
function partsInOrder(value: Repetition): string {
  return value
    .map(text)
    .filter((part) => part !== '')
    .join(', ');
}

const writers: Readonly<Record<string, (value: Repetition) => string>> = {
  CE: codeWords,
  CWE: codeWords,
  XPN: nameWords,
  XCN: personWords,
  XON: organisationWords,
  CX: identifierWords,
};

function onlyPart(type: string, [part]: Repetition): string {
  return plainWords(type, text(part));
}

function plainWords(type: string, value: string): string {
  return ['DT', 'TS', 'DTM'].includes(type) ? dateWords(value) : value;
}

/** A component; its sub-components one after the other. */
function text(component: Component): string {
  if (typeof component !== 'object') return component ?? '';
  return component.filter(Boolean).join(' ');
}

/** What it is called, and all else that is known of it in brackets. */
function withRest(name: string, rest: readonly (string | undefined)[]): string {
  const more = joined(rest);
  if (name === '' || more === '') return name || more;
  return `${name} [${more}]`;
}

const joined = (parts: readonly (string | false | undefined)[]): string =>
  parts.filter(Boolean).join(' ');
