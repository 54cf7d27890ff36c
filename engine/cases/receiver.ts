/** `receiver: epr AE first=2`: what a destination does with what it is sent in a case. */
import { FaultError } from '../faults.ts';
import { type AckCode, ackCodes, buildAck } from '../hl7/ack.ts';
import { type Message, parseMessage } from '../hl7/message.ts';
import { type MllpDestination, ReplyError } from '../mllp/destination.ts';
import { nearest } from '../config/yaml.ts';
import { acknowledgementsFor } from '../simulator/receiver.ts';
import type { Wrong } from './scenario.ts';

const reactions = [...ackCodes, 'down', 'silence', 'unreadable'] as const;
type Reaction = (typeof reactions)[number];

/** What a destination does, for good or with the first so many messages. */
export interface CaseReceiver {
  destination: string;
  reaction: Reaction;
  first?: number;
}

const example = 'write it as epr AE first=2';

/** Read a receiver line: a destination, what it does, and with how many messages (all unless told). */
export function readReceiverLine(text: string): CaseReceiver | Wrong {
  const [, destination, word, first] =
    /^(\S+) +([A-Za-z]+)(?: +first=([1-9]\d{0,2}))?$/.exec(text) ?? [];
  if (destination === undefined || word === undefined) {
    return { says: 'a receiver is a destination and what it does', next: example };
  }
  const reaction = reactions.find((one) => one === word);
  if (!reaction) {
    const near = nearest(word, reactions);
    const meant = near ? `; did you mean "${near}"?` : '';
    return { says: `no receiver does "${word}"${meant}`, next: reactions.join(', ') };
  }
  return { destination, reaction, ...(first !== undefined && { first: Number(first) }) };
}

export interface ReceiverInCase extends Pick<MllpDestination, 'ask' | 'close'> {
  /** It was tried so often for the exchange that is played, and takes nothing more. */
  isWeary(): boolean;
  /** Another exchange is played. */
  next(): void;
}

/** Tries of one exchange; a case shows what happens, not that it goes on for ever. */
const mostTries = 4;

/**
 * A destination without a socket. It acknowledges as the message asks for it: in original mode with
 * one application acknowledgement, in enhanced mode with CA and what MSH-16 wants behind it.
 * @param told the lines of the case about it, in order
 * @param unasked what takes an application acknowledgement
 */
export function receiverInCase(
  told: readonly CaseReceiver[],
  unasked: (bytes: Buffer) => void,
  now: () => Date,
): ReceiverInCase {
  let count = 0;
  let tries = 0;

  function reaction(): Reaction {
    let from = 0;
    for (const one of told) {
      if (one.first === undefined || count <= from + one.first) return one.reaction;
      from += one.first;
    }
    return 'AA';
  }

  function acknowledge(message: Message, code: AckCode): Buffer {
    return buildAck(message, {
      ...{ code, faults: [], controlId: `K${count}`, now: now() },
      ...{ application: 'RECEIVER', facility: 'CASE' },
    });
  }

  return {
    async ask(payload, _id, signal) {
      if (tries >= mostTries) await ended(signal);
      tries += 1;
      count += 1;
      const does = reaction();
      if (does === 'down') throw new FaultError({ name: 'gpUnavailable' });
      if (does === 'silence') throw new FaultError({ name: 'gpTimeout' });
      if (does === 'unreadable') throw new ReplyError('gpReplyUnreadable', 'no MSA', payload);
      const message = parseMessage(payload);
      const [first, second] = acknowledgementsFor(message, does);
      if (first === undefined) throw new FaultError({ name: 'gpTimeout' });
      if (second !== undefined) setImmediate(() => unasked(acknowledge(message, second)));
      return acknowledge(message, first);
    },
    close() {},
    isWeary: () => tries >= mostTries,
    next: () => void (tries = 0),
  };
}

function ended(signal: AbortSignal): Promise<never> {
  const stop = () => new FaultError({ name: 'shuttingDown' });
  return new Promise((_, reject) => {
    if (signal.aborted) reject(stop());
    signal.addEventListener('abort', () => reject(stop()), { once: true });
  });
}
