import assert from 'node:assert/strict';
import { createDocuments } from '../../engine/gp/documents.ts';
import type { RecordRequest } from '../../engine/gp/port.ts';
import {
  type Handler,
  type Seen,
  asker,
  attempt,
  client,
  closeAll,
  json,
  operationOutcome,
  serve,
} from './outside.ts';

const nhsNumber = '9000000009';
const spine = 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1';
const documents = 'urn:nhs:names:services:gpconnect:documents:fhir:rest';
const options = {
  issuer: 'https://gatehouse.example/',
  device: { id: 'gatehouse-1', model: 'Gatehouse', version: '0.1' },
  organisations: [{ ods: 'R0A', asid: '200000000115' }],
};

const patient = (number = nhsNumber, id = '04603d77') => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: number }],
});
const reference = (
  id: string,
  attachment: object = { url: `https://gp.example/Binary/${id}` },
) => ({
  resourceType: 'DocumentReference',
  id,
  content: [{ attachment }],
});
const searchset = (...resources: object[]) => ({
  resourceType: 'Bundle',
  type: 'searchset',
  entry: resources.map((resource) => ({ resource })),
});
const binary = (content: unknown) => ({
  resourceType: 'Binary',
  contentType: 'text/plain',
  content,
});

interface Replies {
  patients?: Handler;
  search?: Handler;
  binary?: Handler;
}

/** A practice that answers each of the three questions, each as told. */
const practice =
  ({ patients, search, binary: one }: Replies): Handler =>
  (seen, response) => {
    const good = json(200, searchset(patient()));
    let handler = patients ?? good;
    if (seen.path.includes('/DocumentReference')) handler = search ?? good;
    if (seen.path.includes('/Binary/')) handler = one ?? json(200, binary('bGV0dGVy'));
    handler(seen, response);
  };

async function ask(
  replies: Replies,
  more: { content?: boolean; request?: Partial<RecordRequest> } = {},
) {
  const server = await serve(practice(replies));
  const ask = createDocuments(
    { ...options, content: more.content ?? false },
    client({ name: 'gp' }),
  );
  const endpoint = {
    kind: 'gpconnect',
    name: 'gp',
    address: `${server.url}/fhir/`,
    asid: '2',
  } as const;
  const request: RecordRequest = { nhsNumber, datasets: ['DOC'], ...more.request };
  const outcome = await ask(request, endpoint, asker, attempt());
  const bundle = outcome.value && 'bundle' in outcome.value ? outcome.value.bundle : undefined;
  const { entry = [] } = (bundle ?? {}) as { entry?: { resource: Record<string, unknown> }[] };
  const resources = entry.map(({ resource }) => resource);
  const list = resources.find(({ resourceType }) => resourceType === 'List') as
    | {
        note: { text: string }[];
        entry: { item: { reference?: string; display?: string } }[];
        emptyReason?: object;
      }
    | undefined;
  return { ...outcome, seen: server.seen, resources, list };
}

const asked = (seen: Seen[]) =>
  seen.map(({ method, path, headers }) => [
    method,
    path.replace(/\?.*/, ''),
    String(headers['ssp-interactionid']).replace(`${documents}:`, ''),
  ]);

describe('asking for documents', () => {
  afterEach(closeAll);

  it('finds the patient, then the documents with all they are made by', async () => {
    const { seen, event, list, value } = await ask({
      search: json(200, searchset(patient(), reference('D1'))),
    });
    assert.equal(event, 'reply');
    assert.deepEqual(asked(seen), [
      ['GET', '/fhir/Patient', 'search:patient-1'],
      ['GET', '/fhir/Patient/04603d77/DocumentReference', 'search:documentreference-1'],
    ]);
    const [first, second] = seen.map(({ path }) => new URL(path, 'http://gp').searchParams);
    assert.equal(first?.get('identifier'), `https://fhir.nhs.uk/Id/nhs-number|${nhsNumber}`);
    assert.deepEqual(second?.getAll('_include'), [
      'DocumentReference:subject:Patient',
      'DocumentReference:custodian:Organization',
      'DocumentReference:author:Organization',
      'DocumentReference:author:Practitioner',
    ]);
    assert.deepEqual(second?.getAll('_revinclude:recurse'), ['PractitionerRole:practitioner']);
    assert.equal(second?.has('created'), false);
    for (const { headers } of seen) {
      assert.equal(headers.accept, 'application/fhir+json;charset=utf-8');
      assert.equal(headers['ssp-to'], '2');
      assert.match(String(headers.authorization), /^Bearer [\w-]+\.[\w-]+\.$/);
    }
    assert.deepEqual(list?.entry, [{ item: { reference: 'DocumentReference/D1' } }]);
    assert.equal(value && 'limit' in value && value.limit, undefined);
  });

  it('asks for the dates of the query, and says what was not asked for', async () => {
    const request = { from: '2024-01-01', to: '2024-12-31' };
    const { seen, value } = await ask({}, { request });
    const search = new URL(seen[1]?.path ?? '', 'http://gp').searchParams;
    assert.deepEqual(search.getAll('created'), ['ge2024-01-01', 'le2024-12-31']);
    assert.equal(
      value && 'limit' in value && value.limit,
      'Documents made before 2024-01-01 and after 2024-12-31 were not asked for',
    );
  });

  it('says that there are none, what the GP system says of it, and what that does not say', async () => {
    const note = {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'warning', details: { text: 'Some documents are held elsewhere' } }],
    };
    const { list, resources } = await ask({ search: json(200, searchset(patient(), note)) });
    assert.deepEqual(list?.emptyReason, { coding: [{ code: 'no-content-recorded' }] });
    assert.deepEqual(
      list?.note.map(({ text }) => text.slice(0, 33)),
      ['Some documents are held elsewhere', 'GP systems do not share documents'],
    );
    assert.ok(!resources.some(({ resourceType }) => resourceType === 'OperationOutcome'));
  });

  it('says so where the GP system holds more than it listed', async () => {
    const first = {
      ...searchset(patient(), reference('D1')),
      link: [{ relation: 'next', url: 'x' }],
    };
    const { list } = await ask({ search: json(200, first) });
    assert.equal(list?.entry[1]?.item.display, 'The GP system holds more documents than it listed');
  });

  it('fetches each document from the practice itself, whatever its address says', async () => {
    const away = reference('D1', { url: 'https://elsewhere.example/fhir/Binary/b-1' });
    const found = json(200, searchset(patient(), away, reference('D2')));
    const { seen, resources, list } = await ask({ search: found }, { content: true });
    assert.deepEqual(asked(seen).slice(2), [
      ['GET', '/fhir/Binary/b-1', 'read:binary-1'],
      ['GET', '/fhir/Binary/D2', 'read:binary-1'],
    ]);
    const [document] = resources.filter(({ resourceType }) => resourceType === 'DocumentReference');
    assert.deepEqual(document?.content, [
      { attachment: { url: 'https://elsewhere.example/fhir/Binary/b-1', data: 'bGV0dGVy' } },
    ]);
    assert.equal(list?.entry.length, 2);
  });

  const unfetched: [string, object, Handler | undefined, RegExp, number][] = [
    ['has another address', { url: 'https://gp.example/x?Binary' }, undefined, /address is not/, 0],
    [
      'has a path for its id',
      { url: 'https://gp.example/Binary/../Patient' },
      undefined,
      /address is not/,
      0,
    ],
    ['says it is over 5 MB', { url: 'x/Binary/1', size: 5242881 }, undefined, /over 5 MB/, 0],
    [
      'is over 5 MB',
      { url: 'x/Binary/1' },
      json(200, binary('A'.repeat(7_000_000))),
      /over 5 MB/,
      1,
    ],
    ['holds nothing', { url: 'x/Binary/1' }, json(200, binary(undefined)), /holds no document/, 1],
    ['cannot be had', { url: 'x/Binary/1' }, json(503, {}), /did not give it \(HTTP 503\)/, 1],
    ['is no Binary', { url: 'x/Binary/1' }, json(200, patient()), /did not give it/, 1],
  ];
  for (const [how, attachment, reply, why, fetches] of unfetched) {
    it(`lists a document that ${how}, and says so`, async () => {
      const found = json(200, searchset(patient(), reference('D1', attachment)));
      const { event, list, seen } = await ask({ search: found, binary: reply }, { content: true });
      assert.equal(event, 'reply');
      assert.equal(seen.length, 2 + fetches);
      assert.deepEqual(list?.entry[0], { item: { reference: 'DocumentReference/D1' } });
      assert.match(list?.entry[1]?.item.display ?? '', /^Document D1 is listed and not fetched: /);
      assert.match(list?.entry[1]?.item.display ?? '', why);
    });
  }

  it('does not try to fetch a document that has no address: its reference says why', async () => {
    const found = json(200, searchset(patient(), reference('D1', { title: 'Too large' })));
    const { list, seen } = await ask({ search: found }, { content: true });
    assert.deepEqual([list?.entry.length, seen.length], [1, 2]);
  });

  const ends: [string, Replies, string, string, number][] = [
    [
      'the patient is unknown',
      { patients: json(200, searchset()) },
      'notFound',
      'patientNotFound',
      1,
    ],
    [
      'it is someone else',
      { patients: json(200, searchset(patient('9000000017'))) },
      'permanent',
      'wrongPatient',
      1,
    ],
    [
      'there are two',
      { patients: json(200, searchset(patient(), patient(nhsNumber, '2'))) },
      'transient',
      'gpReplyUnreadable',
      1,
    ],
    [
      'the id is none',
      { patients: json(200, searchset(patient(nhsNumber, '../1'))) },
      'transient',
      'gpReplyUnreadable',
      1,
    ],
    [
      'access is denied',
      { patients: json(403, operationOutcome(spine, 'ACCESS DENIED')) },
      'refused',
      'gpAccessDenied',
      1,
    ],
    ['the search fails', { search: json(500, {}) }, 'transient', 'gpUnavailable', 2],
    [
      'documents are of another',
      { search: json(200, searchset(patient('9000000017'), reference('D1'))) },
      'permanent',
      'wrongPatient',
      2,
    ],
    [
      'no searchset comes',
      { search: json(200, { ...searchset(), type: 'collection' }) },
      'transient',
      'gpReplyUnreadable',
      2,
    ],
  ];
  for (const [when, replies, event, fault, hops] of ends) {
    it(`ends with ${fault} where ${when}`, async () => {
      const outcome = await ask(replies);
      assert.deepEqual([outcome.event, outcome.fault?.name], [event, fault]);
      assert.equal(outcome.value, undefined);
      assert.equal(outcome.hops.length, hops);
    });
  }
});
