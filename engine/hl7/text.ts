/**
 * Escape sequences (HL7 v2.5 §2.7; `\P\` from v2.7), with the delimiters the message really has.
 *
 * | sequence | read as |
 * |---|---|
 * | `\F\ \S\ \T\ \R\ \E\ \P\` | the field, component, sub-component, repetition, escape, truncation character of this message |
 * | `\Xhh..\` | the characters those bytes are in the message's character set; kept as written where they are none |
 * | `\.br\` | line feed |
 * | `\H\ \N\ \.sp3\ \.in+2\ \.ce\` … | kept as written: there is no plain text for them |
 * | `\Cxxyy\ \Mxxyyzz\ \Zxx\` | kept as written: their meaning is another set or a local agreement |
 * | anything else between two escape characters, a single one | kept as written |
 *
 * Reading what was written gives it back: `unescape(escape(x)) === x` for every string. Text in
 * which a sequence was kept as written is therefore ambiguous (`\H\` and `\E\H\E\` both read
 * `\H\`); whoever must not lose the difference uses the raw text.
 */
import type { Delimiters } from './delimiters.ts';

/** Gives the characters of some bytes, one character a byte; undefined where they are none. */
export type ReadBytes = (bytes: string) => string | undefined;

interface Codec {
  /** A character that cannot stand as it is; and all of them. */
  special: RegExp;
  specials: RegExp;
  replacements: ReadonlyMap<string, string>;
  /** What stands between two escape characters → what it means. */
  meanings: ReadonlyMap<string, string>;
}

/** One per set of delimiters, of which real senders use a handful; found by object where possible. */
const codecs = new Map<string, Codec>();
const codecLimit = 200;
const codecsByObject = new WeakMap<Delimiters, Codec>();

/**
 * Escape a value: delimiters, line ends and control characters (all but TAB), so that it can stand
 * anywhere in a message and inside an MLLP frame.
 * @throws Error when the value needs escaping and these delimiters have no escape character
 */
export function escape(value: string, delimiters: Delimiters): string {
  const codec = codecFor(delimiters);
  if (!codec.special.test(value)) return value;
  if (delimiters.escape === '') {
    throw new Error(
      'The value holds a delimiter or a control character, and MSH-2 of this message has no ' +
        'escape character to write it with. Use a message whose MSH-2 names all four characters, ' +
        'such as ^~\\&.',
    );
  }
  return value.replace(codec.specials, (c) => codec.replacements.get(c) ?? c);
}

/**
 * Read escaped text, as the table above says.
 * @param readBytes how to read `\Xhh..\`; without it only ASCII bytes are read
 */
export function unescape(
  text: string,
  delimiters: Delimiters,
  readBytes: ReadBytes = asciiBytes,
): string {
  const mark = delimiters.escape;
  if (mark === '') return text;
  let open = text.indexOf(mark);
  if (open < 0) return text;
  const { meanings } = codecFor(delimiters);
  let out = '';
  let done = 0;
  while (open >= 0) {
    const close = text.indexOf(mark, open + 1);
    if (close < 0) break;
    const body = text.slice(open + 1, close);
    const meaning = meanings.get(body) ?? hexadecimal(body, readBytes);
    if (meaning !== undefined) {
      out += text.slice(done, open) + meaning;
      done = close + 1;
    }
    // A character that closes nothing may still open the next sequence.
    const whole = meaning !== undefined || keptSequence.test(body);
    open = whole ? text.indexOf(mark, close + 1) : close;
  }
  return out + text.slice(done);
}

/** Sequences without a plain meaning: highlighting, formatting, other sets, local. */
const keptSequence =
  /^(?:[HN]|\.(?:sp|in|ti|fi|nf|sk|ce) ?[+-]?\d{0,4}|C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4}(?:[0-9A-Fa-f]{2})?|Z[^\\]{0,64}|X[0-9A-Fa-f]*)$/;

function hexadecimal(body: string, readBytes: ReadBytes): string | undefined {
  if (body.length < 3 || body.length % 2 === 0 || !/^X[0-9A-Fa-f]+$/.test(body)) return undefined;
  return readBytes(Buffer.from(body.slice(1), 'hex').toString('latin1'));
}

function asciiBytes(bytes: string): string | undefined {
  return /^[\0-\x7f]*$/.test(bytes) ? bytes : undefined;
}

function codecFor(delimiters: Delimiters): Codec {
  let codec = codecsByObject.get(delimiters);
  if (!codec) {
    codec = makeCodec(delimiters);
    codecsByObject.set(delimiters, codec);
  }
  return codec;
}

function makeCodec(delimiters: Delimiters): Codec {
  const { field, component, repetition, escape: mark, subcomponent, truncation } = delimiters;
  const key = [field, component, repetition, mark, subcomponent, truncation].join(' ');
  const seen = codecs.get(key);
  if (seen) return seen;
  const named: [string, string][] = [
    ['F', field],
    ['S', component],
    ['T', subcomponent],
    ['R', repetition],
    ['E', mark],
    ['P', truncation],
  ];
  const replacements = new Map<string, string>();
  const meanings = new Map<string, string>([
    ['.br', '\n'],
    ['.BR', '\n'],
  ]);
  for (let code = 0; code < 0x20; code++) {
    const hex = code.toString(16).toUpperCase().padStart(2, '0');
    if (code !== 0x09) replacements.set(String.fromCharCode(code), `${mark}X${hex}${mark}`);
  }
  // A delimiter that is a full stop would cut `\.br\` in two; then `\X0A\` stays.
  if (!key.includes('.')) replacements.set('\n', `${mark}.br${mark}`);
  for (const [letter, character] of named) {
    if (character === '') continue;
    replacements.set(character, mark + letter + mark);
    meanings.set(letter, character);
  }
  const characters = named.map(([, character]) => character.replace(/./, '\\$&')).join('');
  const special = new RegExp(`[\\x00-\\x08\\x0a-\\x1f${characters}]`);
  const codec = { special, specials: new RegExp(special, 'g'), replacements, meanings };
  if (codecs.size >= codecLimit) codecs.clear();
  codecs.set(key, codec);
  return codec;
}
