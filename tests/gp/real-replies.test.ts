/** Published replies of PDS, SDS, the Spine proxy and GP systems, where the folder of them is at hand. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nhsNumbersOf, resourcesOf } from '../../engine/gp/bundle.ts';
import { differences } from '../../engine/gp/demographics.ts';
import { verdict } from '../../engine/gp/gpconnect-errors.ts';
import { createGpConnect } from '../../engine/gp/gpconnect.ts';
import { createPds } from '../../engine/gp/pds.ts';
import { createSds } from '../../engine/gp/sds.ts';
import { nhsNumberValid } from '../../engine/hl7/nhs-number.ts';
import { asker, attempt, client, closeAll, json, serve, text } from './outside.ts';

const data = join(import.meta.dirname, '../../../shared/data/gpconnect');
const read = (file: string) => readFileSync(join(data, file), 'utf8');
const files = (folder: string) =>
  readdirSync(join(data, folder)).map((name) => `${folder}/${name}`);

/** The statuses under which the published errors are sent, and what they are taken for. */
const errors: Record<string, [number, string]> = {
  'example-access-denied': [403, 'gpAccessDenied'],
  'example-attempting-to-register-a-patient-that-already-exists': [409, 'gpRejectedRequest'],
  'example-invalid-nhs-number-supplied': [400, 'nhsNumberInvalid'],
  'example-malformed-json-claim-in-request': [400, 'gpRejectedRequest'],
  'example-no-patient-consent-to-share': [403, 'gpNoPatientConsent'],
  'example-patient-not-found': [404, 'patientNotFound'],
  'example-reference-not-found': [422, 'gpRejectedRequest'],
  'example-resource-not-found': [404, 'patientNotFound'],
  'example-unexpected-exception': [500, 'gpUnavailable'],
  notFoundPatientDocumentResponse: [404, 'patientNotFound'],
  operationOutcomeBadRequest: [400, 'gpRejectedRequest'],
  operationOutcomeInternalServerError: [500, 'gpUnavailable'],
  operationOutcomeInvalidDemographic: [400, 'gpRejectedRequest'],
  operationOutcomeInvalidNHSNumber: [400, 'nhsNumberInvalid'],
  operationOutcomeInvalidParameter: [422, 'gpRejectedRequest'],
  operationOutcomeInvalidResource: [422, 'gpRejectedRequest'],
  operationOutcomeNoRelationship: [403, 'gpNoRelationship'],
  operationOutcomePatientNotFound: [404, 'patientNotFound'],
  'ssp-error-example-error-communicating-to-target-url': [502, 'gpUnavailable'],
  'ssp-error-example-method-not-allowed': [405, 'spineRefused'],
  'ssp-error-example-receiver-asid-is-not-authorised-for-this-i': [403, 'spineRefused'],
  'ssp-error-example-sender-asid-is-not-authorised-for-this-int': [403, 'spineRefused'],
  'ssp-error-example-sender-asid-is-not-authorised-to-send-the-': [403, 'spineRefused'],
  'ssp-error-example-target-url-varies-from-endpoint-registered': [400, 'spineRefused'],
  'ssp-error-example-unsupported-media-type': [415, 'spineRefused'],
};

const lookupErrors: Record<string, [number, string]> = {
  MULTIPLE_MATCHES_FOUND: [400, 'lookupRejected'],
  SINGLE_MATCH_FOUND: [400, 'lookupRejected'],
  empty_authorization_header: [401, 'accessRefused'],
  'empty_x-request_id': [400, 'lookupRejected'],
  invalid_access_token: [401, 'accessRefused'],
  invalid_urid_header: [400, 'lookupRejected'],
  'invalid_x-request_id': [400, 'lookupRejected'],
  missing_authorization_header: [401, 'accessRefused'],
  missing_urid_header: [400, 'lookupRejected'],
  'missing_x-request_id': [400, 'lookupRejected'],
  sds_error_response: [500, 'traceUnavailable'],
  too_many_matches: [200, 'traceUnavailable'],
};

describe('published replies', function () {
  before(function () {
    if (!existsSync(data)) {
      console.log('      skipped: ../shared/data/gpconnect is not here');
      this.skip();
    }
  });
  afterEach(closeAll);

  it('takes each published error for what it is, and knows all of them', async () => {
    const named = files('errors').map((file) => file.slice('errors/'.length, -'.json'.length));
    assert.deepEqual(named.sort(), Object.keys({ ...errors, ...lookupErrors }).sort());
    for (const [name, [status, fault]] of Object.entries(errors)) {
      const found = verdict(status, JSON.parse(read(`errors/${name}.json`)));
      assert.equal(found.fault.name, fault, name);
    }
    const server = await serve(json(200, {}));
    const pds = createPds({ url: server.url, access: { kind: 'none' } }, client());
    for (const [name, [status, fault]] of Object.entries(lookupErrors)) {
      server.use(text(status, read(`errors/${name}.json`)));
      assert.equal((await pds('9000000009', asker, attempt())).fault?.name, fault, name);
    }
  });

  it('reads each published patient, none with a practice whose period is over', async () => {
    const server = await serve(json(200, {}));
    const now = () => Date.parse('2026-06-15T12:00:00Z');
    const pds = createPds({ url: server.url, access: { kind: 'none' }, now }, client());
    const practices: Record<string, string | undefined> = {};
    for (const file of files('patients')) {
      const patient = JSON.parse(read(file)) as { id?: string };
      server.use(text(200, read(file)));
      const outcome = await pds('9000000009', asker, attempt());
      const expected = /Sensitive/.test(file)
        ? 'restricted'
        : patient.id === undefined
          ? 'transient'
          : nhsNumberValid(patient.id)
            ? 'found'
            : 'permanent';
      assert.equal(outcome.event, expected, file);
      if (outcome.value) {
        practices[file.slice('patients/'.length)] = outcome.value.practice;
        assert.equal(outcome.value.superseded, patient.id !== '9000000009', file);
      }
    }
    assert.equal(practices['Patient.json'], undefined);
    assert.equal(practices['Patient-2.json'], undefined);
    assert.equal(practices['patient_9693632109.json'], 'A20047');
    assert.equal(practices['int_9692140466.json'], 'A20047');
    assert.equal(practices['Minimal_Patient.json'], undefined);
  });

  it('reads each published SDS answer', async () => {
    const server = await serve(json(200, {}));
    const options = { url: server.url, access: { kind: 'none' } as const, destination: 'gp' };
    const sds = createSds(options, client());
    const locate = async (endpoint: string, device: string) => {
      server.use((seen, response) => {
        text(200, read(`sds/${seen.path.startsWith('/Endpoint') ? endpoint : device}.json`))(
          seen,
          response,
        );
      });
      return sds('A12345', asker, attempt());
    };
    const good = await locate('single_endpoint', 'sds_device_response');
    assert.deepEqual(good.value, {
      kind: 'gpconnect',
      name: 'gp',
      address: 'https://192.168.128.11/sync-service',
      asid: '928942012545',
    });
    assert.deepEqual((await locate('single_endpoint', 'multiple_devices')).value, good.value);
    const several = await locate('multiple_endpoints', 'multiple_devices');
    assert.equal(several.fault?.name, 'directoryEntryUnusable');
    for (const file of files('sds')) {
      const name = file.slice('sds/'.length, -'.json'.length);
      const outcome = await locate(name, 'multiple_devices');
      assert.ok(['found', 'notFound', 'permanent'].includes(outcome.event), name);
    }
  });

  it('gives every published record byte for byte, and takes nothing else for a record', async function () {
    this.timeout(20_000);
    const server = await serve(json(200, {}));
    const organisations = [{ ods: 'R0A', asid: '1' }];
    const device = { id: 'd', model: 'm', version: 'v' };
    const gp = createGpConnect(
      { issuer: 'https://x', device, organisations },
      client({ maxReplyBytes: 64 * 1024 ** 2 }),
    );
    const endpoint = { kind: 'gpconnect', name: 'g', address: server.url, asid: '2' } as const;
    let replies = 0;
    for (const file of [...files('structured'), ...files('searchsets'), ...files('requests')]) {
      const body = read(file);
      server.use(text(200, body));
      const bundle = parsed(body);
      const patients = resourcesOf(bundle, 'Patient');
      const nhsNumber = nhsNumbersOf(patients[0] ?? {})[0] ?? '9000000009';
      const outcome = await gp({ nhsNumber, datasets: ['ALL'] }, endpoint, asker, attempt());
      assert.equal(Buffer.from(outcome.hops[0]?.reply ?? []).toString(), body, file);
      if (outcome.event !== 'reply') {
        assert.equal(outcome.fault?.name, 'gpReplyUnreadable', file);
        continue;
      }
      replies++;
      assert.ok(file.startsWith('structured/'), file);
      assert.deepEqual(plain(outcome.value?.bundle), plain(bundle));
      const trace = { nhsNumber, superseded: false, source: 'pds', family: 'No-one' } as const;
      assert.deepEqual(differences(trace, bundle), ['family'], file);
    }
    assert.ok(replies > 60, `${replies} records`);
  });
});

/** Decimals may come as text, to keep their precision; here both sides are compared as numbers. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, item: unknown) =>
    typeof item === 'string' && /^-?\d+\.\d+$/.test(item) ? Number(item) : item,
  );
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
