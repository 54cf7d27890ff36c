/**
 * Acknowledgements: whether the sender wants one, of which kind, and how it is written.
 * HL7 v2.5 §2.9.2 (original mode), §2.9.3 (enhanced mode), §2.15.8 (MSA).
 */
import { faults as faultTable } from '../faults.ts';
import type { Fault } from '../faults.ts';
import { isAsciiText } from './charset.ts';
import { standardDelimiters } from './delimiters.ts';
import { encodeMessage } from './encode.ts';
import { errSegments } from './err.ts';
import type { Message } from './message.ts';
import type { Segment } from './segment.ts';
import { versionAtLeast } from './version.ts';

/** Table 0008: A-codes in original mode and for applications, C-codes for accepting. */
export const ackCodes = ['AA', 'AE', 'AR', 'CA', 'CE', 'CR'] as const;
export type AckCode = (typeof ackCodes)[number];

/** Table 0155: always, never, on error or reject only, on success only. */
export type AckCondition = 'AL' | 'NE' | 'ER' | 'SU';

export interface AcknowledgementMode {
  mode: 'original' | 'enhanced';
  /** When an accept acknowledgement (CA, CE, CR) is wanted; MSH-15. */
  accept: AckCondition;
  /** When an application acknowledgement or answer (AA, AE, AR) is wanted; MSH-16. */
  application: AckCondition;
}

/**
 * What acknowledgements a message asks for. MSH-15 and MSH-16 both empty, or v2.1, which has
 * neither: original mode, the same as NE and AL. One of them empty counts as NE. A value outside
 * table 0155 counts as AL: an acknowledgement too many is ignored, one too few stops the sender.
 */
export function acknowledgementMode(message: Message): AcknowledgementMode {
  const accept = message.get('MSH-15')?.trim();
  const application = message.get('MSH-16')?.trim();
  const valued = condition(accept) !== undefined || condition(application) !== undefined;
  if (!valued || !versionAtLeast(message.get('MSH-12'), '2.2')) {
    return { mode: 'original', accept: 'NE', application: 'AL' };
  }
  return {
    mode: 'enhanced',
    accept: condition(accept) ?? 'NE',
    application: condition(application) ?? 'NE',
  };
}

/** Is an acknowledgement wanted under this condition? `error` is AE, AR, CE or CR. */
export function wanted(on: AckCondition, outcome: 'success' | 'error'): boolean {
  if (on === 'AL') return true;
  if (on === 'NE') return false;
  return on === (outcome === 'success' ? 'SU' : 'ER');
}

/** The accept code that says what an application code says. */
export function acceptCode(code: AckCode): 'CA' | 'CE' | 'CR' {
  return `C${code.slice(1)}` as 'CA' | 'CE' | 'CR';
}

/** What every response needs from its surroundings. */
export interface Responder {
  /** Our own MSH-10, unique. */
  controlId: string;
  now: Date;
  /** Our MSH-3 and MSH-4, for a sender that left its MSH-5 and MSH-6 empty. */
  application: string;
  facility: string;
}

/**
 * MSH of any response. MSH-3 to 6 are the sender's 5, 6, 3, 4; MSH-7 is UTC with its offset;
 * MSH-11, 12, 17 and 19 are the sender's; MSH-18 names the set the sender's message was read with,
 * if it valued MSH-18 (encodeMessage corrects it where another one is used).
 * @param message undefined when what was received could not be read at all
 * @param type MSH-9 of the response, its second and third component where the version has them;
 *   a general acknowledgement (ACK of the sender's event) unless told
 */
export function responseHeader(
  message: Message | undefined,
  responder: Responder,
  type?: { code: string; event?: string; structure?: string },
): Segment {
  const { controlId, now, application, facility } = responder;
  const echo: Record<number, string | undefined> = {};
  const give = (number: number, from: number): void => {
    const raw = message?.raw(`MSH-${from}`);
    if (raw) echo[number] = raw;
  };
  give(3, 5);
  give(4, 6);
  give(5, 3);
  give(6, 4);
  for (const number of [11, 12, 17, 19]) give(number, number);
  const fields: Segment['fields'] = [];
  fields[3] = application;
  fields[4] = facility;
  fields[7] = timestamp(now);
  fields[9] = [messageType(message, type)];
  fields[10] = controlId;
  fields[11] = 'P';
  fields[12] = '2.4';
  if (message && acknowledgementMode(message).mode === 'enhanced') {
    fields[15] = 'NE';
    fields[16] = 'NE';
  }
  if (message?.get('MSH-18')) fields[18] = message.charset;
  return { name: 'MSH', fields, echo };
}

/**
 * MSA. MSA-2 is the sender's MSH-10, byte for byte. MSA-3 carries the sentence of the first fault
 * up to v2.6; v2.7 withdrew it for ERR-8.
 */
export function msaSegment(message: Message | undefined, code: AckCode, faults: Fault[]): Segment {
  const [fault] = faults;
  const text = fault && (fault.verbatim ?? faultTable[fault.name].says);
  const withdrawn = versionAtLeast(message?.get('MSH-12'), '2.7');
  const controlId = message?.raw('MSH-10');
  return {
    name: 'MSA',
    fields: [undefined, code, undefined, withdrawn ? undefined : text],
    echo: controlId ? { 2: controlId } : undefined,
  };
}

/**
 * A whole acknowledgement: MSH, MSA and ERR, in the sender's delimiters and character set.
 *
 * A positive code needs a control id to refer to: without MSH-10 it becomes AE or CE with the
 * fault mshShort, so that no sender takes it for an acknowledgement of something else.
 * @param message undefined when what was received could not be read: then MSA-2 is empty and
 *   `|^~\&`, ASCII and v2.4 are used
 */
export function buildAck(
  message: Message | undefined,
  options: Responder & { code: AckCode; faults: Fault[] },
): Buffer {
  const { code, faults, controlId, now } = options;
  const header = message?.raw('MSH');
  if (!message || !header || faults.length > 0 || !isAsciiText(header)) {
    return encodeAck(message, options);
  }
  // The acknowledgements of one sender differ in their time and two control ids alone.
  const { field } = message.delimiters;
  const sent = header.split(field);
  const id = sent[9] ?? '';
  if (id === '') return encodeAck(message, options);
  sent[6] = '';
  sent[9] = '';
  const { application, facility } = options;
  const key = [code, message.charset, application, facility, sent.join(field)].join('\n');
  let form = forms.get(key);
  if (!form) {
    if (forms.size > 500) forms.clear();
    form = formOf(encodeAck(message, options), field);
    forms.set(key, form);
  }
  const [start, middle, end] = form;
  return Buffer.from(`${start}${timestamp(now)}${middle}${controlId}${end}${id}\r`, 'latin1');
}

/** What stands before MSH-7, between it and MSH-10, and from there to MSA-2. */
type Form = [start: string, middle: string, end: string];
const forms = new Map<string, Form>();

function formOf(ack: Buffer, field: string): Form {
  const [msh = '', msa = ''] = ack.toString('latin1').split('\r');
  const parts = msh.split(field);
  const before = parts.slice(0, 6).join(field) + field;
  const between = field + parts.slice(7, 9).join(field) + field;
  const after = field + parts.slice(10).join(field);
  return [before, between, `${after}\r${msa.split(field).slice(0, 2).join(field)}${field}`];
}

function encodeAck(
  message: Message | undefined,
  options: Responder & { code: AckCode; faults: Fault[] },
): Buffer {
  let { code, faults } = options;
  if (code.endsWith('A') && !message?.raw('MSH-10')) {
    code = code === 'CA' ? 'CE' : 'AE';
    faults = [{ name: 'mshShort', at: [{ segment: 'MSH', field: 10 }] }, ...faults];
  }
  const segments = [
    responseHeader(message, options),
    msaSegment(message, code, faults),
    ...errSegments(message?.get('MSH-12'), faults),
  ];
  return encodeMessage(segments, {
    delimiters: message?.delimiters ?? standardDelimiters,
    charset: message?.charset ?? 'ASCII',
  }).bytes;
}

/** A time as HL7 writes it (TS, DTM): UTC, to the second, with its offset. */
export function timestamp(time: Date): string {
  const second = Math.floor(time.getTime() / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastTimestamp = `${time.toISOString().slice(0, 19).replace(/[-:T]/g, '')}+0000`;
  }
  return lastTimestamp;
}

/** Thousands of answers share a second. */
let lastSecond = Number.NaN;
let lastTimestamp = '';

/**
 * MSH-9 by version: `ACK` to v2.2, `ACK^A01` in v2.3, `ACK^A01^ACK` from v2.3.1; other types have
 * their event always, their structure from v2.3.1.
 */
function messageType(
  message: Message | undefined,
  type: { code: string; event?: string; structure?: string } | undefined,
): (string | undefined)[] {
  const version = message?.get('MSH-12');
  const structured = versionAtLeast(version, '2.3.1');
  if (type) return [type.code, type.event, structured ? type.structure : undefined];
  const event = message?.get('MSH-9.2');
  if (!event || !versionAtLeast(version, '2.3')) return ['ACK'];
  return ['ACK', event, structured ? 'ACK' : undefined];
}

/** Undefined when not valued; the HL7 null is no value either. */
function condition(value: string | undefined): AckCondition | undefined {
  if (value === undefined || value === '' || value === '""') return undefined;
  return value === 'NE' || value === 'ER' || value === 'SU' ? value : 'AL';
}
