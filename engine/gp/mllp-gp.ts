/**
 * A GP system that speaks HL7 v2 over MLLP: the hospital's query is forwarded under our own header,
 * and the system's answer (RSP, ADR) given as it came.
 */
import { FaultError, type Fault } from '../faults.ts';
import { timestamp } from '../hl7/ack.ts';
import { type Message, parseMessage } from '../hl7/message.ts';
import { findNhsNumbers } from '../hl7/nhs-number.ts';
import { type MllpDestination, ReplyError } from '../mllp/destination.ts';
import { failed } from './outcome.ts';
import type { AskMessage, GpMessage, Hop, Outcome, OutcomeEvent } from './port.ts';

/** Our MSH-3 and MSH-4. */
export interface Us {
  application: string;
  facility: string;
}

/**
 * Asks one GP system. Outcomes: `reply`; `notFound` (QAK-2 NF); `permanent` (MSA-1 AE, or rejected
 * for its type, event, processing id or version; another patient's record); `transient` (MSA-1 AR,
 * not reachable, unreadable); `ambiguous` (the query was written and no answer came: a query is a
 * read and may be repeated) and `timeout` (the deadline).
 * @param name the destination's configured name, for the hops
 * @param accepts the queries it understands, as `QBP^Q11`; others are `permanent`, and it is not asked
 */
export function createMllpGp(
  destination: Pick<MllpDestination, 'ask'>,
  us: Us,
  name: string,
  accepts: readonly string[],
): AskMessage {
  return async (query, request, attempt) => {
    const type = `${query.get('MSH-9.1')}^${query.get('MSH-9.2')}`;
    if (!accepts.includes(type)) return failed({ name: 'queryNotForwarded', detail: type }, []);
    const id = controlId(attempt.requestId);
    const forwarded = forward(query, us, id, request.nhsNumber);
    const startedAt = Date.now() * 1000;
    const since = performance.now();
    const asked = {
      to: name,
      interaction: type,
      startedAt,
      request: forwarded,
    };
    await attempt.beforeAsk(asked);
    const hops = (reply?: Uint8Array): Hop[] => {
      const endedAt = startedAt + Math.round((performance.now() - since) * 1000);
      return [{ ...asked, endedAt, ...(reply && { reply }) }];
    };
    let bytes: Buffer;
    try {
      bytes = await destination.ask(forwarded, id, attempt.signal);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      const reply = error instanceof ReplyError ? error.reply : undefined;
      return failed(error.fault, hops(reply), eventOf(error.fault));
    }
    return judge(bytes, id, request.nhsNumber, hops(bytes));
  };
}

/**
 * The id a reply says it answers (MSA-2): what an MLLP destination for GP systems correlates by.
 * @returns undefined where the reply does not say it
 * @throws FaultError where it is no HL7 message
 */
export function answeredId(reply: Uint8Array): string | undefined {
  return parseMessage(reply).get('MSA-2');
}

/**
 * MSH-10 of the forwarded query: 20 characters (its length in HL7 v2.4) of the request id, so that
 * a repeat of the same request carries the same one and a receiver can know it for a repeat.
 */
function controlId(requestId: string): string {
  return requestId.replaceAll('-', '').slice(0, 20).toUpperCase();
}

/** The query under our header; nothing else changes but a superseded NHS number. */
function forward(query: Message, us: Us, id: string, nhsNumber: string): Buffer {
  const message = parseMessage(query.toBytes(), { charset: query.charset });
  message.set('MSH-3', us.application);
  message.set('MSH-4', us.facility);
  // The hospital's MSH-5 and -6 name us, not the GP system.
  message.setRaw('MSH-5', '');
  message.setRaw('MSH-6', '');
  message.set('MSH-7', timestamp(new Date()));
  message.set('MSH-10', id);
  // Original mode: one answer, whatever acknowledgements the hospital wanted of us.
  if (message.raw('MSH-15')) message.setRaw('MSH-15', '');
  if (message.raw('MSH-16')) message.setRaw('MSH-16', '');
  // The whole answer: its parts could not be asked for here.
  if (message.raw('RCP-2')) message.setRaw('RCP-2', '');
  for (const { number, path } of findNhsNumbers(message, ['QPD-3', 'QRD-8'])) {
    if (number !== nhsNumber) message.set(`${path}.1`, nhsNumber);
  }
  return message.toBytes();
}

function eventOf({ name }: Fault): OutcomeEvent | undefined {
  if (name === 'gpTimeout') return 'ambiguous';
  return name === 'deadlinePassed' || name === 'shuttingDown' ? 'timeout' : undefined;
}

/** What an answer says (HL7 v2.4 §2.13, tables 0008 and 0208). */
function judge(bytes: Buffer, id: string, nhsNumber: string, hops: Hop[]): Outcome<GpMessage> {
  const unreadable = (detail: string) =>
    failed<GpMessage>({ name: 'gpReplyUnreadable', detail }, hops);
  let answer: Message;
  try {
    answer = parseMessage(bytes);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return unreadable(error.fault.name);
  }
  if (answer.get('MSA-2') !== id) return unreadable('MSA-2 is not the MSH-10 of the query');
  const code = answer.get('MSA-1')?.trim().toUpperCase() ?? '';
  const type = answer.get('MSH-9.1')?.trim().toUpperCase() ?? '';
  if (/^[AC][ER]$/.test(code)) return failed(refusal(answer, code), hops);
  if (code !== 'AA' || type === 'ACK' || type === '') {
    return unreadable('an acknowledgement without an answer');
  }
  const status = answer.get('QAK-2')?.trim().toUpperCase() ?? '';
  if (status === 'NF')
    return failed({ name: 'patientNotFound', detail: 'QAK-2 NF' }, hops, 'notFound');
  if (status === 'AE' || status === 'AR') return failed(refusal(answer, status), hops);
  if (namesAnother(answer, nhsNumber)) return failed({ name: 'wrongPatient' }, hops);
  return { event: 'reply', value: { kind: 'hl7', bytes }, hops };
}

/** AE is about the content; AR about anything else, so that a repeat may help unless its code says no. */
function refusal(answer: Message, code: string): Fault {
  const error = ['ERR-3.1', 'ERR-1.4.1', 'MSA-6.1'].map((path) => answer.get(path)).find(Boolean);
  const known = /^\d{3}$/.test(error ?? '') ? error : undefined;
  const detail = [`${code} from the GP system`, known && `ERR ${known}`].filter(Boolean).join(', ');
  // 200 to 203: message type, event, processing id, version not supported (table 0357).
  const content = code.endsWith('E') || /^20[0-3]$/.test(known ?? '');
  if (!content) return { name: 'gpUnavailable', detail };
  const said = answer.get('MSA-3') ?? answer.get('ERR-8');
  return { name: 'gpRejectedRequest', detail, ...(said && { verbatim: said }) };
}

/** Whether any patient of the answer has an NHS number, and it is not the one asked for. */
function namesAnother(answer: Message, nhsNumber: string): boolean {
  const paths = Array.from({ length: answer.count('PID') }, (_, at) => `PID[${at + 1}]-3`);
  return findNhsNumbers(answer, paths).some(({ number }) => number !== nhsNumber);
}
