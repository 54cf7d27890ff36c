import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Apart, createApart } from '../../engine/apart/apart.ts';
import { FaultError } from '../../engine/faults.ts';
import { openingOf } from '../../engine/gp/bundle.ts';
import { differences } from '../../engine/gp/demographics.ts';
import { parseFhir } from '../../engine/gp/json.ts';
import { type Trace, datasets } from '../../engine/gp/port.ts';
import { whyOtherPatient } from '../../engine/gp/provider.ts';
import { standardDelimiters } from '../../engine/hl7/delimiters.ts';
import { encodeMessage } from '../../engine/hl7/encode.ts';
import { type Delimiters, parseMessage } from '../../engine/hl7/message.ts';
import { contentVersion } from '../../engine/hl7/version.ts';
import { mapRecord } from '../../engine/mapping/apply.ts';
import { unansweredIn } from '../../engine/mapping/beside.ts';
import type { MappedRecord, Profile } from '../../engine/mapping/mapped.ts';
import { pushForms } from '../../engine/push/forms.ts';
import { compose } from '../../engine/push/message.ts';
import { bodyOf } from '../../engine/query/body.ts';
import { itemsOf, partOf } from '../../engine/query/in-parts.ts';
import { now, realBundles, shipped } from '../mapping/records.ts';
import { type World, ask, patients, qbp, root, startWorld } from '../world.ts';

const options = {
  datasets,
  profile: 'rsp',
  version: '2.4',
  now,
  site: { patientClass: 'O', diagnosisType: 'W', unknownStatus: 'F' },
} as const;
const nhsNumber = '9465701459';
const fixture = readFileSync(join(patients, `${nhsNumber}.json`), 'utf8');
const facts = { version: '2.4', now } as const;
const unusual: Delimiters = { ...standardDelimiters, component: '!', repetition: '$' };

interface Bundle {
  entry: { resource: { id?: string; resourceType: string } }[];
}

/** The fixture patient's record in so many bytes: other entries, which no list names, beside it. */
function large(bytes: number): Buffer {
  const bundle = JSON.parse(fixture) as Bundle;
  const own = [...bundle.entry];
  const copies = Math.ceil(bytes / JSON.stringify(own).length);
  for (let n = 0; n < copies; n++) {
    for (const { resource } of own) {
      if (resource.resourceType === 'List' || resource.resourceType === 'Patient') continue;
      bundle.entry.push({ resource: { ...resource, id: `copy-${n}-${resource.id}` } });
    }
  }
  return Buffer.from(JSON.stringify(bundle));
}

/** A record as an answer gives it, byte for byte. */
function answered(record: MappedRecord, profile: Profile, delimiters: Delimiters): string {
  const { segments, told } = bodyOf(profile, record, ['deceased'], facts);
  const head = { name: 'MSH', fields: [undefined, undefined, undefined, told.join()] };
  const written = encodeMessage([head, ...segments], { delimiters, charset: 'UNICODE UTF-8' });
  return written.bytes.toString().replaceAll('\r', '\n');
}

describe('a large record', () => {
  const died: string[] = [];
  let apart: Apart;
  const bytes = large(300_000);
  const bundle = parseFhir(bytes.toString());
  before(() => {
    apart = createApart(join(root, 'mappings', 'gp-record'), shipped(), (one) => died.push(one));
  });
  after(async () => {
    await apart.close();
    assert.deepEqual(died, []);
  });
  const there = (profile: Profile, delimiters: Delimiters = standardDelimiters) =>
    apart.map({ texts: [bytes] }, { ...options, profile }, delimiters);

  it('is mapped in a thread of its own, and others are served meanwhile', async () => {
    let turns = 0;
    const turning = setInterval(() => turns++, 1);
    await there('rsp');
    clearInterval(turning);
    assert.ok(turns > 0, 'nothing else ran while it was mapped');
  });

  for (const profile of ['rsp', 'k21', 'a19', 'i05', 'r04', 'v03'] as const) {
    it(`is answered as ${profile} to the byte as if it had been mapped here`, async () => {
      const here = mapRecord(shipped(), bundle, { ...options, profile });
      for (const delimiters of profile === 'rsp' ? [standardDelimiters, unusual] : [unusual]) {
        const record = await there(profile, delimiters);
        assert.equal(answered(record, profile, delimiters), answered(here, profile, delimiters));
      }
      assert.equal(here.warnings.length, (await there(profile)).warnings.length);
    });
  }

  it('is cut in the same parts', async () => {
    const here = mapRecord(shipped(), bundle, options);
    const record = await there('rsp');
    assert.ok(itemsOf(here) > 3);
    for (let from = 0; from < itemsOf(here); from += 3) {
      const [one, other] = [partOf(record, from, 3), partOf(here, from, 3)];
      assert.deepEqual(one.items, other.items);
      const text = (part: MappedRecord) => answered(part, 'rsp', standardDelimiters);
      assert.equal(text(one.record), text(other.record));
    }
  });

  for (const form of pushForms) {
    it(`is pushed as ${form.type} to the byte as if it had been composed here`, async () => {
      const code = { timing: 'As stated', code: 'NS^Not stated^L', amount: '0' };
      const pushing = {
        message: parseMessage(Buffer.from('MSH|^~\\&|A|B|C|D|20260604||ADT^A01|1|P|2.4\r')),
        ...{ form, version: '2.4', cautions: [], now, controlId: 'P1', patientClass: 'O' },
        ...{ us: { application: 'GPREC', facility: 'RECGW' } },
        document: { type: 'GPREC', as: 'FT' as const },
        orders: { ...code, units: 'NS^Not stated^L', route: 'NS^Not stated^L' },
      };
      const told = {
        ...options,
        datasets: form.offers,
        profile: form.profile,
        version: contentVersion('2.4'),
      };
      const mapped = await apart.map({ texts: [bytes] }, told, standardDelimiters);
      const composed = await apart.compose({ texts: [bytes] }, told, pushing, mapped);
      const here = compose({ ...pushing, record: mapRecord(shipped(), bundle, told) });
      assert.ok(composed && here);
      assert.equal(Buffer.from(composed).toString(), here.toString());
    });
  }

  it('is read whole where it came in two Bundles', async () => {
    const second = Buffer.from('{"resourceType":"Bundle","type":"collection","entry":[]}');
    const record = await apart.map({ texts: [bytes, second] }, options, standardDelimiters);
    const here = mapRecord(shipped(), bundle, options);
    const text = (one: MappedRecord) => answered(one, 'rsp', standardDelimiters);
    assert.equal(text(record), text(here));
  });

  it('that is no JSON is a fault, and the next one is read', async () => {
    await assert.rejects(apart.read(Buffer.from('{"half":'), true), FaultError);
    assert.deepEqual(await apart.read(bytes, true), openingOf(bundle));
    assert.deepEqual(await apart.read(bytes, false), bundle);
  });

  it('that is small is mapped at once', () => {
    const record = { bundle: parseFhir(fixture), texts: [Buffer.from(fixture)] };
    assert.ok(!(apart.map(record, options, standardDelimiters) instanceof Promise));
  });

  it('shows by its opening whose it is and what it does not answer', function () {
    const trace: Trace = {
      ...{ nhsNumber, superseded: false, source: 'pds' },
      ...{ family: 'Other', given: ['Name'], gender: 'male', birthDate: '1900-01-01' },
    };
    for (const { bundle: whole } of [{ bundle }, ...realBundles(this)]) {
      const opening = openingOf(whole);
      assert.deepEqual(
        unansweredIn(shipped(), opening, datasets),
        unansweredIn(shipped(), whole, datasets),
      );
      assert.deepEqual(differences(trace, opening), differences(trace, whole));
      assert.deepEqual(whyOtherPatient(opening, nhsNumber), whyOtherPatient(whole, nhsNumber));
    }
  });
});

describe('a query for a large record', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-large-'));
  const largePatient = '9990000077';
  let world: World;
  before(async () => {
    writeFileSync(join(folder, `${nhsNumber}.json`), fixture);
    const record = JSON.parse(fixture.replaceAll(nhsNumber, largePatient)) as { entry: object[] };
    for (let n = 0; n < 300; n++) {
      const resource = { resourceType: 'Organization', id: `other-${n}`, name: 'x'.repeat(1000) };
      record.entry.push({ resource });
    }
    const own = JSON.stringify(record);
    writeFileSync(join(folder, `${largePatient}.json`), own);
    world = await startWorld(() => {}, folder);
  });
  after(async () => {
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is answered as one for a small record that says the same', async () => {
    const port = world.engine.ports['gp-record'] ?? 0;
    const answer = async (patient: string) => {
      const message = await ask(port, qbp(patient, { 'QPD-4': '', 'MSH-10': `L${patient}` }));
      const text = message.toBytes().toString().replaceAll(patient, nhsNumber);
      return text.split('\r').filter((line) => !line.startsWith('MSH'));
    };
    assert.deepEqual(await answer(largePatient), await answer(nhsNumber));
  });
});
