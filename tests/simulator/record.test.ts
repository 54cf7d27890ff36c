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
    const small = { nhsNumber: '9990000026' };
    const parameters = [caller.nhsParameter(small.nhsNumber), { name: 'includeConsultations' }];
    assert.deepEqual(said(await caller.ask(sim, { ...small, parameters })), [
      'includeConsultations is an unrecognised parameter',
    ]);
  });

  const consultations = (...part: object[]) => ({ name: 'includeConsultations', part });
  const titles = (reply: Reply, code: string): unknown[] =>
    caller
      .resourcesOf(reply, 'List')
      .filter((list) => caller.at(list, 'code.coding.0.code') === code)
      .map((list) => caller.at(list, 'title'));
  const codesOf = (reply: Reply) =>
    caller.resourcesOf(reply, 'List').map((list) => String(caller.at(list, 'code.coding.0.code')));

  it('consultations with their Lists, what these name, and secondary Lists of it', async () => {
    const reply = await ask({ name: 'includeConsultations' });
    assert.equal(count(reply, 'Encounter'), 5);
    assert.equal(titles(reply, '325851000000107').length, 5);
    assert.deepEqual(titles(reply, '24781000000107').slice(0, 3), [
      'History',
      'Examination',
      'Follow up',
    ]);
    assert.equal(caller.listAt(caller.listOf(reply, '1149501000000101'), 'entry').length, 5);
    const held = codesOf(reply).filter((code) => code.startsWith('consultations-'));
    assert.deepEqual(held.sort(), [
      'consultations-diary-entries-contained-in-consultations',
      'consultations-documents-contained-in-consultations',
      'consultations-immunisations-contained-in-consultations',
      'consultations-investigations-contained-in-consultations',
      'consultations-medications-contained-in-consultations',
      'consultations-outbound-referrals-in-consultations',
      'consultations-problems-contained-in-consultations',
      'consultations-uncategorised-data-contained-in-consultations',
    ]);
    assert.equal(orders(reply).length, 1, 'the issue of the consultation and no other');
    assert.equal(count(reply, 'MedicationStatement'), 1);
    assert.equal(caller.listOf(reply, codes.med), undefined, 'no answer to "medication"');
  });

  it('consultations of a period, or the most recent', async () => {
    const starts = async (...part: object[]) =>
      caller
        .resourcesOf(await ask(consultations(...part)), 'Encounter')
        .map((encounter) => String(caller.at(encounter, 'period.start')).slice(0, 10))
        .sort();
    const period = (valuePeriod: object) => ({ name: 'consultationSearchPeriod', valuePeriod });
    assert.deepEqual(await starts(period({ end: '2025-11-02' })), ['2025-10-06']);
    assert.equal((await starts(period({ start: '2025-11-03' }))).length, 4);
    const most = { name: 'includeNumberOfMostRecent', valuePositiveInt: 2 };
    assert.deepEqual(await starts(most), ['2026-05-12', '2026-05-18']);
  });

  it('investigations with their results, groups, specimens and requests', async () => {
    const reply = await ask({ name: 'includeInvestigations' });
    assert.deepEqual(
      [
        count(reply, 'DiagnosticReport'),
        count(reply, 'Specimen'),
        count(reply, 'ProcedureRequest'),
      ],
      [2, 1, 1],
    );
    assert.equal(count(reply, 'Observation'), 17);
    const part = [{ name: 'investigationSearchPeriod', valuePeriod: { start: '2025-08-22' } }];
    assert.equal(count(await ask({ name: 'includeInvestigations', part }), 'DiagnosticReport'), 1);
  });

  it('immunisations given; those not given and consent as they are wanted', async () => {
    const immunisations = async (...part: object[]) => {
      const reply = await ask({ name: 'includeImmunisations', part });
      return [count(reply, 'Immunization'), count(reply, 'Observation')];
    };
    const flag = (name: string, valueBoolean: boolean) => ({ name, valueBoolean });
    assert.deepEqual(await immunisations(), [3, 1]);
    assert.deepEqual(await immunisations(flag('includeNotGiven', true)), [4, 1]);
    assert.deepEqual(await immunisations(flag('includeStatus', false)), [3, 0]);
  });

  it('referrals, uncategorised data and diary entries within their dates; the undated always', async () => {
    const listed = async (name: string, code: string, ...part: object[]) =>
      caller.listAt(caller.listOf(await ask({ name, part }), code), 'entry').length;
    const valuePeriod = { start: '2020-01-01', end: '2024-12-31' };
    const referrals = ['includeReferrals', '792931000000107'] as const;
    assert.equal(await listed(...referrals), 3);
    assert.equal(await listed(...referrals, { name: 'referralSearchPeriod', valuePeriod }), 2);
    const data = ['includeUncategorisedData', '826501000000100'] as const;
    assert.equal(await listed(...data), 17);
    assert.equal(await listed(...data, { name: 'uncategorisedDataSearchPeriod', valuePeriod }), 8);
    const diary = ['includeDiaryEntries', '714311000000108'] as const;
    assert.equal(await listed(...diary), 4);
    const until = { name: 'diaryEntriesSearchDate', valueDate: '2099-01-01' };
    assert.equal(await listed(...diary, until), 4);
  });

  it('lists no primary item twice and refers only to what is there', async () => {
    const others = [
      'Consultations',
      'Investigations',
      'Immunisations',
      'Referrals',
      'DiaryEntries',
    ];
    const reply = await ask(
      caller.allergies,
      caller.medication,
      caller.problems,
      ...others.map((name) => ({ name: `include${name}` })),
    );
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
