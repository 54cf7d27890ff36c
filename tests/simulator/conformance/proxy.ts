/** The rules of the Spine secure proxy. */
import type { ScenarioName } from '../../../engine/simulator/scenarios.ts';
import { type Change, ask, harbour, nel, token, willowbeck } from '../caller.ts';
import { type Part, type Row, systems } from './row.ts';

const refused = (sent: string, change: Change, status: number, says: RegExp): Row => ({
  sent,
  ask: (sim) => ask(sim, change),
  status,
  code: String(status),
  says,
});
const during = (sent: string, name: ScenarioName, status: number, says: RegExp): Row => ({
  ...refused(sent, {}, status, says),
  async ask(sim) {
    sim.set(nel, { name });
    try {
      return await ask(sim);
    } finally {
      sim.set(nel, undefined);
    }
  },
});

const headers = ['Ssp-TraceID', 'Ssp-From', 'Ssp-To', 'Ssp-InteractionID', 'Authorization'];

export const proxy: Part = {
  title: 'Spine secure proxy',
  clause: 'GP Connect 1.6, "Spine Secure Proxy" and its error examples',
  system: systems.proxy,
  rows: [
    { sent: 'a good request', ask: (sim) => ask(sim), status: 200, code: '' },
    ...headers.map((name) =>
      refused(
        `no ${name}`,
        { headers: { [name.toLowerCase()]: undefined } },
        400,
        new RegExp(`^MISSING_HEADER_${name}$`),
      ),
    ),
    refused(
      'an Ssp-TraceID that is no UUID',
      { headers: { 'ssp-traceid': 'abc' } },
      400,
      /TraceID$/,
    ),
    refused(
      'an Ssp-From that is not registered',
      { headers: { 'ssp-from': '200000000999' } },
      403,
      /^ASID_CHECK_FAILED_MESSAGESENDER_200000000999$/,
    ),
    refused(
      'an Ssp-To that is not registered',
      { headers: { 'ssp-to': '918999000999' } },
      403,
      /^PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_918999000999$/,
    ),
    refused(
      'an Ssp-To that does not offer the interaction',
      { headers: { 'ssp-to': '918999000505' } },
      403,
      /^PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_918999000505$/,
    ),
    refused(
      'an interaction nobody knows',
      { headers: { 'ssp-interactionid': 'urn:nhs:names:services:gpconnect:other' } },
      403,
      /^PARTYKEY_INTERACTION_CHECK_FAILED/,
    ),
    during('between systems not yet let together', 'notFirstOfType', 403, /^FOT_CHECK_FAILED_/),
    refused(
      'an address that is not the one in the directory',
      { target: 'https://elsewhere.example/fhir/Patient/$gpc.getstructuredrecord' },
      400,
      /^ENDPOINT_.*_VARIES_FROM_TARGETURL_https:\/\/elsewhere/,
    ),
    refused(
      'the address of another practice than Ssp-To',
      { practice: { ...harbour, asid: willowbeck.asid } },
      400,
      /^ENDPOINT_.*_VARIES_FROM_TARGETURL_/,
    ),
    refused(
      'Content-Type: application/json',
      { headers: { 'content-type': 'application/json' } },
      415,
      /^Unsupported_Media_Type$/,
    ),
    refused(
      'Accept: application/fhir+xml',
      { headers: { accept: 'application/fhir+xml' } },
      415,
      /^Unsupported_Media_Type$/,
    ),
    refused('no Accept', { headers: { accept: undefined } }, 415, /^Unsupported_Media_Type$/),
    refused('a token that is no JWT', { authorization: 'Bearer abc' }, 400, /Authorization$/),
    refused(
      'a token without the dot after its claims',
      { authorization: token({}).slice(0, -1) },
      400,
      /Authorization$/,
    ),
    refused('a signed token', { authorization: `${token({})}c2ln` }, 400, /Authorization$/),
    refused(
      'another algorithm than none',
      { authorization: token({}, { alg: 'HS256', typ: 'JWT' }) },
      400,
      /Authorization$/,
    ),
    during('while the practice cannot be reached', 'unreachable', 502, /^ERROR_COMMUNICATING_TO_/),
    during('while the practice does not answer', 'proxyTimeout', 504, /^TIMEOUT_/),
  ],
};

/** Errors it gives in another system, or in none. */
export const proxyOdd: Part = {
  title: 'Spine secure proxy: other forms of error',
  clause: 'GP Connect 1.6, error examples; 495 and 496 come as HTML from in front of the proxy',
  rows: [
    ...(['GET', 'PATCH'] as const).map((method): Row => ({
      sent: `${method} in the place of POST: fatal, in a coding system of its own`,
      ask: (sim) => ask(sim, { method }),
      status: 405,
      code: '405',
    })),
    { ...during('no client certificate: HTML', 'noCertificate', 496, /./), code: '' },
  ],
};
