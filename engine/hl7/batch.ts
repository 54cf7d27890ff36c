/**
 * Batches (HL7 v2.5 §2.10.3): `[FHS] { [BHS] { MSH … } [BTS] } [FTS]`. A batch is cut into its
 * messages, each with the bytes it came with; headers and trailers are read, and what they say is
 * held against what is there. Senders leave trailers and headers out, so every one may be absent.
 */
import { type Delimiters, readDelimiters, standardDelimiters } from './delimiters.ts';

/** FHS or BHS. */
export interface BatchHeader {
  /** Those of the header; the recommended ones where it cannot be read. */
  delimiters: Readonly<Delimiters>;
  /** Byte text of its fields, as sent: `fields[11]` is its control id. Index 0 is the name. */
  fields: readonly string[];
}

export interface Batch {
  /** Undefined where messages stand without a BHS. */
  header?: BatchHeader;
  messages: Buffer[];
}

export interface BatchFile {
  /** FHS, where there is one. */
  header?: BatchHeader;
  batches: Batch[];
  /** Why it cannot be trusted to hold what was sent: then no message of it may be taken. */
  problems: string[];
  /** What was tolerated. */
  warnings: ('noBatchTrailer' | 'noFileTrailer')[];
}

/** A line that begins one of the five. */
const marks = /(?:^|[\r\n])[ \t]*(?=(FHS|BHS|BTS|FTS|MSH)(?:[!-/:-@[-`{-~]|[\r\n]|$))/g;
const anySegment = /(?:^|[\r\n])[ \t]*([A-Z][A-Z0-9]{2})(?=[!-/:-@[-`{-~]|[\r\n]|$)/;
/** Byte order mark and blank lines before the first segment. */
const lead = /^(?:\xef\xbb\xbf)?[ \t\r\n]*/;

/** Whether a payload begins as a file or a batch does. */
export function isBatch(payload: Uint8Array): boolean {
  const start = Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.length, 256));
  return /^(?:FHS|BHS)/.test(start.toString('latin1').replace(lead, ''));
}

/**
 * Cut a batch into its messages. Never throws: what is no batch has problems.
 * @param payload may be reused afterwards only while the messages are not
 */
export function splitBatch(payload: Uint8Array): BatchFile {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const text = bytes.toString('latin1');
  const file: BatchFile = { batches: [], problems: [], warnings: [] };
  const places = Array.from(text.matchAll(marks), (found) => ({
    name: found[1] ?? '',
    start: found.index + found[0].length,
  }));
  const first = places[0]?.start ?? text.length;
  if (text.slice(0, first).replace(lead, '') !== '')
    file.problems.push('it does not begin with one');
  let open: Batch | undefined;
  let ended = false;
  for (const [i, { name, start }] of places.entries()) {
    const end = places[i + 1]?.start ?? text.length;
    const part = text.slice(start, end);
    if (ended) file.problems.push(`${name} stands behind FTS`);
    if (name === 'MSH') {
      if (!open) file.batches.push((open = { messages: [] }));
      open.messages.push(bytes.subarray(start, end));
      continue;
    }
    const stray = anySegment.exec(part.slice(3))?.[1];
    if (stray) file.problems.push(`${stray} stands behind ${name}, in no message`);
    const fields = fieldsOf(part);
    if (name === 'FHS') {
      if (i > 0) file.problems.push('FHS does not stand first');
      file.header = headerOf(part, file);
    } else if (name === 'BHS') {
      if (open?.header || open?.messages.length) file.warnings.push('noBatchTrailer');
      file.batches.push((open = { header: headerOf(part, file), messages: [] }));
    } else if (name === 'BTS') {
      if (!open) file.problems.push('BTS ends no batch');
      held(fields[1], open?.messages.length ?? 0, 'BTS-1', 'messages', file);
      open = undefined;
    } else {
      if (open) file.warnings.push('noBatchTrailer');
      held(fields[1], file.batches.length, 'FTS-1', 'batches', file);
      open = undefined;
      ended = true;
    }
  }
  if (open) file.warnings.push('noBatchTrailer');
  if (file.header && !ended) file.warnings.push('noFileTrailer');
  return file;
}

/** A count in a trailer, where there is one, must be what is there. */
function held(
  stated: string | undefined,
  there: number,
  place: string,
  what: string,
  { problems }: BatchFile,
): void {
  const said = stated?.trim() ?? '';
  if (said === '') return;
  if (!/^\d{1,9}$/.test(said)) problems.push(`${place} is no number`);
  else if (Number(said) !== there)
    problems.push(`${place} says ${said} ${what}, there are ${there}`);
}

/** The fields of the line a part begins with; MSH-like numbering is left to the header. */
function fieldsOf(part: string): string[] {
  const line = /^[^\r\n]*/.exec(part)?.[0] ?? '';
  const separator = line.charAt(3);
  return separator === '' ? [line] : line.split(separator);
}

function headerOf(part: string, { problems }: BatchFile): BatchHeader {
  const [name = '', encoding = '', ...rest] = fieldsOf(part);
  const separator = part.charAt(3);
  const read = readDelimiters(separator, encoding);
  if (!read) problems.push(`${name} cannot be read`);
  const delimiters = read?.delimiters ?? standardDelimiters;
  return { delimiters, fields: [name, separator, encoding, ...(read ? rest : [])] };
}
