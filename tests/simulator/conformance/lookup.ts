/** The rules of PDS and SDS about what is asked, and how. */
import { randomUUID } from 'node:crypto';
import type { GpSimulator } from '../../../engine/simulator/gp.ts';
import type { ScenarioName } from '../../../engine/simulator/scenarios.ts';
import { type Reply, call, nel, structured } from '../caller.ts';
import { bearer } from './application.ts';
import { type Part, type Row, systems } from './row.ts';

type Headers = Record<string, string | undefined>;

async function read(sim: GpSimulator, path: string, change: Headers = {}, method?: string) {
  const headers = { 'x-request-id': randomUUID(), authorization: await bearer(sim), ...change };
  return call(sim.pds + path, { method, headers: present(headers) });
}

const present = (headers: Headers) =>
  Object.fromEntries(
    Object.entries(headers).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );

/** Ask while something is wrong at the other side. */
async function during(
  sim: GpSimulator,
  name: ScenarioName,
  ask: () => Promise<Reply>,
): Promise<Reply> {
  sim.set(nel, { name });
  try {
    return await ask();
  } finally {
    sim.set(nel, undefined);
  }
}

const patient = (sent: string, path: string, status: number, code: string): Row => ({
  sent,
  ask: (sim) => read(sim, path),
  status,
  code,
});
const header = (sent: string, change: Headers, code: string): Row => ({
  sent,
  ask: (sim) => read(sim, `/Patient/${nel}`, change),
  status: 400,
  code,
});
const pdsState = (sent: string, name: ScenarioName, status: number, code: string): Row => ({
  sent,
  ask: (sim) => during(sim, name, () => read(sim, `/Patient/${nel}`)),
  status,
  code,
});

export const pds: Part = {
  title: 'PDS: get patient details',
  clause: 'PDS FHIR R4, `GET /Patient/{id}`: headers, sandbox scenarios, errors',
  system: systems.spine,
  rows: [
    patient('an NHS number it knows (sandbox)', '/Patient/9000000009', 200, ''),
    patient('a restricted patient (sandbox)', '/Patient/9000000025', 200, ''),
    patient('a patient with minimal data (sandbox)', '/Patient/9000000033', 200, ''),
    patient(
      'an NHS number it does not know (sandbox)',
      '/Patient/9111231130',
      404,
      'RESOURCE_NOT_FOUND',
    ),
    patient('no NHS number (sandbox)', '/Patient/9000000000', 400, 'INVALID_RESOURCE_ID'),
    patient('an NHS number with spaces', '/Patient/946%20570%201459', 400, 'INVALID_RESOURCE_ID'),
    patient('an invalidated number', '/Patient/9990000158', 404, 'INVALIDATED_RESOURCE'),
    patient('a superseded number', '/Patient/9990000093', 200, ''),
    patient('no number at all', '/Patient/', 400, 'UNSUPPORTED_SERVICE'),
    patient('a search', '/Patient?family=Nel', 400, 'UNSUPPORTED_SERVICE'),
    {
      sent: 'another method than GET',
      ask: (sim) => read(sim, `/Patient/${nel}`, {}, 'DELETE'),
      status: 400,
      code: 'UNSUPPORTED_SERVICE',
    },
    header('no X-Request-ID', { 'x-request-id': undefined }, 'MISSING_VALUE'),
    header('an X-Request-ID that is no UUID', { 'x-request-id': '1' }, 'INVALID_VALUE'),
    header('an X-Correlation-ID that is no UUID', { 'x-correlation-id': '1' }, 'INVALID_VALUE'),
    header('an NHSD-Session-URID not in digits', { 'nhsd-session-urid': 'UNK' }, 'INVALID_VALUE'),
    pdsState('a token that has expired', 'tokenRefused', 401, 'ACCESS_DENIED'),
    pdsState('who may not do this', 'pdsDenied', 403, 'ACCESS_DENIED'),
    pdsState('while Spine does not answer', 'pdsTimeout', 408, 'UNABLE_TO_CALL_SERVICE'),
    pdsState('more than the rate allows', 'tooManyRequests', 429, 'TOO_MANY_REQUESTS'),
    pdsState('while it fails', 'pdsError', 500, 'SERVER_ERROR'),
  ],
};

const id = 'https://fhir.nhs.uk/Id/';
const practice = `${id}ods-organization-code|Z99901`;
const interaction = `${id}nhsServiceInteractionId|${structured}`;

function search(sim: GpSimulator, path: string, change: Headers = {}, method?: string) {
  return call(sim.sds + path, { method, headers: present({ apikey: 'key', ...change }) });
}
const query = (kind: string, ...pairs: [string, string][]) =>
  `/${kind}?${new URLSearchParams(pairs).toString()}`;
const good = query('Endpoint', ['organization', practice], ['identifier', interaction]);

const directory = (sent: string, path: string, status: number, change: Headers = {}): Row => ({
  sent,
  ask: (sim) => search(sim, path, change),
  status,
  code: status === 200 ? '' : status === 401 ? 'ACCESS_DENIED' : 'BAD_REQUEST',
});
const sdsState = (sent: string, name: ScenarioName, status: number): Row => ({
  sent,
  ask: (sim) => during(sim, name, () => search(sim, good)),
  status,
  code: 'SERVER_ERROR',
});

export const sds: Part = {
  title: 'SDS',
  clause: 'Spine Directory Service FHIR R4, `GET /Endpoint` and `GET /Device`',
  system: systems.spine,
  rows: [
    directory('a search for an Endpoint', good, 200),
    directory('a search for a Device', good.replace('/Endpoint', '/Device'), 200),
    directory(
      'a search narrowed by party key',
      query(
        'Device',
        ['organization', practice],
        ['identifier', interaction],
        ['identifier', `${id}nhsMhsPartyKey|Z99901-0000101`],
      ),
      200,
    ),
    directory(
      'a practice it does not know: nothing found, which is a success',
      query(
        'Endpoint',
        ['organization', `${id}ods-organization-code|Z00000`],
        ['identifier', interaction],
      ),
      200,
    ),
    directory('no apikey', good, 401, { apikey: undefined }),
    directory('another apikey', good, 401, { apikey: 'other' }),
    directory('an X-Correlation-Id that is no UUID', good, 400, { 'x-correlation-id': '1' }),
    directory('no organization', query('Endpoint', ['identifier', interaction]), 400),
    directory(
      'an organization without its system',
      query('Endpoint', ['organization', 'Z99901'], ['identifier', interaction]),
      400,
    ),
    directory('no identifier', query('Endpoint', ['organization', practice]), 400),
    directory(
      'an identifier of another system',
      query('Device', ['organization', practice], ['identifier', 'urn:x|y']),
      400,
    ),
    directory(
      'a Device by party key alone',
      query(
        'Device',
        ['organization', practice],
        ['identifier', `${id}nhsMhsPartyKey|Z99901-0000101`],
      ),
      400,
    ),
    directory('a parameter it does not have', `${good}&name=x`, 400),
    directory('another resource', good.replace('/Endpoint', '/Organization'), 404),
    {
      sent: 'another method than GET',
      ask: (sim) => search(sim, good, {}, 'POST'),
      status: 405,
      code: 'BAD_REQUEST',
    },
    directory('Accept: application/xml', good, 406, { accept: 'application/xml' }),
    sdsState('while it fails', 'sdsError', 500),
    sdsState('while its directory answers amiss', 'sdsUpstream', 502),
    sdsState('while its directory does not answer', 'sdsTimeout', 504),
  ],
};
