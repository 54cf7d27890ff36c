/** The messages of the proof: each is known whole by its control id, so nothing has to be kept. */

/** Messages of one key have to be delivered in the order in which they were received. */
export const keys = 48;

/** The ordering key (PID-3.1) of the message with a control id. */
export function keyOf(id: string): string {
  let mixed = 0;
  for (let at = 0; at < id.length; at++) mixed = (Math.imul(mixed, 31) + id.charCodeAt(at)) | 0;
  return `K${(mixed >>> 0) % keys}`;
}

/** The message with a control id, about 1 KB. @param key what it is ordered by */
export function adt(id: string, key = keyOf(id)): string {
  return [
    `MSH|^~\\&|PROOF|R0A|GATEHOUSE|RECGW|20260604101500||ADT^A08^ADT_A01|${id}|P|2.4`,
    'EVN||20260604101500',
    `PID|1||${key}^^^PROOF^MR||Example^Robin||19800101|9`,
    `PV1|1|E|${'WARD 12~'.repeat(90)}`,
    `ZPR|${id}`,
    '',
  ].join('\r');
}

/** A framed acknowledgement by the receiver of a message. */
export function acknowledgement(id: string, code = 'AA'): string {
  return `\x0bMSH|^~\\&|EPR|R0A|PROOF|R0A|20260604101500||ACK|K${id}|P|2.4\rMSA|${code}|${id}\r\x1c\r`;
}

/** MSH-10 of a message; empty where there is none. */
export function controlIdOf(message: string): string {
  return message.split('|', 10)[9]?.split('\r')[0] ?? '';
}
