/** What of a record is given for what was asked, and how the rest is said to be missing. */
import assert from 'node:assert/strict';
import type { GpSimulator } from '../../engine/simulator/gp.ts';
import * as caller from './caller.ts';
import type { Reply } from './caller.ts';

const codes = { all: '886921000000105', end: '1103671000000101', med: '933361000000108' };
const clinical = [
  'List',
  'AllergyIntolerance',
  'MedicationStatement',
  'MedicationRequest',
  'Condition',
  'Observation',
];

describe('simulator: records', () => {
  let sim: GpSimulator;
  before(async () => {
    sim = await caller.start();
  });
  after(() => sim.close());

  const ask = (...parameters: unknown[]): Promise<Reply> =>
    caller.ask(sim, { parameters: [caller.nhsParameter(caller.nel), ...parameters] });
  const count = (reply: Reply, type: string): number => caller.resourcesOf(reply, type).length;
  const orders = (reply: Reply): unknown[] =>
    caller
      .resourcesOf(reply, 'MedicationRequest')
      .filter((each) => caller.at(each, 'intent') === 'order');
  const medicationOf = (part: object) => ({ name: 'includeMedication', part: [part] });

  it('patient, practice and staff always; of the rest only what was asked', async () => {
    const nothing = await ask();
    for (const type of ['Patient', 'Organization', 'Practitioner', 'PractitionerRole']) {
      assert.ok(count(nothing, type) > 0, type);
    }
    for (const type of clinical) assert.equal(count(nothing, type), 0, type);
    const allergies = await ask(caller.allergies);
    assert.equal(count(allergies, 'AllergyIntolerance'), 2);
    assert.equal(count(allergies, 'MedicationStatement'), 0);
  });

  it('ended allergies contained in their List, and only when asked for', async () => {
    const ended = caller.listOf(await ask(caller.allergies), codes.end);
    assert.equal(caller.at(ended, 'contained.0.clinicalStatus'), 'resolved');
    const id = String(caller.at(ended, 'contained.0.id'));
    assert.equal(caller.at(ended, 'entry.0.item.reference'), `#${id}`);
    const part = [{ name: 'includeResolvedAllergies', valueBoolean: false }];
    const active = await ask({ name: 'includeAllergies', part });
    assert.equal(caller.listOf(active, codes.end), undefined);
    assert.equal(count(active, 'AllergyIntolerance'), 2);
  });

  it('medication with its plans, drugs and issues; issues only when wanted', async () => {
    const all = await ask(caller.medication);
    assert.equal(caller.listAt(caller.listOf(all, codes.med), 'entry').length, 4);
    assert.equal(count(all, 'Medication'), 4);
    assert.equal(orders(all).length, 8);
    const none = await ask(
      medicationOf({ name: 'includePrescriptionIssues', valueBoolean: false }),
    );
    assert.equal(orders(none).length, 0);
    assert.equal(count(none, 'MedicationRequest'), 4);
  });

  it('medication from a date: what was active then or later', async () => {
    const from = (valueDate: string) =>
      ask(medicationOf({ name: 'medicationSearchFromDate', valueDate }));
    assert.equal(count(await from('2024-04-22'), 'MedicationStatement'), 4);
    assert.equal(count(await from('2024-04-23'), 'MedicationStatement'), 3);
    assert.equal(count(await from('2025-11-11'), 'MedicationStatement'), 2);
  });

  it('problems by status; what they link to stands in secondary Lists', async () => {
    const active = await ask({
      name: 'includeProblems',
      part: [{ name: 'filterStatus', valueCode: 'active' }],
    });
    assert.equal(count(active, 'Condition'), 3);
    const related = caller.listOf(active, 'problems-medications-related-to-problems');
    assert.equal(caller.listAt(related, 'entry').length, 1);
    assert.equal(count(active, 'MedicationStatement'), 1);
    assert.equal(count(active, 'Medication'), 1, 'the drug of a linked plan comes with it');
    assert.equal(caller.listOf(active, codes.med), undefined, 'no answer to "medication"');
  });

  it('problems nobody asked for, in a List that says so', async () => {
    const reply = await ask(caller.allergies);
    const list = caller.listOf(reply, 'problems-linked-problems-not-relating-to-the-primary-query');
    assert.equal(caller.listAt(list, 'entry').length, 1);
    assert.equal(count(reply, 'Condition'), 1);
  });

  it('nothing recorded, in an empty List that says so', async () => {
    const reply = await caller.ask(sim, { nhsNumber: '9990000018' });
    const lists = caller.resourcesOf(reply, 'List');
    assert.equal(lists.length, 4);
    for (const list of lists) {
      assert.equal(caller.at(list, 'entry'), undefined);
      assert.equal(caller.at(list, 'emptyReason.coding.0.code'), 'no-content-recorded');
      assert.equal(caller.at(list, 'note.0.text'), 'Information not available');
    }
  });

  it('an area switched off, and one the system does not have', async () => {
    const off = await caller.ask(sim, { practice: caller.brook, nhsNumber: '9990000050' });
    const said = (reply: Reply) =>
      caller
        .resourcesOf(reply, 'OperationOutcome')
        .flatMap((outcome) => caller.listAt(outcome, 'issue'))
        .map((issue) => caller.at(issue, 'details.text'));
    assert.deepEqual(said(off), ['includeProblems has been disabled']);
    assert.equal(count(off, 'Condition'), 0);
    assert.deepEqual(said(await ask({ name: 'includeConsultations' })), [
      'includeConsultations is an unrecognised parameter',
    ]);
  });

  it('lists no primary item twice and refers only to what is there', async () => {
    const reply = await ask(caller.allergies, caller.medication, caller.problems);
    const present = new Set(
      caller.listAt(reply.json, 'entry').map((entry) => {
        const type = String(caller.at(entry, 'resource.resourceType'));
        return `${type}/${String(caller.at(entry, 'resource.id'))}`;
      }),
    );
    for (const list of caller.resourcesOf(reply, 'List')) {
      const references = caller
        .listAt(list, 'entry')
        .map((entry) => String(caller.at(entry, 'item.reference')));
      assert.equal(new Set(references).size, references.length);
      for (const reference of references) {
        assert.ok(reference.startsWith('#') || present.has(reference), reference);
      }
    }
  });
});
