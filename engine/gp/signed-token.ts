/**
 * Access tokens for application-restricted interfaces: NHS England API platform, "Application-
 * restricted RESTful APIs - signed JWT authentication". That is OAuth 2.0 client credentials
 * (RFC 6749 §4.4) with a JWT signed by us as the proof (RFC 7523 §2.2, private_key_jwt), RS512.
 */
import { type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import type { Taken, Tokens } from './access.ts';
import type { Http, HttpReply } from './http.ts';
import type { Attempt, Hop } from './port.ts';

export interface SignedTokenOptions {
  /** Token endpoint, for example `https://int.api.service.nhs.uk/oauth2/token`; also `aud`. */
  url: string;
  /** The application's API key: `iss` and `sub`. */
  client: string;
  /** Name under which the public key is registered. */
  kid: string;
  /** What `readSigningKey` gave. */
  key: KeyObject;
  /** Milliseconds since 1970; `Date.now` unless told. */
  now?: () => number;
}

/**
 * The platform refuses a proof that is good for more than five minutes, and one that has expired.
 * Three leave room for a clock of ours that is wrong by two minutes or three.
 */
const proofSeconds = 180;

/** A token is renewed this long before it ends, or a tenth of its life where that is shorter. */
const marginMs = 30_000;

const tokenSchema = z.object({
  access_token: z.string().min(1),
  // The platform writes a number as text.
  expires_in: z.coerce.number().positive(),
});
const errorSchema = z.object({ error: z.string(), error_description: z.string().optional() });

/**
 * Tokens fetched with a signed proof, one at a time: whoever needs one while it is fetched waits
 * for it. The fetch does not end with the exchange that began it, since others wait for it.
 */
export function createSignedTokens(options: SignedTokenOptions, http: Http): Tokens {
  const now = options.now ?? Date.now;
  let kept: { token: string; until: number } | undefined;
  let fetching: Promise<Taken> | undefined;

  async function proof(): Promise<string> {
    return new SignJWT()
      .setProtectedHeader({ alg: 'RS512', typ: 'JWT', kid: options.kid })
      .setIssuer(options.client)
      .setSubject(options.client)
      .setAudience(options.url)
      .setJti(randomUUID())
      .setExpirationTime(Math.floor(now() / 1000) + proofSeconds)
      .sign(options.key);
  }

  async function fetch(attempt: Attempt): Promise<Taken> {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await proof(),
    });
    const began = now();
    const reply = await http.ask(
      {
        interaction: 'OAuth token',
        method: 'POST',
        url: options.url,
        headers: {
          Accept: 'application/json',
          'Content-Type': 'application/x-www-form-urlencoded',
        },
        body: form.toString(),
        confidential: true,
      },
      { ...attempt, signal: new AbortController().signal },
    );
    const read = reply.failure ? undefined : tokenSchema.safeParse(reply.json).data;
    if (reply.failure || reply.status !== 200 || !read) return withoutToken(reply);
    const life = read.expires_in * 1000;
    kept = { token: read.access_token, until: began + life - Math.min(marginMs, life / 10) };
    return { token: read.access_token, hops: [reply.hop] };
  }

  return {
    async take(attempt) {
      for (;;) {
        if (kept && now() < kept.until) return { token: kept.token, hops: [] };
        if (attempt.signal.aborted) return late;
        if (!fetching) {
          fetching = fetch(attempt).finally(() => {
            fetching = undefined;
          });
          return until(attempt.signal, fetching);
        }
        // Where the one who fetched could not journal the request, the next one fetches.
        const taken = await until(attempt.signal, fetching).catch(() => undefined);
        if (taken) return { ...taken, hops: [] };
      }
    },
    refuse(token) {
      if (kept?.token === token) kept = undefined;
    },
  };
}

/** Why there is no token: 4xx means our key, our `kid` or our clock; anything else may pass. */
function withoutToken(reply: HttpReply): Taken {
  const hops: Hop[] = [reply.hop];
  if (reply.failure) return { failed: 'unavailable', detail: `token: ${reply.detail}`, hops };
  const { status, json } = reply;
  const said = errorSchema.safeParse(json).data;
  const detail = [`token: HTTP ${status}`, plain(said?.error), plain(said?.error_description)]
    .filter(Boolean)
    .join(' ');
  const passing = status < 400 || status >= 500 || status === 408 || status === 429;
  return { failed: passing ? 'unavailable' : 'refused', detail, hops };
}

/** Words of an error as they may stand in a detail: nothing as long as a piece of a credential. */
function plain(text: string | undefined): string {
  const words = /^[A-Za-z0-9'_ /.,-]{1,120}/.exec(text ?? '')?.[0] ?? '';
  return /[^ ]{25,}/.test(words) ? '' : words;
}

const late: Taken = { failed: 'deadline', detail: 'token: given up at the deadline', hops: [] };

/** What a fetch gives, or `deadline` where the signal ends first. */
async function until(signal: AbortSignal, taken: Promise<Taken>): Promise<Taken> {
  let give = () => {};
  const ended = new Promise<Taken>((resolve) => {
    give = () => resolve(late);
    signal.addEventListener('abort', give);
  });
  return Promise.race([taken, ended]).finally(() => signal.removeEventListener('abort', give));
}
