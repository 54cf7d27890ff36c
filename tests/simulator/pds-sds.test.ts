/** PDS and SDS as a caller sees them: what is found. What they refuse is in conformance/. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { GpSimulator } from '../../engine/simulator/gp.ts';
import * as caller from './caller.ts';
import { application, bearer } from './conformance/application.ts';
import type { Reply } from './caller.ts';

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

  it('tells several registrations that hold, and a death without a date', async () => {
    sim.set('9990000042', { name: 'openPractices' });
    const several = caller.listAt((await read('9990000042')).json, 'generalPractitioner');
    assert.deepEqual(
      several.map((one) => caller.at(one, 'identifier.value')),
      ['Z99902', 'Z99901'],
    );
    sim.set('9990000042', { name: 'deathNotice' });
    const { json } = await read('9990000042');
    assert.equal(caller.at(json, 'deceasedDateTime'), undefined);
    assert.match(String(caller.at(json, 'extension.0.url')), /DeathNotificationStatus$/);
    sim.set('9990000042', undefined);
  });

  it('says how long to wait where it is asked too often', async () => {
    sim.set(caller.nel, { name: 'tooManyRequests', ms: 1500, first: 1 });
    const reply = await read(caller.nel);
    assert.deepEqual([reply.status, reply.headers['retry-after']], [429, '2']);
    assert.equal((await read(caller.nel)).status, 200);
  });

  it('takes a token for ten minutes', async () => {
    let now = Date.now();
    const credentials = { applications: [application()] };
    const guarded = await caller.start({ credentials, now: () => new Date(now) });
    try {
      const authorization = await bearer(guarded);
      const status = async () => {
        const headers = { 'x-request-id': randomUUID(), authorization };
        return (await caller.call(`${guarded.pds}/Patient/${caller.nel}`, { headers })).status;
      };
      assert.equal(await status(), 200);
      now += 598_000;
      assert.equal(await status(), 200);
      now += 2_000;
      assert.equal(await status(), 401);
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
});
