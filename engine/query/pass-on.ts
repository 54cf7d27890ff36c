/** A GP system's own HL7 v2 answer, given to the hospital under our header and its control id. */
import { type Responder, timestamp } from '../hl7/ack.ts';
import { encodeSegment } from '../hl7/encode.ts';
import { type Message, parseMessage } from '../hl7/message.ts';
import { type Caution, cautionText } from './cautions.ts';

/**
 * Readdress an answer: MSH-3 to MSH-7, MSH-10 and MSA-2 become ours and the hospital's, and cautions
 * are added; every other byte stays as the GP system sent it.
 * @param query the hospital's query
 * @param answer the GP system's bytes
 */
export function passOn(
  query: Message,
  answer: Uint8Array,
  us: Responder,
  cautions: Caution[],
): Buffer {
  const message = parseMessage(answer);
  message.set('MSH-3', us.application);
  message.set('MSH-4', us.facility);
  message.setRaw('MSH-5', query.raw('MSH-3') ?? '');
  message.setRaw('MSH-6', query.raw('MSH-4') ?? '');
  message.set('MSH-7', timestamp(us.now));
  message.set('MSH-10', us.controlId);
  message.setRaw('MSA-2', query.raw('MSH-10') ?? '');
  if (cautions.length === 0) return message.toBytes();
  const told = cautions.map(cautionText);
  if (message.count('QPD') > 0) return withNotes(message, told);
  // ADR^A19 has no place for a note; MSA-3 is the one text every host shows.
  message.set('MSA-3', told.join(' '));
  return message.toBytes();
}

/** NTE segments after QPD, in the answer's own delimiters; cautions are plain ASCII. */
function withNotes(message: Message, texts: string[]): Buffer {
  const bytes = message.toBytes();
  const qpd = message.segmentBytes('QPD') ?? Buffer.alloc(0);
  const end = bytes.indexOf(qpd) + qpd.length;
  const notes = texts.map((text, index) => {
    const fields = [undefined, String(index + 1), undefined, text];
    return `\r${encodeSegment({ name: 'NTE', fields }, message.delimiters)}`;
  });
  const inserted = Buffer.from(notes.join(''), 'ascii');
  return Buffer.concat([bytes.subarray(0, end), inserted, bytes.subarray(end)]);
}
