/** Reads what must be known before anything else of a message: where MSH is, delimiters, character set. */
import { isAscii, isUtf8 } from 'node:buffer';
import { FaultError } from '../faults.ts';
import { charsetMeaning, holds, maskSecondBytes } from './charset.ts';
import type { CharsetName } from './charset.ts';
import { readDelimiters } from './delimiters.ts';
import type { Delimiters } from './delimiters.ts';
import { locate } from './node.ts';
import { firstSegmentEnd } from './split.ts';

export interface Header {
  /** BOM and blank lines before MSH, as sent. */
  lead: string;
  /** Byte text from `MSH` on. */
  body: string;
  delimiters: Readonly<Delimiters>;
  charset: CharsetName;
  /** Only ASCII bytes: nothing has to be decoded. */
  plain: boolean;
  warnings: MessageWarning[];
}

/** What was tolerated, for the analyst. */
export const messageWarnings = {
  byteOrderMark: 'A byte order mark stands before MSH.',
  blankLines: 'Blank lines or spaces stand before MSH or between segments.',
  lineFeeds: 'Segments end with LF or CRLF instead of CR.',
  lineFeedInside: 'A line feed lies inside a field; it should be sent as \\.br\\ or \\X0A\\.',
  noFinalTerminator: 'The last segment does not end with CR.',
  segmentNameOdd: 'A line does not begin with the name of a segment.',
  severalHeaders: 'More than one MSH segment; all are read with the delimiters of the first.',
  delimitersMissing: 'MSH-2 is empty; the recommended characters were assumed.',
  delimitersOdd: 'MSH-2 repeats a character or holds one that cannot be a delimiter.',
  escapeMissing: 'MSH-2 lacks the escape character (a backslash was probably lost).',
  charsetSpelling: 'MSH-18 is not spelt as in table 0211, but understood.',
  charsetRepeated: 'MSH-18 repeats; the message is read with the first character set.',
  charsetUnknown: 'MSH-18 is not a known character set; the configured one was assumed.',
  charsetAssumed: 'MSH-18 is empty, yet there are characters beyond ASCII; their set was assumed.',
  charsetDoubtful: 'MSH-18 names a one-byte character set, yet the bytes look like UTF-8.',
  charsetViolated: 'Bytes do not belong to the character set that MSH-18 names.',
} as const;
export type MessageWarning = keyof typeof messageWarnings;

/** UTF-16 and UTF-32 by their BOM, or by the zero bytes around M. */
const wide = /^(?:\xff\xfe|\xfe\xff|\0\0\xfe\xff|(?:[\r\n \t]\0*)*M\0{1,3}S\0|\0{1,3}M\0)/;

/**
 * @param assumed the set to read where MSH-18 is absent or unknown
 * @throws FaultError notHl7, charsetUtf16
 */
export function readHeader(bytes: Uint8Array, assumed: CharsetName | undefined): Header {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('latin1');
  if (!text.startsWith('MSH') && wide.test(text.slice(0, 256))) {
    throw new FaultError({ name: 'charsetUtf16' });
  }
  const bom = text.startsWith('\xef\xbb\xbf');
  let start = bom ? 3 : 0;
  while (start < text.length && ' \t\r\n'.includes(text.charAt(start))) start++;
  const warnings: MessageWarning[] = [];
  if (bom) warnings.push('byteOrderMark');
  if (start > (bom ? 3 : 0)) warnings.push('blankLines');

  const body = start === 0 ? text : text.slice(start);
  const separator = body.charAt(3);
  const end = firstSegmentEnd(body, separator);
  const next = body.indexOf(separator, 4);
  const encoding = body.slice(4, next < 0 || next > end ? end : next);
  const found = body.startsWith('MSH') ? readDelimiters(separator, encoding) : undefined;
  if (!found) throw new FaultError({ name: 'notHl7', detail: whyNot(body) });
  for (const warning of found.warnings) warnings.push(warning);

  const { delimiters } = found;
  const msh = body.slice(0, end);
  const sent = start === 0 ? buffer : buffer.subarray(start);
  const plain = isAscii(sent);
  const charset = chooseCharset(
    msh,
    delimiters,
    sent,
    plain,
    bom ? 'UNICODE UTF-8' : assumed,
    warnings,
  );
  return {
    lead: text.slice(0, start),
    body: plain ? body : maskSecondBytes(body, charset),
    delimiters,
    charset,
    plain,
    warnings,
  };
}

const oneByte = /^(?:8859|windows)/;

/**
 * The set a message is read with: MSH-18 (its first repetition, HL7 v2.5 §2.15.9.18). Where it is
 * absent, unknown, or says ASCII of bytes that are not: the configured set; without one, UTF-8 if
 * the bytes are well-formed UTF-8, otherwise 8859/1, in which every byte is one character.
 */
function chooseCharset(
  msh: string,
  delimiters: Delimiters,
  buffer: Buffer,
  plain: boolean,
  assumed: CharsetName | undefined,
  warnings: MessageWarning[],
): CharsetName {
  const span = locate(msh, { segment: 'MSH', field: 18 }, delimiters, false);
  const field = span && span.missing === '' ? msh.slice(span.start, span.end) : '';
  const repetition = delimiters.repetition ? field.indexOf(delimiters.repetition) : -1;
  const value = (repetition < 0 ? field : field.slice(0, repetition)).trim();
  const meaning = value === '' ? undefined : charsetMeaning(value);
  if (meaning === 'UTF-16')
    throw new FaultError({ name: 'charsetUtf16', detail: 'MSH-18 says so' });
  if (repetition >= 0) warnings.push('charsetRepeated');
  if (meaning === 'unknown') warnings.push('charsetUnknown');
  else if (meaning !== undefined && meaning !== value) warnings.push('charsetSpelling');

  if (plain) return meaning && meaning !== 'unknown' ? meaning : (assumed ?? 'ASCII');
  if (meaning === undefined) warnings.push('charsetAssumed');
  if (meaning === 'ASCII') warnings.push('charsetViolated');
  const declared = meaning === 'ASCII' || meaning === 'unknown' ? undefined : meaning;
  const charset = declared ?? assumed ?? (isUtf8(buffer) ? 'UNICODE UTF-8' : '8859/1');
  const utf8 = isUtf8(buffer);
  const held = charset === 'UNICODE UTF-8' ? utf8 : holds(buffer.toString('latin1'), charset);
  if (!held && meaning !== 'ASCII') warnings.push('charsetViolated');
  if (utf8 && oneByte.test(charset)) warnings.push('charsetDoubtful');
  return charset;
}

function whyNot(body: string): string {
  if (body === '') return 'nothing but blank lines';
  if (/^(?:FHS|BHS)/.test(body)) return 'it begins with a batch header (FHS or BHS)';
  if (body.startsWith('\x0b')) return 'the MLLP start byte VT was not taken off';
  if (body.startsWith('MSH')) return 'MSH is not followed by delimiters';
  return 'it does not begin with MSH';
}
