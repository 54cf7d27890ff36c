/** The HTML view, the documents and the gateway of the simulated NHS side: each good request spoilt once. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { careRecordClaims, sectionParameters, sections } from '../../engine/gp/html-request.ts';
import type { GpSimulator } from '../../engine/simulator/gp.ts';
import { asker } from '../gp/outside.ts';
import * as caller from './caller.ts';

type Json = Record<string, unknown>;
const ashdown = '9990000069';
const careRecord = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord';
const documents = 'urn:nhs:names:services:gpconnect:documents:fhir:rest:';
const requester = {
  issuer: 'https://hospital.example',
  device: { id: 'gatehouse-1', model: 'Gatehouse', version: '0.1' },
};
const headersTo = (practice: { asid: string }, interaction: string, mediaType: string) => ({
  accept: mediaType,
  'content-type': mediaType,
  'ssp-traceid': randomUUID(),
  'ssp-from': '200000000115',
  'ssp-to': practice.asid,
  'ssp-interactionid': interaction,
});

interface HtmlChange {
  section?: string;
  period?: object;
  parameters?: (parameters: Json[]) => Json[];
  claims?: (claims: Json) => Json;
  headers?: Record<string, string>;
}

/** Ask for a section of the HTML view through the proxy. */
async function askSection(sim: GpSimulator, change: HtmlChange = {}) {
  const section = sections.find(({ code }) => code === (change.section ?? 'ALL'));
  assert.ok(section);
  const body = sectionParameters(ashdown, section, {}) as { parameter: Json[] };
  if (change.period) body.parameter.push({ name: 'timePeriod', valuePeriod: change.period });
  body.parameter = change.parameters?.(body.parameter) ?? body.parameter;
  const claims = careRecordClaims(requester, ashdown, asker, '10019', Date.now());
  return caller.call(`${sim.ssp}/${caller.harbour.address}Patient/$gpc.getcarerecord`, {
    method: 'POST',
    headers: {
      ...headersTo(caller.harbour, careRecord, 'application/json+fhir'),
      authorization: caller.token(change.claims?.(claims) ?? claims),
      ...change.headers,
    },
    body: JSON.stringify(body),
  });
}

describe('simulator: the HTML view', () => {
  let sim: GpSimulator;
  before(async () => {
    sim = await caller.start();
  });
  after(() => sim.close());

  it('answers with one section, and the patient it is about, in the words of DSTU2', async () => {
    const reply = await askSection(sim, { section: 'MED' });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers['content-type'], 'application/json+fhir');
    assert.equal(caller.at(reply.json, 'type'), 'searchset');
    const [composition] = caller.resourcesOf(reply, 'Composition');
    assert.equal(caller.at(composition, 'section.0.code.coding.0.code'), 'MED');
    assert.match(String(caller.at(composition, 'section.0.text.div')), /^<div.*Medication/s);
    const [patient] = caller.resourcesOf(reply, 'Patient');
    assert.deepEqual(caller.at(patient, 'name.0.family'), ['Ashdown']);
  });

  it('says of a section without data that none is recorded', async () => {
    const reply = await askSection(sim, { section: 'REF' });
    assert.match(reply.text, /No 'Referrals' data is recorded for this patient\./);
  });

  it('takes dates for sections of dated entries', async () => {
    const period = { start: '2025-01-01', end: '2025-12-31' };
    assert.equal((await askSection(sim, { section: 'ENC', period })).status, 200);
  });

  const other = { system: 'http://fhir.nhs.net/Id/nhs-number', value: caller.nel };
  const spoilt: [string, HtmlChange, number, string][] = [
    [
      'the media type of STU3',
      { headers: { 'content-type': 'application/fhir+json' } },
      415,
      '415',
    ],
    [
      'dates for a section that takes none',
      { period: { start: '2025-01-01' } },
      400,
      'BAD_REQUEST',
    ],
    [
      'dates that are none',
      { section: 'ENC', period: { start: 'June' } },
      422,
      'INVALID_PARAMETER',
    ],
    [
      'an unknown parameter',
      { parameters: (p) => [...p, { name: 'x' }] },
      422,
      'INVALID_PARAMETER',
    ],
    ['two sections', { parameters: (p) => [...p, p[1] ?? {}] }, 422, 'INVALID_PARAMETER'],
    ['no patient', { parameters: (p) => p.slice(1) }, 422, 'INVALID_PARAMETER'],
    [
      'the audience of STU3',
      { claims: (c) => ({ ...c, aud: caller.harbour.address }) },
      400,
      'BAD_REQUEST',
    ],
    [
      'the scope of STU3',
      { claims: (c) => ({ ...c, requested_scope: 'patient/*.read conf/N' }) },
      400,
      'BAD_REQUEST',
    ],
    ['no requested_record', { claims: ({ requested_record: _, ...c }) => c }, 400, 'BAD_REQUEST'],
    [
      'the record of another',
      {
        claims: (c) => ({
          ...c,
          requested_record: { resourceType: 'Patient', identifier: [other] },
        }),
      },
      400,
      'BAD_REQUEST',
    ],
    [
      'a Device without an id',
      { claims: (c) => ({ ...c, requesting_device: { resourceType: 'Device' } }) },
      400,
      'BAD_REQUEST',
    ],
    [
      'a practitioner of STU3',
      {
        claims: (c) => ({
          ...c,
          requesting_practitioner: caller.goodClaims('').requesting_practitioner,
        }),
      },
      400,
      'BAD_REQUEST',
    ],
  ];
  for (const [what, change, status, code] of spoilt) {
    it(`refuses ${what}`, async () => {
      const reply = await askSection(sim, change);
      const named = caller.issueOf(reply).code || caller.at(reply.json, 'issue.0.code');
      assert.deepEqual([reply.status, named], [status, code], reply.text);
    });
  }
});

describe('simulator: documents', () => {
  let sim: GpSimulator;
  before(async () => {
    sim = await caller.start();
  });
  after(() => sim.close());

  const search = 'search:documentreference-1';
  const get = (path: string, interaction: string) =>
    caller.call(`${sim.ssp}/${caller.willowbeck.address}/${path}`, {
      headers: {
        ...headersTo(caller.willowbeck, documents + interaction, 'application/fhir+json'),
        authorization: caller.token(caller.goodClaims(caller.willowbeck.address)),
      },
    });
  const findPatient = (identifier: string) =>
    get(`Patient?${new URLSearchParams({ identifier })}`, 'search:patient-1');
  const included = (query: Record<string, string> = {}) =>
    new URLSearchParams([
      ['_include', 'DocumentReference:subject:Patient'],
      ['_include', 'DocumentReference:custodian:Organization'],
      ['_include', 'DocumentReference:author:Organization'],
      ['_include', 'DocumentReference:author:Practitioner'],
      ['_revinclude:recurse', 'PractitionerRole:practitioner'],
      ...Object.entries(query),
    ]);

  it('finds the patient, lists the documents within the dates, and gives one', async () => {
    const found = await findPatient(`https://fhir.nhs.uk/Id/nhs-number|${caller.nel}`);
    const [patient] = caller.resourcesOf(found, 'Patient');
    const path = `Patient/${String(caller.at(patient, 'id'))}/DocumentReference`;
    const all = caller.resourcesOf(await get(`${path}?${included()}`, search), 'DocumentReference');
    const dated = await get(`${path}?${included({ created: 'ge2025-01-01' })}`, search);
    assert.deepEqual(
      caller.resourcesOf(dated, 'DocumentReference').map((one) => caller.at(one, 'id')),
      ['D-0002'],
    );
    assert.equal(all.length, 4);
    const url = String(caller.at(all[0], 'content.0.attachment.url'));
    const one = await get(`Binary/${url.split('/').at(-1)}`, 'read:binary-1');
    const text = Buffer.from(String(caller.at(one.json, 'content')), 'base64');
    assert.equal(text.length, caller.at(all[0], 'content.0.attachment.size'));

    const spoilt = await get(`${path}?created=ge2025-01-01`, search);
    assert.deepEqual([spoilt.status, caller.issueOf(spoilt).code], [422, 'INVALID_PARAMETER']);
    const misnamed = await get(`${path}?${included()}`, 'search:patient-1');
    assert.deepEqual([misnamed.status, caller.issueOf(misnamed).code], [400, 'BAD_REQUEST']);
  });

  it('refuses another identifier system, a wrong number, and a document that is not there', async () => {
    const replies = await Promise.all([
      findPatient(`https://fhir.nhs.uk/Id/other|${caller.nel}`),
      findPatient('https://fhir.nhs.uk/Id/nhs-number|1234567890'),
      get('Binary/none', 'read:binary-1'),
    ]);
    assert.deepEqual(
      replies.map((reply) => caller.issueOf(reply).code),
      ['INVALID_IDENTIFIER_SYSTEM', 'INVALID_NHS_NUMBER', 'NO_RECORD_FOUND'],
    );
  });
});

describe('simulator: the Clinical Data Gateway', () => {
  let sim: GpSimulator;
  before(async () => {
    sim = await caller.start({ credentials: { gatewayToken: 'a-token' } });
  });
  after(() => sim.close());

  const claims = caller.goodClaims('');
  const identity = {
    name: 'identity',
    part: [
      { name: 'issuer', value: claims.iss },
      { name: 'requestingDevice', resource: claims.requesting_device },
      { name: 'requestingPractitioner', resource: claims.requesting_practitioner },
    ],
  };
  const ask = (change: {
    headers?: Record<string, string>;
    parameters?: object[];
    body?: string;
  }) =>
    caller.call(`${sim.cdg}/patient/$gpc.getstructuredrecord`, {
      method: 'POST',
      headers: {
        'content-type': 'application/fhir+json',
        'ods-from': 'R0A',
        'ssp-traceid': randomUUID(),
        authorization: 'Bearer a-token',
        ...change.headers,
      },
      body:
        change.body ??
        JSON.stringify({
          resourceType: 'Parameters',
          parameter: change.parameters ?? [
            caller.nhsParameter(caller.nel),
            caller.allergies,
            identity,
          ],
        }),
    });

  it('finds the practice itself and passes its record on', async () => {
    const reply = await ask({});
    assert.equal(reply.status, 200);
    assert.equal(caller.at(reply.json, 'type'), 'collection');
    assert.equal(caller.resourcesOf(reply, 'AllergyIntolerance').length > 0, true);
  });

  const spoilt: [string, Parameters<typeof ask>[0], number, RegExp][] = [
    ['another token', { headers: { authorization: 'Bearer x' } }, 401, /Access Denied/],
    ['no organisation', { headers: { 'ods-from': ' ' } }, 400, /required header "ODS-from"/],
    ['an unknown organisation', { headers: { 'ods-from': 'RZZ' } }, 404, /consumer ODS code RZZ/],
    ['another media type', { headers: { 'content-type': 'text/plain' } }, 415, /Media Type/],
    ['a body that is no JSON', { body: '<x/>' }, 400, /Invalid JSON/],
    ['nobody who asks', { parameters: [caller.nhsParameter(caller.nel)] }, 500, /Internal/],
    [
      'an unknown patient',
      { parameters: [caller.nhsParameter('9990000581'), identity] },
      502,
      /^PDS .*Not Found$/,
    ],
  ];
  for (const [what, change, status, sentence] of spoilt) {
    it(`answers ${what} with ${status} and a sentence, without a code`, async () => {
      const reply = await ask(change);
      assert.equal(reply.status, status, reply.text);
      assert.match(caller.issueOf(reply).why, sentence);
      assert.equal(caller.issueOf(reply).code, '');
    });
  }
});
