/** An application registered at the simulated token endpoint, and the proofs it signs. */
import { type KeyObject, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { GpSimulator } from '../../../engine/simulator/gp.ts';
import type { Application } from '../../../engine/simulator/oauth.ts';
import { type Reply, at, call } from '../caller.ts';

const apiKey = 'application-1';
let pairs: { own: KeyObject; other: KeyObject; registered: Application } | undefined;

/** Made on first use: a key takes a while, and the page of rules needs none. */
function keys() {
  const make = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (!pairs) {
    const [own, other] = [make(), make()];
    const jwk = { ...own.publicKey.export({ format: 'jwk' }), kid: 'key-1' };
    pairs = {
      own: own.privateKey,
      other: other.privateKey,
      registered: { apiKey, keys: [jwk] },
    };
  }
  return pairs;
}

/** As it is registered: what the simulator is started with. */
export const application = (): Application => keys().registered;

/** Its private key, as a site would hold it. */
export const privateKey = (): string => String(keys().own.export({ type: 'pkcs8', format: 'pem' }));

/** What a test may change about a good proof, and about the form that carries it. */
export interface ProofChange {
  head?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  otherKey?: boolean;
  form?: Record<string, string | undefined>;
}

export const seconds = () => Math.floor(Date.now() / 1000);

/** A signed proof (RFC 7523) for a simulator's token endpoint. */
export function proof(sim: GpSimulator, { head, claims, otherKey }: ProofChange = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const good = {
    iss: apiKey,
    sub: apiKey,
    aud: sim.token,
    jti: randomUUID(),
    exp: seconds() + 240,
  };
  const signed = [
    part({ alg: 'RS512', typ: 'JWT', kid: 'key-1', ...head }),
    part({ ...good, ...claims }),
  ].join('.');
  const signature = sign('RSA-SHA512', Buffer.from(signed), otherKey ? keys().other : keys().own);
  return `${signed}.${signature.toString('base64url')}`;
}

/** Ask for a token. */
export function askToken(sim: GpSimulator, change: ProofChange = {}): Promise<Reply> {
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: proof(sim, change),
    ...change.form,
  };
  const given = Object.entries(form).filter((pair): pair is [string, string] => !!pair[1]);
  return call(sim.token, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(given).toString(),
  });
}

/** The Authorization header of a token that is good. */
export async function bearer(sim: GpSimulator): Promise<string> {
  return `Bearer ${String(at((await askToken(sim)).json, 'access_token'))}`;
}
