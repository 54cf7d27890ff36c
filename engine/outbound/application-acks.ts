/**
 * Application acknowledgements of enhanced mode (HL7 v2.5 §2.9.3): they follow the accept
 * acknowledgement (CA) whenever the receiver has worked on the message, on the same connection or
 * on one that the receiver opens to us. Each is given to whoever waits for it, by MSA-2 and the
 * partner; one that nobody waits for settles nothing, and is counted.
 */
import type { Emit } from '../events.ts';
import { FaultError, faults } from '../faults.ts';
import { acknowledgementMode, buildAck, wanted } from '../hl7/ack.ts';
import { type Message, parseMessage } from '../hl7/message.ts';
import type { Respond, Response } from '../mllp/mllp.ts';

/** A system as MSH-3 and MSH-4 name it; * stands for any, and so does nothing. */
export interface Partner {
  application?: string;
  facility?: string;
}

export interface ApplicationAck {
  bytes: Uint8Array;
  /** To be called once it is in the journal what it says. */
  stored(): void;
}

/** One message that was sent, and its application acknowledgement to come. */
export interface Awaited {
  /** @returns undefined where none came in time, or `signal` ended the wait */
  wait(ms: number, signal: AbortSignal): Promise<ApplicationAck | undefined>;
  /** Wait no more: what comes now is late. */
  cancel(): void;
}

export interface ApplicationAcks {
  /**
   * Expect one. To be called before the message is written, for it may come at once. Resolves when
   * no other message of this id is awaited.
   */
  expect(controlId: string, partner: Partner): Promise<Awaited>;
  /** What came on the connection of the message itself, and is no reply to what is under way. */
  came(bytes: Uint8Array): void;
  /** Answers what comes to the port that is open for them. */
  respond: Respond;
  /** Nothing more is stored: whoever sent one is not told that it was. */
  close(): void;
}

interface Waiting {
  partner: Partner;
  arrived(ack: ApplicationAck): void;
  gone: Promise<void>;
}

/**
 * @param options.endpoint `channel/destination`, for the events
 * @param options.us our MSH-3 and MSH-4 in answers to application acknowledgements
 * @param options.newId a control id of our own, unique
 */
export function createApplicationAcks(options: {
  endpoint: string;
  us: { application: string; facility: string };
  newId(): string;
  emit: Emit;
}): ApplicationAcks {
  const { endpoint, emit } = options;
  const awaited = new Map<string, Waiting>();
  let close = (): void => {};
  const closed = new Promise<void>((resolve) => (close = resolve));

  /** Whoever waits for this one; undefined where nobody does. */
  function waitingFor(message: Message): Waiting | undefined {
    if (!/^A[AER]$/.test(message.get('MSA-1') ?? '')) return undefined;
    return awaited.get(message.get('MSA-2') ?? '');
  }

  function discard(detail: string, bytes: number): void {
    const { code } = faults.acknowledgementUnexpected;
    emit('delivery.ackDiscarded', { endpoint, code, detail, bytes });
  }

  const respond: Respond = async (arrival) => {
    const bytes = arrival.kind === 'broken' ? arrival.bytes : arrival.payload;
    const message = arrival.kind === 'broken' ? undefined : read(bytes);
    if (!message) {
      discard(arrival.kind === 'broken' ? arrival.fault : 'no HL7', bytes.length);
      return undefined;
    }
    const waiting = waitingFor(message);
    const known = waiting !== undefined && isFrom(message, waiting.partner);
    if (!known) {
      discard(waiting ? 'another MSH-3, MSH-4' : 'not awaited', bytes.length);
      return answer(message, 'CR');
    }
    const stored = new Promise<'stored'>((resolve) =>
      waiting.arrived({ bytes, stored: () => resolve('stored') }),
    );
    if ((await Promise.race([stored, closed])) !== 'stored') return undefined;
    return answer(message, 'CA');
  };

  /** It is a message of its own, which may ask for an accept acknowledgement; never for more. */
  function answer(message: Message, code: 'CA' | 'CR'): Response | undefined {
    const { mode, accept } = acknowledgementMode(message);
    const outcome = code === 'CA' ? 'success' : 'error';
    if (mode === 'original' || !wanted(accept, outcome)) return undefined;
    const all = code === 'CA' ? [] : [{ name: 'acknowledgementUnexpected' } as const];
    const responder = { ...options.us, controlId: options.newId(), now: new Date() };
    return {
      payload: buildAck(message, { ...responder, code, faults: all }),
      settled: () => {},
    };
  }

  return {
    async expect(controlId, partner) {
      for (let other = awaited.get(controlId); other; other = awaited.get(controlId)) {
        await other.gone;
      }
      let arrived: Waiting['arrived'] = () => {};
      const ack = new Promise<ApplicationAck>((resolve) => (arrived = resolve));
      let leave = (): void => {};
      const gone = new Promise<void>((resolve) => (leave = resolve));
      const waiting: Waiting = { partner, arrived, gone };
      awaited.set(controlId, waiting);
      return {
        wait: (ms, signal) => within(ack, ms, signal),
        cancel() {
          if (awaited.get(controlId) === waiting) awaited.delete(controlId);
          leave();
        },
      };
    },
    came(bytes) {
      const message = read(bytes);
      const waiting = message && waitingFor(message);
      if (waiting) waiting.arrived({ bytes, stored: () => {} });
      else discard('not awaited', bytes.length);
    },
    respond,
    close,
  };
}

function read(bytes: Uint8Array): Message | undefined {
  try {
    return parseMessage(bytes);
  } catch (error) {
    if (error instanceof FaultError) return undefined;
    throw error;
  }
}

/** MSH-3 and MSH-4 of an acknowledgement name whoever the message was sent to. */
function isFrom(ack: Message, { application = '*', facility = '*' }: Partner): boolean {
  const same = (wanted: string, found: string | undefined) => wanted === '*' || wanted === found;
  return same(application, ack.get('MSH-3')) && same(facility, ack.get('MSH-4'));
}

function within<T>(value: Promise<T>, ms: number, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve) => {
    const over = (found?: T) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      resolve(found);
    };
    const aborted = () => over();
    const timer = setTimeout(aborted, ms);
    if (signal.aborted) return aborted();
    signal.addEventListener('abort', aborted, { once: true });
    void value.then(over);
  });
}
