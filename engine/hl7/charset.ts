/**
 * The character sets of MSH-18 (HL7 table 0211) over iconv-lite.
 *
 * Throughout `hl7/`, "byte text" is a string that holds one byte per character, so that the
 * structure of a message is found byte by byte and nothing is lost by looking at it.
 */
import iconv from 'iconv-lite';

/** Our names: the values of table 0211, and `windows-1252`, which no table has but senders use. */
export const charsetNames = [
  'ASCII',
  '8859/1',
  '8859/2',
  '8859/3',
  '8859/4',
  '8859/5',
  '8859/6',
  '8859/7',
  '8859/8',
  '8859/9',
  '8859/15',
  'UNICODE UTF-8',
  'GB 18030-2000',
  'KS X 1001',
  'BIG-5',
  'windows-1252',
] as const;
export type CharsetName = (typeof charsetNames)[number];

/** What a value of MSH-18 means. */
export type CharsetMeaning = CharsetName | 'UTF-16' | 'unknown';

/** Characters whose second byte can look like a delimiter. */
const doubleByte: ReadonlySet<CharsetName> = new Set(['GB 18030-2000', 'KS X 1001', 'BIG-5']);

/** Spellings met in practice, with all but letters and digits removed. */
const spellings = new Map<string, CharsetName>(
  Object.entries({
    ASCII: 'ASCII',
    USASCII: 'ASCII',
    ISOIR6: 'ASCII',
    LATIN1: '8859/1',
    ISOIR100: '8859/1',
    ISOIR101: '8859/2',
    ISOIR109: '8859/3',
    ISOIR110: '8859/4',
    ISOIR144: '8859/5',
    ISOIR127: '8859/6',
    ISOIR126: '8859/7',
    ISOIR138: '8859/8',
    ISOIR148: '8859/9',
    LATIN9: '8859/15',
    UTF8: 'UNICODE UTF-8',
    UNICODEUTF8: 'UNICODE UTF-8',
    UNICODE: 'UNICODE UTF-8',
    ISOIR192: 'UNICODE UTF-8',
    GB18030: 'GB 18030-2000',
    GB180302000: 'GB 18030-2000',
    KSX1001: 'KS X 1001',
    EUCKR: 'KS X 1001',
    BIG5: 'BIG-5',
    CP1252: 'windows-1252',
    WINDOWS1252: 'windows-1252',
  } as const),
);

const exact = new Map<string, CharsetName>(charsetNames.map((name) => [name, name]));

/**
 * What one repetition of MSH-18 means; spelling, case and punctuation are forgiven.
 * @param value not empty
 */
export function charsetMeaning(value: string): CharsetMeaning {
  const name = exact.get(value);
  if (name) return name;
  const key = value.toUpperCase().replace(/[^A-Z0-9]/g, '');
  const part = /^(?:ISO)?8859([1-9]|15)$/.exec(key)?.[1];
  if (part) return `8859/${part}` as CharsetName;
  if (/^(?:UNICODE)?(?:UTF(?:16|32)|UCS[24])(?:BE|LE)?$/.test(key)) return 'UTF-16';
  return spellings.get(key) ?? 'unknown';
}

/**
 * Byte text read as characters. Nothing is lost: a byte that is no character of the set becomes
 * the lone surrogate U+DC00 + byte (as Python's PEP 383 does), which `encodeRaw` writes back.
 */
export function decode(bytes: string, charset: CharsetName): string {
  if (isAsciiText(bytes) || charset === '8859/1') return bytes;
  if (charset === 'ASCII') return keepBytes(bytes);
  if (charset === 'UNICODE UTF-8') {
    const text = Buffer.from(bytes, 'latin1').toString('utf8');
    return text.includes('\ufffd') ? bytes.replace(utf8Sequence, decodeSequence) : text;
  }
  const text = iconvDecode(bytes, charset);
  if (doubleByte.has(charset)) {
    const kept = iconvEncode(text, charset) === bytes;
    return kept ? text : bytes.replace(doubleByteSequence, (unit) => decodeUnit(unit, charset));
  }
  if (!text.includes('\ufffd')) return text;
  return text.replace(/\ufffd/g, (_, at: number) => keepBytes(bytes.charAt(at)));
}

/**
 * Characters written as byte text.
 * @returns undefined when the set lacks one of the characters; `unrepresentable` says which
 */
export function encode(text: string, charset: CharsetName): string | undefined {
  if (isAsciiText(text)) return text;
  if (charset === 'ASCII') return undefined;
  if (charset === 'UNICODE UTF-8') {
    return text.isWellFormed() ? Buffer.from(text, 'utf8').toString('latin1') : undefined;
  }
  if (charset === '8859/1') return /^[\0-\xff]*$/.test(text) ? text : undefined;
  const bytes = iconvEncode(text, charset);
  return iconvDecode(bytes, charset) === text ? bytes : undefined;
}

/** Like `encode`, for text from `decode`: its lone surrogates become the bytes they stand for. */
export function encodeRaw(text: string, charset: CharsetName): string | undefined {
  if (text.isWellFormed()) return encode(text, charset);
  let bytes = '';
  for (const part of text.split(/([\udc00-\udcff])/u)) {
    const kept = part.length === 1 && /[\udc00-\udcff]/.test(part);
    const encoded = kept ? String.fromCharCode(part.charCodeAt(0) & 0xff) : encode(part, charset);
    if (encoded === undefined) return undefined;
    bytes += encoded;
  }
  return bytes;
}

/** The first character a set lacks, as `U+0142`; undefined when it has them all. */
export function unrepresentable(text: string, charset: CharsetName): string | undefined {
  for (const character of text) {
    if (encode(character, charset) !== undefined) continue;
    return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  }
  return undefined;
}

/**
 * Byte text in which the second bytes of double-byte characters can no longer be taken for
 * delimiters: U+0100 is added to them. Node writes the low byte of each character as latin1, so
 * the same bytes come out.
 */
export function maskSecondBytes(bytes: string, charset: CharsetName): string {
  if (!doubleByte.has(charset)) return bytes;
  return bytes.replace(/[\x81-\xfe][\x30-\x7e\x80-\xff]/g, (pair) =>
    pair.charCodeAt(1) < 0x80
      ? pair.charAt(0) + String.fromCharCode(0x100 + pair.charCodeAt(1))
      : pair,
  );
}

/**
 * Whether masked byte text, written and read again, is the same text: where a first byte has lost
 * its second one, it takes whatever is written behind it, be it a delimiter.
 */
export function keepsItsCharacters(masked: string, charset: CharsetName): boolean {
  if (!doubleByte.has(charset)) return true;
  return maskSecondBytes(Buffer.from(masked, 'latin1').toString('latin1'), charset) === masked;
}

/** True when each byte belongs to a character of the set. */
export function holds(bytes: string, charset: CharsetName): boolean {
  return decode(bytes, charset).isWellFormed();
}

/** True when every character, or every byte of byte text, is ASCII. */
export function isAsciiText(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

/** iconv-lite's name for a set. */
function codecOf(charset: CharsetName): string {
  if (charset === 'GB 18030-2000') return 'gb18030';
  if (charset === 'KS X 1001') return 'euc-kr';
  return charset.replace('8859/', 'iso-8859-');
}

function iconvDecode(bytes: string, charset: CharsetName): string {
  return iconv.decode(Buffer.from(bytes, 'latin1'), codecOf(charset), { stripBOM: false });
}

function iconvEncode(text: string, charset: CharsetName): string {
  const bytes = iconv.encode(text, codecOf(charset)).toString('latin1');
  return maskSecondBytes(bytes, charset);
}

function keepBytes(bytes: string): string {
  return bytes.replace(/[^\0-\x7f]/g, (c) =>
    String.fromCharCode(0xdc00 + (c.charCodeAt(0) & 0xff)),
  );
}

/** A well-formed UTF-8 sequence of more than one byte (Unicode table 3-7), or one stray byte. */
const utf8Sequence =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

function decodeSequence(sequence: string): string {
  if (sequence.length === 1) return keepBytes(sequence);
  return Buffer.from(sequence, 'latin1').toString('utf8');
}

/** A double-byte character, a four-byte one of GB 18030, or one stray byte. */
const doubleByteSequence =
  /[\x81-\xfe][\u0130-\u0139][\x81-\xfe][\u0130-\u0139]|[\x81-\xfe][^\0-\x7f]|[^\0-\x7f]/g;

/** Some codecs read two byte sequences as one character, or repair what is broken; bytes do not. */
function decodeUnit(unit: string, charset: CharsetName): string {
  const text = iconvDecode(unit, charset);
  return iconvEncode(text, charset) === unit ? text : keepBytes(unit);
}
