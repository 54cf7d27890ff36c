/** Asking a running engine, from another process. */
import { type IncomingMessage, request } from 'node:http';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { socketOf } from './place.ts';
import { NoEngine, Refusal, type RefusalStatus } from './refusal.ts';

/** Ask one thing of the engine. @throws Refusal: what it refuses, or 503 where no engine runs */
export interface Asks {
  get<T extends object>(path: string, query?: Record<string, string>): Promise<T>;
  post<T extends object>(path: string, body: object): Promise<T>;
  /** An answer that is no JSON. */
  text(path: string): Promise<string>;
  /**
   * Lines of JSON, for as long as the engine has some. Resolves as soon as it serves them.
   * @param signal hangs up
   */
  lines<T extends object>(
    path: string,
    body: object,
    signal: AbortSignal,
  ): Promise<AsyncIterable<T>>;
}

/** A way to ask the engine whose journal is in this folder. */
export function engineIn(folder: string): Asks {
  const ask = (method: 'GET' | 'POST', path: string, body?: string) =>
    send(resolve(folder), method, path, body);
  return {
    get: async (path, query) => read(await ask('GET', query ? `${path}?${params(query)}` : path)),
    post: async (path, body) => read(await ask('POST', path, JSON.stringify(body))),
    text: (path) => ask('GET', path),
    async lines<T extends object>(path: string, body: object, signal: AbortSignal) {
      const asked = JSON.stringify(body);
      return linesOf<T>(await begin(resolve(folder), 'POST', path, asked, signal));
    },
  };
}

async function* linesOf<T extends object>(response: IncomingMessage): AsyncGenerator<T> {
  try {
    for await (const line of createInterface({ input: response })) yield read(line);
  } finally {
    response.destroy();
  }
}

const params = (query: Record<string, string>) => new URLSearchParams(query).toString();
const read = <T extends object>(text: string): T => JSON.parse(text) as T;

async function send(
  folder: string,
  method: string,
  path: string,
  body: string | undefined,
): Promise<string> {
  const response = await begin(folder, method, path, body);
  return textOf(response).catch((error: NodeJS.ErrnoException) => {
    throw unreachable(folder, error);
  });
}

/** Ask, and wait for the head of the answer. @throws Refusal */
function begin(
  folder: string,
  method: string,
  path: string,
  body: string | undefined,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((answered, failed) => {
    const asking = request({ socketPath: socketOf(folder), method, path, agent: false, signal });
    const unanswered = (error: NodeJS.ErrnoException) => failed(unreachable(folder, error));
    asking.on('error', unanswered);
    asking.on('response', (response) => {
      if (response.statusCode === 200) answered(response);
      else textOf(response).then((text) => failed(refusal(response, text)), unanswered);
    });
    asking.end(body);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function refusal({ statusCode }: IncomingMessage, text: string): Refusal {
  const { says, next } = read<{ says: string; next?: string }>(text);
  return new Refusal(statusCode as RefusalStatus, says, next);
}

/** Nobody is there, somebody may not ask, or the engine went away meanwhile. */
function unreachable(folder: string, { code = '' }: NodeJS.ErrnoException): NoEngine {
  const none = `no engine runs on the journal in ${folder}`;
  const says: Record<string, string> = {
    ENOENT: none,
    ENOTDIR: none,
    // The path is too long for a socket, and no engine says where its own is.
    EINVAL: none,
    ENAMETOOLONG: none,
    ECONNREFUSED: `${none} (the last one died and left its control socket)`,
    EACCES: `the engine on ${folder} belongs to another user, and takes orders from that one alone`,
  };
  const next =
    code === 'EACCES'
      ? 'run this as the user who runs the engine'
      : 'name the folder with --data, or start the engine: gatehouse serve';
  const gone = `the engine on ${folder} ended before it answered (${code}); what was asked may have been done`;
  return new NoEngine(says[code] ?? gone, next);
}
