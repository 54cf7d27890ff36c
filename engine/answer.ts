/**
 * What the hospital is told: acknowledgements in original and enhanced mode (HL7 v2.5 §2.9), and
 * the answers to queries. Everything here is decided by the fault table; nothing is stored or
 * written here.
 */
import { type Fault, faults } from './faults.ts';
import {
  type AckCode,
  type Responder,
  acceptCode,
  acknowledgementMode,
  buildAck,
  wanted,
} from './hl7/ack.ts';
import { encodeMessage } from './hl7/encode.ts';
import type { ExchangeId, Progress } from './journal/journal.ts';
import type { EndName } from './effects.ts';
import { isAboutPatient } from './query/cautions.ts';
import { passOn } from './query/pass-on.ts';
import { responseSegments } from './query/response.ts';
import type { Work } from './work.ts';

export interface Answer {
  exchange: ExchangeId;
  state: Progress;
  fault?: Fault;
  /** The same bytes again may be given this answer; false where asking again may help. */
  final: boolean;
  /** What is written, in order; none where the sender wants none. */
  payloads: { level: 'accept' | 'application'; bytes: Uint8Array }[];
  /** The connection is closed afterwards. */
  close?: boolean;
}

/** The answer at the end of a route. */
export function answerEnd(work: Work, end: EndName): Answer {
  switch (end) {
    case 'accepted':
      return { ...base(work), payloads: acknowledgements(work, 'AA', []) };
    case 'record':
      return answerRecord(work);
    // A channel whose route ends so is not started.
    case 'compose':
    case 'fault':
      return answerFault(
        work,
        work.fault ?? { name: 'internalError' },
        'application',
        work.queryFaults,
      );
  }
}

/** The mapped record, or the GP system's own answer passed on. */
function answerRecord(work: Work): Answer {
  const { message, query, reply, record, cautions, part } = work;
  if (!message || !query) return answerFault(work, { name: 'internalError' }, 'application');
  const us = party(work, 'R');
  if (reply?.kind === 'hl7') {
    const bytes = passOn(message, reply.bytes, us, cautions);
    return { ...base(work), payloads: [...accept(work), { level: 'application', bytes }] };
  }
  const segments = responseSegments({ message, query, us, record, cautions, part, faults: [] });
  if (!segments) return answerFault(work, { name: 'internalError' }, 'application');
  const { bytes } = encodeMessage(segments, message);
  return { ...base(work), payloads: [...accept(work), { level: 'application', bytes }] };
}

/**
 * The answer that carries a fault.
 * @param level whether the message was refused at the door, or its content could not be served
 * @param all every fault, where several were found; the first is the one that decides
 */
export function answerFault(
  work: Work,
  fault: Fault,
  level: 'accept' | 'application',
  all: Fault[] = [fault],
): Answer {
  const { message, query } = work;
  const row = faults[fault.name];
  const answer: Answer = {
    ...base(work),
    fault,
    state: row.msa === 'AA' ? 'answered' : 'rejected',
    final: row.class === 'permanent',
  };
  const told = all.length > 0 ? all : [fault];
  const cautions = row.qak === 'NF' ? work.cautions.filter(isAboutPatient) : [];
  const segments =
    message &&
    query &&
    responseSegments({ message, query, us: party(work, 'R'), faults: told, cautions });
  if (message && segments) {
    const { bytes } = encodeMessage(segments, message);
    answer.payloads = [...accept(work), { level: 'application', bytes }];
  } else {
    answer.payloads = acknowledgements(work, row.msa, told, level);
  }
  return answer;
}

/** Bytes that were no frame: answered only where the peer is still there and may read it. */
export function answerBroken(work: Work, fault: Fault): Answer {
  const readable = fault.name === 'frameNoStart' || fault.name === 'frameTooLong';
  const payloads = readable ? acknowledgements(work, 'AR', [fault], 'accept') : [];
  return { ...base(work), state: 'parked', fault, payloads, close: readable };
}

/**
 * Enhanced mode: the accept acknowledgement (CA) does not wait for the GP system. It is given once;
 * it is committed with what was received, and written then.
 */
export function acceptEarly(work: Work): Uint8Array | undefined {
  const [payload] = accept(work);
  work.acceptedEarly = true;
  return payload?.bytes;
}

/** CA, where it is wanted and not yet written. */
function accept(work: Work): Answer['payloads'] {
  const { message } = work;
  if (!message || work.acceptedEarly) return [];
  const mode = acknowledgementMode(message);
  if (mode.mode === 'original' || !wanted(mode.accept, 'success')) return [];
  return [{ level: 'accept', bytes: buildAck(message, ack(work, 'CA', [])) }];
}

/**
 * Original mode: one application acknowledgement. Enhanced mode: an accept acknowledgement by
 * MSH-15, an application acknowledgement by MSH-16 unless the message was refused at the door.
 */
function acknowledgements(
  work: Work,
  code: 'AA' | 'AE' | 'AR',
  all: Fault[],
  level: 'accept' | 'application' = 'application',
): Answer['payloads'] {
  const { message } = work;
  const mode = message && acknowledgementMode(message);
  const outcome = code === 'AA' ? 'success' : 'error';
  if (!mode || mode.mode === 'original') {
    return [{ level: 'application', bytes: buildAck(message, ack(work, code, all)) }];
  }
  if (level === 'accept' && !work.acceptedEarly) {
    if (!wanted(mode.accept, outcome)) return [];
    // CE: not now (storage, stopping); CR: not this message (§2.9.3.2).
    const notNow = all.some(({ name }) => faults[name].class !== 'permanent');
    const bytes = buildAck(message, ack(work, notNow ? 'CE' : acceptCode(code), all));
    return [{ level: 'accept', bytes }];
  }
  const payloads = accept(work);
  if (wanted(mode.application, outcome)) {
    payloads.push({ level: 'application', bytes: buildAck(message, ack(work, code, all)) });
  }
  return payloads;
}

function base(work: Work): Pick<Answer, 'exchange' | 'state' | 'final' | 'payloads'> {
  return { exchange: work.id, state: 'answered', final: true, payloads: [] };
}

function ack(work: Work, code: AckCode, all: Fault[]) {
  return { code, faults: all, ...party(work, code[0] === 'C' ? 'C' : 'A') };
}

/** Our side of the header; our MSH-10 is the exchange's name and the kind of answer. */
function party(work: Work, suffix: string): Responder {
  return {
    controlId: `${work.name}${suffix}`,
    now: new Date(work.around.now() / 1000),
    ...work.channel.us,
  };
}
