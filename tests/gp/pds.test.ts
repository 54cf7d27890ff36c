import assert from 'node:assert/strict';
import { FaultError } from '../../engine/faults.ts';
import { createPds } from '../../engine/gp/pds.ts';
import type { Access } from '../../engine/gp/access.ts';
import type { Attempt, Outcome, Trace } from '../../engine/gp/port.ts';
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

const asked = '9000000009';
const ods = 'https://fhir.nhs.uk/Id/ods-organization-code';
const spine = 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode';
const noon = Date.parse('2026-06-15T12:00:00Z');

const practice = (value: string, start?: string, end?: string) => ({
  type: 'Organization',
  identifier: { system: ods, value, period: { start, end } },
});

const patient = (more: object = {}) => ({
  resourceType: 'Patient',
  id: asked,
  meta: { security: [{ code: 'U' }] },
  name: [
    { use: 'old', family: 'Before', given: ['Ann'] },
    { use: 'usual', family: 'Smith', given: ['Jane', 'Marie'] },
  ],
  gender: 'female',
  birthDate: '1980-02-29',
  generalPractitioner: [practice('Y12345', '2020-01-01')],
  ...more,
});

async function trace(
  handler: Handler,
  more: { access?: Access; now?: number; attempt?: Partial<Attempt>; nhsNumber?: string } = {},
): Promise<Outcome<Trace>> {
  const { url } = await serve(handler);
  const { access = { kind: 'none' }, now = noon } = more;
  const pds = createPds({ url, access, now: () => now }, client({ name: 'pds' }));
  return pds(more.nhsNumber ?? asked, asker, attempt(more.attempt));
}

describe('tracing a patient by PDS', () => {
  afterEach(closeAll);

  it('asks with the headers PDS requires, the request id kept over retries', async () => {
    const { url, seen } = await serve(json(200, patient()));
    const pds = createPds({ url: `${url}/FHIR/R4/`, access: { kind: 'none' } }, client());
    const again = attempt();
    await pds(asked, asker, again);
    await pds(asked, { ...asker, roleProfile: 'UNK' }, again);
    const [first, second] = seen;
    assert.equal(first?.method, 'GET');
    assert.equal(first?.path, '/FHIR/R4/Patient/9000000009');
    assert.equal(first?.headers['x-request-id'], again.requestId);
    assert.equal(second?.headers['x-request-id'], again.requestId);
    assert.equal(first?.headers['x-correlation-id'], again.correlationId);
    assert.equal(first?.headers['nhsd-end-user-organisation-ods'], 'R0A');
    assert.equal(first?.headers['nhsd-session-urid'], '444555666777');
    assert.equal(second?.headers['nhsd-session-urid'], undefined, 'PDS takes digits only');
    assert.equal(first?.headers.authorization, undefined);
    assert.equal(again.asked[0]?.interaction, 'PDS read');
  });

  it('gives who the patient is and the practice of today', async () => {
    const outcome = await trace(json(200, patient()));
    assert.equal(outcome.event, 'found');
    assert.deepEqual(outcome.value, {
      nhsNumber: asked,
      superseded: false,
      practice: 'Y12345',
      deceased: false,
      family: 'Smith',
      given: ['Jane', 'Marie'],
      gender: 'female',
      birthDate: '1980-02-29',
      source: 'pds',
    });
    assert.equal(outcome.hops.length, 1);
  });

  const periods: [string, object[], string | undefined][] = [
    ['no practice', [], undefined],
    ['a period that ended yesterday', [practice('A1', '2020-01-01', '2026-06-14')], undefined],
    ['a period that ends today', [practice('A1', '2020-01-01', '2026-06-15')], 'A1'],
    ['a period that starts tomorrow', [practice('A1', '2026-06-16')], undefined],
    ['no period', [{ identifier: { system: ods, value: ' a1 ' } }], 'A1'],
    ['an end in a partial date, all of it included', [practice('A1', '2020', '2026-06')], 'A1'],
    ['an end in a past year', [practice('A1', '2020', '2025')], undefined],
    [
      'an ended one before the current one',
      [practice('OLD', '2001-01-01', '2020-01-01'), practice('NEW', '2020-01-02')],
      'NEW',
    ],
    [
      'two current ones: the later',
      [practice('A1', '2020-01-01'), practice('B1', '2024-01-01')],
      'B1',
    ],
    [
      'two that began together: neither',
      [practice('A1', '2024-01-01'), practice('B1', '2024-01-01')],
      undefined,
    ],
    ['the same one twice', [practice('A1', '2024-01-01'), practice('a1', '2024-01-01')], 'A1'],
    ['an end that stands for none', [practice('A1', '2020-01-01', '9999-12-31')], 'A1'],
    ['another identifier system', [{ identifier: { system: 'x', value: 'A1' } }], undefined],
    ['a blank code', [practice(' ', '2020-01-01')], undefined],
    ['a reference only', [{ reference: 'Organization/1' }], undefined],
  ];
  for (const [name, generalPractitioner, expected] of periods) {
    it(`takes the current practice: ${name}`, async () => {
      const outcome = await trace(json(200, patient({ generalPractitioner })));
      assert.equal(outcome.event, 'found');
      assert.equal(outcome.value?.practice, expected);
    });
  }

  const notified = (code: string) => ({
    extension: [
      { url: 'https://fhir.example/Extension-Else', valueString: '2' },
      {
        url: 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeathNotificationStatus',
        extension: [
          { url: 'deathNotificationStatus', valueCodeableConcept: { coding: [{ code }] } },
          { url: 'systemEffectiveDate', valueDateTime: '2026-01-02T00:00:00+00:00' },
        ],
      },
    ],
  });
  const deaths: [string, object, boolean][] = [
    ['a day', { deceasedDateTime: '2026-01-02' }, true],
    ['an instant', { deceasedDateTime: '2026-01-02T00:00:00+00:00' }, true],
    ['a year', { deceasedDateTime: '2026' }, true],
    ['no date', { deceasedBoolean: true }, true],
    ['an informal notice without a date', notified('1'), true],
    ['a formal notice without a date', notified('2'), true],
    ['a notice that was removed', notified('U'), false],
    ['the word that it did not happen', { deceasedBoolean: false }, false],
    ['nothing', {}, false],
  ];
  for (const [name, more, deceased] of deaths) {
    it(`takes ${name} for ${deceased ? 'a death' : 'no death'}`, async () => {
      assert.equal((await trace(json(200, patient(more)))).value?.deceased, deceased);
    });
  }

  it('reckons today in London, an hour ahead of UTC in summer', async () => {
    const generalPractitioner = [
      practice('OLD', '2020', '2026-06-15'),
      practice('NEW', '2026-06-16'),
    ];
    const at = async (time: string) =>
      (await trace(json(200, patient({ generalPractitioner })), { now: Date.parse(time) })).value
        ?.practice;
    assert.equal(await at('2026-06-15T22:59:59Z'), 'OLD');
    assert.equal(await at('2026-06-15T23:00:00Z'), 'NEW');
    const winter = [practice('OLD', '2020', '2026-01-15'), practice('NEW', '2026-01-16')];
    const outcome = await trace(json(200, patient({ generalPractitioner: winter })), {
      now: Date.parse('2026-01-15T23:30:00Z'),
    });
    assert.equal(outcome.value?.practice, 'OLD');
  });

  it('follows a superseded NHS number, and refuses one that is none', async () => {
    const moved = await trace(json(200, patient({ id: '9000000017' })));
    assert.equal(moved.value?.nhsNumber, '9000000017');
    assert.equal(moved.value?.superseded, true);
    const broken = await trace(json(200, patient({ id: '9000000018' })));
    assert.equal(broken.event, 'permanent');
    assert.equal(broken.fault?.name, 'nhsNumberSuperseded');
  });

  it('tells nothing but "restricted" of a restricted patient, under any code but U', async () => {
    for (const code of ['R', 'V', 'X']) {
      const outcome = await trace(json(200, patient({ meta: { security: [{ code }] } })));
      assert.equal(outcome.event, 'restricted');
      assert.equal(outcome.fault?.name, 'patientRestricted');
      assert.equal(outcome.value, undefined);
    }
    const unmarked = await trace(json(200, patient({ meta: undefined })));
    assert.equal(unmarked.event, 'found');
  });

  const errors: [number, string | undefined, string, string][] = [
    [404, 'RESOURCE_NOT_FOUND', 'notFound', 'patientNotFound'],
    [404, 'INVALIDATED_RESOURCE', 'notFound', 'patientNotFound'],
    [404, 'SOMETHING_ELSE', 'permanent', 'lookupRejected'],
    [404, undefined, 'permanent', 'lookupRejected'],
    [400, 'INVALID_RESOURCE_ID', 'permanent', 'nhsNumberInvalid'],
    [400, 'UNSUPPORTED_SERVICE', 'permanent', 'lookupRejected'],
    [400, 'MISSING_VALUE', 'permanent', 'lookupRejected'],
    [400, 'INVALID_VALUE', 'permanent', 'lookupRejected'],
    [401, 'ACCESS_DENIED', 'permanent', 'accessRefused'],
    [403, 'ACCESS_DENIED', 'permanent', 'accessRefused'],
    [401, undefined, 'permanent', 'accessRefused'],
    [408, 'UNABLE_TO_CALL_SERVICE', 'transient', 'traceUnavailable'],
    [429, 'TOO_MANY_REQUESTS', 'transient', 'traceUnavailable'],
    [500, undefined, 'transient', 'traceUnavailable'],
    [502, undefined, 'transient', 'traceUnavailable'],
    [503, undefined, 'transient', 'traceUnavailable'],
    [504, undefined, 'transient', 'traceUnavailable'],
    [302, undefined, 'transient', 'traceUnavailable'],
    [200, undefined, 'transient', 'traceUnavailable'],
  ];
  for (const [status, code, event, fault] of errors) {
    it(`takes ${status} ${code ?? 'without a code'} for ${event}, ${fault}`, async () => {
      const body = operationOutcome(spine, code ?? '', 'shown', `about ${asked}`);
      const outcome = await trace(code ? json(status, body) : text(status, '<html>'));
      assert.equal(outcome.event, event);
      assert.equal(outcome.fault?.name, fault);
      assert.match(outcome.fault?.detail ?? '', new RegExp(`^HTTP ${status}\\b`));
      assert.doesNotMatch(outcome.fault?.detail ?? '', /\d{10}/);
      assert.equal(outcome.hops[0]?.status, status);
    });
  }

  it('takes no other JSON for a Patient', async () => {
    for (const body of [[], null, 1, { resourceType: 'Bundle' }, { ...patient(), id: 5 }]) {
      const outcome = await trace(json(200, body));
      assert.equal(outcome.event, 'transient');
      assert.equal(outcome.fault?.name, 'traceUnavailable');
    }
  });

  it('asks nothing for what is no NHS number', async () => {
    for (const nhsNumber of ['9000000008', '900 000 0009', '../Patient', '']) {
      const outcome = await trace(json(200, patient()), { nhsNumber });
      assert.equal(outcome.fault?.name, 'nhsNumberInvalid');
      assert.deepEqual(outcome.hops, []);
    }
  });

  it('proves itself by its key, which no hop shows', async () => {
    const { url, seen } = await serve(json(200, patient()));
    const to = attempt();
    const pds = createPds({ url, access: { kind: 'apikey', key: 's3cret' } }, client());
    const outcome = await pds(asked, asker, to);
    assert.equal(outcome.event, 'found');
    assert.equal(seen[0]?.headers.apikey, 's3cret');
    assert.doesNotMatch(JSON.stringify([outcome.fault, to.asked]), /s3cret/);
    assert.match(textOf(outcome.hops[0]?.request), /apikey: \[removed\]\r\n/);
  });

  it('ends with timeout at the deadline, with the fault the signal carries', async () => {
    const ends: [unknown, string][] = [
      [undefined, 'deadlinePassed'],
      [new FaultError({ name: 'shuttingDown' }), 'shuttingDown'],
    ];
    for (const [reason, fault] of ends) {
      const controller = new AbortController();
      const outcome = await trace(() => controller.abort(reason), {
        attempt: { signal: controller.signal },
      });
      assert.equal(outcome.event, 'timeout');
      assert.equal(outcome.fault?.name, fault);
      assert.equal(outcome.hops.length, 1);
    }
  });
});
