/**
 * The simulator's HTTP plumbing: one server on node:http or node:https, whole request bodies in,
 * one answer out, and the ways in which a network spoils an answer.
 */
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

/** A request as the simulated systems see it. */
export interface Request {
  method: string;
  /** Path and query exactly as sent. */
  target: string;
  /** By lower-case name; repeated headers are joined by node. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** True where the caller is on this machine. */
  loopback: boolean;
}

/** What goes wrong on the wire with an answer that is itself fit to send. */
export type Spoil =
  | 'hang' // nothing is ever sent
  | 'reset' // TCP reset before the first byte
  | 'cutShort' // the connection ends inside the body
  | 'truncatedGzip'; // HTTP is complete, the gzip stream inside it is not

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array;
  /** Milliseconds to wait before the first byte. */
  delay?: number;
  spoil?: Spoil;
}

export interface HttpServer {
  /** `http://host:port` without a trailing slash. */
  url: string;
  host: string;
  port: number;
  close(): Promise<void>;
}

/** Bodies beyond this are answered 413; no request of these interfaces comes near it. */
const longestRequest = 1024 * 1024;

/**
 * Listen, and answer every request with what `handle` gives.
 * @param options.tls options of node:https; without them plain HTTP is spoken
 * @throws Error of node:net where the address cannot be listened on
 */
export async function serve(options: {
  host: string;
  port: number;
  tls?: ServerOptions;
  handle: (request: Request) => Answer;
}): Promise<HttpServer> {
  const closing = new AbortController();
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    respond(options.handle, incoming, outgoing, closing.signal).catch(() => outgoing.destroy());
  };
  const server: Server = options.tls
    ? createHttpsServer(options.tls, onRequest)
    : createHttpServer(onRequest);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const shown = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `${options.tls ? 'https' : 'http'}://${shown}:${port}`,
    host: options.host,
    port,
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  handle: (request: Request) => Answer,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  const body = await readBody(incoming);
  if (body === undefined) {
    outgoing.writeHead(413, { connection: 'close' }).end();
    return;
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const answer = answerOrSay(handle, {
    method: incoming.method ?? 'GET',
    target: incoming.url ?? '/',
    headers,
    body,
    loopback: isLoopback(incoming.socket.remoteAddress),
  });
  if (answer.delay) await wait(answer.delay, undefined, { signal: closing });
  if (answer.spoil === 'hang') return;
  if (answer.spoil === 'reset') {
    incoming.socket.resetAndDestroy();
    return;
  }
  await send(answer, outgoing, /\bgzip\b/.test(headers['accept-encoding'] ?? ''));
}

/** A failure of the simulator itself is said, so that nobody takes it for a scenario. */
function answerOrSay(handle: (request: Request) => Answer, request: Request): Answer {
  try {
    return handle(request);
  } catch (error) {
    const body = `The simulator failed: ${error instanceof Error ? error.message : String(error)}\n`;
    return { status: 500, headers: { 'content-type': 'text/plain' }, body };
  }
}

/** The whole body, or undefined where it is longer than any request here may be. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestRequest) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Write an answer in chunks (no Content-Length), compressed where the caller takes gzip: GP
 * Connect requires both of providers and consumers.
 */
async function send(answer: Answer, outgoing: ServerResponse, gzip: boolean): Promise<void> {
  const plain = Buffer.from(answer.body);
  const compress = plain.length > 0 && (gzip || answer.spoil === 'truncatedGzip');
  let bytes = compress ? gzipSync(plain) : plain;
  if (answer.spoil === 'truncatedGzip') bytes = bytes.subarray(0, Math.ceil(bytes.length / 2));
  outgoing.writeHead(answer.status, {
    ...answer.headers,
    ...(compress ? { 'content-encoding': 'gzip', vary: 'accept-encoding' } : {}),
  });
  if (answer.spoil === 'cutShort') {
    outgoing.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => outgoing.destroy());
    return;
  }
  await pipeline(Readable.from(chunksOf(bytes)), outgoing);
}

function* chunksOf(bytes: Buffer, size = 16 * 1024): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::1|(::ffff:)?127\.)/.test(address);
}
