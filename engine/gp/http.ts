/**
 * The one HTTP caller of the GP side: PDS, SDS and GP Connect all ask through it. It makes one
 * attempt, follows no redirect, and tells apart the ways in which a reply can fail to arrive
 * whole. It knows no FHIR.
 */
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Agent } from 'undici';
import { isLarge, readFhir } from './json.ts';
import type { Attempt, Hop } from './port.ts';

export interface ClientTls {
  /** Our certificate chain and its private key, PEM: with both, mutual TLS. */
  certificate?: string;
  key?: string;
  passphrase?: string;
  /** The authorities to trust, PEM; those of Node where it is absent. */
  authorities?: string;
  /** Name to expect in the server certificate; that of the address where it is absent. */
  serverName?: string;
  /** OpenSSL cipher list; the one of the GP Connect security guidance unless told. */
  ciphers?: string;
}

export interface HttpOptions {
  /** Configured name of the endpoint; hops are recorded under it. */
  name: string;
  tls?: ClientTls;
  /** Milliseconds: to connect, to the headers, between two pieces of the body, and for all of it. */
  timeouts?: { connect?: number; headers?: number; body?: number; total?: number };
  /** Longest reply accepted, in bytes after decompression; 20 MiB unless told. */
  maxReplyBytes?: number;
  /** Connections to one address at most; 16 unless told. */
  connections?: number;
  /** Reads a large reply in a thread of its own; without it each is read here. */
  readApart?: (text: Uint8Array, openingOnly: boolean) => Promise<unknown>;
}

export interface HttpRequest {
  /** What the journal calls this request, for example `PDS read`. */
  interaction: string;
  method: 'GET' | 'POST';
  /** An absolute http or https address. */
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Headers that prove who we are: sent, but recorded as `[removed]`. */
  secrets?: Readonly<Record<string, string>>;
  body?: string;
  /** What is sent and what comes back are secrets: both bodies are recorded as `[removed]`. */
  confidential?: boolean;
  /** Of a large Bundle the opening is enough, where it is read apart: `openingOf`. */
  openingOnly?: boolean;
}

/** Why there is no whole JSON reply. */
export type HttpFailure =
  | 'deadline' // the attempt's signal: the sender's time is up, or the engine stops
  | 'noReply' // one of our own timeouts
  | 'unreachable' // no connection, or lost before a status came
  | 'cutShort' // the connection or the gzip stream ended inside the reply
  | 'badEncoding' // a content encoding that was not asked for, or not what it says
  | 'tooLong'
  | 'notJson';

/**
 * What came of one request. `hop.reply` holds the body after content decoding (gzip), byte for
 * byte; where the reply was cut short or too long, as much as was read. An error status speaks for
 * itself: from 400 on, a body that is no whole JSON is no failure, and `json` is undefined.
 */
export type HttpReply =
  | {
      hop: Hop;
      status: number;
      json: unknown;
      bytes: Uint8Array;
      /** `json` is only the opening of the Bundle that came. */
      isOpening?: boolean;
      /** Milliseconds to keep quiet, where the reply says so (Retry-After). */
      retryAfter?: number;
      failure?: undefined;
    }
  | { hop: Hop; failure: HttpFailure; detail: string };

/** A live HTTP client; `close` waits for the requests under way. */
export interface Http {
  readonly name: string;
  /**
   * Make one request.
   * @returns the reply with its JSON, or the way it failed; `detail` holds codes only
   * @throws whatever `attempt.beforeAsk` throws: then nothing was sent
   */
  ask(request: HttpRequest, attempt: Attempt): Promise<HttpReply>;
  close(): Promise<void>;
}

/**
 * TLS 1.3's suites, then the list of the GP Connect security guidance in its order
 * ("Supported ciphers"); Spine itself speaks TLS 1.2.
 */
const spineCiphers =
  'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:AESGCM+EECDH:AESGCM+EDH:AES256+EECDH:AES256+EDH';

const defaults = { connect: 5_000, headers: 10_000, body: 10_000, total: 30_000 };

class TooLong extends Error {}

/** An HTTP client for one endpoint: its own connections, certificates and limits. */
export function createHttp(options: HttpOptions): Http {
  const { name, tls = {} } = options;
  const timeouts = { ...defaults, ...options.timeouts };
  const limit = options.maxReplyBytes ?? 20 * 1024 ** 2;
  const agent = new Agent({
    // Spine and GP systems speak HTTP/1.1; one protocol keeps aborting and byte counting simple.
    allowH2: false,
    connections: options.connections ?? 16,
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.body,
    connect: {
      timeout: timeouts.connect,
      minVersion: 'TLSv1.2',
      ciphers: tls.ciphers ?? spineCiphers,
      cert: tls.certificate,
      key: tls.key,
      passphrase: tls.passphrase,
      ca: tls.authorities,
      servername: tls.serverName,
    },
  });

  async function ask(request: HttpRequest, attempt: Attempt): Promise<HttpReply> {
    const url = new URL(request.url);
    const path = url.pathname + url.search;
    const startedAt = Date.now() * 1000;
    const since = performance.now();
    const asked = {
      to: name,
      interaction: request.interaction,
      startedAt,
      request: render(request, path, url.host),
    };
    await attempt.beforeAsk(asked);

    let status: number | undefined;
    let retryAfter: number | undefined;
    const pieces: Buffer[] = [];
    const hop = (bytes: Uint8Array): Hop => ({
      ...asked,
      endedAt: startedAt + Math.round((performance.now() - since) * 1000),
      ...(status !== undefined && { status, reply: request.confidential ? removed : bytes }),
    });
    const failed = (failure: HttpFailure, detail: string): HttpReply => {
      const bytes = Buffer.concat(pieces);
      if (status === undefined) return { hop: hop(bytes), failure, detail };
      if (status < 400 || failure === 'deadline') {
        return { hop: hop(bytes), failure, detail: `HTTP ${status}, ${detail}` };
      }
      return { hop: hop(bytes), status, json: undefined, bytes, retryAfter };
    };
    try {
      attempt.signal.throwIfAborted();
      const response = await agent.request({
        origin: url.origin,
        path,
        method: request.method,
        headers: { ...request.headers, ...request.secrets, 'Accept-Encoding': 'gzip' },
        body: request.body,
        signal: AbortSignal.any([attempt.signal, AbortSignal.timeout(timeouts.total)]),
      });
      status = response.statusCode;
      retryAfter = retryAfterOf(response.headers['retry-after'], Date.now());
      const encoding = String(response.headers['content-encoding'] ?? 'identity').toLowerCase();
      const collect = async (source: AsyncIterable<Buffer>) => {
        let length = 0;
        for await (const piece of source) {
          length += piece.length;
          if (length > limit) throw new TooLong();
          pieces.push(piece);
        }
      };
      if (encoding === 'identity') await pipeline(response.body, collect);
      else if (encoding === 'gzip' || encoding === 'x-gzip') {
        await pipeline(response.body, createGunzip(), collect);
      } else {
        response.body.on('error', () => {}).destroy();
        return failed('badEncoding', 'content encoding not asked for');
      }
    } catch (error) {
      if (attempt.signal.aborted) return failed('deadline', 'given up at the deadline');
      if (error instanceof TooLong) return failed('tooLong', `longer than ${limit} bytes`);
      const code = codeOf(error);
      if (ownTimeouts.has(code)) return failed('noReply', code);
      if (status === undefined) return failed('unreachable', code);
      return failed(code === 'Z_DATA_ERROR' ? 'badEncoding' : 'cutShort', code);
    }
    const bytes = Buffer.concat(pieces);
    const whole = hop(bytes);
    const { readApart } = options;
    const isApart = readApart !== undefined && isLarge(bytes.length);
    try {
      const json = isApart ? await readApart(bytes, request.openingOnly === true) : readFhir(bytes);
      const isOpening = isApart && request.openingOnly;
      return { hop: whole, status, json, bytes, isOpening, retryAfter };
    } catch (error) {
      const isGone = error instanceof Error && error.name === 'ThreadGone';
      return failed('notJson', isGone ? 'the thread that read it ended' : 'not JSON');
    }
  }

  return { name, ask, close: () => agent.close() };
}

const ownTimeouts = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'TimeoutError']);

/** The code of an error, for details: messages may name addresses and are never used. */
function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name);
}

/**
 * The wait a Retry-After header asks for (RFC 9110 §10.2.3: seconds, or a date).
 * @param now milliseconds since 1970
 * @returns milliseconds; undefined where there is none or it cannot be read
 */
export function retryAfterOf(
  header: string | string[] | undefined,
  now: number,
): number | undefined {
  const text = String(header ?? '').trim();
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000;
  const date = /[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** What stands in the record in the place of a secret. */
export const removed: Buffer = Buffer.from('[removed]');

/**
 * A request as hops record it: as it goes over the wire, but for each secret `[removed]`.
 * @param path path and query as sent
 * @param host the Host header
 */
export function render(request: HttpRequest, path: string, host: string): Uint8Array {
  const headers = [
    ['Host', host],
    ...Object.entries(request.headers),
    ...Object.keys(request.secrets ?? {}).map((name) => [name, removed.toString()]),
    ['Accept-Encoding', 'gzip'],
  ];
  const head = [
    `${request.method} ${path} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  const body = request.confidential ? removed.toString() : (request.body ?? '');
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
