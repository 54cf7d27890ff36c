/**
 * What a directory found, kept for one session: one user asking about one patient. GP Connect 1.6
 * ("Overview and querying SDS") wants it kept for a session and forbids using it for another
 * patient encounter or another user, since addresses change.
 */
import type { AskRecord, Endpoint, LocateEndpoint } from './port.ts';

export interface Sessions {
  /** The directory, asked once a session. */
  locate: LocateEndpoint;
  /** A record query after which an endpoint that did not serve is looked up anew. */
  watched(ask: AskRecord): AskRecord;
}

/** Sessions kept at most; the oldest goes first. */
const most = 1000;

/**
 * Keep endpoints for their session.
 * @param ms how long a session lasts at most, from the look-up on; it is never prolonged
 * @param now milliseconds since 1970
 */
export function createSessions(
  directory: LocateEndpoint,
  ms: number,
  now: () => number = Date.now,
): Sessions {
  const kept = new Map<string, { value: Endpoint; until: number }>();

  return {
    async locate(practice, asker, attempt) {
      const key = `${attempt.session} ${practice}`;
      const found = kept.get(key);
      if (found && now() < found.until) return { event: 'found', value: found.value, hops: [] };
      kept.delete(key);
      const outcome = await directory(practice, asker, attempt);
      if (outcome.event !== 'found' || !outcome.value) return outcome;
      kept.set(key, { value: outcome.value, until: now() + ms });
      for (const [oldest, { until }] of kept) {
        if (kept.size <= most && now() < until) break;
        kept.delete(oldest);
      }
      return outcome;
    },
    watched: (ask) => async (request, endpoint, asker, attempt) => {
      const outcome = await ask(request, endpoint, asker, attempt);
      if (outcome.event === 'reply') return outcome;
      for (const [key, { value }] of kept) if (value === endpoint) kept.delete(key);
      return outcome;
    },
  };
}
