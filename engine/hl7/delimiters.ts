/**
 * The delimiters of a message (MSH-1 and MSH-2), as sent: usual, unusual, incomplete or garbled.
 * HL7 v2.5 §2.5.4 and §2.15.9.2; the truncation character came with v2.7 §2.5.5.2.
 */

/** One character each; empty where the message has none. */
export interface Delimiters {
  field: string;
  component: string;
  repetition: string;
  escape: string;
  subcomponent: string;
  truncation: string;
}

/** The recommended ones: `|^~\&`. */
export const standardDelimiters: Readonly<Delimiters> = Object.freeze({
  field: '|',
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
  truncation: '',
});

export type DelimiterWarning = 'delimitersMissing' | 'delimitersOdd' | 'escapeMissing';

/** ASCII punctuation: all that can be a delimiter without being mistaken for data. */
const punctuation = /^[!-/:-@[-`{-~]$/;

/**
 * Read the delimiters from MSH-1 and MSH-2.
 *
 * What senders really send is read by what they must have meant, with a warning:
 * - MSH-2 empty: the recommended characters;
 * - a character twice (`^~\\&`, doubled by somebody's source code): the first counts;
 * - `^~&` or `^~&#` (the backslash lost in somebody's string literal): no escape character.
 * @param field MSH-1
 * @param encoding MSH-2 as sent, may be empty
 * @returns undefined when these cannot be delimiters, so that this is no MSH segment
 */
export function readDelimiters(
  field: string,
  encoding: string,
): { delimiters: Readonly<Delimiters>; warnings: DelimiterWarning[] } | undefined {
  if (field === '|' && encoding === '^~\\&') {
    return { delimiters: standardDelimiters, warnings: [] };
  }
  if (!punctuation.test(field)) return undefined;
  if (encoding === '') {
    const none = { field, component: '', repetition: '', escape: '', subcomponent: '' };
    const delimiters = completeDelimiters({ ...none, truncation: '' });
    return { delimiters, warnings: ['delimitersMissing'] };
  }
  if (!punctuation.test(encoding.charAt(0))) return undefined;
  const warnings: DelimiterWarning[] = [];
  const distinct = [...new Set(encoding)].filter((c) => punctuation.test(c) && c !== field);
  if (distinct.length !== encoding.length || distinct.length > 5) warnings.push('delimitersOdd');
  if (distinct[2] === '&' && encoding.startsWith('^~&')) {
    distinct.splice(2, 0, '');
    warnings.push('escapeMissing');
  }
  const [component = '', repetition = '', escape = '', subcomponent = '', truncation = ''] =
    distinct;
  return {
    delimiters: { field, component, repetition, escape, subcomponent, truncation },
    warnings,
  };
}

/**
 * The same delimiters with the missing ones filled in, as an answer needs them: the recommended
 * character, or the next free one where the sender uses it for something else.
 */
export function completeDelimiters(given: Readonly<Delimiters>): Readonly<Delimiters> {
  const missing = needed.filter((role) => given[role] === '');
  if (missing.length === 0) return given;
  const complete = { ...given };
  for (const role of missing) {
    const used = Object.values(complete);
    const free = [standardDelimiters[role], ...'^~\\&#@!$%*'].find((c) => !used.includes(c));
    complete[role] = free ?? standardDelimiters[role];
  }
  return complete;
}

const needed = ['component', 'repetition', 'escape', 'subcomponent'] as const;

/** MSH-2 as it is written. */
export function encodingCharacters(delimiters: Delimiters): string {
  const { component, repetition, escape, subcomponent, truncation } = delimiters;
  return component + repetition + escape + subcomponent + truncation;
}
