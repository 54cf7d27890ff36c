/** What a listener is told, and what it tells: the vocabulary of `source.ts`. */
import type { ConversationOptions } from './conversation.ts';
import type { ConnectionStatus, Respond } from './mllp.ts';
import type { TlsMaterial } from './tls.ts';

export interface SourceTls extends TlsMaterial {
  cert: string | Buffer;
  key: string | Buffer;
  /** Mutual TLS: only a client whose certificate one of `ca` signed is admitted. */
  requireClientCertificate?: boolean;
}

export interface SourceLimits {
  /** Longest payload of a frame, bytes. 10 MiB. */
  frameBytes: number;
  /** Connections at most; one more is refused at once. 256. */
  connections: number;
  /** A connection on which nothing is under way is closed after this time. One hour. */
  idleMs: number;
  /**
   * Time for one whole frame, from its first byte to its last, so that no peer holds a connection
   * with a byte now and then; also for a TLS handshake, and for a peer to read its answers. 30 s.
   */
  inFrameMs: number;
  /** Silence after which an FS without CR ends a frame (lenient). 1 s. */
  graceMs: number;
  /** Frames of one connection handed over and not yet answered; reading pauses beyond. 16. */
  pipeline: number;
}

export interface SourceOptions {
  /** Name of the channel, for the events. */
  channel: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  tls?: SourceTls;
  /** `lenient` accepts a frame that ends with FS but no CR. */
  mode: ConversationOptions['mode'];
  limits?: Partial<SourceLimits>;
}

/** `waiting`: another process holds the port, and it is tried again; `draining`: it is stopping. */
export type ListenerState = 'closed' | 'waiting' | 'listening' | 'draining';

export interface Source {
  /**
   * Open the port. Resolves after the first try; while another process holds it, it is tried again.
   * @throws FaultError shuttingDown when stopped meanwhile; what the operating system says of
   *   another failure (EACCES, EADDRNOTAVAIL), as it says it
   */
  listen(): Promise<void>;
  /**
   * Make ready to use other settings: everything but host and port. Nothing is changed until the
   * returned function is called, which cannot fail. Connections that are open stay, under the limits
   * and the certificates they began with; messages to come on them are answered by `respond`.
   * @throws Error as for `createSource`
   */
  prepare(options: SourceOptions, respond: Respond): () => void;
  /**
   * Close the port, take no more frames, answer those taken, hang up. After `graceMs` what is left
   * is cut; its answers are settled as undelivered.
   * @returns how many arrivals were cut off unanswered
   */
  stop(graceMs: number): Promise<number>;
  state(): ListenerState;
  /** The port, once it is open. */
  port(): number | undefined;
  /** Connections open now. */
  connections(): number;
  /** How each of them stands. */
  standing(): ConnectionStatus[];
}
