/**
 * What an interface does most: read a message, look at a name, change its control id, write it
 * again. One library a process, named by the first argument; one thread.
 */
import { adtMessage } from '../samples.ts';
import { answerRequests } from './requests.ts';

export interface EditRequest {
  ms: number;
}

export interface EditResult {
  perSecond: number;
  /** MB resident at most. */
  peak: number;
}

/** Bytes in, bytes out: MSH-10 becomes `controlId`. @throws Error unless PID-5.1 reads `family` */
type Edit = (bytes: Buffer, controlId: string, family: string) => Buffer;

const libraries: Readonly<Record<string, () => Promise<Edit>>> = {
  async gatehouse() {
    const { parseMessage } = await import('../../engine/hl7/message.ts');
    return (bytes, controlId, family) => {
      const message = parseMessage(bytes);
      holds(message.get('PID-5'), family);
      message.set('MSH-10', controlId);
      return message.toBytes();
    };
  },
  async 'node-hl7-client'() {
    const { Message } = await import('node-hl7-client');
    return (bytes, controlId, family) => {
      const message = new Message({ text: bytes.toString('utf8') });
      holds(message.get('PID.5.1').toString(), family);
      message.set('MSH.10', controlId);
      return Buffer.from(message.toString(), 'utf8');
    };
  },
  async hl7v2() {
    const { HL7Message } = await import('hl7v2');
    return (bytes, controlId, family) => {
      const message = HL7Message.parse(bytes);
      const name = message.getSegment('PID')?.field(5).getValue(1);
      holds(name === undefined ? undefined : String(name), family);
      message.header.field(10).setValue(controlId);
      return Buffer.from(message.toHL7String(), 'utf8');
    };
  },
};

function holds(value: string | undefined, expected: string): void {
  if (value !== expected) throw new Error(`PID-5 reads "${value}", not "${expected}"`);
}

const [, , library = ''] = process.argv;
const load = libraries[library];
if (!load) throw new Error(`no library "${library}"; known: ${Object.keys(libraries).join(', ')}`);
const edit = await load();
const messages = Array.from({ length: 256 }, (_, number) => adtMessage(number));
const controlIds = messages.map((_, number) => `EDITED${number}`);
let sink = 0;

/** Every message once. */
function round(): void {
  for (const [number, bytes] of messages.entries()) {
    sink += edit(bytes, controlIds[number] ?? '', 'Example').length;
  }
}

const written = edit(adtMessage(7), 'EDITED7', 'Example').toString('latin1');
if (written.split('|')[9] !== 'EDITED7') throw new Error(`${library} did not write MSH-10`);

answerRequests<EditRequest, EditResult>(({ ms }) => {
  round();
  const began = performance.now();
  let rounds = 0;
  do {
    round();
    rounds++;
  } while (performance.now() - began < ms);
  const seconds = (performance.now() - began) / 1000;
  if (sink < 0) throw new Error('unreachable');
  const peak = process.resourceUsage().maxRSS / 1024;
  return { perSecond: (rounds * messages.length) / seconds, peak };
});
