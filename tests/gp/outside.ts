/** The outside of the GP side: real HTTP servers on loopback, and the attempt a route would make. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createHttp, type Http, type HttpOptions } from '../../engine/gp/http.ts';
import type { Asker, Attempt } from '../../engine/gp/port.ts';

/** A request as the server saw it. */
export interface Seen {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Handler = (seen: Seen, response: ServerResponse) => void;

export interface Served {
  url: string;
  seen: Seen[];
  /** How many connections were made to it. */
  connections(): number;
  /** Answer from now on with this. */
  use(handler: Handler): void;
}

const open: (() => Promise<unknown>)[] = [];

/** Close every server and client opened since; for `afterEach`. */
export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((close) => close()));
}

/** A server on a free port of 127.0.0.1. */
export async function serve(handler: Handler, tls?: ServerOptions): Promise<Served> {
  let current = handler;
  let connections = 0;
  const seen: Seen[] = [];
  const server = tls ? createTlsServer(tls) : createServer();
  server.on('connection', () => connections++);
  server.on('request', (request, response: ServerResponse) => {
    const pieces: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(pieces).toString(),
      };
      seen.push(one);
      current(one, response);
    });
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    seen,
    connections: () => connections,
    use: (next) => {
      current = next;
    },
  };
}

/** Answers with JSON. */
export function json(status: number, body: unknown): Handler {
  return (_, response) => {
    response.writeHead(status, { 'Content-Type': 'application/fhir+json' });
    response.end(JSON.stringify(body));
  };
}

/** Answers with exactly this text. */
export function text(status: number, body: string): Handler {
  return (_, response) => response.writeHead(status).end(body);
}

/** A client that is closed with the servers. */
export function client(options: Partial<HttpOptions> = {}): Http {
  const http = createHttp({ name: 'outside', ...options });
  open.push(() => http.close());
  return http;
}

/** An attempt that keeps what it was told before each request. */
export function attempt(
  overrides: Partial<Attempt> = {},
): Attempt & { asked: Parameters<Attempt['beforeAsk']>[0][] } {
  const asked: Parameters<Attempt['beforeAsk']>[0][] = [];
  return {
    signal: new AbortController().signal,
    correlationId: '11111111-1111-4111-8111-111111111111',
    requestId: '22222222-2222-4222-8222-222222222222',
    session: 'jsmith about 9000000009',
    left: () => 15_000,
    beforeAsk: (hop) => {
      asked.push(hop);
      return Promise.resolve();
    },
    asked,
    ...overrides,
  };
}

export const asker: Asker = {
  user: { id: '111222333444', localId: 'jsmith', family: 'Smith', given: 'Jo', prefix: 'Dr' },
  roleProfile: '444555666777',
  organisation: { ods: 'R0A', name: 'Test Hospital' },
  consent: 'G',
};

/** An OperationOutcome of one issue with one coding. */
export function operationOutcome(
  system: string,
  code: string,
  display?: string,
  diagnostics?: string,
): object {
  return {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'error',
        code: 'invalid',
        details: { coding: [{ system, code, display }] },
        diagnostics,
      },
    ],
  };
}

/** The text of bytes, for looking into hops. */
export const textOf = (bytes: Uint8Array | undefined): string =>
  Buffer.from(bytes ?? []).toString();
