/** What may be shown without a reason: structure, codes of the exchange itself, and no patient. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { encodeRaw } from '../../engine/hl7/charset.ts';
import type { Message } from '../../engine/hl7/message.ts';
import { segmentLines } from '../../engine/hl7/readable.ts';
import { appendLine } from '../../engine/journal/durable-file.ts';
import { CommandError } from './output.ts';
import { whoAsks } from './person.ts';

/** Segments about the exchange, not about a patient; a separator follows the name, not text. */
const open = /^(?:MSH|MSA|QAK|ERR|EVN|RCP|DSC)(?![\p{L}\p{N} ])/u;

/** HL7 text, one segment a line, with every letter and digit of patient segments covered. */
export function maskSegments(text: string, mark = dot): string {
  return text
    .split('\n')
    .map((line) => (open.test(line) ? line : line.slice(0, 3) + cover(line.slice(3), mark)))
    .join('\n');
}

/** A whole message, covered in the same way, in its own character set. */
export function maskMessage(message: Message): Buffer {
  const used = Object.values(message.delimiters).join('');
  const mark = ['*', 'x', '0'].find((one) => !used.includes(one)) ?? '-';
  const text = maskSegments(segmentLines(message), mark).replaceAll('\n', '\r');
  // What is left of it was in the message, and the mark is in every set.
  return Buffer.from(encodeRaw(`${text}\r`, message.charset) ?? '', 'latin1');
}

/** One field's text, covered in the same way. @param at its place, for example `PID-5` */
export function maskValue(at: string, text: string): string {
  return open.test(at) ? text : cover(text);
}

const dot = '\u2022';
const cover = (text: string, mark = dot): string => text.replace(/[\p{L}\p{N}]/gu, mark);

/**
 * Record that patient data was shown: who, when, what and why.
 * @param exchange its name, or what else was shown
 * @param of what is to be recorded besides; no patient data
 * @throws CommandError where there is no folder to record it in
 */
export function recordReveal(
  data: string,
  exchange: string,
  reason: string,
  of: Readonly<Record<string, unknown>> = {},
): void {
  const line = {
    at: new Date().toISOString(),
    user: whoAsks(),
    exchange,
    reason,
    ...of,
  };
  if (!existsSync(data)) {
    const says = `there is no folder ${data}, where it is recorded that patient data is shown`;
    throw new CommandError(says, undefined, 'journalNotFound');
  }
  appendLine(join(data, 'reveals.ndjson'), JSON.stringify(line), 0o600);
}
