/** The Spine proxy and the practice behind it: every header, claim and parameter rule, refused. */
import assert from 'node:assert/strict';
import type { GpSimulator } from '../../engine/simulator/gp.ts';
import * as caller from './caller.ts';
import type { Change, Claims } from './caller.ts';

const proxySystem = 'http://fhir.nhs.net/ValueSet/gpconnect-schedule-response-code-1-0';
const providerSystem = 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1';
const day = (offset: number) =>
  new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);

describe('simulator: Spine proxy and provider', () => {
  let sim: GpSimulator;
  before(async () => {
    sim = await caller.start();
  });
  after(() => sim.close());

  it('answers a good request with the record, compressed, in chunks, not to be stored', async () => {
    const plain = await caller.ask(sim);
    assert.equal(plain.status, 200);
    assert.equal(caller.at(plain.json, 'type'), 'collection');
    assert.equal(plain.headers['cache-control'], 'no-store');
    assert.equal(plain.headers['content-type'], 'application/fhir+json; charset=utf-8');
    assert.equal(plain.headers['transfer-encoding'], 'chunked');
    assert.equal(plain.headers['content-length'], undefined);
    const small = await caller.ask(sim, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(small.headers['content-encoding'], 'gzip');
    assert.ok(small.text.length < plain.text.length / 4);
  });

  describe('the proxy refuses', () => {
    const spoiled: [string, Change, number, string | RegExp][] = [
      ...['ssp-traceid', 'ssp-from', 'ssp-to', 'ssp-interactionid', 'authorization'].map(
        (name): [string, Change, number, RegExp] => [
          `a request without ${name}`,
          { headers: { [name]: undefined } },
          400,
          /^MISSING_HEADER_/,
        ],
      ),
      ['a trace id that is no UUID', { headers: { 'ssp-traceid': 'abc' } }, 400, /TraceID$/],
      [
        'an unknown sender',
        { headers: { 'ssp-from': '200000000999' } },
        403,
        'ASID_CHECK_FAILED_MESSAGESENDER_200000000999',
      ],
      [
        'an unknown receiver',
        { headers: { 'ssp-to': '918999000999' } },
        403,
        'PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_918999000999',
      ],
      [
        'a receiver that does not offer the interaction',
        { headers: { 'ssp-to': '918999000505' } },
        403,
        'PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_918999000505',
      ],
      [
        'an unknown interaction',
        { headers: { 'ssp-interactionid': 'urn:nhs:names:services:gpconnect:other' } },
        403,
        /^PARTYKEY_INTERACTION_CHECK_FAILED/,
      ],
      [
        'an address that is not the one in the directory',
        { target: 'https://elsewhere.example/fhir/Patient/$gpc.getstructuredrecord' },
        400,
        /^ENDPOINT_.*_VARIES_FROM_TARGETURL_https:\/\/elsewhere/,
      ],
      [
        'the address of another practice',
        { practice: { ...caller.harbour, asid: caller.willowbeck.asid } },
        400,
        /^ENDPOINT_/,
      ],
      ['plain JSON', { headers: { 'content-type': 'application/json' } }, 415, /^Unsupported/],
      ['a request for XML', { headers: { accept: 'application/fhir+xml' } }, 415, /^Unsupported/],
      ['no Accept', { headers: { accept: undefined } }, 415, /^Unsupported/],
      ['a token that is no JWT', { authorization: 'Bearer abc' }, 400, /Authorization$/],
      [
        'a token without its trailing dot',
        { authorization: caller.token({}).slice(0, -1) },
        400,
        /Authorization$/,
      ],
      ['a signed token', { authorization: `${caller.token({})}c2lnbmVk` }, 400, /Authorization$/],
      [
        'another algorithm than none',
        { authorization: caller.token({}, { alg: 'HS256', typ: 'JWT' }) },
        400,
        /Authorization$/,
      ],
    ];
    for (const [what, change, status, display] of spoiled) {
      it(what, async () => {
        const reply = await caller.ask(sim, change);
        const issue = caller.issueOf(reply);
        assert.equal(reply.status, status);
        assert.equal(issue.system, proxySystem);
        assert.equal(issue.code, String(status));
        if (typeof display === 'string') assert.equal(issue.display, display);
        else assert.match(issue.display, display);
      });
    }

    it('other methods, as fatal and in another system', async () => {
      for (const method of ['GET', 'PATCH'] as const) {
        const reply = await caller.ask(sim, { method });
        assert.equal(reply.status, 405);
        assert.equal(caller.at(reply.json, 'issue.0.severity'), 'fatal');
        assert.match(caller.issueOf(reply).system, /spine-operationoutcome-1$/);
      }
    });
  });

  describe('the provider refuses', () => {
    /** Checks the code, its status by the specification, and that the reason is said. */
    async function refused(change: Change, status: number, code: string): Promise<string> {
      const reply = await caller.ask(sim, change);
      const issue = caller.issueOf(reply);
      assert.deepEqual([reply.status, issue.system, issue.code], [status, providerSystem, code]);
      assert.ok(issue.why, 'the reason is said');
      assert.ok(!issue.why.includes(caller.nel), 'no NHS number in the reason');
      return issue.why;
    }

    it('an operation it does not have', () =>
      refused(
        { target: `${caller.willowbeck.address}/Patient/$gpc.migrate` },
        501,
        'NOT_IMPLEMENTED',
      ));

    type Part = keyof Claims;
    const without = (part: Part) => (claims: Claims) => ({ ...claims, [part]: undefined });
    const device = (change: object) => (claims: Claims) => ({
      ...claims,
      requesting_device: { ...claims.requesting_device, ...change },
    });
    const organisation = (change: object) => (claims: Claims) => ({
      ...claims,
      requesting_organization: { ...claims.requesting_organization, ...change },
    });
    const practitioner = (change: object) => (claims: Claims) => ({
      ...claims,
      requesting_practitioner: { ...claims.requesting_practitioner, ...change },
    });
    const claims: [string, (claims: Claims) => unknown, number?][] = [
      ...(Object.keys(caller.goodClaims('')) as Part[]).map(
        (part): [string, (claims: Claims) => unknown] => [`no ${part}`, without(part)],
      ),
      ['exp one second early', (c) => ({ ...c, exp: c.iat + 299 })],
      ['exp one second late', (c) => ({ ...c, exp: c.iat + 301 })],
      ['an expired token', (c) => ({ ...c, iat: c.iat - 301, exp: c.exp - 301 })],
      ['exp as text', (c) => ({ ...c, exp: String(c.exp) })],
      ['iat as a fraction', (c) => ({ ...c, iat: c.iat + 0.5, exp: c.exp + 0.5 })],
      ['iss that is no URL', (c) => ({ ...c, iss: 'hospital' })],
      ['aud of another practice', (c) => ({ ...c, aud: caller.harbour.address })],
      ['another reason for the request', (c) => ({ ...c, reason_for_request: 'research' })],
      ['a scope to write', (c) => ({ ...c, requested_scope: 'patient/*.write' })],
      ['a scope for sensitive items', (c) => ({ ...c, requested_scope: 'patient/*.read conf/R' })],
      ['a scope for organisations', (c) => ({ ...c, requested_scope: 'organization/*.read' })],
      ['a device of another type', device({ resourceType: 'Thing' })],
      ['a device without identifier', device({ identifier: [] })],
      ['a device without model', device({ model: undefined })],
      ['a device without version', device({ version: undefined })],
      ['a device that is not FHIR', device({ colour: 'red' }), 422],
      ['an organisation of another type', organisation({ resourceType: 'Thing' })],
      ['an organisation without ODS code', organisation({ identifier: [] })],
      ['an organisation without name', organisation({ name: '' })],
      ['an organisation that is not FHIR', organisation({ colour: 'red' }), 422],
      [
        'an organisation that is not the one Ssp-From is registered for',
        organisation({
          identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RXX' }],
        }),
      ],
      ['a practitioner of another type', practitioner({ resourceType: 'Thing' })],
      ['a practitioner that is not sub', practitioner({ id: '10020' })],
      ['a practitioner without id', practitioner({ id: undefined })],
      ['a practitioner without name', practitioner({ name: [] })],
      ['a practitioner without family name', practitioner({ name: [{ given: ['Jo'] }] })],
      ['a practitioner without given name', practitioner({ name: [{ family: 'Smith' }] })],
      ['a practitioner that is not FHIR', practitioner({ colour: 'red' }), 422],
      ...[0, 1, 2].map((at): [string, (claims: Claims) => unknown] => [
        `a practitioner without identifier ${at + 1}`,
        (c) =>
          practitioner({
            identifier: c.requesting_practitioner.identifier.filter((_, index) => index !== at),
          })(c),
      ]),
    ];
    for (const [what, change, status = 400] of claims) {
      it(`a JWT with ${what}`, async () => {
        const code = status === 422 ? 'INVALID_RESOURCE' : 'BAD_REQUEST';
        assert.match(await refused({ claims: change }, status, code), /^JWT /);
      });
    }

    const nhs = caller.nhsParameter(caller.nel);
    const part = (area: string, ...parts: object[]) => ({ name: area, part: parts });
    const resolved = { name: 'includeResolvedAllergies', valueBoolean: true };
    const fromDate = (valueDate: string) => ({ name: 'medicationSearchFromDate', valueDate });
    const period = (name: string, start?: string, end?: string) => ({
      name,
      valuePeriod: { start, end },
    });
    const consultations = { name: 'includeConsultations' };
    const parameters: [string, unknown[], string][] = [
      ['no NHS number', [caller.allergies], 'INVALID_PARAMETER'],
      [
        'the NHS number as a string',
        [{ name: 'patientNHSNumber', valueString: caller.nel }],
        'INVALID_PARAMETER',
      ],
      ['the NHS number twice', [nhs, nhs], 'INVALID_RESOURCE'],
      [
        'another identifier system',
        [{ name: 'patientNHSNumber', valueIdentifier: { system: 'urn:x', value: caller.nel } }],
        'INVALID_IDENTIFIER_SYSTEM',
      ],
      ['a wrong check digit', [caller.nhsParameter('9465701458')], 'INVALID_NHS_NUMBER'],
      ['an NHS number with spaces', [caller.nhsParameter('946 570 1459')], 'INVALID_NHS_NUMBER'],
      ['an empty NHS number', [caller.nhsParameter('')], 'INVALID_NHS_NUMBER'],
      ['a parameter without name', [nhs, { part: [] }], 'INVALID_RESOURCE'],
      ['an area twice', [nhs, caller.medication, caller.medication], 'INVALID_RESOURCE'],
      [
        'allergies without their required part',
        [nhs, { name: 'includeAllergies' }],
        'INVALID_PARAMETER',
      ],
      ['a part twice', [nhs, part('includeAllergies', resolved, resolved)], 'INVALID_RESOURCE'],
      [
        'a boolean as text',
        [nhs, part('includeAllergies', { name: 'includeResolvedAllergies', valueString: 'true' })],
        'INVALID_PARAMETER',
      ],
      [
        'a part without value',
        [nhs, part('includeMedication', { name: 'medicationSearchFromDate' })],
        'INVALID_PARAMETER',
      ],
      [
        'a partial date',
        [nhs, part('includeMedication', fromDate('2026-01'))],
        'INVALID_PARAMETER',
      ],
      [
        'a date with a time',
        [nhs, part('includeMedication', fromDate('2026-01-01T00:00:00Z'))],
        'INVALID_PARAMETER',
      ],
      [
        'a day that does not exist',
        [nhs, part('includeMedication', fromDate('2026-02-30'))],
        'INVALID_PARAMETER',
      ],
      [
        'a date in the future',
        [nhs, part('includeMedication', fromDate(day(2)))],
        'INVALID_PARAMETER',
      ],
      [
        'a problem status of its own',
        [nhs, part('includeProblems', { name: 'filterStatus', valueCode: 'resolved' })],
        'INVALID_PARAMETER',
      ],
      [
        'a period in the future',
        [
          nhs,
          part('includeInvestigations', period('investigationSearchPeriod', '2020-01-01', day(2))),
        ],
        'INVALID_PARAMETER',
      ],
      [
        'a period that ends before it starts',
        [nhs, part('includeReferrals', period('referralSearchPeriod', '2021-01-01', '2020-01-01'))],
        'INVALID_PARAMETER',
      ],
      [
        'a period of partial dates',
        [nhs, part('includeReferrals', period('referralSearchPeriod', '2020'))],
        'INVALID_PARAMETER',
      ],
      [
        'a period without limits',
        [nhs, part('includeReferrals', period('referralSearchPeriod'))],
        'INVALID_PARAMETER',
      ],
      [
        'a diary date in the past',
        [nhs, part('includeDiaryEntries', { name: 'diaryEntriesSearchDate', valueDate: day(-2) })],
        'INVALID_PARAMETER',
      ],
      [
        'zero consultations',
        [
          nhs,
          part('includeConsultations', { name: 'includeNumberOfMostRecent', valuePositiveInt: 0 }),
        ],
        'INVALID_PARAMETER',
      ],
      [
        'both filters of consultations',
        [
          nhs,
          part('includeConsultations', period('consultationSearchPeriod', '2020-01-01'), {
            name: 'includeNumberOfMostRecent',
            valuePositiveInt: 3,
          }),
        ],
        'INVALID_RESOURCE',
      ],
      ...[
        part('includeMedication', fromDate('2025-01-01')),
        part('includeUncategorisedData', period('uncategorisedDataSearchPeriod', '2020-01-01')),
        part('includeReferrals', period('referralSearchPeriod', '2020-01-01')),
        part('includeDiaryEntries', { name: 'diaryEntriesSearchDate', valueDate: day(30) }),
        part('includeImmunisations', { name: 'includeNotGiven', valueBoolean: true }),
        part('includeImmunisations', { name: 'includeStatus', valueBoolean: false }),
      ].flatMap((filtered): [string, unknown[], string][] => [
        [
          `problems beside ${JSON.stringify(filtered.part[0])}`,
          [nhs, caller.problems, filtered],
          'INVALID_PARAMETER',
        ],
        [
          `consultations beside ${JSON.stringify(filtered.part[0])}`,
          [nhs, consultations, filtered],
          'INVALID_PARAMETER',
        ],
      ]),
      [
        'consultations beside a problem status',
        [
          nhs,
          consultations,
          part('includeProblems', { name: 'filterStatus', valueCode: 'active' }),
        ],
        'INVALID_PARAMETER',
      ],
    ];
    for (const [what, list, code] of parameters) {
      it(`parameters with ${what}`, () =>
        refused(
          { parameters: list },
          code.endsWith('PARAMETER') || code.endsWith('RESOURCE') ? 422 : 400,
          code,
        ));
    }

    it('bodies that are no Parameters', async () => {
      for (const body of [
        '',
        '{',
        '[]',
        '{"resourceType":"Patient"}',
        '{"resourceType":"Parameters"}',
      ]) {
        await refused({ body }, 422, 'INVALID_RESOURCE');
      }
    });

    it('patients it does not know, has lost or must hide', async () => {
      for (const nhsNumber of [
        '9990000190',
        '9990000107',
        '9990000115',
        '9990000247',
        '9990000034',
      ]) {
        await refused({ nhsNumber }, 404, 'PATIENT_NOT_FOUND');
      }
    });
  });

  describe('the provider accepts', () => {
    it('a token made in the future, and a scope without confidentiality', async () => {
      const later = Math.floor(Date.now() / 1000) + 200;
      const future = await caller.ask(sim, {
        claims: () => caller.goodClaims(caller.willowbeck.address, later),
      });
      assert.equal(future.status, 200);
      const scope = await caller.ask(sim, {
        claims: (claims) => ({ ...claims, requested_scope: 'patient/*.read' }),
      });
      assert.equal(scope.status, 200);
    });

    it('an address with a trailing slash, and $ sent percent-encoded', async () => {
      const slash = await caller.ask(sim, { practice: caller.harbour, nhsNumber: '9990000034' });
      assert.equal(slash.status, 200);
      const target = `${caller.willowbeck.address}/Patient/%24gpc.getstructuredrecord`;
      assert.equal((await caller.ask(sim, { target })).status, 200);
    });

    it('an NHS number alone: the patient and nothing clinical', async () => {
      const reply = await caller.ask(sim, { parameters: [caller.nhsParameter(caller.nel)] });
      assert.equal(caller.resourcesOf(reply, 'Patient').length, 1);
      assert.equal(caller.resourcesOf(reply, 'List').length, 0);
    });

    it('the predefined searches, filters and all', async () => {
      const search = [
        caller.nhsParameter(caller.nel),
        {
          name: 'includeConsultations',
          part: [{ name: 'includeNumberOfMostRecent', valueInteger: 3 }],
        },
        caller.problems,
        caller.allergies,
        {
          name: 'includeMedication',
          part: [{ name: 'medicationSearchFromDate', valueDate: day(-365) }],
        },
      ];
      assert.equal((await caller.ask(sim, { parameters: search })).status, 200);
      const wide = [
        ...search,
        { name: 'includeImmunisations' },
        { name: 'includeUncategorisedData' },
      ];
      assert.equal((await caller.ask(sim, { parameters: wide })).status, 200);
    });

    it('unknown parameters and parts, with a warning for each inside the Bundle', async () => {
      const reply = await caller.ask(sim, {
        parameters: [
          caller.nhsParameter(caller.nel),
          { name: 'includeHoroscope' },
          { name: 'includeProblems', part: [{ name: 'filterSignificance', valueCode: 'major' }] },
        ],
      });
      assert.equal(reply.status, 200);
      const issues = caller.listAt(caller.resourcesOf(reply, 'OperationOutcome')[0], 'issue');
      assert.deepEqual(
        issues.map((issue) =>
          ['severity', 'details.text', 'diagnostics'].map((path) => caller.at(issue, path)),
        ),
        [
          ['warning', 'includeHoroscope is an unrecognised parameter', 'includeHoroscope'],
          [
            'warning',
            'includeProblems.filterSignificance is an unrecognised parameter',
            'includeProblems.filterSignificance',
          ],
        ],
      );
    });
  });
});
