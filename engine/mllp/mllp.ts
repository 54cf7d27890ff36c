/** What the listener hands to whoever answers, and what it takes back. Knows no HL7. */
import type { FaultName } from '../faults.ts';

/** Who is at the other end of one connection. */
export interface Peer {
  /** Number of the connection since the start. */
  connection: number;
  /** `address:port`. */
  address: string;
  /** Subject common name of the client certificate, with mutual TLS. */
  certificate?: string;
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
 * Answers one arrival. Called in order of arrival and without waiting for earlier answers (up to
 * the pipeline limit); answers are written in order of arrival. `undefined` writes nothing.
 */
export type Respond = (arrival: Arrival, peer: Peer) => Promise<Response | undefined>;
