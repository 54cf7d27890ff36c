/**
 * Telling people: each notice goes to the webhook and to the command of the site. What cannot be told
 * is tried again for a while, then logged; nothing here ever holds up the engine.
 */
import { spawn } from 'node:child_process';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { Settings } from '../config/settings.ts';
import { type Surroundings, resolveText } from '../config/values.ts';
import type { Emit } from '../events.ts';
import type { Notice } from './alerts.ts';

type Webhook = NonNullable<Settings['alerts']['webhook']>;
type Command = NonNullable<Settings['alerts']['command']>;

export interface Notifier {
  /** Tell of a notice, as the settings now are. Returns at once. */
  tell(notice: Notice): void;
  /** Resolves when every notice is told or given up, at the latest after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface NotifierParts {
  settings(): Settings['alerts'];
  env: Surroundings;
  emit: Emit;
  /** The first pause between tries of the webhook, milliseconds; it doubles. */
  pauseMs?: number;
}

/** Notices that wait at most; the oldest makes way. Each condition makes few. */
const mostWaiting = 200;
const longestPauseMs = 300_000;

export function createNotifier({ settings, env, emit, pauseMs = 2000 }: NotifierParts): Notifier {
  const stopping = new AbortController();
  const webhook = createLine('webhook', async (body) => {
    const told = settings().webhook;
    if (told) await post(told, env, body, pauseMs, stopping.signal);
  });
  const command = createLine('command', async (body) => {
    const told = settings().command;
    if (told) await run(told, body, stopping.signal);
  });

  /** Notices go one after the other, so that "cleared" never overtakes "raised". */
  function createLine(name: string, send: (body: string) => Promise<void>) {
    const waiting: { notice: Notice; body: string }[] = [];
    let busy: Promise<void> | undefined;
    const lost = ({ alert }: Notice, detail: string) => {
      const { condition, subject } = alert;
      emit('alert.undelivered', { endpoint: name, condition, subject, detail });
    };
    async function work(): Promise<void> {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { notice, body } = next;
        await send(body).catch((error: Error) => lost(notice, error.message));
      }
    }
    return {
      add(notice: Notice, body: string) {
        waiting.push({ notice, body });
        const dropped = waiting.length > mostWaiting ? waiting.shift() : undefined;
        if (dropped) lost(dropped.notice, 'too many are waiting');
        busy ??= work().finally(() => (busy = undefined));
      },
      done: () => busy,
    };
  }

  return {
    tell(notice) {
      const body = bodyOf(notice);
      if (settings().webhook) webhook.add(notice, body);
      if (settings().command) command.add(notice, body);
    },
    async close(graceMs) {
      const late = setTimeout(() => stopping.abort(), graceMs);
      await Promise.all([webhook.done(), command.done()]);
      clearTimeout(late);
    },
  };
}

/** What is told: names, counts and times; never patient data. */
function bodyOf({ event, alert }: Notice): string {
  const { condition, subject, severity, says, next, since, told } = alert;
  const at = new Date(event === 'cleared' ? Date.now() : told).toISOString();
  return JSON.stringify({
    ...{ kind: 'alert', version: 1, event, condition, subject, severity, says, next },
    ...{ since: new Date(since).toISOString(), at, host: hostname() },
  });
}

/** @throws Error that says why it was given up, without the address: it may hold a secret */
async function post(
  { url, authorization, timeout, attempts }: Webhook,
  env: Surroundings,
  body: string,
  pauseMs: number,
  stopping: AbortSignal,
): Promise<void> {
  let why = '';
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (attempt > 1) {
      const pause = Math.min(longestPauseMs, pauseMs * 2 ** (attempt - 2));
      await wait(pause, undefined, { signal: stopping }).catch(() => {});
    }
    if (stopping.aborted) throw new Error(why || 'the engine is stopping');
    try {
      const headers: Record<string, string> = { 'content-type': 'application/json' };
      if (authorization) headers.authorization = resolveText(authorization, env);
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(timeout)]);
      const answer = await fetch(url, { method: 'POST', headers, body, signal });
      await answer.body?.cancel();
      if (answer.ok) return;
      why = `HTTP ${answer.status}`;
    } catch (error) {
      why = reasonOf(error as Error);
    }
  }
  throw new Error(`${why}, ${attempts} attempts`);
}

function reasonOf(error: Error & { cause?: unknown }): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? (error.name === 'Error' ? error.message : error.name);
}

/** No shell, and nothing of our environment but what a program needs to start: it holds secrets. */
function run({ run: argv, timeout }: Command, body: string, stopping: AbortSignal): Promise<void> {
  const [program = '', ...args] = argv;
  const { PATH, HOME, LANG, TZ } = process.env;
  return new Promise((done, failed) => {
    const child = spawn(program, args, {
      env: { PATH, HOME, LANG, TZ },
      stdio: ['pipe', 'ignore', 'ignore'],
      signal: AbortSignal.any([stopping, AbortSignal.timeout(timeout)]),
      killSignal: 'SIGKILL',
    });
    child.on('error', (error: NodeJS.ErrnoException) =>
      failed(new Error(error.name === 'AbortError' ? 'it took too long' : error.code)),
    );
    child.on('close', (code, signal) => {
      if (code === 0) done();
      else failed(new Error(`it ended with ${code ?? signal}`));
    });
    // It may end without reading.
    child.stdin.on('error', () => {});
    child.stdin.end(`${body}\n`);
  });
}
