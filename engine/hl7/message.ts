/**
 * An HL7 v2 message that keeps its bytes. Reading changes nothing; an edit replaces one node and
 * leaves every other byte as it came: terminators, trailing separators, BOM and blank lines.
 */
import { decode, encode, encodeRaw, isAsciiText, maskSecondBytes } from './charset.ts';
import type { CharsetName } from './charset.ts';
import type { Delimiters } from './delimiters.ts';
import {
  cannotSet,
  notInCharset,
  refuseDelimiters,
  refuseMerging,
  refuseSeparators,
} from './edit.ts';
import { readHeader } from './header.ts';
import type { Header, MessageWarning } from './header.ts';
import { isHeader, locate, pieces, readInField } from './node.ts';
import { formatPath, parsePath } from './path.ts';
import type { Path } from './path.ts';
import {
  createSegments,
  find,
  findAll,
  inserted,
  join,
  namesOf,
  removed,
  replace,
  structureWarnings,
  textOf,
} from './segments.ts';
import type { Segments } from './segments.ts';
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
  /**
   * Add a segment that has only its name, so that `set` can fill it.
   * @param after the segment it stands behind, `PID` or `OBX[2]`; the last of the message unless told
   * @returns the path of the new segment, such as `ZPI[1]`
   * @throws Error for MSH, and when there is no such segment to stand behind
   */
  insert(segment: string, after?: string): string;
  /** Take one segment out, with what ended it. @throws Error for MSH, and when it is not there */
  remove(segment: string): void;
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
  return new LosslessMessage(readHeader(bytes, options.charset));
}

/** A segment cut into its fields; of a header, `fields[1]` is MSH-2. */
interface Cut {
  number: number;
  header: boolean;
  fields: string[];
}

/** A class because a message is alive under edits, and closures for each cost half its reading. */
class LosslessMessage implements Message {
  readonly delimiters: Readonly<Delimiters>;
  readonly charset: CharsetName;
  private readonly header: Header;
  /** Only ASCII bytes so far: nothing has to be decoded. */
  private plain: boolean;
  private split: Segments | undefined;
  /** The first segment and the one read last. */
  private cuts: [Cut?, Cut?] = [];

  constructor(header: Header) {
    this.delimiters = header.delimiters;
    this.charset = header.charset;
    this.header = header;
    this.plain = header.plain;
  }

  get warnings(): MessageWarning[] {
    return [...new Set([...this.header.warnings, ...structureWarnings(this.segments())])];
  }

  segmentNames(): string[] {
    return namesOf(this.segments());
  }

  count(segment: string): number {
    return findAll(this.segments(), segment).length;
  }

  fields(segment: string): number {
    const text = this.find(parsePath(segment));
    if (text === undefined) return 0;
    return pieces(text, this.delimiters.field) - (isHeader(text) ? 0 : 1);
  }

  repetitions(text: string): number {
    const { segment, occurrence, field } = withField(parsePath(text));
    const value = this.read({ segment, occurrence, field }, false) ?? '';
    if (field <= 2 && isHeader(segment)) return value === '' ? 0 : 1;
    return pieces(value, this.delimiters.repetition);
  }

  get(text: string): string | undefined {
    const path = withField(parsePath(text));
    const value = this.read(path, true);
    if (value === undefined || value === '') return undefined;
    const read = this.decoded(value);
    if (path.field <= 2 && isHeader(path.segment)) return read;
    if (!read.includes(this.delimiters.escape)) return this.plain ? read : read.toWellFormed();
    return unescape(read, this.delimiters, (bytes) => this.readBytes(bytes)).toWellFormed();
  }

  raw(text: string): string | undefined {
    const value = this.read(parsePath(text), false);
    return value === undefined ? undefined : this.decoded(value);
  }

  set(text: string, value: string): void {
    const path = withField(parsePath(text));
    const escaped = escape(value, this.delimiters);
    const encoded = encode(escaped, this.charset);
    if (encoded === undefined) throw notInCharset(path, escaped, this.charset);
    this.write(path, true, encoded);
  }

  setRaw(text: string, value: string): void {
    const path = parsePath(text);
    const encoded = encodeRaw(value, this.charset);
    if (encoded === undefined) throw notInCharset(path, value, this.charset);
    refuseSeparators(path, encoded, this.delimiters);
    this.write(path, false, encoded);
  }

  insert(name: string, after?: string): string {
    const path = parsePath(name);
    const segments = this.segments();
    const behind =
      after === undefined ? segments.starts.length - 1 : this.numberOf(parsePath(after));
    if (isHeader(name)) throw cannotSet(path, 'a message has one header');
    this.cuts = [];
    this.split = inserted(segments, behind, path.segment);
    const before = namesOf(this.split).slice(0, behind + 2);
    return `${path.segment}[${before.filter((one) => one === path.segment).length}]`;
  }

  remove(name: string): void {
    const path = parsePath(name);
    if (isHeader(path.segment)) throw cannotSet(path, 'a message has one header');
    const number = this.numberOf(path);
    this.cuts = [];
    this.split = removed(this.segments(), number);
  }

  /** @throws Error when there is no such segment */
  private numberOf(path: Path): number {
    const number = find(this.segments(), path.segment, path.occurrence ?? 1);
    if (number === undefined) throw cannotSet(path, 'the message has no such segment');
    return number;
  }

  segmentBytes(name: string, occurrence = 1): Buffer | undefined {
    const text = this.find({ segment: name, occurrence });
    return text === undefined ? undefined : Buffer.from(text, 'latin1');
  }

  toBytes(): Buffer {
    const body = this.split ? join(this.split) : this.header.body;
    return Buffer.from(this.header.lead + body, 'latin1');
  }

  private segments(): Segments {
    return (this.split ??= createSegments(this.header.body, this.delimiters.field));
  }

  private decoded(text: string): string {
    return this.plain ? text : decode(text, this.charset);
  }

  /** What `\Xhh..\` stands for. */
  private readBytes(bytes: string): string | undefined {
    const text = decode(maskSecondBytes(bytes, this.charset), this.charset);
    return text.isWellFormed() ? text : undefined;
  }

  private find({ segment, occurrence = 1 }: Path): string | undefined {
    const number = find(this.segments(), segment, occurrence);
    return number === undefined ? undefined : textOf(this.segments(), number);
  }

  /** Byte text at a path; undefined when absent. */
  private read(path: Path, leaf: boolean): string | undefined {
    const segments = this.segments();
    const number = find(segments, path.segment, path.occurrence ?? 1);
    if (number === undefined) return undefined;
    if (path.field === undefined) return textOf(segments, number);
    const { header, fields } = this.cut(number);
    if (header && path.field <= 2) {
      const segment = textOf(segments, number);
      const span = locate(segment, path, this.delimiters, leaf);
      return span?.missing === '' ? segment.slice(span.start, span.end) : undefined;
    }
    const field = fields[header ? path.field - 1 : path.field];
    return field === undefined ? undefined : readInField(field, path, this.delimiters, leaf);
  }

  /** Fields are read one after the other, and MSH again and again: each is cut up once. */
  private cut(number: number): Cut {
    const slot = number === 0 ? 0 : 1;
    const known = this.cuts[slot];
    if (known?.number === number) return known;
    const segment = textOf(this.segments(), number);
    const separator = this.delimiters.field;
    const header = isHeader(segment) && segment.charAt(3) === separator;
    return (this.cuts[slot] = { number, header, fields: segment.split(separator) });
  }

  private write(path: Path, leaf: boolean, text: string): void {
    refuseDelimiters(path);
    this.cuts = [];
    const segments = this.segments();
    const number = this.numberOf(path);
    if (path.field === undefined) {
      refuseMerging(path, text, this.charset);
      if (!isAsciiText(text)) this.plain = false;
      return replace(segments, number, text);
    }
    const segment = textOf(segments, number);
    const span = locate(segment, path, this.delimiters, leaf);
    if (!span) throw cannotSet(path, 'MSH-2 of this message names no separator for that level');
    if (text === '' && span.missing !== '') return;
    const before = segment.slice(0, span.start) + span.missing;
    const after = before + text + segment.slice(span.end);
    refuseMerging(path, after, this.charset);
    if (!isAsciiText(text)) this.plain = false;
    replace(segments, number, after);
  }
}

function withField(path: Readonly<Path>): Path & { field: number } {
  const { field } = path;
  if (field !== undefined) return path as Path & { field: number };
  const text = formatPath(path);
  throw new Error(`"${text}" names a segment, not a value. Name the field too, as in ${text}-3.`);
}
