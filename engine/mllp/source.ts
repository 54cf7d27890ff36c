/**
 * The listener of a channel: MLLP over TCP or TLS. It opens the port, admits connections up to the
 * limit and holds one conversation with each; one peer's trouble never reaches another. What it
 * does with a connection may be changed while it listens.
 */
import net from 'node:net';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Emit } from '../events.ts';
import { faults } from '../faults.ts';
import { bind } from './bind.ts';
import { converse } from './conversation.ts';
import type { Conversation } from './conversation.ts';
import type { ListenerState, Source, SourceLimits, SourceOptions, SourceTls } from './listener.ts';
import type { Peer, Respond } from './mllp.ts';
import { refusalReason, secureOptions } from './tls.ts';

const defaults: SourceLimits = {
  frameBytes: 10 * 1024 * 1024,
  connections: 256,
  idleMs: 3_600_000,
  inFrameMs: 30_000,
  graceMs: 1000,
  pipeline: 16,
};

const socketOptions = {
  // A peer may close its side once it has sent, and still get its answers.
  allowHalfOpen: true,
  noDelay: true,
  // A peer that vanished (a pulled cable, a firewall that forgot) is probed after a minute's
  // silence and cut ten seconds later: Node probes every second, ten times.
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
};

/**
 * A listener that hands every arrival to `respond`; closed until `listen` is called.
 * @throws Error when `tls` cannot be used: a key that does not fit, client certificates without `ca`
 */
export function createSource(options: SourceOptions, respond: Respond, emit: Emit): Source {
  /** Every socket, also in its TLS handshake. */
  const sockets = new Set<Socket>();
  const conversations = new Set<Conversation>();
  const stopping = new AbortController();
  let state: ListenerState = 'closed';
  let port: number | undefined;
  let opened = 0;
  /** Nothing is in hand any more, or the grace has passed. */
  const over = Promise.withResolvers<void>();
  let stopped: Promise<number> | undefined;
  let using = settled(options, respond);

  const server = net.createServer(socketOptions);
  server.maxConnections = using.limits.connections;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    if (using.secure) using.secure.emit('connection', socket);
    else admit(socket);
  });
  server.on('drop', (dropped) => {
    const peer = addressOf(dropped?.remoteAddress, dropped?.remotePort);
    const { channel } = using;
    emit('connection.refused', { channel, peer, code: faults.connectionLimit.code });
  });
  // A connection that cannot be accepted (no file descriptor left) must not end the process.
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (!server.listening) return;
    emit('connection.refused', { channel: using.channel, detail: error.code });
  });

  /** What connections to come are met with. TLS is spoken by a server that itself has no port. */
  function settled(told: SourceOptions, answer: Respond) {
    const limits = { ...defaults, ...told.limits };
    const secure =
      told.tls &&
      tls.createServer({
        ...socketOptions,
        ...serverSecurity(told.tls),
        handshakeTimeout: limits.inFrameMs,
      });
    secure?.on('secureConnection', admit);
    secure?.on('tlsClientError', (error, socket) => {
      const peer = addressOf(socket.remoteAddress, socket.remotePort);
      const detail = refusalReason(error, socket);
      const { channel } = told;
      emit('connection.refused', { channel, peer, code: faults.tlsRefused.code, detail });
      socket.destroy();
    });
    return { channel: told.channel, mode: told.mode, limits, secure, respond: answer };
  }

  function admit(socket: Socket | TLSSocket): void {
    const { channel, mode, limits } = using;
    const peer: Peer = {
      connection: ++opened,
      address: addressOf(socket.remoteAddress, socket.remotePort),
      ...('getPeerCertificate' in socket && certified(socket)),
    };
    emit('connection.opened', { channel, peer: peer.address });
    const conversation = converse(
      socket,
      peer,
      { channel, mode, limits },
      // By what holds when it comes, however old the connection.
      (arrival, from, interim) => using.respond(arrival, from, interim),
      emit,
      () => {
        conversations.delete(conversation);
        if (conversations.size === 0 && stopping.signal.aborted) over.resolve();
      },
    );
    conversations.add(conversation);
  }

  // The deadlines of all connections are looked at together. A turn of the loop later, so that
  // bytes that came while the process was busy are read before their sender is found silent.
  let sweeper = sweeping();
  function sweeping(): NodeJS.Timeout {
    const { graceMs, inFrameMs, idleMs } = using.limits;
    const every = Math.max(10, Math.min(graceMs / 4, inFrameMs / 4, idleMs / 4, 1000));
    const sweep = () => conversations.forEach((c) => c.sweep(performance.now()));
    return setInterval(() => setImmediate(sweep), every).unref();
  }

  async function listen(): Promise<void> {
    const { host } = options;
    await bind(server, {
      host,
      port: options.port,
      signal: stopping.signal,
      busy() {
        state = 'waiting';
        const { code } = faults.portBusy;
        emit('channel.portBusy', { channel: using.channel, host, port: options.port, code });
      },
      bound(number) {
        state = 'listening';
        port = number;
        emit('channel.listening', { channel: using.channel, port });
      },
    });
  }

  /** Where it is stopped again meanwhile, the shorter grace holds. */
  function stop(graceMs: number): Promise<number> {
    const timer = setTimeout(over.resolve, graceMs);
    void over.promise.then(() => clearTimeout(timer));
    return (stopped ??= end());
  }

  async function end(): Promise<number> {
    stopping.abort();
    state = 'draining';
    if (server.listening) server.close();
    for (const conversation of conversations) conversation.drain();
    if (conversations.size === 0) over.resolve();
    await over.promise;
    const left = Array.from(conversations, (one) => one.status().open);
    for (const socket of sockets) socket.destroy();
    // What is cut off is settled when its socket closes; answers still being made are not awaited.
    await Promise.all(Array.from(sockets, closed));
    await new Promise(setImmediate);
    clearInterval(sweeper);
    state = 'closed';
    emit('channel.closed', { channel: using.channel });
    return left.reduce((sum, open) => sum + open, 0);
  }

  return {
    listen,
    stop,
    prepare(told, answer) {
      const next = settled(told, answer);
      return () => {
        using = next;
        server.maxConnections = next.limits.connections;
        clearInterval(sweeper);
        sweeper = sweeping();
      };
    },
    state: () => state,
    port: () => port,
    connections: () => conversations.size,
    standing: () => Array.from(conversations, (one) => one.status()),
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

/** Who the client says it is, which one of our authorities has signed. */
function certified(socket: TLSSocket): Partial<Peer> {
  const { subject, valid_to: until } = socket.getPeerCertificate() ?? {};
  const name: string | string[] | undefined = subject?.CN;
  return {
    certificate: Array.isArray(name) ? name[0] : name,
    certificateUntil: until === undefined ? undefined : Date.parse(until),
  };
}

function addressOf(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return 'unknown';
  const plain = address.replace(/^::ffff:/, '');
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port ?? 0}`;
}
