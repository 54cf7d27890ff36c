import assert from 'node:assert/strict';
import type { Access } from '../../engine/gp/access.ts';
import { createGateway, gatewayAnywhere } from '../../engine/gp/cdg.ts';
import type { Asker, Attempt, RecordRequest } from '../../engine/gp/port.ts';
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
const secret = 'never-to-be-kept';
const request: RecordRequest = { nhsNumber, datasets: ['ALL', 'MED'] };
const access: Access = {
  kind: 'token',
  tokens: { take: () => Promise.resolve({ token: secret, hops: [] }), refuse: () => {} },
};
const base = {
  issuer: 'https://gatehouse.example/',
  device: { id: 'gatehouse-1', model: 'Gatehouse', version: '0.1' },
  access,
};
const record = (number = nhsNumber) => ({
  resourceType: 'Bundle',
  type: 'collection',
  entry: [
    {
      resource: {
        resourceType: 'Patient',
        identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: number }],
      },
    },
  ],
});

async function ask(
  handler: Handler,
  more: {
    access?: Access;
    asker?: Asker;
    request?: RecordRequest;
    attempt?: Partial<Attempt>;
  } = {},
) {
  const server = await serve(handler);
  const gateway = createGateway(
    { ...base, url: `${server.url}/cdg/`, access: more.access ?? access },
    client({ name: 'gateway' }),
  );
  const to = attempt(more.attempt);
  const endpoint = { kind: 'cdg', name: 'gateway' } as const;
  const outcome = await gateway(more.request ?? request, endpoint, more.asker ?? asker, to);
  return { ...outcome, seen: server.seen, told: to.asked };
}

/** An error as the gateway tells it. */
const said = (status: number, diagnostics: string) =>
  json(status, {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'exception', diagnostics }],
  });

describe('asking by way of the Clinical Data Gateway', () => {
  afterEach(closeAll);

  it('sends what the practice would be sent, and names who asks beside it', async () => {
    const { event, seen, hops, value } = await ask(json(200, record()));
    assert.equal(event, 'reply');
    assert.deepEqual(value?.bundle, record());
    const [one] = seen;
    assert.deepEqual([one?.method, one?.path], ['POST', '/cdg/patient/$gpc.getstructuredrecord']);
    const headers = one?.headers ?? {};
    assert.equal(headers['ods-from'], 'R0A');
    assert.match(String(headers['ssp-traceid']), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.equal(headers['content-type'], 'application/fhir+json');
    assert.equal(headers.authorization, `Bearer ${secret}`);
    for (const name of ['ssp-from', 'ssp-to', 'ssp-interactionid']) assert.ok(!(name in headers));
    const { parameter } = JSON.parse(one?.body ?? '') as {
      parameter: { name: string; part?: object[] }[];
    };
    const last = parameter.pop();
    assert.deepEqual(
      parameter.map(({ name }) => name),
      ['patientNHSNumber', 'includeAllergies', 'includeMedication'],
    );
    assert.deepEqual(last, {
      name: 'identity',
      part: [
        { name: 'issuer', value: 'https://gatehouse.example/' },
        { name: 'requestingOrgName', value: 'Test Hospital' },
        {
          name: 'requestingDevice',
          resource: {
            resourceType: 'Device',
            identifier: [
              { system: 'https://gatehouse.example/Id/device-identifier', value: 'gatehouse-1' },
            ],
            model: 'Gatehouse',
            version: '0.1',
          },
        },
        {
          name: 'requestingPractitioner',
          resource: {
            resourceType: 'Practitioner',
            id: 'jsmith',
            identifier: [
              { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '111222333444' },
              { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '444555666777' },
              { system: 'https://gatehouse.example/Id/user', value: 'jsmith' },
            ],
            name: [{ family: 'Smith', given: ['Jo'], prefix: ['Dr'] }],
          },
        },
      ],
    });
    assert.equal(hops[0]?.to, 'gateway');
  });

  it('keeps the request, and never the token that proved who asked', async () => {
    const { seen, told, hops } = await ask(json(503, {}));
    assert.equal(told.length, 1);
    assert.ok(textOf(told[0]?.request).endsWith(seen[0]?.body ?? '?'));
    const kept = JSON.stringify([told, hops].flat().map((hop) => textOf(hop.request)));
    assert.doesNotMatch(kept, new RegExp(secret));
    assert.match(kept, /Ods-from: R0A/);
  });

  it('asks nobody for a user without an id, or without a token', async () => {
    const nobody = { ...asker, user: { id: 'UNK', family: 'Smith' } };
    const first = await ask(json(200, record()), { asker: nobody });
    assert.deepEqual([first.event, first.fault?.name], ['permanent', 'askerMissing']);
    const refused: Access = {
      kind: 'token',
      tokens: {
        take: () => Promise.resolve({ failed: 'refused', detail: 'invalid_client', hops: [] }),
        refuse: () => {},
      },
    };
    const second = await ask(json(200, record()), { access: refused });
    assert.equal(second.fault?.name, 'gatewayAccessRefused');
    assert.deepEqual([first.seen.length, second.seen.length], [0, 0]);
  });

  const pds = 'PDS FHIR API request failed: ';
  const sds = 'SDS FHIR API request failed: ';
  const gp = 'Provider request failed: ';
  const org = 'ODS code A12345';
  // status, sentence → event, fault, detail
  const sentences: [number, string, string, string, string?][] = [
    [
      404,
      `PDS patient ${nhsNumber} did not contain a current provider ODS code`,
      'notFound',
      'practiceUnknown',
    ],
    [404, `No SDS org found for provider ${org}`, 'notEnabled', 'practiceNotEnabled'],
    [
      404,
      `SDS result for provider ${org} did not contain a current ASID`,
      'notEnabled',
      'practiceNotEnabled',
    ],
    [
      404,
      `SDS result for provider ${org} did not contain a current endpoint`,
      'notEnabled',
      'practiceNotEnabled',
    ],
    [404, `No SDS org found for consumer ${org}`, 'permanent', 'spineRefused'],
    [
      404,
      `SDS result for consumer ${org} did not contain a current ASID`,
      'permanent',
      'spineRefused',
    ],
    [502, `${pds}Service Unavailable`, 'transient', 'traceUnavailable', 'upstream 503'],
    [502, `${pds}Not Found`, 'permanent', 'lookupRejected', 'upstream 404'],
    [502, `${pds}Too Many Requests`, 'transient', 'traceUnavailable', 'upstream 429'],
    [502, `${sds}GATEWAY TIMEOUT`, 'transient', 'directoryUnavailable', 'upstream 504'],
    [502, `${sds}Forbidden`, 'permanent', 'lookupRejected', 'upstream 403'],
    [502, `${gp}Forbidden`, 'permanent', 'gatewayRefusedUpstream', 'upstream 403'],
    [502, `${gp}Not Found`, 'permanent', 'gatewayRefusedUpstream', 'upstream 404'],
    [502, `${gp}Request Timeout`, 'transient', 'gpUnavailable', 'upstream 408'],
    [502, `${gp}Something ${nhsNumber}`, 'transient', 'gpUnavailable'],
    [502, `Another thing about ${nhsNumber}`, 'transient', 'gpUnavailable'],
    [500, 'Internal Server Error', 'transient', 'gpUnavailable'],
    [429, 'Too many', 'transient', 'gpUnavailable'],
    [401, 'No token', 'permanent', 'gatewayAccessRefused'],
    [403, 'Not allowed', 'permanent', 'gatewayAccessRefused'],
    [400, 'Missing or empty required header "Ods-from"', 'permanent', 'gpRejectedRequest'],
  ];
  for (const [status, sentence, event, fault, detail] of sentences) {
    it(`takes ${status} "${sentence}" for ${fault}`, async () => {
      const outcome = await ask(said(status, sentence));
      assert.deepEqual([outcome.event, outcome.fault?.name], [event, fault]);
      const expected = [`HTTP ${status}`, detail].filter(Boolean).join(', ');
      assert.equal(outcome.fault?.detail, expected);
      // A sentence may hold the NHS number, so none of it is told on.
      assert.equal(outcome.fault?.verbatim, undefined);
    });
  }

  it('takes a refusal that came with its code as the practice means it', async () => {
    const system = 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1';
    const refusal = operationOutcome(system, 'NO_PATIENT_CONSENT', 'Patient text');
    const outcome = await ask(json(403, refusal));
    assert.deepEqual([outcome.event, outcome.fault?.name], ['refused', 'gpNoPatientConsent']);
    assert.equal(outcome.fault?.verbatim, 'Patient text');
  });

  it('passes on no record of someone else, and no reply it cannot read', async () => {
    const other = await ask(json(200, record('9000000017')));
    assert.deepEqual([other.event, other.fault?.name], ['permanent', 'wrongPatient']);
    for (const handler of [
      text(200, '<html>'),
      json(200, [1]),
      json(200, { ...record(), type: 'x' }),
    ]) {
      const outcome = await ask(handler);
      assert.deepEqual([outcome.event, outcome.fault?.name], ['transient', 'gpReplyUnreadable']);
    }
  });

  it('ends at the deadline of the sender', async () => {
    const signal = AbortSignal.timeout(30);
    const outcome = await ask(() => {}, { attempt: { signal } });
    assert.equal(outcome.event, 'timeout');
  });

  it('is found without looking', async () => {
    const { value, hops } = await gatewayAnywhere('gateway')('A12345', asker, attempt());
    assert.deepEqual([value, hops], [{ kind: 'cdg', name: 'gateway' }, []]);
  });
});
