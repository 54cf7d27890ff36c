/**
 * One request to PDS or SDS: at their pace, with what proves who we are, and once more with a new
 * token where the old one was refused. What the reply means is for the caller to say.
 */
import type { FaultName } from '../faults.ts';
import { type Access, authorise } from './access.ts';
import type { Http, HttpRequest } from './http.ts';
import { failed, withoutReply } from './outcome.ts';
import type { Pace } from './pace.ts';
import type { Attempt, Hop, Outcome } from './port.ts';

export interface LookupOptions {
  access: Access;
  /** How often the service may be asked; without one, as often as it is needed. */
  pace?: Pace;
}

/** A reply with its JSON, or the outcome where there is none. */
export type Looked =
  { status: number; json: unknown; hops: Hop[]; failed?: undefined } | { failed: Outcome<never> };

/**
 * A caller of one look-up service.
 * @param unavailable the fault where the service, its token or a turn could not be had
 */
export function createLookup(
  { access, pace }: LookupOptions,
  http: Http,
  unavailable: 'traceUnavailable' | 'directoryUnavailable',
): (request: HttpRequest, attempt: Attempt) => Promise<Looked> {
  const deadline = (detail: string, attempt: Attempt, hops: Hop[]): Looked => ({
    failed: withoutReply({ failure: 'deadline', detail }, () => unavailable, attempt, hops),
  });

  return async (request, attempt) => {
    const hops: Hop[] = [];
    const without = (name: FaultName, detail: string): Looked => ({
      failed: failed({ name, detail }, hops),
    });
    for (let renewed = false; ; renewed = true) {
      const authorised = await authorise(access, attempt);
      hops.push(...authorised.hops);
      if (authorised.failed) {
        const { failed: why, detail } = authorised;
        if (why === 'deadline') return deadline(detail, attempt, hops);
        return without(why === 'refused' ? 'accessRefused' : unavailable, detail);
      }
      if (pace && !(await pace.turn(attempt))) {
        if (attempt.signal.aborted) return deadline('waiting for a turn', attempt, hops);
        return without(unavailable, 'no turn before the deadline (rate limit)');
      }
      const reply = await http.ask({ ...request, secrets: authorised.headers }, attempt);
      hops.push(reply.hop);
      if (reply.failure) return { failed: withoutReply(reply, () => unavailable, attempt, hops) };
      const { status, json, retryAfter } = reply;
      if (retryAfter !== undefined && (status === 429 || status === 503)) pace?.pause(retryAfter);
      const { token } = authorised;
      const mayRenew = access.kind === 'token' && token !== undefined && !renewed;
      if (status !== 401 || !mayRenew) return { status, json, hops };
      access.tokens.refuse(token);
    }
  };
}
