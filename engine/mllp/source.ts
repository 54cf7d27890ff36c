/**
 * The listener of a channel: MLLP over TCP or TLS. It opens the port, admits connections up to the
 * limit and holds one conversation with each; one peer's trouble never reaches another.
 */
import net from 'node:net';
import type { Server, Socket } from 'node:net';
import tls from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Emit } from '../events.ts';
import { faults } from '../faults.ts';
import { bind } from './bind.ts';
import { converse } from './conversation.ts';
import type { Conversation, ConversationOptions } from './conversation.ts';
import type { Peer, Respond } from './mllp.ts';
import { refusalReason, secureOptions } from './tls.ts';
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
  /** How long a port held by another process is tried again. 10 s. */
  bindTimeoutMs?: number;
}

export interface Source {
  /**
   * Open the port; tries again while another process holds it.
   * @throws FaultError portBusy after `bindTimeoutMs`, shuttingDown when stopped meanwhile; what
   *   the operating system says of another failure (EACCES, EADDRNOTAVAIL), as it says it
   */
  listen(): Promise<{ port: number }>;
  /**
   * Close the port, take no more frames, answer those taken, hang up. After `graceMs` what is left
   * is cut; its answers are settled as undelivered.
   */
  stop(graceMs: number): Promise<void>;
  /** Connections open now. */
  connections(): number;
  /** Use other certificates for the connections to come. Present with TLS. */
  reloadTls?(material: SourceTls): void;
}

const defaults: SourceLimits = {
  frameBytes: 10 * 1024 * 1024,
  connections: 256,
  idleMs: 3_600_000,
  inFrameMs: 30_000,
  graceMs: 1000,
  pipeline: 16,
};

/**
 * A listener that hands every arrival to `respond`; closed until `listen` is called.
 * @throws Error when `tls` cannot be used: a key that does not fit, client certificates without `ca`
 */
export function createSource(options: SourceOptions, respond: Respond, emit: Emit): Source {
  const { channel } = options;
  const limits = { ...defaults, ...options.limits };
  /** Every socket, also in its TLS handshake. */
  const sockets = new Set<Socket>();
  const conversations = new Set<Conversation>();
  const stopping = new AbortController();
  let opened = 0;
  let whenEmpty = (): void => {};

  const socketOptions = {
    // A peer may close its side once it has sent, and still get its answers.
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  };
  const secure =
    options.tls &&
    tls.createServer({
      ...socketOptions,
      ...serverSecurity(options.tls),
      handshakeTimeout: limits.inFrameMs,
    });
  const server: Server = secure ?? net.createServer(socketOptions);
  server.maxConnections = limits.connections;

  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on(secure ? 'secureConnection' : 'connection', admit);
  server.on('drop', (dropped) => {
    const peer = addressOf(dropped?.remoteAddress, dropped?.remotePort);
    emit('connection.refused', { channel, peer, code: faults.connectionLimit.code });
  });
  // A connection that cannot be accepted (no file descriptor left) must not end the process.
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (server.listening) emit('connection.refused', { channel, detail: error.code });
  });
  secure?.on('tlsClientError', (error, socket) => {
    const peer = addressOf(socket.remoteAddress, socket.remotePort);
    const detail = refusalReason(error, socket);
    emit('connection.refused', { channel, peer, code: faults.tlsRefused.code, detail });
    socket.destroy();
  });

  function admit(socket: Socket | TLSSocket): void {
    const peer: Peer = {
      connection: ++opened,
      address: addressOf(socket.remoteAddress, socket.remotePort),
    };
    if ('getPeerCertificate' in socket) {
      const name: string | string[] | undefined = socket.getPeerCertificate()?.subject?.CN;
      peer.certificate = Array.isArray(name) ? name[0] : name;
    }
    emit('connection.opened', { channel, peer: peer.address });
    const conversation = converse(
      socket,
      peer,
      { channel, mode: options.mode, limits },
      respond,
      emit,
      () => {
        conversations.delete(conversation);
        if (conversations.size === 0) whenEmpty();
      },
    );
    conversations.add(conversation);
  }

  // The deadlines of all connections are looked at together. A turn of the loop later, so that
  // bytes that came while the process was busy are read before their sender is found silent.
  const every = Math.min(limits.graceMs, limits.inFrameMs, limits.idleMs) / 4;
  const sweeper = setInterval(
    () => setImmediate(() => conversations.forEach((c) => c.sweep(performance.now()))),
    Math.max(10, Math.min(every, 1000)),
  );
  sweeper.unref();

  async function listen(): Promise<{ port: number }> {
    const { host, port } = options;
    const bound = await bind(server, {
      host,
      port,
      timeoutMs: options.bindTimeoutMs ?? 10_000,
      signal: stopping.signal,
      busy: (attempt) => emit('channel.portBusy', { channel, host, port, attempt }),
    });
    return { port: bound };
  }

  async function stop(graceMs: number): Promise<void> {
    stopping.abort();
    if (server.listening) server.close();
    for (const conversation of conversations) conversation.drain();
    await allOver(graceMs);
    for (const socket of sockets) socket.destroy();
    // What is cut off is settled when its socket closes; answers still being made are not awaited.
    await Promise.all(Array.from(sockets, closed));
    await new Promise(setImmediate);
    clearInterval(sweeper);
    emit('channel.closed', { channel });
  }

  /** Resolves when no conversation is left, or after `ms`. */
  function allOver(ms: number): Promise<void> {
    if (conversations.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      whenEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return {
    listen,
    stop,
    connections: () => conversations.size,
    ...(secure && {
      reloadTls: (material: SourceTls) => secure.setSecureContext(serverSecurity(material)),
    }),
  };
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

function serverSecurity(material: SourceTls) {
  const requestCert = material.requireClientCertificate === true;
  // Node would trust every public authority to name our hospitals.
  if (requestCert && material.ca === undefined) {
    throw new TypeError('requireClientCertificate needs ca: the authority that signs the clients');
  }
  return { ...secureOptions(material), requestCert };
}

function addressOf(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return 'unknown';
  const plain = address.replace(/^::ffff:/, '');
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port ?? 0}`;
}
