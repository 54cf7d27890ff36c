import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { createGpConnect } from '../../engine/gp/gpconnect.ts';
import type { HttpOptions } from '../../engine/gp/http.ts';
import type { Asker, Attempt, GpRecord, Outcome, RecordRequest } from '../../engine/gp/port.ts';
import {
  type Handler,
  asker,
  attempt,
  client,
  closeAll,
  json,
  operationOutcome,
  serve,
  text,
  textOf,
} from './outside.ts';

const nhsNumber = '9000000009';
const interaction = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1';
const request: RecordRequest = { nhsNumber, datasets: ['ALL', 'MED'] };
const spine = 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1';
const proxySystem = 'http://fhir.nhs.net/ValueSet/gpconnect-schedule-response-code-1-0';
const proxyOtherSystem = 'https://fhir.nhs.uk/StructureDefinition/spine-operationoutcome-1';

const base = {
  issuer: 'https://gatehouse.example',
  device: { id: 'gatehouse-1', model: 'Gatehouse', version: '0.1' },
  organisations: [{ ods: 'R0A', asid: '200000000115' }],
};
const patient = (...numbers: (string | undefined)[]) => ({
  resourceType: 'Patient',
  identifier: numbers.map((value) => ({ system: 'https://fhir.nhs.uk/Id/nhs-number', value })),
});
const record = (...resources: object[]) => ({
  resourceType: 'Bundle',
  type: 'collection',
  entry: resources.map((resource) => ({ resource })),
});

async function ask(
  handler: Handler,
  more: {
    request?: RecordRequest;
    asker?: Asker;
    attempt?: Partial<Attempt>;
    http?: Partial<HttpOptions>;
  } = {},
): Promise<Outcome<GpRecord>> {
  const { url } = await serve(handler);
  const gp = createGpConnect(base, client({ name: 'gpconnect', ...more.http }));
  const endpoint = { kind: 'gpconnect', name: 'gpconnect', address: url, asid: '2' } as const;
  return gp(more.request ?? request, endpoint, more.asker ?? asker, attempt(more.attempt));
}

describe('asking for a record by GP Connect', () => {
  afterEach(closeAll);

  it('asks at the provider by way of the proxy, with every header and the hospital as the asker', async () => {
    const proxy = await serve(json(200, record(patient(nhsNumber))));
    const now = Date.parse('2026-06-04T10:15:00.900Z');
    const gp = createGpConnect(
      { ...base, proxy: `${proxy.url}/ssp/`, now: () => now },
      client({ name: 'gpconnect' }),
    );
    const address = 'https://gp.example/A12345/STU3/1/gpconnect/';
    const endpoint = {
      kind: 'gpconnect',
      name: 'gpconnect',
      address,
      asid: '200000000116',
    } as const;
    const to = attempt();
    await gp(request, endpoint, asker, to);
    const outcome = await gp(request, endpoint, asker, to);
    assert.equal(outcome.event, 'reply');
    const [first, seen] = proxy.seen;
    assert.equal(seen?.method, 'POST');
    assert.equal(
      seen?.path,
      '/ssp/https://gp.example/A12345/STU3/1/gpconnect/Patient/$gpc.getstructuredrecord',
    );
    const headers = seen?.headers ?? {};
    assert.equal(headers.accept, 'application/fhir+json;charset=utf-8');
    assert.equal(headers['content-type'], 'application/fhir+json;charset=utf-8');
    assert.equal(headers['accept-encoding'], 'gzip');
    assert.equal(headers['ssp-from'], '200000000115');
    assert.equal(headers['ssp-to'], '200000000116');
    assert.equal(headers['ssp-interactionid'], interaction);
    assert.match(String(headers['ssp-traceid']), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.notEqual(headers['ssp-traceid'], first?.headers['ssp-traceid'], 'one per request');

    const [head, claims, signature, ...rest] = String(headers.authorization)
      .replace(/^Bearer /, '')
      .split('.');
    assert.deepEqual([signature, rest], ['', []], 'an empty signature after its dot');
    assert.deepEqual(decoded(head), { alg: 'none', typ: 'JWT' });
    assert.deepEqual(decoded(claims), {
      iss: 'https://gatehouse.example',
      sub: 'jsmith',
      aud: address,
      exp: 1780568100 + 300,
      iat: 1780568100,
      reason_for_request: 'directcare',
      requested_scope: 'patient/*.read conf/N',
      requesting_device: {
        resourceType: 'Device',
        identifier: [
          { system: 'https://gatehouse.example/Id/device-identifier', value: 'gatehouse-1' },
        ],
        model: 'Gatehouse',
        version: '0.1',
      },
      requesting_organization: {
        resourceType: 'Organization',
        identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'R0A' }],
        name: 'Test Hospital',
      },
      requesting_practitioner: {
        resourceType: 'Practitioner',
        id: 'jsmith',
        identifier: [
          { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '111222333444' },
          { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '444555666777' },
          { system: 'https://gatehouse.example/Id/user', value: 'jsmith' },
        ],
        name: [{ family: 'Smith', given: ['Jo'], prefix: ['Dr'] }],
      },
    });
    // The journal keeps the request as it went out: the token is unsigned and names the asker only.
    const stored = textOf(to.asked[1]?.request);
    assert.ok(stored.includes(String(headers.authorization)));
    assert.ok(stored.endsWith(seen?.body ?? '?'));
    assert.doesNotMatch(JSON.stringify(decoded(claims)), new RegExp(nhsNumber));
    assert.equal(outcome.hops[0]?.interaction, interaction);
    assert.equal(outcome.hops[0]?.to, 'gpconnect');
  });

  it('mints a new token for each attempt', async () => {
    const server = await serve(json(503, {}));
    let now = 1_780_568_100_000;
    const gp = createGpConnect({ ...base, now: () => now }, client());
    const endpoint = { kind: 'gpconnect', name: 'g', address: server.url, asid: '2' } as const;
    const to = attempt();
    await gp(request, endpoint, asker, to);
    now += 2000;
    await gp(request, endpoint, asker, to);
    const issued = server.seen.map(({ headers }) => {
      const claims = decoded(String(headers.authorization).split('.')[1]) as { iat: number };
      return claims.iat;
    });
    assert.deepEqual(issued, [1_780_568_100, 1_780_568_102]);
  });

  it('names a user without a smartcard UNK, and never makes one up', async () => {
    const server = await serve(json(200, record(patient(nhsNumber))));
    const gp = createGpConnect(base, client());
    const endpoint = { kind: 'gpconnect', name: 'g', address: server.url, asid: '2' } as const;
    const user = { id: 'UNK', family: 'Smith' };
    const local = { ...asker, roleProfile: 'UNK', user: { ...user, localId: 'jsmith' } };
    assert.equal((await gp(request, endpoint, local, attempt())).event, 'reply');
    const claims = decoded(String(server.seen[0]?.headers.authorization).split('.')[1]) as {
      sub: string;
      requesting_practitioner: { identifier: { value: string }[]; name: object[] };
    };
    assert.equal(claims.sub, 'jsmith');
    const { identifier, name } = claims.requesting_practitioner;
    assert.deepEqual(
      identifier.map(({ value }) => value),
      ['UNK', 'UNK', 'jsmith'],
    );
    assert.deepEqual(name, [{ family: 'Smith' }]);
    const outcome = await gp(request, endpoint, { ...asker, user }, attempt());
    assert.deepEqual([outcome.event, outcome.fault?.name], ['permanent', 'askerMissing']);
    assert.equal(server.seen.length, 1);
  });

  it('asks for no organisation under the ASID of another', async () => {
    const to = attempt();
    const server = await serve(json(200, record(patient(nhsNumber))));
    const gp = createGpConnect(base, client());
    const endpoint = { kind: 'gpconnect', name: 'g', address: server.url, asid: '2' } as const;
    const other = { ...asker, organisation: { ods: 'RXX', name: 'Another' } };
    const outcome = await gp(request, endpoint, other, to);
    assert.deepEqual([outcome.event, outcome.fault?.name], ['permanent', 'organisationNotAllowed']);
    assert.deepEqual([outcome.hops, to.asked, server.connections()], [[], [], 0]);
  });

  it('gives the Bundle with the exact bytes it came in, gzipped or not', async () => {
    const body = JSON.stringify(record(patient(nhsNumber)), null, 2);
    for (const handler of [
      text(200, body),
      ((_, response) => {
        response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(body));
      }) satisfies Handler,
    ]) {
      const outcome = await ask(handler);
      assert.equal(outcome.event, 'reply');
      assert.equal(textOf(outcome.hops[0]?.reply), body);
      assert.deepEqual(outcome.value?.bundle, JSON.parse(body));
    }
  });

  it('asks twice where one request must not hold it all, and gives one record', async () => {
    const both: RecordRequest = { nhsNumber, datasets: ['PRB', 'IMM'] };
    const of = (resourceType: string) => ({ resourceType, id: '1' });
    const handler: Handler = ({ body }, response) => {
      const [, area = ''] = /"(include[A-Z]\w+)"/.exec(body) ?? [];
      json(200, record(patient(nhsNumber), of(area)))({} as never, response);
    };
    const outcome = await ask(handler, { request: both });
    const { entry } = outcome.value?.bundle as { entry: { resource: { resourceType: string } }[] };
    assert.deepEqual(
      entry.map(({ resource }) => resource.resourceType),
      ['Patient', 'includeProblems', 'Patient', 'includeImmunisations'],
    );
    assert.equal(outcome.hops.length, 2);
    const tokens = outcome.hops.map(
      ({ request: sent }) => /Ssp-TraceID: (\S+)/.exec(textOf(sent))?.[1],
    );
    assert.notEqual(tokens[0], tokens[1], 'each request has a trace id of its own');
  });

  const second: [string, number, object, string, string][] = [
    [
      'is refused',
      403,
      operationOutcome(spine, 'NO_PATIENT_CONSENT'),
      'refused',
      'gpNoPatientConsent',
    ],
    ['fails', 502, {}, 'transient', 'gpUnavailable'],
    ['holds someone else', 200, record(patient('9000000017')), 'permanent', 'wrongPatient'],
  ];
  for (const [how, status, body, event, fault] of second) {
    it(`gives nothing where the second request ${how}, and asks no more where the first does`, async () => {
      const both: RecordRequest = { nhsNumber, datasets: ['PRB', 'IMM'] };
      const spoiled = (area: string) =>
        (({ body: sent }, response) => {
          const reply = sent.includes(area)
            ? json(status, body)
            : json(200, record(patient(nhsNumber)));
          reply({} as never, response);
        }) satisfies Handler;
      const late = await ask(spoiled('includeImmunisations'), { request: both });
      assert.deepEqual([late.event, late.fault?.name, late.hops.length], [event, fault, 2]);
      assert.equal(late.value, undefined);
      const early = await ask(spoiled('includeProblems'), { request: both });
      assert.deepEqual([early.event, early.fault?.name, early.hops.length], [event, fault, 1]);
    });
  }

  const unfit: [string, unknown, string, RegExp?][] = [
    [
      'a searchset',
      { ...record(patient(nhsNumber)), type: 'searchset' },
      'gpReplyUnreadable',
      /collection/,
    ],
    ['no Patient', record({ resourceType: 'List' }), 'gpReplyUnreadable', /no Patient/],
    ['an empty Bundle', record(), 'gpReplyUnreadable', /no Patient/],
    [
      'odd entries',
      { ...record(), entry: [null, 1, {}, { resource: null }] },
      'gpReplyUnreadable',
      /no Patient/,
    ],
    ['another NHS number', record(patient('9000000017')), 'wrongPatient'],
    ['a second Patient', record(patient(nhsNumber), patient('9000000017')), 'wrongPatient'],
    ['two NHS numbers', record(patient(nhsNumber, '9000000017')), 'wrongPatient'],
    [
      'a second Patient that stands in its entry itself',
      { ...record(), entry: [patient('9000000017'), { resource: patient(nhsNumber) }] },
      'wrongPatient',
    ],
    ['no NHS number', record(patient()), 'gpReplyUnreadable', /without an NHS number/],
    [
      'a blank NHS number',
      record(patient(undefined)),
      'gpReplyUnreadable',
      /without an NHS number/,
    ],
    ['another resource', patient(nhsNumber), 'gpReplyUnreadable', /^HTTP 200$/],
    ['null', null, 'gpReplyUnreadable', /^HTTP 200$/],
  ];
  for (const [name, body, fault, detail] of unfit) {
    it(`takes a 200 with ${name} for ${fault}, and keeps its bytes`, async () => {
      const outcome = await ask(json(200, body));
      assert.equal(outcome.event, fault === 'wrongPatient' ? 'permanent' : 'transient');
      assert.equal(outcome.fault?.name, fault);
      assert.match(outcome.fault?.detail ?? '', detail ?? /^$/);
      assert.equal(outcome.value, undefined);
      assert.equal(textOf(outcome.hops[0]?.reply), JSON.stringify(body));
    });
  }

  it('takes an NHS number with spaces, and overlooks one marked as old', async () => {
    const identifier = [
      { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '900 000 0009' },
      { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9000000017', use: 'old' },
      { system: 'https://EMISWeb/A82038', value: '9000000017' },
    ];
    const outcome = await ask(json(200, record({ resourceType: 'Patient', identifier })));
    assert.equal(outcome.event, 'reply');
  });

  // status, coding.system, code, display → event, fault, verbatim
  const errors: [number, string, string, string, string, string, string?][] = [
    [404, spine, 'PATIENT_NOT_FOUND', 'Patient not found', 'notFound', 'patientNotFound'],
    [404, spine, 'NO_RECORD_FOUND', 'No record found', 'notFound', 'patientNotFound'],
    [
      403,
      spine,
      'NO_PATIENT_CONSENT',
      'Patient text',
      'refused',
      'gpNoPatientConsent',
      'Patient text',
    ],
    [
      403,
      spine,
      'NO_ORGANISATION_CONSENT',
      'Org text',
      'refused',
      'gpNoOrganisationConsent',
      'Org text',
    ],
    [403, spine, 'ACCESS DENIED', 'Access denied', 'refused', 'gpAccessDenied', 'Access denied'],
    [403, spine, 'ACCESS_DENIED', 'Access denied', 'refused', 'gpAccessDenied', 'Access denied'],
    [403, spine, 'NO_RELATIONSHIP', 'No relation', 'refused', 'gpNoRelationship', 'No relation'],
    [400, spine, 'INVALID_NHS_NUMBER', 'x', 'permanent', 'nhsNumberInvalid'],
    [400, spine, 'INVALID_IDENTIFIER_SYSTEM', 'x', 'permanent', 'gpRejectedRequest'],
    [400, spine, 'INVALID_IDENTIFIER_VALUE', 'x', 'permanent', 'gpRejectedRequest'],
    [400, spine, 'INVALID_PATIENT_DEMOGRAPHICS', 'x', 'permanent', 'gpRejectedRequest'],
    [400, spine, 'BAD_REQUEST', 'x', 'permanent', 'gpRejectedRequest'],
    [400, spine, 'CONFLICTING_VALUES', 'x', 'permanent', 'gpRejectedRequest'],
    [404, spine, 'ORGANISATION_NOT_FOUND', 'x', 'permanent', 'gpRejectedRequest'],
    [404, spine, 'PRACTITIONER_NOT_FOUND', 'x', 'permanent', 'gpRejectedRequest'],
    [409, spine, 'DUPLICATE_REJECTED', 'x', 'permanent', 'gpRejectedRequest'],
    [422, spine, 'INVALID_RESOURCE', 'x', 'permanent', 'gpRejectedRequest'],
    [422, spine, 'INVALID_PARAMETER', 'x', 'permanent', 'gpRejectedRequest'],
    [422, spine, 'REFERENCE_NOT_FOUND', 'x', 'permanent', 'gpRejectedRequest'],
    [500, spine, 'INTERNAL_SERVER_ERROR', 'x', 'transient', 'gpUnavailable'],
    [501, spine, 'NOT_IMPLEMENTED', 'x', 'notEnabled', 'gpRejectedRequest'],
    // The system decides, not the status: the same 403 and 404 from the proxy say something else.
    [
      400,
      proxySystem,
      '400',
      'ENDPOINT_https://x_VARIES_FROM_TARGETURL_y',
      'permanent',
      'spineRefused',
    ],
    [403, proxySystem, '403', 'ASID_CHECK_FAILED_MESSAGESENDER_1', 'permanent', 'spineRefused'],
    [
      403,
      proxySystem,
      '403',
      'PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_2',
      'notEnabled',
      'spineRefused',
    ],
    [403, proxySystem, '403', 'FOT_CHECK_FAILED_MESSAGESENDER_1', 'permanent', 'spineRefused'],
    [404, proxySystem, 'PATIENT_NOT_FOUND', 'x', 'permanent', 'spineRefused'],
    [405, proxyOtherSystem, '405', '405: Method Not Allowed', 'permanent', 'spineRefused'],
    [415, proxySystem, '415', 'Unsupported_Media_Type', 'permanent', 'spineRefused'],
    [408, proxySystem, '408', 'x', 'transient', 'gpUnavailable'],
    [
      502,
      proxySystem,
      '502',
      'ERROR_COMMUNICATING_TO_ENDPOINT_URL_x',
      'transient',
      'gpUnavailable',
    ],
    [
      500,
      proxySystem,
      '502',
      'ERROR_COMMUNICATING_TO_ENDPOINT_URL_x',
      'transient',
      'gpUnavailable',
    ],
    [504, proxySystem, '504', 'x', 'transient', 'gpUnavailable'],
    // Systems are matched loosely, and a known code decides where its system is unknown.
    [
      404,
      'https://fhir.nhs.uk/STU3/ValueSet/Spine-ErrorOrWarningCode-1',
      'PATIENT_NOT_FOUND',
      'x',
      'notFound',
      'patientNotFound',
    ],
    [404, 'urn:x', 'PATIENT_NOT_FOUND', 'x', 'notFound', 'patientNotFound'],
    // Some systems send their errors with 200.
    [
      200,
      spine,
      'NO_PATIENT_CONSENT',
      'Patient text',
      'refused',
      'gpNoPatientConsent',
      'Patient text',
    ],
    [200, spine, 'SOMETHING_NEW', 'x', 'transient', 'gpReplyUnreadable'],
    [404, spine, 'SOMETHING_NEW', 'x', 'permanent', 'gpRejectedRequest'],
    [403, spine, 'SOMETHING_NEW', 'x', 'permanent', 'gpRejectedRequest'],
  ];
  for (const [status, system, code, display, event, fault, verbatim] of errors) {
    it(`takes ${status} ${code} of ${system.split('/').at(-1)} for ${event}, ${fault}`, async () => {
      const body = operationOutcome(system, code, display, `No patient ${nhsNumber} here`);
      const outcome = await ask(json(status, body));
      assert.equal(outcome.event, event);
      assert.equal(outcome.fault?.name, fault);
      assert.equal(outcome.fault?.verbatim, verbatim);
      assert.match(outcome.fault?.detail ?? '', /\b\d{3}\b/);
      assert.doesNotMatch(outcome.fault?.detail ?? '', /\d{10}|https?:|here/);
      assert.equal(textOf(outcome.hops[0]?.reply), JSON.stringify(body));
    });
  }

  const bare: [number, string, string, string][] = [
    [408, '', 'transient', 'gpUnavailable'],
    [429, '', 'transient', 'gpUnavailable'],
    [500, '<html>', 'transient', 'gpUnavailable'],
    [502, '<html>Bad Gateway', 'transient', 'gpUnavailable'],
    [503, '{}', 'transient', 'gpUnavailable'],
    [504, '', 'transient', 'gpUnavailable'],
    [495, '<html>certificate', 'permanent', 'spineRefused'],
    [496, '<html>certificate', 'permanent', 'spineRefused'],
    [400, '<html>', 'permanent', 'gpRejectedRequest'],
    [403, '<html>', 'permanent', 'gpRejectedRequest'],
    [404, '<html>', 'permanent', 'gpRejectedRequest'],
    [404, '{}', 'permanent', 'gpRejectedRequest'],
    [405, '', 'permanent', 'gpRejectedRequest'],
    [415, '<html>', 'permanent', 'gpRejectedRequest'],
    [302, '{}', 'transient', 'gpReplyUnreadable'],
    [204, '', 'transient', 'gpReplyUnreadable'],
    [200, '<html>', 'transient', 'gpReplyUnreadable'],
    [200, '', 'transient', 'gpReplyUnreadable'],
  ];
  for (const [status, body, event, fault] of bare) {
    it(`takes ${status} with "${body}" for ${event}, ${fault}`, async () => {
      const outcome = await ask(text(status, body));
      assert.deepEqual([outcome.event, outcome.fault?.name], [event, fault]);
      assert.equal(outcome.hops[0]?.status, status);
      assert.equal(textOf(outcome.hops[0]?.reply), body);
    });
  }

  const wire: [string, Handler, string, string, Partial<HttpOptions>?][] = [
    ['a reset', (_, response) => response.socket?.resetAndDestroy(), 'transient', 'gpUnavailable'],
    ['silence', () => {}, 'timeout', 'gpTimeout', { timeouts: { headers: 40 } }],
    [
      'a gzip stream cut short',
      (_, response) => {
        const whole = gzipSync(JSON.stringify(record(patient(nhsNumber))));
        response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(whole.subarray(0, 60));
      },
      'transient',
      'gpReplyUnreadable',
    ],
    [
      'a reply that is too long',
      json(200, record(patient(nhsNumber))),
      'permanent',
      'gpReplyTooLong',
      { maxReplyBytes: 20 },
    ],
  ];
  for (const [name, handler, event, fault, http] of wire) {
    it(`takes ${name} for ${event}, ${fault}`, async () => {
      const outcome = await ask(handler, { http });
      assert.deepEqual([outcome.event, outcome.fault?.name], [event, fault]);
      assert.equal(outcome.hops.length, 1);
    });
  }

  it('asks nobody where the address is no http address', async () => {
    const gp = createGpConnect(base, client());
    for (const address of ['', 'gp.example/A12345', 'ftp://gp.example']) {
      const endpoint = { kind: 'gpconnect', name: 'g', address, asid: '2' } as const;
      const outcome = await gp(request, endpoint, asker, attempt());
      assert.deepEqual([outcome.fault?.name, outcome.hops], ['directoryEntryUnusable', []]);
    }
  });
});

function decoded(part: string | undefined): unknown {
  assert.match(part ?? '', /^[\w-]+$/, 'base64url without padding');
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
}
