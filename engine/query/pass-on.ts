/** A GP system's own HL7 v2 answer, given to the hospital under our header and its control id. */
import { type Responder, timestamp } from '../hl7/ack.ts';
import { type Message, parseMessage } from '../hl7/message.ts';

/**
 * Readdress an answer: MSH-3 to MSH-7, MSH-10 and MSA-2 become ours and the hospital's; every other
 * byte stays as the GP system sent it.
 * @param query the hospital's query
 * @param answer the GP system's bytes
 */
export function passOn(query: Message, answer: Uint8Array, us: Responder): Buffer {
  const message = parseMessage(answer);
  message.set('MSH-3', us.application);
  message.set('MSH-4', us.facility);
  message.setRaw('MSH-5', query.raw('MSH-3') ?? '');
  message.setRaw('MSH-6', query.raw('MSH-4') ?? '');
  message.set('MSH-7', timestamp(us.now));
  message.set('MSH-10', us.controlId);
  message.setRaw('MSA-2', query.raw('MSH-10') ?? '');
  return message.toBytes();
}
