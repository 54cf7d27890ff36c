/**
 * Store and forward: what was acknowledged is delivered in order, or it is visibly parked. This is
 * the vocabulary of the outbound half; `queue.ts` tells its story.
 *
 *     owed → (prepare) → sending → delivered
 *                ↓           ↓ ↑
 *            filtered      failed → parked (dead letter) → replayed | skipped
 */
import type { Emit } from '../events.ts';
import type { Fault } from '../faults.ts';
import type { Entry, ExchangeId, Journal, OutboundState } from '../journal/journal.ts';
import type { Backoff } from './backoff.ts';
import type { Halts } from './halts.ts';

/** One message that waits to be delivered. */
export interface Waiting {
  exchange: ExchangeId;
  /** Messages of one lane are delivered in the order of their exchanges. */
  lane: number;
  /** Attempts begun so far. */
  attempts: number;
  /** An earlier attempt may have arrived: the next one is flagged as a possible duplicate. */
  ambiguous: boolean;
  /** How often it was refused in this life, or could not be prepared. */
  refusals?: number;
  /** How often it was written in this life and not answered. */
  silences?: number;
  /** What was received, while there is memory for it. */
  received?: Uint8Array;
}

/** What is to be sent for a message, or why nothing is. */
export type Prepared =
  | {
      kind: 'send';
      payload: Uint8Array;
      /** Its MSH-10: what the acknowledgement's MSH-2 must name. */
      controlId: string;
      /** What was asked and answered on the way, for the journal. */
      entries?: Entry[];
    }
  /** Not for this destination. */
  | { kind: 'filtered'; why: string }
  /** A transient fault is tried again, any other parks the message. */
  | { kind: 'failed'; fault: Fault; entries?: Entry[] };

/**
 * Turns what was received into what is sent: a filter and a mapping, or a question asked and its
 * answer mapped. Given the same bytes it may be called again, after a failure or a crash.
 */
export type Prepare = (
  exchange: ExchangeId,
  received: Uint8Array,
  signal: AbortSignal,
) => Promise<Prepared>;

/** What came of sending: what came back, or why nothing did that can be understood. */
export type Sent =
  | {
      reply: Uint8Array;
      /** Called once it is in the journal what became of the message. */
      stored?: () => void;
    }
  /**
   * destinationUnavailable: nothing arrived. acknowledgementTimeout, acknowledgementUnreadable: it
   * may have. applicationAckMissing: it has, and is stored there. preparationFailed: no frame can
   * hold it. shuttingDown: we stopped waiting.
   */
  | { fault: Fault; reply?: Uint8Array };

/** Sends one message and waits for its acknowledgement. Never throws. */
export type Send = (payload: Uint8Array, controlId: string, signal: AbortSignal) => Promise<Sent>;

/** What becomes of a message the destination refuses. */
export type Refusal =
  /** Again and again, keeping its place. */
  | { then: 'retry' }
  /** So many times more, then it is parked and the next one goes. */
  | { then: 'retryThenPark'; times: number }
  | { then: 'park' }
  /** It keeps its place, and nothing more is sent until a person releases the destination. */
  | { then: 'halt' };

/** By what the acknowledgement says; `unreadable` where it says nothing that can be understood. */
export interface Policy {
  AE: Refusal;
  AR: Refusal;
  CE: Refusal;
  CR: Refusal;
  unreadable: Refusal;
  /** It was written, and no acknowledgement came. */
  unanswered: Refusal;
  /** It was accepted (CA), and no application acknowledgement came. */
  unprocessed: Refusal;
  /** The message cannot be prepared, now or ever. */
  poison: Refusal;
}

/** How a destination is doing. */
export interface QueueStatus {
  /** `channel/destination` */
  to: string;
  state: 'idle' | 'delivering' | 'down' | 'held' | 'halted' | 'stopped';
  /** Messages waiting; with `more`, at least so many. */
  depth: number;
  more: boolean;
  /** The exchange that has waited longest. */
  oldest?: ExchangeId;
  /** Delivered since the start. */
  delivered: number;
  parked: number;
  /** Why the last attempt failed, until one succeeds. */
  fault?: string;
  /** When it is tried again, microseconds since 1970. */
  nextTry?: number;
}

export interface QueueOptions {
  channel: string;
  /** `channel/destination` */
  to: string;
  /** Messages under way at a time, each of another lane. */
  parallel: number;
  policy: Policy;
  backoff: Backoff;
  /** The lane of a message, from its ordering key. */
  laneOf(received: Uint8Array): number;
  prepare: Prepare;
  send: Send;
  journal: Pick<Journal, 'append' | 'read' | 'received' | 'outbound'>;
  emit: Emit;
  /** Which destinations have halted; kept nowhere unless told. */
  halts?: Halts;
  /** Microseconds since 1970. */
  now(): number;
  /** From 0 to 1, for the jitter; `Math.random` unless told. */
  random?: () => number;
}

/** What came of an order to skip a message. */
export type Skip =
  /** It is not sent from now on. */
  | {
      done: true;
      was: OutboundState;
      /** Begun until now; one of them may have arrived. */
      attempts: number;
      /** It is being written, or was and waits for its acknowledgement: it may arrive. */
      isWritten: boolean;
    }
  /** It has ended already; undefined where it was never owed. */
  | { done: false; is: OutboundState | undefined };

export interface Queue {
  /** Deliver what an earlier life left open, then whatever comes. */
  start(): Promise<void>;
  /**
   * A message was committed that is owed to this destination.
   * @param ambiguous it may have arrived already, by an earlier exchange
   */
  owed(exchange: ExchangeId, received: Uint8Array, ambiguous?: boolean): void;
  /** Send nothing more until `release`; what is under way is finished. */
  hold(): void;
  /** Go on, also after a halt, and at once where it was waiting for a next try. */
  release(): void;
  /** End a hold, and no halt: what had halted before it has halted again. */
  resume(): void;
  /** A person decided that this message is not to be delivered. */
  skip(exchange: ExchangeId): Promise<Skip>;
  status(): QueueStatus;
  /** Finish what is under way, at most for `graceMs`; what is left is taken up by the next life. */
  stop(graceMs: number): Promise<void>;
}
