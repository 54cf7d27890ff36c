/**
 * An HL7 v2 message that keeps its bytes. Reading changes nothing; an edit replaces one node and
 * leaves every other byte as it came: terminators, trailing separators, BOM and blank lines.
 */
import { charsetNames, decode, encode, encodeRaw, unrepresentable } from './charset.ts';
import type { CharsetName } from './charset.ts';
import type { Delimiters } from './delimiters.ts';
import { readHeader } from './header.ts';
import type { MessageWarning } from './header.ts';
import { headerName, locate, pieces } from './node.ts';
import type { Span } from './node.ts';
import { formatPath, parsePath, segmentName } from './path.ts';
import type { Path } from './path.ts';
import { splitSegments } from './split.ts';
import type { Split, SegmentText } from './split.ts';
import { escape, unescape } from './text.ts';

export type { CharsetName } from './charset.ts';
export type { Delimiters } from './delimiters.ts';
export { messageWarnings } from './header.ts';
export type { MessageWarning } from './header.ts';

/** Paths are written like `PID-3[2].1.2` and `OBX[3]-5`; see path.ts. */
export interface Message {
  readonly delimiters: Readonly<Delimiters>;
  /** What the bytes are read and edited as; from MSH-18 where that is valued and known. */
  readonly charset: CharsetName;
  /** What was tolerated; `messageWarnings` has a sentence for each. */
  readonly warnings: MessageWarning[];
  /** Names in order; `''` for a line that begins with no segment name. */
  segmentNames(): string[];
  /** How many segments have this name. */
  count(segment: string): number;
  /** How many fields a segment has, with trailing empty ones; 0 when it is absent (`OBX[2]`). */
  fields(segment: string): number;
  /** How many repetitions a field has; 0 when it is absent or empty. */
  repetitions(path: string): number;
  /**
   * The value at a path, decoded and unescaped. Missing levels mean 1, so that `PID-3` is
   * `PID-3[1].1.1`. Undefined when absent or empty, which HL7 holds to be the same (§2.5.3);
   * the HL7 null stays `""`. A byte that is no character of the set reads U+FFFD.
   * @throws Error when the path is not one, or names no field
   */
  get(path: string): string | undefined;
  /**
   * The text at a path as sent, at whatever level the path names (`PID` the segment, `PID-3` all
   * repetitions): decoded, still escaped. Undefined when absent, `''` when empty. Lossless: a byte
   * that is no character of the set is a lone surrogate, which `setRaw` and echoes write back.
   * @throws Error when the path is not one
   */
  raw(path: string): string | undefined;
  /**
   * Write a value: escaped, encoded, in place of the node `get` reads, with the separators that
   * are missing before it.
   * @throws Error when there is no such segment or level, for MSH-1 and MSH-2, and when the
   *   message's character set lacks a character
   */
  set(path: string, value: string): void;
  /**
   * Write text that is already escaped in place of the node `raw` reads.
   * @throws Error as `set`, and when the text holds a separator that would end the node
   */
  setRaw(path: string, text: string): void;
  /** A segment's exact bytes without its terminator; undefined when absent. */
  segmentBytes(name: string, occurrence?: number): Buffer | undefined;
  /** The whole message; the identical bytes when nothing was set. */
  toBytes(): Buffer;
}

/**
 * Read a message. The bytes may be reused afterwards.
 * @param options.charset what to assume where MSH-18 is absent or unknown; without it UTF-8 where
 *   the bytes are well-formed UTF-8, else 8859/1
 * @throws FaultError notHl7 when no MSH stands first (after a BOM and blank lines), charsetUtf16
 */
export function parseMessage(bytes: Uint8Array, options: { charset?: CharsetName } = {}): Message {
  const header = readHeader(bytes, options.charset);
  const { delimiters, charset } = header;
  let { plain } = header;
  let whole: Split | undefined;
  let indexed: Map<string, SegmentText[]> | undefined;

  const split = (): Split => (whole ??= splitSegments(header.body, delimiters.field));

  const nameOf = ({ text }: SegmentText): string => {
    const end = text.charAt(3) === delimiters.field ? 3 : text.indexOf(delimiters.field);
    const name = end < 0 ? text : text.slice(0, end);
    return segmentName.test(name) ? name : '';
  };

  const named = (name: string): SegmentText[] => {
    indexed ??= Map.groupBy(split().segments, nameOf);
    return indexed.get(name) ?? [];
  };

  const find = ({ segment, occurrence = 1 }: Path): SegmentText | undefined =>
    occurrence === 1 && !indexed
      ? split().segments.find((candidate) => nameOf(candidate) === segment)
      : named(segment)[occurrence - 1];

  const decoded = (text: string): string => (plain ? text : decode(text, charset));

  const readBytes = (text: string): string | undefined => {
    const read = decode(text, charset);
    return read.isWellFormed() ? read : undefined;
  };

  const rawAt = (path: Path, leaf: boolean): string | undefined => {
    const segment = find(path);
    if (!segment || (path.field === undefined && !leaf)) return segment?.text;
    const span = locate(segment.text, path, delimiters, leaf);
    return span?.missing === '' ? segment.text.slice(span.start, span.end) : undefined;
  };

  const place = (path: Path, leaf: boolean): { segment: SegmentText; span: Span } => {
    const segment = find(path);
    if (!segment) throw cannotSet(path, `the message has no such ${path.segment} segment`);
    if (headerName.test(path.segment) && path.field !== undefined && path.field <= 2) {
      throw cannotSet(path, 'the delimiters of a message cannot be changed in place');
    }
    if (path.field === undefined) {
      return { segment, span: { start: 0, end: segment.text.length, missing: '' } };
    }
    const span = locate(segment.text, path, delimiters, leaf);
    if (!span) throw cannotSet(path, 'MSH-2 of this message names no separator for that level');
    return { segment, span };
  };

  const write = ({ segment, span }: { segment: SegmentText; span: Span }, text: string): void => {
    if (text === '' && span.missing !== '') return;
    const before = segment.text.slice(0, span.start);
    segment.text = before + span.missing + text + segment.text.slice(span.end);
    if (/[^\0-\x7f]/.test(text)) plain = false;
  };

  return {
    delimiters,
    charset,
    get warnings() {
      return [...header.warnings, ...structureWarnings(split(), nameOf)];
    },
    segmentNames: () => split().segments.map(nameOf),
    count: (segment) => named(segment).length,
    fields(segment) {
      const path = parsePath(segment);
      const text = find(path)?.text;
      if (text === undefined) return 0;
      return pieces(text, delimiters.field) - (headerName.test(path.segment) ? 0 : 1);
    },
    repetitions(text) {
      const { segment, occurrence, field } = withField(parsePath(text));
      const value = rawAt({ segment, occurrence, field }, false);
      if (headerName.test(segment) && field <= 2) return value ? 1 : 0;
      return pieces(value ?? '', delimiters.repetition);
    },
    get(text) {
      const path = withField(parsePath(text));
      const value = rawAt(path, true);
      if (value === undefined || value === '') return undefined;
      const read = decoded(value);
      if (headerName.test(path.segment) && path.field <= 2) return read;
      const plainText = unescape(read, delimiters, readBytes);
      return plain ? plainText : plainText.toWellFormed();
    },
    raw(text) {
      const value = rawAt(parsePath(text), false);
      return value === undefined ? undefined : decoded(value);
    },
    set(text, value) {
      const path = withField(parsePath(text));
      const target = place(path, true);
      const escaped = escape(value, delimiters);
      const encoded = encode(escaped, charset);
      if (encoded === undefined) throw notInCharset(path, escaped, charset);
      write(target, encoded);
    },
    setRaw(text, value) {
      const path = parsePath(text);
      const target = place(path, false);
      const encoded = encodeRaw(value, charset);
      if (encoded === undefined) throw notInCharset(path, value, charset);
      refuseSeparators(path, encoded, delimiters);
      write(target, encoded);
      if (path.field === undefined) indexed = undefined;
    },
    segmentBytes(name, occurrence = 1) {
      const segment = find({ segment: name, occurrence });
      return segment && Buffer.from(segment.text, 'latin1');
    },
    toBytes() {
      if (!whole) return Buffer.from(header.lead + header.body, 'latin1');
      let text = header.lead;
      for (const segment of whole.segments) text += segment.text + segment.end;
      return Buffer.from(text, 'latin1');
    },
  };
}

/** True when the text is one of the names of character sets this layer knows. */
export function isCharsetName(text: string): text is CharsetName {
  return (charsetNames as readonly string[]).includes(text);
}

function structureWarnings(split: Split, nameOf: (s: SegmentText) => string): MessageWarning[] {
  const warnings: MessageWarning[] = [];
  const names = split.segments.map(nameOf);
  if (split.lineFeeds) warnings.push('lineFeeds');
  if (split.lineFeedInside) warnings.push('lineFeedInside');
  if (split.blankLines) warnings.push('blankLines');
  if (split.segments.at(-1)?.end === '') warnings.push('noFinalTerminator');
  if (names.includes('')) warnings.push('segmentNameOdd');
  if (names.indexOf('MSH') !== names.lastIndexOf('MSH')) warnings.push('severalHeaders');
  return warnings;
}

function withField(path: Readonly<Path>): Path & { field: number } {
  const { field } = path;
  if (field !== undefined) return path as Path & { field: number };
  const text = formatPath(path);
  throw new Error(`"${text}" names a segment, not a value. Name the field too, as in ${text}-3.`);
}

/** A node's text may hold what lies below it, nothing beside it. */
function refuseSeparators(path: Path, text: string, delimiters: Delimiters): void {
  const { field, repetition, component, subcomponent } = delimiters;
  const above: string[] = ['\r', '\n'];
  if (path.field !== undefined) above.push(field);
  if (path.repetition !== undefined || path.component !== undefined) above.push(repetition);
  if (path.component !== undefined) above.push(component);
  if (path.subcomponent !== undefined) above.push(subcomponent);
  if (above.some((separator) => separator !== '' && text.includes(separator))) {
    throw cannotSet(path, 'the text holds a separator or line end that would end this node');
  }
  if (path.field === undefined && !text.startsWith(path.segment + field)) {
    throw cannotSet(
      path,
      `the text of a segment begins with its name, as in ${path.segment}${field}`,
    );
  }
}

function cannotSet(path: Path, why: string): Error {
  return new Error(`${formatPath(path)} cannot be set: ${why}.`);
}

function notInCharset(path: Path, text: string, charset: CharsetName): Error {
  return cannotSet(
    path,
    `its character set ${charset} (MSH-18) has no ${unrepresentable(text, charset) ?? 'such character'}; ` +
      'build the message anew in UNICODE UTF-8, or write the value without it',
  );
}
