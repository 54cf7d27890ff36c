/**
 * How we prove to PDS and SDS who we are: the headers that do so, kept out of every record. Which
 * way a service wants is in the NHS England API catalogue ("Security and authorisation").
 */
import type { Attempt, Hop } from './port.ts';

/**
 * - `none`: sandboxes and the simulator;
 * - `apikey`: an application key in the header `apikey` (SDS);
 * - `token`: an access token in the header `Authorization` (PDS, application-restricted).
 */
export type Access =
  { kind: 'none' } | { kind: 'apikey'; key: string } | { kind: 'token'; tokens: Tokens };

/** Where access tokens come from; whoever holds them fetches, keeps and renews them. */
export interface Tokens {
  /** The token for one request, with the hops it took to get it. */
  take(attempt: Attempt): Promise<Taken>;
  /** A service refused this token: it is not given out again. */
  refuse(token: string): void;
}

export type Taken =
  | { token: string; hops: Hop[]; failed?: undefined }
  | {
      /** Our credentials were refused; no token could be had; the attempt ended meanwhile. */
      failed: 'refused' | 'unavailable' | 'deadline';
      /** Codes only: never part of a credential. */
      detail: string;
      hops: Hop[];
    };

export type Authorised =
  | { headers: Record<string, string>; token?: string; hops: Hop[]; failed?: undefined }
  | Extract<Taken, { failed: string }>;

/** The headers for one request, or why there are none: nothing can be asked then. */
export async function authorise(access: Access, attempt: Attempt): Promise<Authorised> {
  if (access.kind === 'none') return { headers: {}, hops: [] };
  if (access.kind === 'apikey') return { headers: { apikey: access.key }, hops: [] };
  const taken = await access.tokens.take(attempt);
  if (taken.failed) return taken;
  const { token, hops } = taken;
  return { headers: { Authorization: `Bearer ${token}` }, token, hops };
}
