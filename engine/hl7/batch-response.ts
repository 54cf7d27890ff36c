/**
 * The response to a batch (HL7 v2.5 §2.10.3.3): the acknowledgements of its messages as a batch of
 * their own, whose BHS-12 names the batch they belong to.
 */
import type { Responder } from './ack.ts';
import { timestamp } from './ack.ts';
import type { BatchFile, BatchHeader } from './batch.ts';
import { encode } from './charset.ts';
import { completeDelimiters } from './delimiters.ts';
import { encodeSegment } from './encode.ts';

/**
 * @param file as it was received; where it has no headers, neither has the response
 * @param answers for each batch of the file, what its messages are answered, ended with CR each
 * @param responder its control id is the stem of ours: F and a number are put behind it
 */
export function batchResponse(
  file: BatchFile,
  answers: readonly (readonly Uint8Array[])[],
  responder: Responder,
): Buffer {
  const parts: Uint8Array[] = [];
  const line = (header: BatchHeader | undefined, text: (field: string) => string) =>
    parts.push(Buffer.from(`${text(header?.delimiters.field ?? '|')}\r`, 'latin1'));
  if (file.header) parts.push(answering('FHS', file.header, responder, 'F'));
  for (const [i, batch] of file.batches.entries()) {
    const { header } = batch;
    const own = answers[i] ?? [];
    if (header) parts.push(answering('BHS', header, responder, `B${i + 1}`));
    parts.push(...own);
    if (header) line(header, (field) => `BTS${field}${own.length}`);
  }
  if (file.header) line(file.header, (field) => `FTS${field}${file.batches.length}`);
  return Buffer.concat(parts);
}

/** FHS or BHS back to whoever sent one: fields 3 to 6 turned round, field 12 their field 11. */
function answering(
  name: 'FHS' | 'BHS',
  { delimiters, fields }: BatchHeader,
  { application, facility, now, controlId }: Responder,
  suffix: string,
): Buffer {
  const echo: Record<number, string | undefined> = {};
  for (const [number, from] of [
    [3, 5],
    [4, 6],
    [5, 3],
    [6, 4],
    [12, 11],
  ] as const) {
    if (fields[from]) echo[number] = fields[from];
  }
  // What is echoed is byte text; what is our own becomes byte text.
  const ours = (text: string) => encode(text, 'UNICODE UTF-8') ?? text;
  const own = [undefined, undefined, undefined, ours(application), ours(facility)];
  const segment = {
    name,
    fields: [...own, undefined, undefined, timestamp(now)],
    echo: { ...echo, 11: `${controlId}${suffix}` },
  };
  const text = encodeSegment(segment, completeDelimiters(delimiters));
  return Buffer.from(`${text}\r`, 'latin1');
}
