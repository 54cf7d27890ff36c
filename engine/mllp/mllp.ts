/** What the listener hands to whoever answers, and what it takes back. */
import type { FaultName } from '../faults.ts';

/**
 * How an HL7 v2 message, file or batch begins (HL7 v2.5 §2.10): the one thing the transport knows
 * of HL7, so that it finds the next message after one that was cut short.
 */
export const messageStarts = ['MSH', 'FHS', 'BHS'] as const;

/** Who is at the other end of one connection. */
export interface Peer {
  /** Number of the connection since the start. */
  connection: number;
  /** `address:port`. */
  address: string;
  /** Subject common name of the client certificate, with mutual TLS. */
  certificate?: string;
  /** Its last day, milliseconds since 1970. */
  certificateUntil?: number;
}

/** How one connection stands. */
export interface ConnectionStatus {
  peer: Peer;
  /**
   * `quiet`: nothing is under way; `receiving`: a frame has begun; `answering`: answers are being
   * made; `deaf`: the peer does not take what is written; `closing`: we have hung up; `closed`: it
   * is gone, and answers are still being made.
   */
  state: 'quiet' | 'receiving' | 'answering' | 'deaf' | 'closing' | 'closed' | 'over';
  /** Since the last bytes came. */
  silentMs: number;
  /** Messages and broken frames that came. */
  messages: number;
  /** Those not yet answered. */
  open: number;
}

/** What a connection gave: a whole frame's payload, or bytes that were none. */
export type Arrival =
  | { kind: 'message'; payload: Buffer; warnings: FaultName[] }
  | { kind: 'broken'; fault: FaultName; bytes: Buffer; dropped: number };

export interface Response {
  payload: Uint8Array;
  /** Called once: the bytes were handed to the operating system, or the peer was gone. */
  settled(outcome: 'delivered' | 'undelivered'): void;
  /** Close the connection after this response. */
  close?: boolean;
}

/**
 * Writes something before the response, in this arrival's turn: the accept acknowledgement of
 * enhanced mode, which must not wait for the application's answer.
 */
export type Interim = (payload: Uint8Array) => void;

/**
 * Answers one arrival. Called in order of arrival and without waiting for earlier answers (up to
 * the pipeline limit); answers are written in order of arrival. `undefined` writes nothing.
 */
export type Respond = (
  arrival: Arrival,
  peer: Peer,
  interim: Interim,
) => Promise<Response | undefined>;
