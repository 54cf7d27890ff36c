/**
 * One outgoing MLLP connection: connects, writes one request at a time and reads what comes back.
 * Each phase has its own patience, and its failure says whether the request can have arrived.
 */
import net from 'node:net';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { FaultName } from '../faults.ts';
import { createDeframer } from './frame.ts';
import { messageStarts } from './mllp.ts';
import type { Arrival } from './mllp.ts';
import { refusalReason, secureOptions } from './tls.ts';
import type { TlsMaterial } from './tls.ts';

export interface LinkTls extends TlsMaterial {
  /** Name the certificate must carry; `host` unless told. */
  servername?: string;
}

export interface LinkOptions {
  host: string;
  port: number;
  tls?: LinkTls;
  /** To connect, with the TLS handshake. */
  connectMs: number;
  /** To hand the whole request to the operating system. */
  writeMs: number;
  /** From then to the reply. */
  answerMs: number;
  /** Longest reply, bytes. */
  maxReplyBytes: number;
  /** Silence after which a reply without CR, or without VT, is taken as it is. 1 s unless told. */
  graceMs?: number;
  /** What came when nothing was under way on the connection. */
  unasked?: (bytes: Buffer) => void;
}

/** What becomes of a request. `reply` may come several times; after the others nothing comes. */
export interface LinkEvents {
  reply(bytes: Buffer, warnings: FaultName[]): void;
  /** What came is not a frame. */
  broken(fault: FaultName, bytes: Buffer): void;
  /** gpUnavailable before the request was wholly written, gpTimeout after. */
  failed(fault: 'gpUnavailable' | 'gpTimeout', detail: string): void;
}

export interface Link {
  /** Write one framed request, as soon as connected. */
  send(framed: Buffer, events: LinkEvents): void;
  /** The request is done; the connection waits for the next one. Returns itself. */
  rest(): Link;
  /** Still open, and nothing is left over from before. */
  usable(): boolean;
  /** Close with a TCP reset: nothing that is on its way can arrive any more. */
  reset(): void;
}

/** Begin to connect. */
export function openLink(options: LinkOptions): Link {
  const graceMs = options.graceMs ?? 1000;
  const socket = connect(options);
  const deframer = createDeframer(
    { maxBytes: options.maxReplyBytes, mode: 'lenient', marks: messageStarts },
    arrived,
  );
  let phase: 'connecting' | 'ready' | 'lost' = 'connecting';
  let framed: Buffer | undefined;
  let written = false;
  let events: LinkEvents | undefined;
  const patience = alarm((detail) => lose(detail));
  const grace = alarm(() => deframer.quiet());
  let cause = '';

  function send(request: Buffer, listeners: LinkEvents): void {
    framed = request;
    events = listeners;
    written = false;
    if (phase === 'connecting') patience.set(options.connectMs, 'not connected in time');
    else write();
  }

  function write(): void {
    const request = framed;
    if (request === undefined) return;
    patience.set(options.writeMs, 'not written in time');
    socket.write(request, (error) => {
      if (error || socket.destroyed || framed !== request) return;
      written = true;
      patience.set(options.answerMs, 'no reply in time');
    });
  }

  function arrived(arrival: Arrival): void {
    if (arrival.kind === 'message') {
      if (events) events.reply(arrival.payload, arrival.warnings);
      else options.unasked?.(arrival.payload);
    }
    // Bytes before a frame are skipped: the frame that follows may be the reply.
    else if (arrival.fault !== 'frameGarbage') events?.broken(arrival.fault, arrival.bytes);
  }

  function lose(detail: string): void {
    const lost = events;
    const name = written ? 'gpTimeout' : 'gpUnavailable';
    reset();
    lost?.failed(name, detail);
  }

  function rest(): Link {
    patience.clear();
    framed = undefined;
    events = undefined;
    return link;
  }

  function usable(): boolean {
    return phase === 'ready' && socket.writable && deframer.state() === 'between';
  }

  function reset(): void {
    rest();
    grace.clear();
    if (phase === 'lost') return;
    // Node resets plain connected sockets only.
    if (phase === 'ready' && options.tls === undefined) socket.resetAndDestroy();
    else socket.destroy();
    phase = 'lost';
  }

  socket.on(options.tls ? 'secureConnect' : 'connect', () => {
    phase = 'ready';
    write();
  });
  socket.on('data', (chunk: Buffer) => {
    deframer.push(chunk);
    grace.clear();
    const state = deframer.state();
    const open = state === 'afterEnd' || state === 'skipping';
    if (open && phase === 'ready') grace.set(graceMs);
  });
  socket.on('end', () => deframer.end());
  socket.on('error', (error: NodeJS.ErrnoException) => {
    cause = refusalReason(error, socket instanceof tls.TLSSocket ? socket : undefined);
  });
  socket.on('close', () => lose(cause || 'the peer closed the connection'));

  const link: Link = { send, rest, usable, reset };
  return link;
}

/**
 * One timer. When it is due, what came while the process was busy is read first, which may clear it:
 * a peer is not late, and has not fallen silent, because we did not listen.
 */
function alarm(ring: (detail: string) => void) {
  let timer: NodeJS.Timeout | undefined;
  const clear = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    clear,
    set(ms: number, detail = ''): void {
      clear();
      const mine = setTimeout(() => setImmediate(() => timer === mine && ring(detail)), ms);
      timer = mine;
    },
  };
}

function connect(options: LinkOptions): Socket {
  const { host, port } = options;
  const tcp = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
  if (options.tls === undefined) return net.connect(tcp);
  // A name is checked against the certificate; SNI must not carry an address (RFC 6066 §3).
  const name = options.tls.servername ?? host;
  const servername = net.isIP(name) ? undefined : name;
  return tls.connect({ ...tcp, ...secureOptions(options.tls), servername });
}
