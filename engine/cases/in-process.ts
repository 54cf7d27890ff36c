/**
 * The simulated systems without sockets: the same handlers that stand behind the simulators' ports,
 * called directly, and what the network would make of their answers.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { FaultError } from '../faults.ts';
import {
  type Http,
  type HttpFailure,
  type HttpOptions,
  type HttpReply,
  removed,
  render,
  retryAfterOf,
} from '../gp/http.ts';
import { parseFhir } from '../gp/json.ts';
import type { MllpDestination } from '../mllp/destination.ts';
import type { Answer, Request } from '../simulator/http.ts';
import type { MllpAnswer } from '../simulator/mllp-server.ts';

/** An HTTP client whose requests are answered by a function. */
export function httpInProcess(
  options: HttpOptions,
  answer: (request: Request) => Answer,
  now: () => number,
): Http {
  const { name, maxReplyBytes = 20 * 1024 ** 2 } = options;
  const patience = options.timeouts?.total ?? 30_000;
  return {
    name,
    async ask(request, attempt) {
      const url = new URL(request.url);
      const target = url.pathname + url.search;
      const asked = {
        to: name,
        interaction: request.interaction,
        startedAt: now(),
        request: render(request, target, url.host),
      };
      await attempt.beforeAsk(asked);
      const headers = {
        Host: url.host,
        ...request.headers,
        ...request.secrets,
        'Accept-Encoding': 'gzip',
      };
      const given = answer({
        method: request.method,
        target,
        headers: Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v])),
        body: Buffer.from(request.body ?? ''),
        loopback: true,
      });
      const { status } = given;
      const hop = (reply?: Buffer) => ({
        ...asked,
        endedAt: now(),
        ...(reply && { status, reply: request.confidential ? removed : reply }),
      });
      const failed = (failure: HttpFailure, reply?: Buffer): HttpReply => ({
        hop: hop(reply),
        failure,
        detail: failure,
      });
      const wait = given.spoil === 'hang' ? Infinity : (given.delay ?? 0);
      if (wait > 0 && !(await waited(Math.min(wait, patience), attempt.signal)))
        return failed('deadline');
      if (wait > patience) return failed('noReply');
      if (given.spoil === 'reset') return failed('unreachable');
      if (given.spoil) return failed('cutShort', Buffer.alloc(0));
      const bytes = plain(given);
      if (bytes.length > maxReplyBytes) return failed('tooLong', bytes.subarray(0, maxReplyBytes));
      const retryAfter = retryAfterOf(given.headers['retry-after'], now() / 1000);
      try {
        return { hop: hop(bytes), status, json: parseFhir(bytes.toString()), bytes, retryAfter };
      } catch {
        if (status >= 400) return { hop: hop(bytes), status, json: undefined, bytes, retryAfter };
        return failed('notJson', bytes);
      }
    },
    close: async () => {},
  };
}

/** An MLLP destination whose messages are answered by a function. */
export function mllpInProcess(
  answerMs: number,
  answer: (payload: Buffer) => MllpAnswer,
  correlate: (reply: Buffer) => string | undefined,
): MllpDestination {
  return {
    async ask(payload, id, signal) {
      const given = answer(payload);
      const wait = given.payload ? (given.delay ?? 0) : Infinity;
      if (wait > 0 && !(await waited(Math.min(wait, answerMs), signal))) {
        throw new FaultError({ name: 'deadlinePassed' });
      }
      if (!given.payload || wait > answerMs || given.spoil)
        throw new FaultError({ name: 'gpTimeout' });
      const reply = Buffer.from(given.payload);
      // A reply to something else is discarded, so that this one never comes.
      if (correlate(reply) !== id) throw new FaultError({ name: 'gpTimeout' });
      return reply;
    },
    close() {},
  };
}

/** @returns false where the signal ended the wait */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}

function plain(answer: Answer): Buffer {
  const bytes = Buffer.from(answer.body);
  return answer.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
}
