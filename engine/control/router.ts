/**
 * What can be asked of a running engine, over HTTP with JSON. A route is one declaration: method,
 * path, what it takes, what it does. Here it is found, its input checked, its answer written.
 */
import type { IncomingMessage, RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { FaultError, faults } from '../faults.ts';
import { Refusal } from './refusal.ts';

/** An object is written as JSON, a text as it is, a stream for as long as it lasts. */
export interface RouteAnswer {
  status?: number;
  body: object | string | Readable;
  /** Content type of a text; `text/plain` unless told. */
  type?: string;
}

export interface Route {
  method: 'GET' | 'POST';
  /** Versioned: `/v1/queues`. */
  path: string;
  /** @throws Refusal where it is asked wrongly, or cannot be done */
  answer(input: unknown): Promise<RouteAnswer>;
}

/**
 * Declare a route.
 * @param input what it takes: the query of a GET, the JSON body of a POST
 * @param act does it; a Refusal or FaultError it throws is what the client is told
 */
export function route<S extends z.ZodType>(
  method: Route['method'],
  path: string,
  input: S,
  act: (input: z.output<S>) => RouteAnswer | Promise<RouteAnswer>,
): Route {
  return {
    method,
    path,
    async answer(given) {
      const read = input.safeParse(given);
      if (!read.success) throw new Refusal(400, z.prettifyError(read.error));
      return act(read.data);
    },
  };
}

/** Longest body of a request, in bytes: an edited message is the longest there is. */
const longestBody = 128 * 1024 ** 2;

/**
 * A listener that serves these routes.
 * @param ending aborted when no more is served: streams end then
 */
export function serveRoutes(routes: readonly Route[], ending: AbortSignal): RequestListener {
  const table = new Map(routes.map((one) => [`${one.method} ${one.path}`, one]));
  return (request, response) => {
    void answerTo(table, request).then(({ status = 200, body, type }) => {
      if (body instanceof Readable) {
        response.writeHead(status, { 'content-type': 'application/x-ndjson' });
        // Sent before the first line is there, so that the client knows that it is served.
        response.flushHeaders();
        const end = () => {
          body.unpipe(response);
          response.end();
        };
        ending.addEventListener('abort', end);
        body.on('error', () => response.destroy());
        response.once('close', () => {
          ending.removeEventListener('abort', end);
          body.destroy();
        });
        body.pipe(response);
        return;
      }
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const plain = type ?? 'text/plain; charset=utf-8';
      response.writeHead(status, {
        'content-type': typeof body === 'string' ? plain : 'application/json',
        'content-length': Buffer.byteLength(text),
        // What was refused unread would be taken for the next request.
        ...(status >= 400 && { connection: 'close' }),
      });
      response.end(text);
    });
  };
}

async function answerTo(
  table: ReadonlyMap<string, Route>,
  request: IncomingMessage,
): Promise<RouteAnswer> {
  try {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://engine');
    const found = table.get(`${request.method} ${pathname}`);
    if (!found) {
      throw new Refusal(
        501,
        `the engine knows no ${request.method} ${pathname}: it is of another version`,
        'use the gatehouse command of the version that runs',
      );
    }
    const input = request.method === 'GET' ? Object.fromEntries(searchParams) : await json(request);
    return await found.answer(input);
  } catch (error) {
    return refusedBy(error);
  }
}

async function json(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) throw new Refusal(400, `a request of more than ${longestBody} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}');
  } catch {
    throw new Refusal(400, 'the request is no JSON');
  }
}

/** What the client is told of an error; never an error's own text, which may quote a message. */
function refusedBy(error: unknown): RouteAnswer {
  if (error instanceof Refusal) {
    return { status: error.status, body: { says: error.message, next: error.next } };
  }
  if (error instanceof FaultError) {
    const { code, says, next } = faults[error.fault.name];
    const detail = error.fault.detail ? ` (${error.fault.detail})` : '';
    return { status: 503, body: { says: `${code}  ${says}${detail}`, next } };
  }
  const name = error instanceof Error ? error.name : typeof error;
  const next = 'this is a defect of Gatehouse; report it with what was asked';
  return {
    status: 500,
    body: { says: `the engine failed while it worked on this (${name})`, next },
  };
}
