/** What may be shown without a reason: structure, codes of the exchange itself, and no patient. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { whoAsks } from './person.ts';

/** Segments about the exchange, not about a patient; a separator follows the name, not text. */
const open = /^(?:MSH|MSA|QAK|ERR|EVN|RCP|DSC)(?![\p{L}\p{N} ])/u;

/** HL7 text, one segment a line, with every letter and digit of patient segments covered. */
export function maskSegments(text: string): string {
  return text
    .split('\n')
    .map((line) => (open.test(line) ? line : line.slice(0, 3) + cover(line.slice(3))))
    .join('\n');
}

/** One field's text, covered in the same way. @param at its place, for example `PID-5` */
export function maskValue(at: string, text: string): string {
  return open.test(at) ? text : cover(text);
}

const cover = (text: string): string => text.replace(/[\p{L}\p{N}]/gu, '\u2022');

/** Record that patient data was shown: who, when, what and why. */
export function recordReveal(data: string, exchange: string, reason: string): void {
  const line = {
    at: new Date().toISOString(),
    user: whoAsks(),
    exchange,
    reason,
  };
  appendFileSync(join(data, 'reveals.ndjson'), `${JSON.stringify(line)}\n`, { mode: 0o600 });
}
