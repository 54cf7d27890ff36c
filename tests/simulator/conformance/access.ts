/** The rules of the token endpoint, and of PDS about tokens. */
import { randomUUID } from 'node:crypto';
import { call, nel } from '../caller.ts';
import { type ProofChange, askToken, bearer, proof, seconds } from './application.ts';
import { type Part, type Row, systems } from './row.ts';

const wrong = (sent: string, change: ProofChange, status = 400): Row => ({
  sent,
  ask: (sim) => askToken(sim, change),
  status,
  code: 'invalid_request',
});

export const tokenEndpoint: Part = {
  title: 'Token endpoint',
  clause:
    'NHS England API platform, "Application-restricted RESTful APIs - signed JWT authentication"; RFC 7523',
  rows: [
    { sent: 'a good proof', ask: (sim) => askToken(sim), status: 200, code: '' },
    wrong('no grant_type', { form: { grant_type: undefined } }),
    {
      sent: 'another grant_type',
      ask: (sim) => askToken(sim, { form: { grant_type: 'password' } }),
      status: 400,
      code: 'unsupported_grant_type',
    },
    wrong('no client_assertion_type', { form: { client_assertion_type: undefined } }),
    wrong('another client_assertion_type', { form: { client_assertion_type: 'jwt' } }),
    wrong('no client_assertion', { form: { client_assertion: undefined } }),
    wrong('a client_assertion that is no JWT', { form: { client_assertion: 'a.b.c' } }),
    wrong('another algorithm than RS512', { head: { alg: 'RS256' } }),
    wrong('no kid', { head: { kid: undefined } }),
    wrong('another typ', { head: { typ: 'JOSE' } }),
    wrong('an unknown kid', { head: { kid: 'key-2' } }, 401),
    wrong('the signature of another key', { otherKey: true }, 401),
    wrong('no iss', { claims: { iss: undefined } }),
    wrong('no sub', { claims: { sub: undefined } }),
    wrong('iss and sub that differ', { claims: { sub: 'application-2' } }),
    wrong(
      'iss and sub of no application',
      { claims: { iss: 'application-2', sub: 'application-2' } },
      401,
    ),
    wrong('no aud', { claims: { aud: undefined } }, 401),
    wrong('another aud', { claims: { aud: 'https://api.service.nhs.uk/oauth2' } }, 401),
    wrong('no jti', { claims: { jti: undefined } }),
    wrong('a jti that is no text', { claims: { jti: 1 } }),
    {
      sent: 'a jti that was used before',
      async ask(sim) {
        const form = { client_assertion: proof(sim) };
        await askToken(sim, { form });
        return askToken(sim, { form });
      },
      status: 400,
      code: 'invalid_request',
    },
    wrong('no exp', { claims: { exp: undefined } }),
    wrong('exp as text', { claims: { exp: String(seconds() + 60) } }),
    wrong('exp in the past', { claims: { exp: seconds() - 20 } }),
    wrong('exp more than five minutes ahead', { claims: { exp: seconds() + 3600 } }),
  ],
};

const refused = (sent: string, authorization: string | undefined, says: RegExp): Row => ({
  sent,
  ask: (sim) =>
    call(`${sim.pds}/Patient/${nel}`, {
      headers: {
        'x-request-id': randomUUID(),
        ...(authorization !== undefined && { authorization }),
      },
    }),
  status: 401,
  code: 'ACCESS_DENIED',
  says,
});

export const pdsAccess: Part = {
  title: 'PDS: access',
  clause: 'PDS FHIR R4, "Security and authorisation"',
  system: systems.spine,
  rows: [
    {
      sent: 'a token that was given out',
      ask: async (sim) =>
        call(`${sim.pds}/Patient/${nel}`, {
          headers: { 'x-request-id': randomUUID(), authorization: await bearer(sim) },
        }),
      status: 200,
      code: '',
    },
    refused('no Authorization', undefined, /Missing/),
    refused('an empty Authorization', '', /Empty/),
    refused('a token nobody gave out', `Bearer ${randomUUID()}`, /Invalid/),
    refused('another scheme', 'Basic YTpi', /Invalid/),
  ],
};
