/**
 * A plain MLLP listener for the simulated systems. Unlike the engine's own it can misbehave: answer
 * late or never, reset, cut an answer short, send what is no frame.
 */
import net from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import type { TLSSocket, TlsOptions } from 'node:tls';
import type { FaultName } from '../faults.ts';
import { createDeframer, frame } from '../mllp/frame.ts';
import { messageStarts } from '../mllp/mllp.ts';
import { refusalReason } from '../mllp/tls.ts';

/** What is sent for one message; without a payload nothing is. */
export interface MllpAnswer {
  payload?: Uint8Array;
  /** What follows it at once: an application acknowledgement behind an accept acknowledgement. */
  second?: Uint8Array;
  /** Milliseconds to wait first. */
  delay?: number;
  spoil?: 'reset' | 'cutShort' | 'unframed';
  /** Called when it was written, or will not be. */
  settled?: () => void;
}

export interface MllpServer {
  port: number;
  close(): Promise<void>;
}

/** Longest message taken; no query or acknowledgement comes near it. */
const longestMessage = 10 * 1024 * 1024;

/**
 * Listen, and answer every message, in order on each connection.
 * @param options.port 0 takes a free one
 * @throws Error of node:net where the address cannot be listened on
 */
export async function serveMllp(options: {
  host: string;
  port: number;
  tls?: TlsOptions;
  answer: (payload: Buffer) => MllpAnswer;
  /** Is told of bytes that were no frame; nothing is answered. */
  broken?: (fault: FaultName) => void;
  /** Is told why a handshake failed, in the words of OpenSSL. */
  refused?: (why: string) => void;
}): Promise<MllpServer> {
  const sockets = new Set<Socket>();
  const closing = new AbortController();
  const onConnection = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let turn = Promise.resolve();
    const deframer = createDeframer(
      { maxBytes: longestMessage, mode: 'lenient', marks: messageStarts },
      (arrival) => {
        if (arrival.kind !== 'message') {
          options.broken?.(arrival.fault);
          return;
        }
        const payload = Buffer.from(arrival.payload);
        turn = turn
          .then(async () => {
            const answer = options.answer(payload);
            await send(socket, answer, closing.signal).finally(answer.settled);
          })
          .catch(() => {
            socket.destroy();
          });
      },
    );
    socket.on('data', (chunk: Buffer) => deframer.push(chunk));
    socket.on('end', () => deframer.end());
  };
  const server: Server = options.tls
    ? tls.createServer(options.tls, onConnection)
    : net.createServer(onConnection);
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    options.refused?.(refusalReason(error, socket));
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function send(socket: Socket, answer: MllpAnswer, closing: AbortSignal): Promise<void> {
  if (answer.delay) await wait(answer.delay, undefined, { signal: closing });
  if (answer.spoil === 'reset') {
    socket.resetAndDestroy();
    return;
  }
  for (const payload of [answer.payload, answer.second]) {
    if (payload === undefined || socket.destroyed) return;
    const framed = frame(payload);
    if (answer.spoil === 'cutShort') socket.end(framed.subarray(0, Math.ceil(framed.length / 2)));
    else await written(socket, answer.spoil === 'unframed' ? payload : framed);
  }
}

/** Resolves when the operating system has the bytes, or the connection is gone. */
function written(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', resolve);
    socket.write(bytes, () => {
      socket.off('close', resolve);
      resolve();
    });
  });
}
