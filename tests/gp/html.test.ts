import assert from 'node:assert/strict';
import { asHtml, createHtml } from '../../engine/gp/html.ts';
import type { GpHtml, Outcome, RecordRequest } from '../../engine/gp/port.ts';
import {
  type Handler,
  asker,
  attempt,
  client,
  closeAll,
  json,
  operationOutcome,
  serve,
  textOf,
} from './outside.ts';

const nhsNumber = '9000000009';
const errors = 'http://fhir.nhs.net/ValueSet/gpconnect-error-or-warning-code-1';
const options = {
  issuer: 'https://gatehouse.example/',
  device: { id: 'gatehouse-1', model: 'Gatehouse', version: '0.1' },
  organisations: [{ ods: 'R0A', asid: '200000000115' }],
  now: () => Date.parse('2026-06-04T10:15:00.900Z'),
};

const patient = (number = nhsNumber) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: number }],
  name: [{ family: ['Nel', 'Harper'], given: ['Morris'] }],
  careProvider: [{ reference: 'Practitioner/1' }],
});
const view = (code: string, ...others: object[]) => ({
  resourceType: 'Bundle',
  type: 'searchset',
  entry: [
    {
      resource: {
        resourceType: 'Composition',
        section: [{ code: { coding: [{ code }] }, text: { div: `<div>${code}</div>` } }],
      },
    },
    ...(others.length > 0 ? others : [patient()]).map((resource) => ({ resource })),
  ],
});

interface Parameter {
  name: string;
  valueIdentifier?: object;
  valueCodeableConcept?: { coding: { code: string; system: string }[] };
  valuePeriod?: object;
}
const parametersOf = (body: string) => (JSON.parse(body) as { parameter: Parameter[] }).parameter;
const sectionOf = (body: string) =>
  parametersOf(body)[1]?.valueCodeableConcept?.coding[0]?.code ?? '';

/** Answers each section with its view, but those named here. */
const viewsBut =
  (spoiled: Record<string, Handler>): Handler =>
  (seen, response) => {
    const code = sectionOf(seen.body);
    (spoiled[code] ?? json(200, view(code)))(seen, response);
  };

async function ask(
  handler: Handler,
  request: Partial<RecordRequest> = {},
  who = asker,
): Promise<Outcome<GpHtml> & { bodies: string[]; connections: number }> {
  const server = await serve(handler);
  const html = createHtml(options, client({ name: 'gpconnect' }));
  const endpoint = { kind: 'html', name: 'gpconnect', address: server.url, asid: '2' } as const;
  const wanted = { nhsNumber, datasets: ['ALL', 'MED', 'OBS'] as const, ...request };
  const outcome = await html(wanted as RecordRequest, endpoint, who, attempt());
  const bodies = server.seen.map(({ body }) => body);
  return { ...outcome, bodies, connections: server.connections() };
}

const decoded = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown;

describe('asking for the HTML view', () => {
  afterEach(closeAll);

  it('asks in the words of DSTU2, with a token that names the asker and the patient', async () => {
    const proxy = await serve(json(200, view('ALL')));
    const html = createHtml({ ...options, proxy: proxy.url }, client({ name: 'gpconnect' }));
    const address = 'https://gp.example/A12345/DSTU2/1/gpconnect/';
    const endpoint = { kind: 'html', name: 'gpconnect', address, asid: '200000000116' } as const;
    const to = attempt();
    const outcome = await html({ nhsNumber, datasets: ['ALL'] }, endpoint, asker, to);
    assert.equal(outcome.event, 'reply');
    const [seen] = proxy.seen;
    assert.equal(seen?.method, 'POST');
    assert.equal(
      seen?.path,
      '/https://gp.example/A12345/DSTU2/1/gpconnect/Patient/$gpc.getcarerecord',
    );
    const headers = seen?.headers ?? {};
    assert.deepEqual(
      ['accept', 'content-type', 'ssp-from', 'ssp-to', 'ssp-interactionid'].map((h) => headers[h]),
      [
        'application/json+fhir',
        'application/json+fhir',
        '200000000115',
        '200000000116',
        'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord',
      ],
    );
    assert.match(String(headers['ssp-traceid']), /^[0-9a-f-]{36}$/);
    const [head, claims, signature] = String(headers.authorization).slice(7).split('.');
    assert.equal(signature, '');
    assert.deepEqual(decoded(head), { alg: 'none', typ: 'JWT' });
    assert.deepEqual(decoded(claims), {
      iss: 'https://gatehouse.example/',
      sub: 'jsmith',
      aud: 'https://authorize.fhir.nhs.net/token',
      exp: 1780568100 + 300,
      iat: 1780568100,
      reason_for_request: 'directcare',
      requested_scope: 'patient/*.read',
      requested_record: {
        resourceType: 'Patient',
        identifier: [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: nhsNumber }],
      },
      requesting_device: {
        resourceType: 'Device',
        id: 'gatehouse-1',
        identifier: [
          { system: 'https://gatehouse.example/Id/device-identifier', value: 'gatehouse-1' },
        ],
        model: 'Gatehouse',
        version: '0.1',
      },
      requesting_organization: {
        resourceType: 'Organization',
        id: 'R0A',
        identifier: [{ system: 'http://fhir.nhs.net/Id/ods-organization-code', value: 'R0A' }],
        name: 'Test Hospital',
      },
      requesting_practitioner: {
        resourceType: 'Practitioner',
        id: 'jsmith',
        identifier: [
          { system: 'http://fhir.nhs.net/sds-user-id', value: '111222333444' },
          { system: 'https://gatehouse.example/Id/user', value: 'jsmith' },
        ],
        name: { family: ['Smith'], given: ['Jo'], prefix: ['Dr'] },
        practitionerRole: [
          {
            role: {
              coding: [{ system: 'http://fhir.nhs.net/ValueSet/sds-job-role-name-1', code: 'UNK' }],
            },
          },
        ],
      },
    });
    // What the journal keeps is the request as it went out, committed before it went.
    assert.ok(textOf(to.asked[0]?.request).endsWith(seen?.body ?? '?'));
    assert.deepEqual(
      parametersOf(seen?.body ?? '').map((parameter) => JSON.stringify(parameter)),
      [
        `{"name":"patientNHSNumber","valueIdentifier":{"system":"http://fhir.nhs.net/Id/nhs-number","value":"${nhsNumber}"}}`,
        '{"name":"recordSection","valueCodeableConcept":{"coding":[{"system":"http://fhir.nhs.net/ValueSet/gpconnect-record-section-1","code":"ALL"}]}}',
      ],
    );
  });

  it('asks for each section by itself, under the dataset it belongs to', async () => {
    const all = ['PAT', 'ALL', 'MED', 'PRB', 'IMM', 'OBS', 'INV', 'ENC', 'REF', 'DRY'] as const;
    const { value, bodies, hops } = await ask(viewsBut({}), { datasets: [...all] });
    assert.equal(hops.length, 10);
    const asked = bodies.map(sectionOf);
    assert.equal(asked[0], 'SUM');
    assert.deepEqual(asked.toSorted(), 'ADM ALL CLI ENC IMM MED OBS PRB REF SUM'.split(' '));
    assert.deepEqual(
      value?.sections.map(({ code, dataset, html }) => [code, dataset, html]),
      [
        ['SUM', 'PAT'],
        ['ALL', 'ALL'],
        ['MED', 'MED'],
        ['PRB', 'PRB'],
        ['IMM', 'IMM'],
        ['OBS', 'OBS'],
        ['CLI', 'OBS'],
        ['ADM', 'OBS'],
        ['ENC', 'ENC'],
        ['REF', 'REF'],
      ].map(([code, dataset]) => [code, dataset, [`<div>${code}</div>`]]),
    );
  });

  it('gives dates for sections of dated entries alone, and says what was not asked for', async () => {
    const dates = { datasets: ['ALL', 'MED', 'ENC'] as RecordRequest['datasets'] };
    const { value, bodies } = await ask(viewsBut({}), { ...dates, from: '2025-01-01' });
    const periodIn = (body: string) =>
      parametersOf(body).find(({ name }) => name === 'timePeriod')?.valuePeriod;
    const periods = Object.fromEntries(bodies.map((body) => [sectionOf(body), periodIn(body)]));
    assert.deepEqual(periods, { ALL: undefined, MED: undefined, ENC: { start: '2025-01-01' } });
    assert.deepEqual(
      value?.sections.map(({ limit }) => limit),
      [undefined, undefined, 'Items dated before 2025-01-01 were not asked for'],
    );
    assert.equal(value?.datesIgnored, true);
    const dated = await ask(viewsBut({}), { datasets: ['ENC'], from: '2025-01-01' });
    assert.equal(dated.value?.datesIgnored, false);
    const odd = await ask(viewsBut({}), { datasets: ['ENC'], from: '2025-02', to: undefined });
    assert.deepEqual([odd.value?.sections[0]?.limit, odd.value?.datesIgnored], [undefined, true]);
  });

  it('gives the patient in the shape of the structured record, and nothing else of the reply', async () => {
    const { value } = await ask(json(200, view('ALL', patient(), { resourceType: 'Observation' })));
    assert.deepEqual(value?.bundle, {
      resourceType: 'Bundle',
      type: 'collection',
      entry: [
        {
          resource: {
            resourceType: 'Patient',
            identifier: patient().identifier,
            name: [{ family: 'Nel Harper', given: ['Morris'] }],
            generalPractitioner: [{ reference: 'Practitioner/1' }],
          },
        },
      ],
    });
  });

  it('gives every text of a section, those of sections within it too', async () => {
    const reply = view('ALL') as { entry: { resource: { section?: object[] } }[] };
    const inner = { section: [{ text: { div: '<p>2</p>' } }, { text: { div: '<p>3</p>' } }] };
    reply.entry[0]?.resource.section?.push(inner);
    const { value } = await ask(json(200, reply), { datasets: ['ALL'] });
    assert.deepEqual(value?.sections[0]?.html, ['<div>ALL</div>', '<p>2</p>', '<p>3</p>']);
  });

  it('asks for no more where the first section is refused', async () => {
    const refusal = json(403, operationOutcome(errors, 'NO_PATIENT_CONSENT', 'No consent'));
    const outcome = await ask(refusal);
    assert.deepEqual([outcome.event, outcome.fault?.name], ['refused', 'gpNoPatientConsent']);
    assert.equal(outcome.fault?.verbatim, 'No consent');
    assert.deepEqual(outcome.bodies.map(sectionOf), ['ALL']);
  });

  const firsts: [number, unknown, string, string][] = [
    [404, operationOutcome(errors, 'PATIENT_NOT_FOUND'), 'notFound', 'patientNotFound'],
    [501, operationOutcome(errors, 'NOT_IMPLEMENTED'), 'notEnabled', 'gpRejectedRequest'],
    [503, {}, 'transient', 'gpUnavailable'],
    [200, view('ALL', patient('9000000017')), 'permanent', 'wrongPatient'],
    [200, view('ALL', patient(), patient('9000000017')), 'permanent', 'wrongPatient'],
    [200, view('ALL', { resourceType: 'Device' }), 'transient', 'gpReplyUnreadable'],
    [200, { ...view('ALL'), type: 'collection' }, 'transient', 'gpReplyUnreadable'],
    [200, { ...view('ALL'), entry: [{ resource: patient() }] }, 'transient', 'gpReplyUnreadable'],
  ];
  for (const [status, body, event, fault] of firsts) {
    it(`ends with ${fault} where ${status} comes first: ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const outcome = await ask(json(status, body));
      assert.deepEqual([outcome.event, outcome.fault?.name], [event, fault]);
      assert.equal(outcome.value, undefined);
      assert.equal(outcome.hops.length, 1);
    });
  }

  it('keeps the view where a later section fails, with its fault in its place', async () => {
    const { value, event } = await ask(viewsBut({ MED: json(503, {}), CLI: json(200, []) }));
    assert.equal(event, 'reply');
    assert.deepEqual(
      value?.sections.map(({ code, html, fault }) => [code, html?.length, fault?.name]),
      [
        ['ALL', 1, undefined],
        ['MED', undefined, 'gpUnavailable'],
        ['OBS', 1, undefined],
        ['CLI', undefined, 'gpReplyUnreadable'],
        ['ADM', 1, undefined],
      ],
    );
  });

  it('gives nothing where a later section is of someone else', async () => {
    const other = json(200, view('MED', patient('9000000017')));
    const outcome = await ask(viewsBut({ MED: other }));
    assert.deepEqual([outcome.event, outcome.fault?.name], ['permanent', 'wrongPatient']);
    assert.equal(outcome.value, undefined);
  });

  it('asks nobody for an organisation without an ASID, or for datasets without a section', async () => {
    const other = { ...asker, organisation: { ods: 'RXX', name: 'Another' } };
    const denied = await ask(viewsBut({}), {}, other);
    assert.deepEqual([denied.fault?.name, denied.connections], ['organisationNotAllowed', 0]);
    const none = await ask(viewsBut({}), { datasets: ['INV', 'DRY'] });
    assert.deepEqual([none.fault?.name, none.connections], ['practiceNotEnabled', 0]);
  });

  it('is found in the directory as a service of its own', async () => {
    const endpoint = { kind: 'gpconnect', name: 'gp', address: 'https://gp', asid: '2' } as const;
    const found = asHtml(async () => ({ event: 'found', value: endpoint, hops: [] }));
    const { value } = await found('A12345', asker, attempt());
    assert.deepEqual(value, { ...endpoint, kind: 'html' });
  });
});
