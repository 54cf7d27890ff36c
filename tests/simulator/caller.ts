/** A caller of the simulated NHS side: one good request, and the means to spoil any part of it. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { request } from 'undici';
import { startGpSimulator } from '../../engine/simulator/gp.ts';
import type { GpSimulator, GpSimulatorOptions } from '../../engine/simulator/gp.ts';

export const root = join(import.meta.dirname, '../..');
export const patients = join(root, 'fixtures/patients');
export const structured =
  'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1';
export const nel = '9465701459';

export const willowbeck = {
  address: 'https://willowbeck.gp.example/Z99901/STU3/1/gpconnect/structured/fhir',
  asid: '918999000101',
};
export const harbour = {
  address: 'https://gpc.harbour-street.example/structured/STU3/1/',
  asid: '918999000202',
};
export const brook = {
  address: 'https://brook-terrace.gp.example/Z99906/STU3/1/gpconnect/structured/fhir',
  asid: '918999000606',
};

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The body as JSON, to be looked into with `at`; undefined where it is none. */
  json: unknown;
}

/** The value at a path such as `entry.0.resource.id`; undefined where it leads nowhere. */
export function at(value: unknown, path: string): unknown {
  let found = value;
  for (const step of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<string, unknown>)[step];
  }
  return found;
}

/** The list at a path; empty where there is none. */
export function listAt(value: unknown, path: string): unknown[] {
  const found = at(value, path);
  return Array.isArray(found) ? found : [];
}

export const start = (options: Partial<GpSimulatorOptions> = {}): Promise<GpSimulator> =>
  startGpSimulator({ patients, ...options });

export function goodClaims(audience: string, now = Math.floor(Date.now() / 1000)) {
  return {
    iss: 'https://hospital.example/',
    sub: '10019',
    aud: audience,
    iat: now,
    exp: now + 300,
    reason_for_request: 'directcare',
    requested_scope: 'patient/*.read conf/N',
    requesting_device: {
      resourceType: 'Device',
      identifier: [{ system: 'https://hospital.example/Id/device', value: 'gatehouse-1' }],
      model: 'Gatehouse',
      version: '0.1',
    },
    requesting_organization: {
      resourceType: 'Organization',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'R0A' }],
      name: 'Hospital',
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: '10019',
      identifier: [
        { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: 'UNK' },
        { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: 'UNK' },
        { system: 'https://hospital.example/Id/user', value: '10019' },
      ],
      name: [{ family: 'Smith', given: ['Jo'], prefix: ['Dr'] }],
    },
  };
}
export type Claims = ReturnType<typeof goodClaims>;

export function token(claims: unknown, header: unknown = { alg: 'none', typ: 'JWT' }): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `Bearer ${part(header)}.${part(claims)}.`;
}

export const nhsParameter = (value: string) => ({
  name: 'patientNHSNumber',
  valueIdentifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value },
});
export const allergies = {
  name: 'includeAllergies',
  part: [{ name: 'includeResolvedAllergies', valueBoolean: true }],
};
export const medication = { name: 'includeMedication' };
export const problems = { name: 'includeProblems' };

/** What a test may change about the good request. */
export interface Change {
  nhsNumber?: string;
  practice?: { address: string; asid: string };
  parameters?: unknown[];
  body?: string;
  headers?: Record<string, string | undefined>;
  claims?: (claims: Claims) => unknown;
  authorization?: string;
  /** The absolute URL behind the proxy. */
  target?: string;
  method?: 'POST' | 'GET' | 'PATCH';
}

/** Ask for a structured record through the proxy. */
export async function ask(sim: GpSimulator, change: Change = {}): Promise<Reply> {
  const { practice = willowbeck, nhsNumber = nel, method = 'POST' } = change;
  const parameter = change.parameters ?? [nhsParameter(nhsNumber), allergies, medication, problems];
  const claims = goodClaims(practice.address);
  const target =
    change.target ?? `${practice.address.replace(/\/$/, '')}/Patient/$gpc.getstructuredrecord`;
  const headers: Record<string, string | undefined> = {
    accept: 'application/fhir+json;charset=utf-8',
    'content-type': 'application/fhir+json;charset=utf-8',
    'ssp-traceid': randomUUID(),
    'ssp-from': '200000000115',
    'ssp-to': practice.asid,
    'ssp-interactionid': structured,
    authorization: change.authorization ?? token(change.claims?.(claims) ?? claims),
    ...change.headers,
  };
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  return call(`${sim.ssp}/${target}`, {
    method,
    headers: Object.fromEntries(given) as Record<string, string>,
    ...(method === 'GET'
      ? {}
      : { body: change.body ?? JSON.stringify({ resourceType: 'Parameters', parameter }) }),
  });
}

/** One HTTP call, without decompression, so that tests see what was sent. */
export async function call(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Reply> {
  const { method = 'GET', headers, body } = options;
  const answer = await request(url, { method: method as 'GET', headers, body });
  const text = await answer.body.text();
  let json: unknown;
  if (/json/.test(String(answer.headers['content-type'])) && text.startsWith('{')) {
    json = JSON.parse(text);
  }
  return { status: answer.statusCode, headers: answer.headers, text, json };
}

/** Code, system and reason of an OperationOutcome. */
export function issueOf(reply: Reply): Record<'code' | 'system' | 'display' | 'why', string> {
  const text = (path: string) => String(at(reply.json, `issue.0.${path}`) ?? '');
  return {
    code: text('details.coding.0.code'),
    system: text('details.coding.0.system'),
    display: text('details.coding.0.display'),
    why: text('diagnostics'),
  };
}

/** The resources of a reply Bundle of one type. */
export function resourcesOf(reply: Reply, type: string): unknown[] {
  return listAt(reply.json, 'entry')
    .map((entry) => at(entry, 'resource'))
    .filter((resource) => at(resource, 'resourceType') === type);
}

/** The List of an area, by its SNOMED CT or secondary code. */
export function listOf(reply: Reply, code: string): unknown {
  return resourcesOf(reply, 'List').find((list) => at(list, 'code.coding.0.code') === code);
}
