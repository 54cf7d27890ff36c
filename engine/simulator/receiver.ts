/**
 * A hospital system that messages are delivered to: it acknowledges what comes as the message asks
 * for it, or does what such systems do on a bad day.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import { FaultError, type FaultName } from '../faults.ts';
import {
  type AckCode,
  type Responder,
  acceptCode,
  acknowledgementMode,
  buildAck,
  wanted,
} from '../hl7/ack.ts';
import { type Message, parseMessage } from '../hl7/message.ts';
import { type MllpAnswer, serveMllp } from './mllp-server.ts';

/** What a receiver does with a message. Without anything it acknowledges it with AA. */
export interface Reaction {
  /** AA unless told. */
  code?: AckCode;
  /** Milliseconds to wait first. */
  delay?: number;
  /** Says nothing, or resets the connection. */
  instead?: 'silence' | 'reset';
  /** MSA-2 is not the MSH-10 of the message. */
  wrongId?: boolean;
}

/** What came, and what was done with it. */
export interface Received {
  payload: Buffer;
  /** Undefined where what came is no HL7. */
  message?: Message;
  /** MSA-1 of each acknowledgement, in order. */
  answered: readonly AckCode[];
  reaction: Reaction;
}

export interface ReceiverOptions {
  host?: string;
  /** 0 takes a free one. */
  port?: number;
  tls?: TlsOptions;
  /** What to do with a message; all are acknowledged with AA unless told. */
  react?: (message: Message) => Reaction;
  /** Is told of each message before it is acknowledged. */
  received?: (one: Received) => void;
  /** Is told when what is to be said to a message was written, or will not be. */
  settled?: () => void;
  /** Is told of bytes that were no frame; nothing is answered. */
  broken?: (fault: FaultName) => void;
  /** Is told why a handshake failed, in the words of OpenSSL. */
  refused?: (why: string) => void;
  /**
   * Takes the application acknowledgements of enhanced mode to a connection of their own; without it
   * each follows on the connection of the message.
   */
  apart?: (acknowledgement: Message) => Promise<void>;
}

export interface Receiver {
  port: number;
  close(): Promise<void>;
}

/**
 * Listen, and acknowledge.
 * @throws Error of node:net where the address cannot be listened on
 */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const { host = '127.0.0.1', port = 0, tls, received, settled, broken, refused, apart } = options;
  const react = options.react ?? ((): Reaction => ({}));
  const closing = new AbortController();
  let count = 0;

  function answer(payload: Buffer): MllpAnswer {
    count += 1;
    const responder = {
      ...{ controlId: `R${count}`, now: new Date() },
      ...{ application: 'RECEIVER', facility: 'SIMULATED' },
    };
    let message: Message;
    try {
      message = parseMessage(payload);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      received?.({ payload, answered: ['AR'], reaction: {} });
      const refusal = buildAck(undefined, { ...responder, code: 'AR', faults: [error.fault] });
      return { payload: refusal, settled };
    }
    const reaction = react(message);
    const { code = 'AA', delay, instead } = reaction;
    const answered = instead ? [] : acknowledgementsFor(message, code);
    received?.({ payload, message, answered, reaction });
    const isApart = (one: AckCode) =>
      apart !== undefined &&
      one.startsWith('A') &&
      acknowledgementMode(message).mode === 'enhanced';
    const [first, second] = answered
      .filter((one) => !isApart(one))
      .map((one) => acknowledgement(message, one, responder, reaction));
    const later = answered.find(isApart);
    if (apart && later) {
      const bytes = acknowledgement(message, later, responder, reaction);
      // It is the application that takes its time; that the message came is said at once.
      const work = async () => {
        await wait(delay, undefined, { signal: closing.signal });
        await apart(asMessage(bytes));
      };
      return {
        ...(first && { payload: first }),
        settled: () => void work().then(settled, settled),
      };
    }
    return {
      ...(first && { payload: first }),
      ...(second && { second }),
      ...(delay !== undefined && { delay }),
      ...(instead === 'reset' && { spoil: instead }),
      settled,
    };
  }

  const server = await serveMllp({ host, port, ...(tls && { tls }), answer, broken, refused });
  return {
    port: server.port,
    close() {
      closing.abort();
      return server.close();
    },
  };
}

/**
 * The acknowledgements a message asks for by MSH-15 and MSH-16, where its outcome is a code: in
 * original mode that one; in enhanced mode an accept acknowledgement, an application acknowledgement,
 * both in this order, or none. A C-code is an accept acknowledgement with nothing behind it.
 */
export function acknowledgementsFor(message: Message, code: AckCode): AckCode[] {
  const { mode, accept, application } = acknowledgementMode(message);
  if (mode === 'original') return [code];
  const outcome = code.endsWith('A') ? 'success' : 'error';
  if (code.startsWith('C')) return wanted(accept, outcome) ? [code] : [];
  return [
    ...(wanted(accept, 'success') ? [acceptCode('AA')] : []),
    ...(wanted(application, outcome) ? [code] : []),
  ];
}

/** A message of its own, which is acknowledged, too. */
function asMessage(bytes: Buffer): Message {
  const message = parseMessage(bytes);
  message.set('MSH-15', 'AL');
  message.set('MSH-16', 'NE');
  return message;
}

function acknowledgement(
  message: Message,
  code: AckCode,
  responder: Responder,
  { wrongId }: Reaction,
): Buffer {
  const controlId = `${responder.controlId}${code}`;
  const bytes = buildAck(message, { ...responder, controlId, code, faults: [] });
  if (!wrongId) return bytes;
  const other = parseMessage(bytes);
  other.set('MSA-2', `${other.get('MSA-2') ?? ''}X`);
  return other.toBytes();
}
