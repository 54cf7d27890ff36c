/** The synthetic patients and messages: sound in themselves, and shaped like the real ones. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { areas } from '../../engine/simulator/areas.ts';
import { isNhsNumber, loadWorld } from '../../engine/simulator/facts.ts';
import { buildAdt, morrisNel } from '../../engine/simulator/hospital-messages.ts';
import { buildQbp, queryBuilders, usualAsker } from '../../engine/simulator/hospital-queries.ts';
import { loadHl7Records } from '../../engine/simulator/mllp-records.ts';
import * as caller from './caller.ts';

const records = readdirSync(caller.patients).filter((file) => file.endsWith('.json'));
const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const resourcesIn = (file: string) =>
  caller.listAt(readJson(file), 'entry').map((entry) => caller.at(entry, 'resource'));

/** Every `reference` in a value. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'reference' && typeof inner === 'string' ? [inner] : references(inner),
  );
}

describe('simulator: fixtures', () => {
  const world = loadWorld(caller.patients);

  it('every patient has a valid NHS number, a known practice and the record named', () => {
    assert.ok(records.length >= 8);
    for (const [number, patient] of world.patients) {
      assert.ok(isNhsNumber(number), number);
      assert.ok(
        number === caller.nel || /^(999000|900000)/.test(number),
        'a number kept for tests',
      );
      for (const { ods } of patient.practices) assert.ok(world.practices.has(ods), ods);
      if (patient.record !== undefined) assert.equal(patient.record, `${number}.json`);
    }
    assert.deepEqual(
      [...world.records.keys()].map((number) => `${number}.json`).sort(),
      [...records].sort(),
    );
  });

  for (const file of records) {
    it(`${file} is one patient's record whose references lead somewhere`, () => {
      const resources = resourcesIn(join(caller.patients, file));
      const ids = resources
        .filter((resource) => caller.at(resource, 'id') !== undefined)
        .map(
          (each) => `${String(caller.at(each, 'resourceType'))}/${String(caller.at(each, 'id'))}`,
        );
      assert.equal(new Set(ids).size, ids.length, 'no id twice');
      for (const resource of resources) {
        const contained = caller.listAt(resource, 'contained');
        const known = [...ids, ...contained.map((each) => `#${String(caller.at(each, 'id'))}`)];
        for (const reference of references(resource))
          assert.ok(known.includes(reference), reference);
      }
      const patients = resources.filter((each) => caller.at(each, 'resourceType') === 'Patient');
      assert.equal(patients.length, 1);
      const number = String(caller.at(patients[0], 'identifier.0.value'));
      assert.equal(`${number}.json`, file);
      const facts = world.patients.get(number);
      assert.equal(caller.at(patients[0], 'name.0.family'), facts?.family);
      assert.equal(caller.at(patients[0], 'birthDate'), facts?.birthDate);
    });
  }

  it('every item of the record stands in exactly one primary List', () => {
    const listed = [
      'AllergyIntolerance',
      'MedicationStatement',
      'Condition',
      'Immunization',
      'ReferralRequest',
      'DiagnosticReport',
    ];
    const primary = Object.values(areas).map(({ list }) => list);
    for (const file of records) {
      const resources = resourcesIn(join(caller.patients, file));
      const entries = resources
        .filter((list) => primary.includes(String(caller.at(list, 'code.coding.0.code'))))
        .flatMap((list) => caller.listAt(list, 'entry'))
        .map((entry) => String(caller.at(entry, 'item.reference')));
      for (const resource of resources) {
        const type = String(caller.at(resource, 'resourceType'));
        if (!listed.includes(type)) continue;
        const reference = `${type}/${String(caller.at(resource, 'id'))}`;
        assert.equal(
          entries.filter((entry) => entry === reference).length,
          1,
          `${file} ${reference}`,
        );
      }
    }
  });

  it('two patients have items in every area, one an empty List of each', () => {
    const entriesOf = (number: string) =>
      Object.values(areas).map(({ list: code }) => {
        const list = resourcesIn(join(caller.patients, `${number}.json`)).find(
          (resource) => caller.at(resource, 'code.coding.0.code') === code,
        );
        return list === undefined ? -1 : caller.listAt(list, 'entry').length;
      });
    for (const number of [caller.nel, '9990000077']) {
      assert.ok(
        entriesOf(number).every((count) => count > 0),
        number,
      );
    }
    assert.ok(entriesOf('9990000018').every((count) => count === 0));
  });

  it('the first patient is the one the messages ask about', () => {
    const bundle = JSON.stringify(world.records.get(caller.nel));
    for (const text of [
      '294881007',
      '14LP.00',
      'H/O: warfarin allergy',
      '91935009',
      '"text":"1"',
    ]) {
      assert.ok(bundle.includes(text), text);
    }
  });

  it('the messages are what the builders write, CR at every end', () => {
    const now = new Date('2026-06-04T10:15:00Z');
    const nhsNumber = caller.nel;
    const read = (file: string) => readFileSync(join(caller.root, 'fixtures', file));
    const query = { now, nhsNumber, asker: usualAsker };
    const claimed = { family: 'Nel', birthDate: '19990225' };
    const written: [string, Buffer][] = [
      [
        'gp-record/qbp-q11.hl7',
        buildQbp({ ...query, ...claimed, controlId: 'M1', tag: 'Q1' }).bytes,
      ],
    ];
    const others = ['QRY^A19', 'QBP^ZGR', 'QBP^Q21', 'QRY^R02', 'RQC^I05', 'VXQ^V01'];
    for (const [index, type] of others.entries()) {
      const ids = { controlId: `M${index + 2}`, tag: `Q${index + 2}`, family: 'Nel' };
      const bytes = queryBuilders[type]?.({ ...query, ...ids }).bytes ?? Buffer.alloc(0);
      written.push([`gp-record/${type.toLowerCase().replace('^', '-')}.hl7`, bytes]);
    }
    for (const event of ['A01', 'A04', 'A05', 'A08', 'A28', 'A31', 'A40'] as const) {
      const options = { controlId: `ADT-${event}`, now, mergedMrn: '633480' };
      written.push([`adt/${event.toLowerCase()}.hl7`, buildAdt(event, morrisNel, options).bytes]);
    }
    for (const [file, bytes] of written) {
      assert.equal(read(file).toString(), bytes.toString(), file);
      assert.ok(bytes.toString().endsWith('\r') && !bytes.includes('\n'), file);
    }
  });

  it('the HL7 v2 records belong to patients of their practice, or stand beside a record of their own', () => {
    for (const [number, { rsp, adr }] of loadHl7Records(join(caller.patients, 'mllp'))) {
      const patient = world.patients.get(number);
      assert.ok(patient?.record !== undefined || patient?.practices[0]?.ods === 'Z99907', number);
      assert.deepEqual([rsp[0]?.name, adr[0]?.name], ['PID', 'PID']);
      assert.ok(rsp[0]?.echo?.[3]?.startsWith(`${number}^`));
    }
  });
});
