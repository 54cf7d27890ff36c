/**
 * The token endpoint of the NHS England API platform: a proof signed by a registered application
 * (RFC 7523, private_key_jwt) against an access token good for ten minutes. It refuses what the
 * platform refuses, with the platform's statuses and error codes; the sentences are ours.
 */
import { type JsonWebKey, createPublicKey, randomUUID, verify } from 'node:crypto';
import { z } from 'zod';
import type { Answer, Request } from './http.ts';

/** An application as it is registered: its API key and its public keys. */
export interface Application {
  apiKey: string;
  keys: readonly (JsonWebKey & { kid: string })[];
}

export interface Authorisation {
  /**
   * Answer `POST /oauth2/token`.
   * @param address the endpoint's own, which the proof must name as its audience
   */
  answer(request: Request, address: string): Answer;
  /** Whether an Authorization header holds a token that was given out and has not expired. */
  admits(authorization: string | undefined): boolean;
}

/** Seconds a token is good for, and a proof at most (with the grace the platform allows). */
const tokenSeconds = 599;
const proofSeconds = 310;

const jwksSchema = z.object({ keys: z.array(z.looseObject({ kid: z.string() })).min(1) });

/**
 * The public keys of a JWK set, as an application registers it.
 * @throws Error where it is none
 */
export function readJwks(text: string): Application['keys'] {
  return jwksSchema.parse(JSON.parse(text)).keys;
}

/** @param now milliseconds since 1970 */
export function createAuthorisation(
  applications: readonly Application[],
  now: () => number,
): Authorisation {
  const given = new Map<string, number>();
  const used = new Set<string>();

  return {
    answer(request, address) {
      const read = readForm(request);
      if (typeof read === 'string') return refusal(400, 'invalid_request', read);
      if (read.grant !== 'client_credentials') {
        return refusal(400, 'unsupported_grant_type', 'grant_type is not client_credentials');
      }
      const { head, claims, signed, signature } = read;
      const why = wrongProof(head, claims, Math.floor(now() / 1000));
      if (why) return refusal(400, 'invalid_request', why);
      if (used.has(String(claims.jti))) {
        return refusal(400, 'invalid_request', 'this jti has been used');
      }
      const application = applications.find(({ apiKey }) => apiKey === claims.iss);
      if (!application) return refusal(401, 'invalid_request', 'iss and sub are no known API key');
      if (claims.aud !== address) {
        return refusal(401, 'invalid_request', 'aud is not the address of this endpoint');
      }
      const key = application.keys.find(({ kid }) => kid === head.kid);
      if (!key) return refusal(401, 'invalid_request', 'kid names no registered key');
      const publicKey = createPublicKey({ key, format: 'jwk' });
      if (!verify('RSA-SHA512', signed, publicKey, signature)) {
        return refusal(401, 'invalid_request', 'the signature is not that of the registered key');
      }
      used.add(String(claims.jti));
      const token = randomUUID();
      given.set(token, now() + tokenSeconds * 1000);
      return json(200, {
        access_token: token,
        expires_in: String(tokenSeconds),
        token_type: 'Bearer',
        issued_at: String(now()),
      });
    },
    admits(authorization) {
      const until = given.get(/^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '');
      return until !== undefined && now() < until;
    },
  };
}

interface Form {
  grant: string;
  head: Record<string, unknown>;
  claims: Record<string, unknown>;
  signed: Buffer;
  signature: Buffer;
}

/** What was sent, or what is wrong with its form. */
function readForm(request: Request): Form | string {
  if (request.method !== 'POST') return 'only POST is supported';
  const form = new URLSearchParams(request.body.toString('utf8'));
  const grant = form.get('grant_type');
  if (!grant) return 'grant_type is missing';
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  if (form.get('client_assertion_type') !== type) return `client_assertion_type is not ${type}`;
  const assertion = form.get('client_assertion');
  if (!assertion) return 'client_assertion is missing';
  const [first = '', second = '', signature = '', ...rest] = assertion.split('.');
  const [head, claims] = [decoded(first), decoded(second)];
  if (!head || !claims || !signature || rest.length > 0) return 'client_assertion is no signed JWT';
  return {
    grant,
    head,
    claims,
    signed: Buffer.from(`${first}.${second}`),
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** What is wrong with a proof, whoever signed it. @param now seconds since 1970 */
function wrongProof(
  head: Record<string, unknown>,
  claims: Record<string, unknown>,
  now: number,
): string | undefined {
  const { exp, iss, sub, jti } = claims;
  if (head.alg !== 'RS512') return 'the header alg is not RS512';
  if (!head.kid) return 'the header kid is missing';
  if (String(head.typ).toLowerCase() !== 'jwt') return 'the header typ is not JWT';
  if (exp === undefined) return 'exp is missing';
  if (typeof exp !== 'number' || !Number.isInteger(exp)) return 'exp is not whole seconds';
  if (exp <= now) return 'the proof has expired';
  if (exp > now + proofSeconds) return 'exp is more than five minutes ahead';
  if (typeof iss !== 'string' || iss !== sub) return 'iss and sub are missing or not the same';
  if (jti === undefined) return 'jti is missing';
  return typeof jti === 'string' && jti !== '' ? undefined : 'jti is not text';
}

function decoded(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return z.record(z.string(), z.unknown()).safeParse(value).data;
  } catch {
    return undefined;
  }
}

function refusal(status: number, error: string, description: string): Answer {
  return json(status, { error, error_description: description, message_id: randomUUID() });
}

function json(status: number, value: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(value),
  };
}
