/** Every scenario, seen from outside: what is sent, broken off or withheld. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { request } from 'undici';
import type { GpSimulator } from '../../engine/simulator/gp.ts';
import { providerErrors } from '../../engine/simulator/outcome.ts';
import { scenarios } from '../../engine/simulator/scenarios.ts';
import type { Scenario } from '../../engine/simulator/scenarios.ts';
import * as caller from './caller.ts';
import type { Reply } from './caller.ts';

const warningUrl = /ListWarningCode-1$/;

describe('simulator: scenarios', () => {
  let sim: GpSimulator;
  before(async () => {
    sim = await caller.start();
  });
  after(() => sim.close());
  afterEach(() => sim.set(caller.nel, undefined));

  const ask = (scenario: Scenario | Scenario['name'], change?: caller.Change): Promise<Reply> => {
    sim.set(caller.nel, scenario);
    return caller.ask(sim, change);
  };
  const pds = (scenario?: Scenario | Scenario['name']): Promise<Reply> => {
    if (scenario) sim.set(caller.nel, scenario);
    const headers = { 'x-request-id': randomUUID() };
    return caller.call(`${sim.pds}/Patient/${caller.nel}`, { headers });
  };
  const sds = (kind: 'Endpoint' | 'Device', scenario?: Scenario['name']): Promise<Reply> => {
    if (scenario) sim.set(caller.nel, scenario);
    const query = new URLSearchParams({
      organization: 'https://fhir.nhs.uk/Id/ods-organization-code|Z99901',
      identifier: `https://fhir.nhs.uk/Id/nhsServiceInteractionId|${caller.structured}`,
    });
    return caller.call(`${sim.sds}/${kind}?${query}`);
  };
  const lists = (reply: Reply) => caller.resourcesOf(reply, 'List');
  const isSecondary = (list: unknown) =>
    String(caller.at(list, 'code.coding.0.system')).includes('SecondaryListValues');

  describe('errors of the provider', () => {
    for (const [code, [status]] of Object.entries(providerErrors)) {
      it(`${status} ${code}`, async () => {
        const reply = await ask(code as keyof typeof providerErrors);
        assert.deepEqual([reply.status, caller.issueOf(reply).code], [status, code]);
      });
    }
  });

  it('errors of the proxy', async () => {
    const expected: [Scenario['name'], number, RegExp][] = [
      ['senderNotRegistered', 403, /^ASID_CHECK_FAILED_MESSAGESENDER_200000000115$/],
      ['receiverNotRegistered', 403, /MESSAGERECEIVER_918999000101$/],
      ['notFirstOfType', 403, /^FOT_CHECK_FAILED_MESSAGESENDER_200000000115_MESSAGERECEIVER_/],
      ['addressVaries', 400, /_CPAID_\w+_VARIES_FROM_TARGETURL_https/],
      ['methodNotAllowed', 405, /Method Not Allowed/],
      ['unsupportedMediaType', 415, /^Unsupported_Media_Type$/],
      ['unreachable', 502, /^ERROR_COMMUNICATING_TO_ENDPOINT_URL_https/],
      ['proxyTimeout', 504, /^TIMEOUT/],
    ];
    for (const [name, status, display] of expected) {
      const reply = await ask(name);
      assert.equal(reply.status, status, name);
      assert.match(caller.issueOf(reply).display, display);
    }
    const noCertificate = await ask('noCertificate');
    assert.equal(noCertificate.status, 496);
    assert.equal(noCertificate.json, undefined);
  });

  it('PDS: what it says and what it refuses', async () => {
    const id = caller.at((await pds('superseded')).json, 'id');
    assert.notEqual(id, caller.nel);
    assert.equal(caller.at((await pds('restricted')).json, 'meta.security.0.code'), 'R');
    assert.ok(caller.at((await pds('deceased')).json, 'deceasedDateTime'));
    assert.equal(caller.at((await pds('noPractice')).json, 'generalPractitioner'), undefined);
    const period = caller.at(
      (await pds('expiredPractice')).json,
      'generalPractitioner.0.identifier.period.end',
    );
    assert.equal(period, '2025-12-31');
    assert.equal(caller.at((await pds('otherDemographics')).json, 'name.0.family'), 'Otherwise');
    const errors: [Scenario['name'], number][] = [
      ['notFound', 404],
      ['invalidated', 404],
      ['tooManyRequests', 429],
      ['pdsError', 500],
      ['pdsTimeout', 408],
      ['pdsDenied', 403],
    ];
    for (const [name, status] of errors) assert.equal((await pds(name)).status, status, name);
  });

  it('SDS: nothing, too much, nowhere, elsewhere each time', async () => {
    const total = (reply: Reply) => caller.at(reply.json, 'total');
    assert.equal(total(await sds('Endpoint', 'noEndpoint')), 0);
    assert.equal(total(await sds('Endpoint', 'twoEndpoints')), 2);
    assert.equal(total(await sds('Device', 'noDevice')), 0);
    assert.equal(total(await sds('Device', 'twoDevices')), 2);
    assert.equal((await sds('Device', 'sdsError')).status, 500);
    const address = (reply: Reply) => caller.at(reply.json, 'entry.0.resource.address');
    assert.equal(address(await sds('Endpoint', 'noAddress')), undefined);
  });

  it('SDS: an address that moves is valid only as it was given last', async () => {
    const other = await caller.start();
    try {
      other.set(caller.nel, 'addressMoves');
      const look = async () => {
        const query = new URLSearchParams({
          organization: 'https://fhir.nhs.uk/Id/ods-organization-code|Z99901',
          identifier: `https://fhir.nhs.uk/Id/nhsServiceInteractionId|${caller.structured}`,
        });
        const reply = await caller.call(`${other.sds}/Endpoint?${query}`);
        return String(caller.at(reply.json, 'entry.0.resource.address'));
      };
      const first = await look();
      const second = await look();
      assert.notEqual(first, second);
      const at = (address: string) =>
        caller.ask(other, { practice: { address, asid: caller.willowbeck.asid } });
      assert.equal((await at(second)).status, 200);
      assert.match(caller.issueOf(await at(first)).display, /^ENDPOINT_.*_VARIES_FROM_TARGETURL_/);
    } finally {
      await other.close();
    }
  });

  describe('silences', () => {
    const warningsOf = (list: unknown) =>
      caller
        .listAt(list, 'extension')
        .filter((each) => warningUrl.test(String(caller.at(each, 'url'))))
        .map((each) => caller.at(each, 'valueCode'));

    it('nothing recorded', async () => {
      const reply = await ask('nothingRecorded');
      for (const list of lists(reply)) assert.ok(caller.at(list, 'emptyReason'));
      assert.equal(caller.resourcesOf(reply, 'AllergyIntolerance').length, 0);
      assert.equal(lists(reply).length, 4);
    });

    const codes = {
      confidentialItems: 'confidential-items',
      dataInTransit: 'data-in-transit',
      dataAwaitingFiling: 'data-awaiting-filing',
    } as const;
    for (const [name, code] of Object.entries(codes)) {
      it(code, async () => {
        const reply = await ask(name as keyof typeof codes);
        const primary = lists(reply).filter((list) => !isSecondary(list));
        assert.equal(primary.length, 4);
        for (const list of primary) {
          assert.deepEqual(warningsOf(list), [code]);
          assert.ok(String(caller.at(list, 'note.0.text')).length > 20);
        }
      });
    }

    const said = (reply: Reply) =>
      caller
        .resourcesOf(reply, 'OperationOutcome')
        .flatMap((outcome) => caller.listAt(outcome, 'issue'))
        .map((issue) => caller.at(issue, 'details.text'));

    it('areas disabled, unknown, or passed over without a word', async () => {
      assert.deepEqual(said(await ask('areasDisabled')), [
        'includeMedication has been disabled',
        'includeProblems has been disabled',
      ]);
      assert.deepEqual(said(await ask('areasUnknown')), [
        'includeMedication is an unrecognised parameter',
        'includeProblems is an unrecognised parameter',
      ]);
      const silent = await ask('areaSilent');
      assert.deepEqual(said(silent), []);
      assert.equal(caller.listOf(silent, '717711000000103'), undefined);
      assert.equal(caller.resourcesOf(silent, 'Condition').length, 0);
    });

    it('an area disabled, disabled items and confidential items at once', async () => {
      const reply = await ask('disabledAndConfidential');
      assert.deepEqual(said(reply), ['includeProblems has been disabled']);
      const medication = caller.listOf(reply, '933361000000108');
      assert.deepEqual(warningsOf(medication), ['confidential-items']);
      const items = caller.listAt(medication, 'entry').map((entry) => caller.at(entry, 'item'));
      assert.deepEqual(items.at(-1), { display: 'Referral items have been disabled' });
    });
  });

  describe('defects', () => {
    const ids = (reply: Reply) =>
      caller
        .listAt(reply.json, 'entry')
        .map((entry) => caller.at(entry, 'resource'))
        .filter((each) => caller.at(each, 'id') !== undefined)
        .map(
          (each) => `${String(caller.at(each, 'resourceType'))}/${String(caller.at(each, 'id'))}`,
        );

    it('ended allergies both contained and beside', async () => {
      const reply = await ask('resolvedTwice');
      const contained = caller.at(caller.listOf(reply, '1103671000000101'), 'contained.0.id');
      assert.ok(ids(reply).includes(`AllergyIntolerance/${String(contained)}`));
      const active = caller.listAt(caller.listOf(reply, '886921000000105'), 'entry');
      assert.equal(active.length, 3);
    });

    it('references that lead nowhere', async () => {
      const reply = await ask('danglingReference');
      const list = caller.listOf(reply, '886921000000105');
      const last = caller.at(caller.listAt(list, 'entry').at(-1), 'item.reference');
      assert.ok(!ids(reply).includes(String(last)));
      assert.equal(caller.resourcesOf(reply, 'Practitioner').length, 0);
    });

    it('ids that repeat, and Lists without one', async () => {
      const repeated = ids(await ask('repeatedId'));
      assert.ok(new Set(repeated).size < repeated.length);
      sim.set('9990000034', 'listsWithoutId');
      const reply = await caller.ask(sim, { practice: caller.harbour, nhsNumber: '9990000034' });
      sim.set('9990000034', undefined);
      for (const list of lists(reply)) assert.equal(caller.at(list, 'id'), undefined);
    });

    it('someone else, or the same number under another name', async () => {
      const numberOf = (reply: Reply) =>
        caller.at(caller.resourcesOf(reply, 'Patient')[0], 'identifier.0.value');
      assert.notEqual(numberOf(await ask('otherPatient')), caller.nel);
      const renamed = await ask('otherName');
      assert.equal(numberOf(renamed), caller.nel);
      const family = caller.at(caller.resourcesOf(renamed, 'Patient')[0], 'name.0.family');
      assert.equal(family, 'Otherwise');
    });

    it('a record of 3 MB, each resource with an id of its own', async () => {
      const reply = await ask('large');
      assert.ok(reply.text.length >= 3_000_000 && reply.text.length < 3_100_000);
      const all = ids(reply);
      assert.equal(new Set(all).size, all.length);
    });
  });

  describe('on the wire', () => {
    it('a reset and an end inside the body are errors of the connection', async () => {
      await assert.rejects(ask('reset'), { code: /ECONNRESET|UND_ERR_SOCKET/ });
      await assert.rejects(ask('cutShort'));
    });

    it('half of a gzip stream, in complete HTTP', async () => {
      sim.set(caller.nel, { name: 'truncatedGzip', at: 'pds' });
      const { statusCode, headers, body } = await request(`${sim.pds}/Patient/${caller.nel}`, {
        headers: { 'x-request-id': randomUUID(), 'accept-encoding': 'gzip' },
      });
      assert.deepEqual([statusCode, headers['content-encoding']], [200, 'gzip']);
      const bytes = Buffer.from(await body.arrayBuffer());
      assert.throws(() => gunzipSync(bytes), { code: 'Z_BUF_ERROR' });
    });

    it('no answer at all until the caller gives up', async () => {
      sim.set(caller.nel, { name: 'hang', at: 'pds' });
      const pending = request(`${sim.pds}/Patient/${caller.nel}`, {
        headers: { 'x-request-id': randomUUID() },
        signal: AbortSignal.timeout(50),
      });
      await assert.rejects(pending, { name: 'TimeoutError' });
    });

    it('late, and then as always', async () => {
      const began = performance.now();
      const reply = await ask({ name: 'slow', ms: 60 });
      assert.equal(reply.status, 200);
      assert.ok(performance.now() - began >= 55);
    });

    it('unreadable, empty or too long', async () => {
      const gateway = await ask('notJson502');
      assert.deepEqual([gateway.status, gateway.json], [502, undefined]);
      assert.equal((await ask('unavailable')).status, 503);
      assert.match((await ask('notJson')).text, /^The record/);
      assert.equal((await ask('empty')).text, '');
      const long = await ask({ name: 'oversize', bytes: 1_000_000 });
      assert.equal(long.text.length, 1_000_000);
      assert.equal(caller.at(JSON.parse(long.text), 'resourceType'), 'Bundle');
    });

    it('at any place that is told', async () => {
      assert.equal((await pds({ name: 'notJson502', at: 'pds' })).status, 502);
      assert.equal((await ask({ name: 'unavailable', at: 'proxy' })).status, 503);
      sim.set(caller.nel, { name: 'unavailable', at: 'sds' });
      assert.equal((await sds('Endpoint')).status, 503);
    });
  });

  it('fails so many times and then works', async () => {
    sim.set(caller.nel, { name: 'INTERNAL_SERVER_ERROR', first: 2 });
    const statuses = [];
    for (let turn = 0; turn < 3; turn++) statuses.push((await caller.ask(sim)).status);
    assert.deepEqual(statuses, [500, 500, 200]);
  });

  it('is met by one patient only', async () => {
    sim.set(caller.nel, 'INTERNAL_SERVER_ERROR');
    assert.equal((await caller.ask(sim, { nhsNumber: '9990000018' })).status, 200);
  });

  it('comes with the patient, or with the start', async () => {
    assert.equal(
      caller.issueOf(await caller.ask(sim, { nhsNumber: '9990000204' })).code,
      'NO_PATIENT_CONSENT',
    );
    const other = await caller.start({ faults: { [caller.nel]: 'PATIENT_NOT_FOUND' } });
    try {
      assert.equal((await caller.ask(other)).status, 404);
    } finally {
      await other.close();
    }
    await assert.rejects(caller.start({ faults: { x: 'noSuch' as 'hang' } }), /no such scenario/);
  });

  it('is switched over HTTP from this machine', async () => {
    const url = `${sim.url}/_sim/patients/${caller.nel}/scenario`;
    const put = (value: unknown) =>
      caller.call(url, { method: 'PUT', body: JSON.stringify(value) });
    assert.equal((await put({ name: 'ACCESS DENIED', first: 1 })).status, 200);
    assert.equal((await caller.ask(sim)).status, 403);
    assert.equal((await caller.ask(sim)).status, 200);
    assert.equal((await put('hang')).status, 200);
    assert.equal((await caller.call(url, { method: 'DELETE' })).status, 200);
    assert.equal((await caller.ask(sim)).status, 200);
    for (const wrong of ['noSuch', { name: 'slow', ms: -1 }, { name: 'slow', of: 1 }, 5]) {
      assert.equal((await put(wrong)).status, 400);
    }
    const unknown = url.replace(caller.nel, '9990000581');
    assert.equal((await caller.call(unknown, { method: 'DELETE' })).status, 404);
    const listed = (await caller.call(`${sim.url}/_sim/scenarios`)).text;
    assert.equal((JSON.parse(listed) as unknown[]).length, scenarios.size);
  });

  it('keeps what was asked and says why it refused, without the patient', async () => {
    const lines: string[] = [];
    const other = await caller.start({
      emit: (name, fields) => lines.push(JSON.stringify({ name, ...fields })),
    });
    try {
      await caller.ask(other);
      await caller.ask(other, { headers: { 'ssp-from': '200000000999' } });
      await caller.call(`${other.pds}/Patient/${caller.nel}`);
      const seen = other.asked.map(({ system, status, refused }) => [
        system,
        status,
        refused?.code,
      ]);
      assert.deepEqual(seen, [
        ['ssp', 200, undefined],
        ['ssp', 403, '403'],
        ['pds', 400, 'MISSING_VALUE'],
      ]);
      assert.match(other.asked[1]?.refused?.why ?? '', /^ASID_CHECK_FAILED/);
      assert.ok(lines.some((line) => line.includes('simulator.refused')));
      assert.ok(!lines.join().includes(caller.nel));
    } finally {
      await other.close();
    }
  });
});
