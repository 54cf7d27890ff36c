/** PDS and SDS as a caller sees them: what is found, what is refused, and in which code. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { GpSimulator } from '../../engine/simulator/gp.ts';
import * as caller from './caller.ts';
import type { Reply } from './caller.ts';

const spineSystem = 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode';
const ods = 'https://fhir.nhs.uk/Id/ods-organization-code|';
const interaction = `https://fhir.nhs.uk/Id/nhsServiceInteractionId|${caller.structured}`;
const partyKey = 'https://fhir.nhs.uk/Id/nhsMhsPartyKey|';

describe('simulator: PDS', () => {
  let sim: GpSimulator;
  before(async () => {
    sim = await caller.start();
  });
  after(() => sim.close());

  const read = (nhsNumber: string, headers: Record<string, string> = {}): Promise<Reply> =>
    caller.call(`${sim.pds}/Patient/${nhsNumber}`, {
      headers: { 'x-request-id': randomUUID(), ...headers },
    });
  const practiceOf = (reply: Reply) => caller.at(reply.json, 'generalPractitioner.0.identifier');

  it('gives the patient and the practice current today', async () => {
    const requestId = randomUUID();
    const reply = await read(caller.nel, { 'x-request-id': requestId });
    assert.equal(reply.status, 200);
    assert.equal(caller.at(reply.json, 'id'), caller.nel);
    assert.equal(caller.at(reply.json, 'name.0.family'), 'Nel');
    assert.equal(caller.at(reply.json, 'birthDate'), '1999-02-25');
    assert.equal(caller.at(practiceOf(reply), 'value'), 'Z99901');
    assert.equal(reply.headers['x-request-id'], requestId);
    const moved = practiceOf(await read('9990000042'));
    assert.equal(caller.at(moved, 'value'), 'Z99901', 'not the one left behind');
  });

  it('gives a practice whose period has ended, as it does', async () => {
    const practice = practiceOf(await read('9990000131'));
    assert.equal(caller.at(practice, 'period.end'), '2025-12-31');
  });

  it('tells a superseded number by another id', async () => {
    assert.equal(caller.at((await read('9990000093')).json, 'id'), '9990000026');
  });

  it('keeps the practice of a restricted patient back', async () => {
    const { json } = await read('9990000107');
    assert.equal(caller.at(json, 'meta.security.0.code'), 'R');
    assert.equal(caller.at(json, 'generalPractitioner'), undefined);
  });

  it('says of a patient that they have died, or have no practice', async () => {
    const died = caller.at((await read('9990000115')).json, 'deceasedDateTime');
    assert.match(String(died), /^2026-01-20/);
    assert.equal(practiceOf(await read('9990000123')), undefined);
  });

  it('refuses with the codes of PDS', async () => {
    const refusals: [Reply, number, string][] = [
      [await read('9990000247'), 404, 'RESOURCE_NOT_FOUND'],
      [await read('9990000158'), 404, 'INVALIDATED_RESOURCE'],
      [await read('9465701458'), 400, 'INVALID_RESOURCE_ID'],
      [await read('abc'), 400, 'INVALID_RESOURCE_ID'],
      [await read(caller.nel, { 'x-request-id': 'abc' }), 400, 'INVALID_VALUE'],
      [await read(caller.nel, { 'x-correlation-id': 'abc' }), 400, 'INVALID_VALUE'],
      [await read(caller.nel, { 'nhsd-session-urid': 'UNK' }), 400, 'INVALID_VALUE'],
      [await caller.call(`${sim.pds}/Patient/${caller.nel}`), 400, 'MISSING_VALUE'],
      [
        await caller.call(`${sim.pds}/Patient?family=Nel`, {
          headers: { 'x-request-id': randomUUID() },
        }),
        400,
        'UNSUPPORTED_SERVICE',
      ],
    ];
    for (const [reply, status, code] of refusals) {
      const issue = caller.issueOf(reply);
      assert.deepEqual([reply.status, issue.code, issue.system], [status, code, spineSystem]);
    }
  });

  it('asks for the token it was given, and for nothing without one', async () => {
    const guarded = await caller.start({ credentials: { pdsToken: 'good', sdsApiKey: 'key' } });
    try {
      const get = (authorization?: string) =>
        caller.call(`${guarded.pds}/Patient/${caller.nel}`, {
          headers: { 'x-request-id': randomUUID(), ...(authorization && { authorization }) },
        });
      assert.equal((await get('Bearer good')).status, 200);
      for (const wrong of [undefined, 'Bearer bad', 'Basic good']) {
        const reply = await get(wrong);
        assert.deepEqual([reply.status, caller.issueOf(reply).code], [401, 'ACCESS_DENIED']);
      }
      const search = `${guarded.sds}/Device?organization=${ods}Z99901&identifier=${interaction}`;
      assert.equal((await caller.call(search)).status, 401);
      assert.equal((await caller.call(search, { headers: { apikey: 'key' } })).status, 200);
    } finally {
      await guarded.close();
    }
  });
});

describe('simulator: SDS', () => {
  let sim: GpSimulator;
  before(async () => {
    sim = await caller.start();
  });
  after(() => sim.close());

  const search = (kind: string, ...query: [string, string][]): Promise<Reply> =>
    caller.call(`${sim.sds}/${kind}?${new URLSearchParams(query)}`);
  const endpoints = (practice: string) =>
    search('Endpoint', ['organization', ods + practice], ['identifier', interaction]);
  const devices = (practice: string) =>
    search('Device', ['organization', ods + practice], ['identifier', interaction]);

  it('leads from the practice to its address and ASID', async () => {
    const endpoint = caller.at((await endpoints('Z99901')).json, 'entry.0.resource');
    assert.equal(caller.at(endpoint, 'address'), caller.willowbeck.address);
    const key = caller
      .listAt(endpoint, 'identifier')
      .find((id) => caller.at(id, 'system') === partyKey.slice(0, -1));
    const device = await search(
      'Device',
      ['organization', `${ods}Z99901`],
      ['identifier', interaction],
      ['identifier', partyKey + String(caller.at(key, 'value'))],
    );
    const asid = caller.at(device.json, 'entry.0.resource.identifier.0.value');
    assert.equal(asid, caller.willowbeck.asid);
  });

  it('finds nothing, one or two, as the directory holds', async () => {
    const totals = async (practice: string) => [
      caller.at((await endpoints(practice)).json, 'total'),
      caller.at((await devices(practice)).json, 'total'),
    ];
    assert.deepEqual(await totals('Z99901'), [1, 1]);
    assert.deepEqual(await totals('Z99903'), [1, 0]);
    assert.deepEqual(await totals('Z99904'), [1, 2]);
    assert.deepEqual(await totals('Z99905'), [0, 0]);
    assert.deepEqual(await totals('Z00000'), [0, 0]);
    const other = await search(
      'Device',
      ['organization', `${ods}Z99901`],
      ['identifier', interaction],
      ['identifier', `${partyKey}Z99902-0000202`],
    );
    assert.equal(caller.at(other.json, 'total'), 0);
  });

  it('refuses what it cannot read', async () => {
    const wrong: [Reply, number][] = [
      [await search('Endpoint'), 400],
      [await search('Endpoint', ['organization', 'Z99901'], ['identifier', interaction]), 400],
      [await search('Endpoint', ['organization', `${ods}Z99901`]), 400],
      [await search('Device', ['organization', `${ods}Z99901`], ['identifier', 'x|y']), 400],
      [await search('Endpoint', ['organization', `${ods}Z99901`], ['name', 'x']), 400],
      [await search('Practice', ['organization', `${ods}Z99901`]), 404],
      [await caller.call(`${sim.sds}/Endpoint`, { method: 'POST' }), 405],
      [await caller.call(`${sim.sds}/Endpoint`, { headers: { 'x-correlation-id': 'x' } }), 400],
    ];
    for (const [reply, status] of wrong) {
      assert.equal(reply.status, status);
      assert.equal(caller.issueOf(reply).system, spineSystem);
    }
  });
});
