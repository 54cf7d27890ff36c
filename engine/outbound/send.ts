/** Sends one message over MLLP and waits for what settles it. */
import { FaultError, type FaultName } from '../faults.ts';
import { acknowledgementMode, wanted } from '../hl7/ack.ts';
import { parseMessage } from '../hl7/message.ts';
import type { MllpDestination } from '../mllp/destination.ts';
import { ReplyError } from '../mllp/destination.ts';
import type { ApplicationAcks, Partner } from './application-acks.ts';
import type { Send, Sent } from './outbound.ts';
import { verdictOf } from './verdict.ts';

export interface SendOptions {
  destination: Pick<MllpDestination, 'ask'>;
  acks: ApplicationAcks;
  /** Longest wait for an application acknowledgement, milliseconds. */
  applicationMs: number;
  /** Whom it comes from; MSH-5 and MSH-6 of what was sent unless told. */
  from?: Partner;
}

/**
 * The sender of a destination. An acknowledgement settles the message; where the message asks for
 * an application acknowledgement after CA, that one does.
 */
export function sending({ destination, acks, applicationMs, from }: SendOptions): Send {
  return async (payload, controlId, signal) => {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const { application, receiver } = askedFor(bytes);
    try {
      if (!application) return { reply: await destination.ask(bytes, controlId, signal) };
      const awaited = await acks.expect(controlId, from ?? receiver);
      try {
        const reply = await destination.ask(bytes, controlId, signal);
        const verdict = verdictOf(reply);
        if (verdict.event === 'refused' || verdict.code !== 'CA') return { reply };
        const ack = await awaited.wait(applicationMs, signal);
        if (ack) return { reply: ack.bytes, stored: ack.stored };
        if (signal.aborted) return { fault: { name: 'shuttingDown' } };
        return { fault: { name: 'applicationAckMissing' }, reply };
      } catch (error) {
        // What it has worked on it was sent, though its CA was lost, or it never gives one.
        const ack = await awaited.wait(0, signal);
        if (ack) return { reply: ack.bytes, stored: ack.stored };
        throw error;
      } finally {
        awaited.cancel();
      }
    } catch (error) {
      return notSent(error, signal);
    }
  };
}

/** What a message asks its receiver for, and whom it is sent to. */
function askedFor(payload: Buffer): { application: boolean; receiver: Partner } {
  const message = parseMessage(payload);
  const { mode, accept, application } = acknowledgementMode(message);
  return {
    application: mode === 'enhanced' && wanted(accept, 'success') && application === 'AL',
    receiver: { application: message.get('MSH-5'), facility: message.get('MSH-6') },
  };
}

/** The faults of a destination that is asked, as those of one that is delivered to. */
const known: Partial<Record<FaultName, FaultName>> = {
  gpUnavailable: 'destinationUnavailable',
  gpTimeout: 'acknowledgementTimeout',
  gpReplyUnreadable: 'acknowledgementUnreadable',
  gpReplyTooLong: 'acknowledgementUnreadable',
  // No frame can hold it.
  internalError: 'preparationFailed',
};

function notSent(error: unknown, signal: AbortSignal): Sent {
  if (signal.aborted) return { fault: { name: 'shuttingDown' } };
  // Not one of ours: it may have been written.
  const { name, detail } =
    error instanceof FaultError
      ? error.fault
      : { name: 'gpTimeout' as const, detail: error instanceof Error ? error.name : typeof error };
  const fault = { name: known[name] ?? name, detail };
  return error instanceof ReplyError ? { fault, reply: error.reply } : { fault };
}
