import assert from 'node:assert/strict';
import { createSds } from '../../engine/gp/sds.ts';
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

const interaction = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1';
const id = 'https://fhir.nhs.uk/Id/';

const endpoint = (address: string | undefined, partyKey?: string, more: object = {}) => ({
  resource: {
    resourceType: 'Endpoint',
    status: 'active',
    address,
    identifier: partyKey ? [{ system: `${id}nhsMhsPartyKey`, value: partyKey }] : [],
    ...more,
  },
});
const device = (asid: string | undefined, partyKey?: string) => ({
  resource: {
    resourceType: 'Device',
    identifier: [
      { system: `${id}nhsSpineASID`, value: asid },
      { system: `${id}nhsMhsPartyKey`, value: partyKey },
    ],
  },
});
const bundle = (...entry: object[]) => ({ resourceType: 'Bundle', type: 'searchset', entry });

const home = 'https://gp.example/A12345/STU3/1/gpconnect/';
const key = 'A12345-800000';

/** A directory that answers each search with these entries. */
const directory =
  (endpoints: object[], devices: object[]): Handler =>
  (seen, response) => {
    const entries = seen.path.startsWith('/Endpoint') ? endpoints : devices;
    json(200, bundle(...entries))(seen, response);
  };

async function locate(handler: Handler, to = attempt()) {
  const server = await serve(handler);
  const sds = createSds(
    { url: server.url, access: { kind: 'none' }, destination: 'gpconnect' },
    client({ name: 'sds' }),
  );
  return { outcome: await sds('A12345', asker, to), server };
}

describe('locating a practice by SDS', () => {
  afterEach(closeAll);

  it('asks Endpoint, then Device narrowed by the party key, and gives address and ASID as they are', async () => {
    const to = attempt();
    const server = await serve(directory([endpoint(home, key)], [device('200000000116', key)]));
    const sds = createSds(
      {
        url: `${server.url}/FHIR/R4/`,
        access: { kind: 'apikey', key: 's3cret' },
        destination: 'gpconnect',
      },
      client({ name: 'sds' }),
    );
    server.use((seen, response) => {
      const entries = seen.path.includes('/Endpoint')
        ? [endpoint(home, key)]
        : [device('200000000116', key)];
      json(200, bundle(...entries))(seen, response);
    });
    const outcome = await sds('A12345', asker, to);
    assert.equal(outcome.event, 'found');
    assert.deepEqual(outcome.value, {
      kind: 'gpconnect',
      name: 'gpconnect',
      address: home,
      asid: '200000000116',
    });
    const [first, second] = server.seen.map(({ path }) => new URL(path, server.url));
    assert.equal(first?.pathname, '/FHIR/R4/Endpoint');
    assert.equal(first?.searchParams.get('organization'), `${id}ods-organization-code|A12345`);
    assert.deepEqual(first?.searchParams.getAll('identifier'), [
      `${id}nhsServiceInteractionId|${interaction}`,
    ]);
    assert.equal(second?.pathname, '/FHIR/R4/Device');
    assert.deepEqual(second?.searchParams.getAll('identifier'), [
      `${id}nhsServiceInteractionId|${interaction}`,
      `${id}nhsMhsPartyKey|${key}`,
    ]);
    assert.equal(server.seen[0]?.headers.apikey, 's3cret');
    assert.equal(server.seen[1]?.headers['x-correlation-id'], to.correlationId);
    assert.deepEqual(
      outcome.hops.map((hop) => [hop.to, hop.interaction, hop.status]),
      [
        ['sds', 'SDS Endpoint', 200],
        ['sds', 'SDS Device', 200],
      ],
    );
    assert.equal(to.asked.length, 2);
    for (const hop of outcome.hops) assert.doesNotMatch(textOf(hop.request), /s3cret/);
  });

  const found = { address: home, asid: '200000000116' };
  const cases: [string, object[], object[], 'found' | 'notFound' | RegExp][] = [
    ['no endpoint', [], [], 'notFound'],
    ['an inactive endpoint only', [endpoint(home, key, { status: 'off' })], [], 'notFound'],
    ['no device', [endpoint(home, key)], [], 'notFound'],
    ['a device of another party key only', [endpoint(home, key)], [device('1', 'B')], /party key/],
    [
      'two devices, one with the party key',
      [endpoint(home, key)],
      [device('999999999999', 'OTHER'), device('200000000116', key)],
      'found',
    ],
    [
      'two endpoints, one with a device',
      [endpoint('https://other.example/', 'OTHER'), endpoint(home, key)],
      [device('200000000116', key)],
      'found',
    ],
    [
      'the same entry twice',
      [endpoint(home, key), endpoint(home, key)],
      [device('200000000116', key), device('200000000116', key)],
      'found',
    ],
    [
      'two addresses under one key',
      [endpoint(home, key), endpoint('https://other.example/', key)],
      [device('200000000116', key)],
      /^2 pairs/,
    ],
    [
      'two ASIDs under one key',
      [endpoint(home, key)],
      [device('200000000116', key), device('200000000117', key)],
      /^2 pairs/,
    ],
    ['a blank address', [endpoint('', key)], [device('200000000116', key)], /^blank address$/],
    ['no address', [endpoint(undefined, key)], [device('200000000116', key)], /^blank address$/],
    ['no URL', [endpoint('gp.example', key)], [device('200000000116', key)], /no http/],
    ['a blank ASID', [endpoint(home, key)], [device(' ', key)], /^blank ASID$/],
    ['no party key', [endpoint(home)], [device('200000000116', key)], /party key/],
  ];
  for (const [name, endpoints, devices, expected] of cases) {
    it(`with ${name}: ${expected instanceof RegExp ? 'says so' : expected}`, async () => {
      const { outcome } = await locate(directory(endpoints, devices));
      if (expected === 'found') {
        assert.deepEqual(outcome.value, { kind: 'gpconnect', name: 'gpconnect', ...found });
      } else if (expected === 'notFound') {
        assert.equal(outcome.event, 'notFound');
        assert.equal(outcome.fault?.name, 'practiceNotEnabled');
      } else {
        assert.equal(outcome.event, 'permanent');
        assert.equal(outcome.fault?.name, 'directoryEntryUnusable');
        assert.match(outcome.fault?.detail ?? '', expected);
      }
    });
  }

  const errors: [number, string, string][] = [
    [400, 'permanent', 'lookupRejected'],
    [401, 'permanent', 'accessRefused'],
    [403, 'permanent', 'accessRefused'],
    [404, 'permanent', 'lookupRejected'],
    [405, 'permanent', 'lookupRejected'],
    [406, 'permanent', 'lookupRejected'],
    [408, 'transient', 'directoryUnavailable'],
    [429, 'transient', 'directoryUnavailable'],
    [500, 'transient', 'directoryUnavailable'],
    [502, 'transient', 'directoryUnavailable'],
    [504, 'transient', 'directoryUnavailable'],
  ];
  for (const [status, event, fault] of errors) {
    it(`takes ${status} for ${event}, ${fault}, at either step`, async () => {
      const body = operationOutcome('x', 'UNKNOWN_ERROR');
      const first = await locate(json(status, body));
      const second = await locate((seen, response) => {
        if (seen.path.startsWith('/Endpoint'))
          json(200, bundle(endpoint(home, key)))(seen, response);
        else text(status, '<html>')(seen, response);
      });
      for (const { outcome } of [first, second]) {
        assert.equal(outcome.event, event);
        assert.equal(outcome.fault?.name, fault);
      }
      assert.equal(first.outcome.fault?.detail, `HTTP ${status} UNKNOWN_ERROR`);
      assert.equal(first.outcome.hops.length, 1);
      assert.equal(second.outcome.hops.length, 2);
    });
  }

  it('takes what is no Bundle for unavailable, never for "not enabled"', async () => {
    for (const body of [{}, [], { resourceType: 'Bundle', entry: [{}] }]) {
      const { outcome } = await locate(json(200, body));
      assert.equal(outcome.fault?.name, 'directoryUnavailable');
    }
  });

  it('asks anew every time, since addresses change', async () => {
    const server = await serve(directory([endpoint(home, key)], [device('200000000116', key)]));
    const options = {
      url: server.url,
      access: { kind: 'none' } as const,
      destination: 'gpconnect',
    };
    const sds = createSds(options, client());
    await sds('A12345', asker, attempt());
    server.use(directory([endpoint('https://moved.example/', key)], [device('200000000116', key)]));
    const moved = (await sds('A12345', asker, attempt())).value;
    assert.ok(moved?.kind === 'gpconnect' && moved.address === 'https://moved.example/');
  });

  it('looks a capability up by its own interaction: each has an address of its own', async () => {
    const documents = 'urn:nhs:names:services:gpconnect:documents:fhir:rest:read:binary-1';
    const server = await serve((seen, response) => {
      const of = new URL(seen.path, 'http://sds').searchParams.getAll('identifier')[0] ?? '';
      const address = of.endsWith(documents) ? 'https://gp.example/documents/' : home;
      directory([endpoint(address, key)], [device('200000000116', key)])(seen, response);
    });
    const options = { url: server.url, access: { kind: 'none' } as const, destination: 'g' };
    const addressOf = async (interaction?: string) => {
      const found = await createSds({ ...options, interaction }, client())(
        'A12345',
        asker,
        attempt(),
      );
      return found.value?.kind === 'gpconnect' ? found.value.address : undefined;
    };
    assert.equal(await addressOf(), home);
    assert.equal(await addressOf(documents), 'https://gp.example/documents/');
  });
});
