/**
 * Health and metrics over HTTP, for those who may not use the control socket: `/healthz`, `/readyz`
 * and `/metrics`. Nothing can be changed here, and nothing of a patient is told.
 */
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { Settings } from '../config/settings.ts';
import type { Emit } from '../events.ts';
import { faults } from '../faults.ts';
import { bind } from '../mllp/bind.ts';
import type { Observed } from './observed.ts';

export interface HealthAnswer {
  status: number;
  type: string;
  body: string;
}

/** What is answered; the same over TCP and on the control socket. */
export interface HealthAnswers {
  /** The process works. */
  '/healthz': () => Promise<HealthAnswer>;
  /** Every port is open that a person has not closed, and what comes can be stored. */
  '/readyz': () => Promise<HealthAnswer>;
  '/metrics': () => Promise<HealthAnswer>;
}

const plain = 'text/plain; charset=utf-8';

export function healthAnswers(watch: {
  look(): Promise<{ seen: Observed }>;
  metrics(): Promise<string>;
}): HealthAnswers {
  return {
    '/healthz': async () => ({ status: 200, type: plain, body: 'ok\n' }),
    '/readyz': async () => {
      const { seen } = await watch.look();
      const not = notReady(seen);
      const body = not.length > 0 ? not.map((one) => `${one}\n`).join('') : 'ready\n';
      return { status: not.length > 0 ? 503 : 200, type: plain, body };
    },
    '/metrics': async () => {
      const type = 'text/plain; version=0.0.4; charset=utf-8';
      return { status: 200, type, body: await watch.metrics() };
    },
  };
}

/** A failure of the journal counts until it is clear that it has passed, milliseconds. */
const journalMs = 10_000;

function notReady({ at, channels, journal }: Observed): string[] {
  const closed = channels.filter(
    ({ state, suspended }) => state !== 'listening' && suspended === null,
  );
  const not = closed.map(({ channel, state }) => `channel ${channel} is ${state}`);
  const { failed } = journal;
  if (failed && at - failed.at < journalMs) not.push(`journal: ${failed.code}`);
  return not;
}

export interface HealthListener {
  /** The port, once it is open. */
  port(): number | undefined;
  close(): Promise<void>;
}

/**
 * Serve the answers over TCP. A port that another process holds is tried again.
 * @throws what the operating system says of an address that cannot be used
 */
export async function startHealth(
  { host, port }: NonNullable<Settings['health']>,
  answers: HealthAnswers,
  emit: Emit,
): Promise<HealthListener> {
  const server = createServer((request, response) => void answer(answers, request, response));
  server.requestTimeout = 10_000;
  server.maxConnections = 64;
  const stopping = new AbortController();
  let open: number | undefined;
  await bind(server, {
    host,
    port,
    signal: stopping.signal,
    busy: () => emit('health.portBusy', { host, port, code: faults.portBusy.code }),
    bound(number) {
      open = number;
      emit('health.listening', { host, port: number });
    },
  });
  return {
    port: () => open,
    async close() {
      stopping.abort();
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function answer(
  answers: HealthAnswers,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = url.split('?')[0] as keyof HealthAnswers;
  const known = method === 'GET' && Object.hasOwn(answers, path) ? answers[path] : undefined;
  const unknown = { status: 404, type: plain, body: 'there are /healthz, /readyz and /metrics\n' };
  const failed = { status: 500, type: plain, body: 'failed\n' };
  const { status, type, body } = (await known?.().catch(() => failed)) ?? unknown;
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
