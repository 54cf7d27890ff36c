/** What each dataset looks like in HL7: patient, allergies, medication, problems, in both profiles. */
import assert from 'node:assert/strict';
import { profileStructures } from '../../engine/hl7/definitions/profile.ts';
import { matchStructure } from '../../engine/hl7/structure.ts';
import type { MappedRecord } from '../../engine/mapping/mapped.ts';
import { bodyOf } from '../../engine/query/body.ts';
import {
  type Json,
  allergy,
  areaCodes,
  at,
  bundle,
  codes,
  list,
  map,
  medication,
  named,
  patient,
  problem,
  segmentsOf,
  texts,
} from './records.ts';

const notesAfter = (segments: ReturnType<typeof segmentsOf>, index: number) => {
  const rest = segments.slice(index + 1);
  const end = rest.findIndex(({ name }) => name !== 'NTE');
  return (end < 0 ? rest : rest.slice(0, end)).map((note) => [note.fields[1], note.fields[3]]);
};

/** Holes of a sparse array as undefined, so that it compares with one written out. */
const filled = (field: unknown) =>
  Array.isArray(field) ? field.map((one) => (Array.isArray(one) ? Array.from(one) : one)) : field;

/** The segments of ADR_A19, as its answer has them. */
const inA19Order = (record: MappedRecord) =>
  bodyOf('a19', record, [], { version: '2.4', now: new Date(0) }).segments;

describe('mapping: patient', () => {
  const full = {
    ...patient,
    identifier: [
      { system: 'urn:local', value: 'L7' },
      {
        system: 'https://fhir.nhs.uk/Id/nhs-number',
        value: '9000000009',
        extension: [
          {
            url: 'https://fhir.nhs.uk/x/Extension-CareConnect-GPC-NHSNumberVerificationStatus-1',
            valueCodeableConcept: { coding: [{ code: '01' }] },
          },
        ],
      },
    ],
    name: [
      { use: 'official', family: 'Marsh', given: ['Ada', 'Jo'], prefix: ['Ms'] },
      { use: 'old', family: 'Fenn' },
    ],
    deceasedDateTime: '2020-05-06',
    telecom: [{ system: 'phone', use: 'mobile', value: '07700 900001' }],
    managingOrganization: { reference: 'Organization/o' },
    generalPractitioner: [{ reference: 'Practitioner/g' }],
    contact: [
      { relationship: [{ text: 'Sister' }, { text: 'Next of kin' }], name: { text: 'Bea Marsh' } },
    ],
  };
  const others = [
    {
      resourceType: 'Organization',
      id: 'o',
      name: 'Fen Practice',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'A00001' }],
    },
    {
      resourceType: 'Practitioner',
      id: 'g',
      name: [{ family: 'Reed', prefix: ['Dr'] }],
      identifier: [{ system: 'https://fhir.hl7.org.uk/Id/gmp-number', value: 'G1234567' }],
    },
  ];

  it('gives PID, PD1 and, where they are asked for, contacts', () => {
    const { patient: segments } = map(bundle(full, ...others));
    const [pid, pd1, nk1] = segments;
    assert.deepEqual(
      segments.slice(0, 3).map(({ name }) => name),
      ['PID', 'PD1', 'NK1'],
    );
    assert.deepEqual(filled(pid?.fields[3]), [
      ['L7', undefined, undefined, 'urn:local'],
      ['9000000009', undefined, undefined, 'NHS', 'NH'],
    ]);
    assert.deepEqual(filled(pid?.fields[5]), [
      ['Marsh', 'Ada', 'Jo', undefined, 'Ms', undefined, 'L'],
      ['Fenn', undefined, undefined, undefined, undefined, undefined, 'A'],
    ]);
    assert.deepEqual(
      [pid?.fields[7], pid?.fields[8], pid?.fields[29], pid?.fields[30], pid?.fields[32]],
      ['198002', '2', '20200506', 'Y', 'NSTS01'],
    );
    assert.deepEqual(filled(pid?.fields[13]), [['07700 900001', undefined, 'CP']]);
    assert.deepEqual([at(pd1, 3), at(pd1, 3, 3)], ['Fen Practice', 'A00001']);
    assert.deepEqual([at(pd1, 4), at(pd1, 4, 2), at(pd1, 4, 9)], ['G1234567', 'Reed', 'GMP']);
    assert.deepEqual([at(nk1, 2), at(nk1, 3, 2)], ['Bea Marsh', 'Sister, Next of kin']);
    assert.equal(named(map(bundle(full), { datasets: ['ALL'] }).patient, 'NK1').length, 0);
  });

  it('says so where the patient is not active at the practice, and nothing where they are', () => {
    const said = (active: boolean) =>
      named(map(bundle({ ...patient, active }), { datasets: ['ALL'] }).patient, 'NTE').map(
        ({ fields }) => fields[3],
      );
    assert.deepEqual(said(false), ['Active at the practice, according to the GP system: false']);
    assert.deepEqual(said(true), []);
  });

  it('says nothing of death where nothing is recorded of it', () => {
    assert.equal(map(bundle(patient)).patient[0]?.fields[30], undefined);
    assert.equal(map(bundle({ ...patient, deceasedBoolean: false })).patient[0]?.fields[30], 'N');
  });

  it('keeps a code that is not in its table as a note', () => {
    const { patient: segments, warnings } = map(bundle({ ...patient, gender: 'fluid' }));
    assert.equal(segments[0]?.fields[8], undefined);
    assert.deepEqual(
      named(segments, 'NTE').map((one) => one.fields[3]),
      ['Also in the GP record: gender = fluid'],
    );
    assert.ok(
      warnings.some((one) => one.includes('a code of gender')) &&
        !warnings.join().includes('fluid'),
    );
  });
});

describe('mapping: allergies', () => {
  it('gives AL1 with its notes, then IAM with the identity', () => {
    const one = allergy('a1', {
      category: ['environment'],
      note: [{ text: 'line one\nline two' }],
      reaction: [
        { severity: 'mild', manifestation: [{ text: 'Rash' }] },
        { severity: 'severe', manifestation: [{ text: 'Collapse' }] },
      ],
    });
    const segments =
      map(bundle(patient, list(codes.active, ['AllergyIntolerance/a1']), one), {
        datasets: ['ALL'],
      }).datasets[0]?.segments ?? [];
    const index = segments.findIndex(({ name }) => name === 'AL1');
    const al1 = segments[index];
    assert.deepEqual(
      [at(al1, 1), at(al1, 2), at(al1, 3), at(al1, 3, 2), at(al1, 3, 3), at(al1, 4), at(al1, 6)],
      ['1', 'EA', '91936005', 'Term a1', 'SCT', 'SV', '2010'],
    );
    assert.deepEqual(al1?.fields[5], [['Rash'], ['Collapse']]);
    assert.deepEqual(notesAfter(segments, index), [['1', 'line one\nline two']]);
    const [iam] = named(segments, 'IAM');
    assert.deepEqual(
      [at(iam, 7), at(iam, 6), at(iam, 13), at(iam, 17), at(iam, 17, 4)],
      ['a1', 'A', '20110304050607+0000', 'active', 'unconfirmed'],
    );
    const reactions = segments.filter((segment) => at(segment, 3) === 'GPREC.REACTION');
    assert.deepEqual(
      reactions.map((segment) => at(segment, 5, 2)),
      ['Rash', 'Collapse'],
    );
  });

  it('carries "no known allergies" as the item it is', () => {
    const none = allergy('n', {
      code: {
        coding: [
          { system: 'http://snomed.info/sct', code: '716186003', display: 'No known allergy' },
        ],
      },
    });
    const [dataset] = map(bundle(patient, list(codes.active, ['AllergyIntolerance/n']), none), {
      datasets: ['ALL'],
    }).datasets;
    assert.deepEqual(dataset?.status, [{ status: 'C' }]);
    assert.equal(dataset?.items, 1);
    assert.equal(at(named(dataset?.segments ?? [], 'AL1')[0], 3), '716186003');
  });

  const end = { url: 'https://fhir.nhs.uk/x/Extension-CareConnect-GPC-AllergyIntoleranceEnd-1' };
  const ended = allergy('old', {
    clinicalStatus: 'resolved',
    extension: [
      {
        ...end,
        extension: [
          { url: 'endDate', valueDateTime: '2016-07-01T00:00:00+01:00' },
          { url: 'reasonEnded', valueString: 'Outgrown' },
        ],
      },
    ],
  });
  const record = bundle(
    patient,
    list(codes.active, ['AllergyIntolerance/now', 'AllergyIntolerance/old']),
    list(codes.ended, ['#old'], { contained: [ended] }),
    allergy('now'),
    ended,
  );

  it('shows an ended allergy once, under its heading, with its end and never as AL1', () => {
    const segments = map(record, { datasets: ['ALL'] }).datasets[0]?.segments ?? [];
    assert.deepEqual(
      named(segments, 'AL1').map((one) => one.from),
      ['AllergyIntolerance/now'],
    );
    assert.deepEqual(
      named(segments, 'IAM').map((one) => at(one, 7)),
      ['now', 'old'],
    );
    const heading = segments.findIndex((one) => one.fields[3] === 'Ended allergies');
    const old = segments.findIndex((one) => at(one, 7) === 'old');
    assert.ok(heading > 0 && heading < old);
    assert.deepEqual(notesAfter(segments, old), [
      ['1', 'Ended: 20160701'],
      ['2', 'Reason ended: Outgrown'],
    ]);
    assert.deepEqual([at(segments[old], 17), at(segments[old], 20)], ['resolved', '20160701']);
  });

  it('says that the date is not stated, and gives no other date for it', () => {
    const undated = allergy('u', { clinicalStatus: 'resolved' });
    const segments =
      map(bundle(patient, list(codes.ended, ['AllergyIntolerance/u']), undated), {
        datasets: ['ALL'],
      }).datasets[0]?.segments ?? [];
    assert.equal(at(named(segments, 'IAM')[0], 20), '');
    assert.ok(segments.some((one) => one.fields[3] === 'Ended: date not stated by the GP system'));
  });

  it('does the same for ADR^A19', () => {
    const all = inA19Order(map(record, { datasets: ['ALL'], profile: 'a19' }));
    assert.deepEqual(
      named(all, 'AL1').map((one) => one.from),
      ['AllergyIntolerance/now'],
    );
    const rows = all
      .filter((one) => one.fields[4] === 'ALL.ENDED.1')
      .map((one) => [at(one, 3), at(one, 5)]);
    assert.ok(rows.some(([code, value]) => code === 'IAM-7' && value === 'old'));
    assert.ok(rows.some(([code, value]) => code === 'NTE-3' && value === 'Ended: 20160701'));
    assert.ok(
      rows.some(([code]) => code === 'IAM-3'),
      'an allergy without AL1 shows its code in a row',
    );
  });

  it('never shows an allergy entered in error or refuted as AL1, and says what it is', () => {
    for (const verificationStatus of ['entered-in-error', 'refuted']) {
      const wrong = allergy('e', { verificationStatus });
      const segments =
        map(bundle(patient, list(codes.active, ['AllergyIntolerance/e']), wrong), {
          datasets: ['ALL'],
        }).datasets[0]?.segments ?? [];
      assert.equal(named(segments, 'AL1').length, 0);
      assert.ok(
        segments.some((one) => String(one.fields[3]).endsWith(`GP system: ${verificationStatus}`)),
      );
    }
  });

  it('knows another patient by a number or a name that stands for a reference, and of a list', () => {
    const other = { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9000000017' };
    const own = { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9000000009' };
    const warned = (more: Json, ofList: Json = {}) =>
      map(
        bundle(
          patient,
          list(codes.active, ['AllergyIntolerance/a'], ofList),
          allergy('a', { patient: undefined, ...more }),
        ),
        { datasets: ['ALL'] },
      ).datasets[0]?.status[0]?.warning;
    assert.equal(warned({ patient: { identifier: other } }), 'subject-differs');
    assert.equal(warned({ patient: { display: 'Marsh, Eve' } }), 'subject-differs');
    assert.equal(warned({}, { subject: { identifier: other } }), 'subject-differs');
    assert.equal(warned({}, { subject: { reference: 'Patient/p2' } }), 'subject-differs');
    assert.equal(
      warned({ patient: { identifier: own } }, { subject: { identifier: own } }),
      undefined,
    );
    assert.equal(warned({ patient: { display: 'MARSH, Ada' } }), undefined);
  });

  it('says so where one that is listed as current has ended inside the list of the ended', () => {
    const ended = allergy('a', { clinicalStatus: 'resolved' });
    const { datasets } = map(
      bundle(
        patient,
        list(codes.active, ['AllergyIntolerance/a']),
        list(codes.ended, ['#a'], { contained: [ended] }),
        allergy('a'),
      ),
      { datasets: ['ALL'] },
    );
    const statuses = named(datasets[0]?.segments ?? [], 'OBX').filter(
      (one) => at(one, 3) === 'GPREC.STATUS',
    );
    assert.deepEqual(
      statuses.map((one) => at(one, 5, 2)),
      ['several-versions', 'several-versions'],
    );
  });

  it('says so where an item belongs to another patient id, or comes in two versions', () => {
    const stray = allergy('s', { patient: { reference: 'Patient/other' } });
    const twice = [allergy('t'), allergy('t', { onsetDateTime: '1999' })];
    const [dataset] = map(
      bundle(
        patient,
        list(codes.active, ['AllergyIntolerance/s', 'AllergyIntolerance/t']),
        stray,
        ...twice,
      ),
      { datasets: ['ALL'] },
    ).datasets;
    assert.deepEqual(
      dataset?.status.map(({ warning }) => warning),
      ['several-versions', 'subject-differs'],
    );
    assert.equal(named(dataset?.segments ?? [], 'AL1').length, 3);
  });
});

describe('mapping: medication', () => {
  const plan = {
    authoredOn: '2010-01-13T11:37:31+00:00',
    groupIdentifier: { value: 'G9' },
    recorder: { reference: 'PractitionerRole/r' },
    extension: [
      {
        url: 'https://fhir.nhs.uk/x/Extension-CareConnect-GPC-PrescriptionType-1',
        valueCodeableConcept: { coding: [{ code: 'repeat', display: 'Repeat' }] },
      },
      {
        url: 'https://fhir.nhs.uk/x/Extension-CareConnect-GPC-MedicationRepeatInformation-1',
        extension: [
          { url: 'numberOfRepeatPrescriptionsAllowed', valuePositiveInt: 6 },
          { url: 'numberOfRepeatPrescriptionsIssued', valueUnsignedInt: 2 },
        ],
      },
    ],
    dispenseRequest: {
      quantity: { value: 28.5, unit: 'tablet' },
      expectedSupplyDuration: { value: 4, code: 'wk', unit: 'week' },
    },
    dosageInstruction: [{ text: 'Take with care', patientInstruction: 'After food' }],
  };
  const statement = {
    extension: [
      {
        url: 'https://fhir.hl7.org.uk/x/Extension-CareConnect-MedicationStatementLastIssueDate-1',
        valueDateTime: '2012-06-30T00:00:00+01:00',
      },
    ],
    effectivePeriod: { start: '2010-01-13', end: '2018-10' },
    dosage: [{ text: '1' }],
  };
  const role = {
    resourceType: 'PractitionerRole',
    id: 'r',
    practitioner: { reference: 'Practitioner/w' },
  };
  const who = { resourceType: 'Practitioner', id: 'w', name: [{ family: 'Reed' }] };
  const record = bundle(
    patient,
    list(codes.medication, ['MedicationStatement/m']),
    ...medication('m', 2, statement, plan),
    role,
    who,
  );

  it('gives the statement with its plan, then its issues', () => {
    const segments = map(record, { datasets: ['MED'] }).datasets[0]?.segments ?? [];
    const orders = named(segments, 'ORC');
    assert.deepEqual(
      orders.map((one) => [at(one, 2), at(one, 3), at(one, 8)]),
      [
        ['m-plan', 'm', ''],
        ['m-issue1', '', 'm-plan'],
        ['m-issue2', '', 'm-plan'],
      ],
    );
    const [orc] = orders;
    assert.deepEqual(
      [at(orc, 4), at(orc, 5), at(orc, 9), at(orc, 10, 2)],
      ['G9', 'IP', '20100113113731+0000', 'Reed'],
    );
    assert.deepEqual(
      [3, 4, 5, 8].map((n) => at(orc, 7, n)),
      ['W4', '20100113', '201810', '1'],
    );
    const [rxo] = named(segments, 'RXO');
    assert.deepEqual(
      [at(rxo, 1), at(rxo, 1, 2), at(rxo, 11), at(rxo, 12, 2), at(rxo, 13)],
      ['322236009', 'Drug m', '28.5', 'tablet', '6'],
    );
    const observed = Object.fromEntries(
      named(segments, 'OBX').map((one) => [at(one, 3), [one.fields[2], at(one, 5)]]),
    );
    assert.deepEqual(observed['GPREC.RXTYPE'], ['CE', 'repeat']);
    assert.deepEqual(observed['GPREC.LASTISSUE'], ['DT', '20120630']);
    assert.deepEqual(observed['GPREC.REPEATSISSUED'], ['NM', '2']);
  });

  it('carries the dose as text, never as an amount, and a second wording beside the first', () => {
    const segments = map(record, { datasets: ['MED'] }).datasets[0]?.segments ?? [];
    const [rxo] = named(segments, 'RXO');
    assert.equal(at(rxo, 7, 2), '1');
    assert.deepEqual(
      [2, 3, 4].map((field) => rxo?.fields[field]),
      [undefined, undefined, undefined],
    );
    assert.equal(named(segments, 'RXE').length, 0);
    const notes = named(segments, 'NTE').map((one) => one.fields[3]);
    assert.ok(notes.includes('Dosage on the plan: Take with care'));
    assert.ok(notes.includes('Patient instruction: After food'));
  });

  it('says so where the drug or the plan comes in two versions under one id', () => {
    for (const [id, more] of [
      ['m-drug', { resourceType: 'Medication', code: { text: 'Another drug' } }],
      ['m-plan', { resourceType: 'MedicationRequest', intent: 'plan', status: 'stopped' }],
    ] as const) {
      const { datasets } = map(
        bundle(patient, list(codes.medication, ['MedicationStatement/m']), ...medication('m'), {
          id,
          ...more,
        }),
        { datasets: ['MED'] },
      );
      assert.deepEqual(datasets[0]?.status, [{ status: 'W', warning: 'several-versions' }]);
    }
  });

  it('has notes only where the structure of the answer has them', () => {
    const more = { status: 'odd', reasonCode: [{ text: 'a' }, { text: 'b' }], other: 'x' };
    const vaccination = {
      resourceType: 'Immunization',
      id: 'i',
      date: '2010',
      route: { text: 'oral' },
      doseQuantity: { value: 1, comparator: '<' },
    };
    const record = map(
      bundle(
        patient,
        list(codes.medication, ['MedicationStatement/m']),
        list(areaCodes.immunisations, ['Immunization/i']),
        ...medication('m', 1, more, more),
        vaccination,
      ),
      { datasets: ['MED', 'IMM'] },
    );
    const { segments } = bodyOf('rsp', record, [], { version: '2.4', now: new Date(0) });
    const names = segments.map(({ name }) => name);
    assert.ok(names.join(' ').includes('ORC RXO NTE') && names.join(' ').includes('RXA RXR NTE'));
    const head = ['MSH', 'MSA', 'QAK', 'QPD'];
    assert.deepEqual(matchStructure(profileStructures.RSP_K11, [...head, ...names]), []);
  });

  it('shows what is based on a plan, whatever the GP system calls it', () => {
    const resources = medication('m', 1).map((one) =>
      one.intent === 'order' ? { ...one, intent: 'instance-order' } : one,
    );
    const { datasets } = map(
      bundle(patient, list(codes.medication, ['MedicationStatement/m']), ...resources),
      { datasets: ['MED'] },
    );
    const segments = datasets[0]?.segments ?? [];
    assert.equal(named(segments, 'ORC').length, 2);
    const said = named(segments, 'NTE').map(({ fields }) => fields[3]);
    assert.ok(said.includes('Intent stated by the GP system: instance-order'));
  });

  it('never leaves the order of one entered in error as it would stand, and says what it is', () => {
    const wrong = { status: 'entered-in-error' };
    for (const resources of [medication('m', 0, wrong), medication('m', 0, {}, wrong)]) {
      const record = map(
        bundle(patient, list(codes.medication, ['MedicationStatement/m']), ...resources),
        { datasets: ['MED'] },
      );
      const said = named(record.datasets[0]?.segments ?? [], 'NTE').map(({ fields }) => fields[3]);
      assert.ok(said.includes('Entered in error, according to the GP system'));
      const [orc] = named(record.datasets[0]?.segments ?? [], 'ORC');
      assert.equal(at(orc, 5), resources[0]?.status === 'active' ? 'IP' : 'CA');
    }
  });

  it('numbers OBX within each item and NTE within each segment', () => {
    const segments = map(record, { datasets: ['MED'] }).datasets[0]?.segments ?? [];
    let observations = 0;
    let notes = 0;
    for (const segment of segments.slice(1)) {
      if (segment.name === 'ORC') observations = 0;
      if (segment.name === 'NTE') assert.equal(segment.fields[1], String(++notes));
      else notes = 0;
      if (segment.name === 'OBX') assert.equal(segment.fields[1], String(++observations));
    }
  });

  it('keeps the parent link where the plan itself was not supplied', () => {
    const resources = medication('m', 1).filter((one) => one.id !== 'm-plan');
    const segments =
      map(bundle(patient, list(codes.medication, ['MedicationStatement/m']), ...resources), {
        datasets: ['MED'],
      }).datasets[0]?.segments ?? [];
    assert.deepEqual(
      named(segments, 'ORC').map((one) => [at(one, 2), at(one, 8)]),
      [
        ['m-plan', ''],
        ['m-issue1', 'm-plan'],
      ],
    );
  });

  it('keeps a duration in words that TQ cannot hold', () => {
    const odd = { dispenseRequest: { expectedSupplyDuration: { value: 2, unit: 'courses' } } };
    const segments =
      map(
        bundle(
          patient,
          list(codes.medication, ['MedicationStatement/m']),
          ...medication('m', 0, {}, odd),
        ),
        { datasets: ['MED'] },
      ).datasets[0]?.segments ?? [];
    assert.equal(at(named(segments, 'ORC')[0], 7, 3), '');
    assert.ok(named(segments, 'NTE').some((one) => one.fields[3] === 'Duration: 2 courses'));
  });
});

describe('mapping: problems', () => {
  const significance = {
    url: 'https://fhir.hl7.org.uk/x/Extension-CareConnect-ProblemSignificance-1',
    valueCode: 'major',
  };
  const linked = {
    url: 'http://fhir.hl7.org.uk/x/Extension-CareConnect-RelatedClinicalContent-1',
    valueReference: { reference: 'Observation/o' },
  };
  const record = bundle(
    patient,
    list(codes.problems, ['Condition/c']),
    problem('c', { extension: [significance, linked], abatementDateTime: '2020' }),
  );

  it('gives PRB with identity, dates and significance, and names what is linked', () => {
    const segments = map(record, { datasets: ['PRB'] }).datasets[0]?.segments ?? [];
    const [prb] = named(segments, 'PRB');
    assert.deepEqual(
      [1, 2, 3, 4, 7, 9, 14, 16, 18].map((field) => at(prb, field)),
      ['AD', '20110304', '195967001', 'c', '20110304', '2020', 'active', '201005', 'major'],
    );
    assert.ok(
      named(segments, 'OBX').some(
        (one) => at(one, 3) === 'GPREC.LINKED' && at(one, 5) === 'Observation/o',
      ),
    );
    assert.equal(named(segments, 'DG1').length, 0);
  });

  it('takes the time of the answer only where the record has no date for a required field', () => {
    const segments =
      map(
        bundle(
          patient,
          list(codes.problems, ['Condition/c']),
          problem('c', { assertedDate: undefined }),
        ),
        { datasets: ['PRB'] },
      ).datasets[0]?.segments ?? [];
    const [prb] = named(segments, 'PRB');
    assert.deepEqual([at(prb, 2), at(prb, 7)], ['20260604101500+0000', '']);
  });

  it('gives DG1 in ADR^A19, with the classes the site chose and every other field in rows', () => {
    const site = { patientClass: 'O', diagnosisType: 'A' };
    const all = inA19Order(map(record, { datasets: ['PRB'], profile: 'a19', site }));
    assert.deepEqual([...new Set(all.map(({ name }) => name))], ['PID', 'PV1', 'OBX', 'DG1']);
    assert.equal(at(named(all, 'PV1')[0], 2), 'O');
    const [dg1] = named(all, 'DG1');
    assert.deepEqual(
      [1, 3, 4, 5, 6].map((field) => at(dg1, field)),
      ['1', '195967001', 'Term c', '201005', 'A'],
    );
    const rows = all.filter((one) => one.fields[4] === 'DG1.1').map((one) => at(one, 3));
    for (const field of ['PRB-2', 'PRB-4', 'PRB-9', 'PRB-14', 'PRB-18', 'GPREC.LINKED'])
      assert.ok(rows.includes(field), field);
    assert.ok(!rows.includes('PRB-3'), 'DG1-3 shows it already');
    named(all, 'OBX').forEach((one, i) => assert.equal(one.fields[1], String(i + 1)));
  });
});

describe('mapping: provenance', () => {
  const record = bundle(
    patient,
    list(codes.active, ['AllergyIntolerance/a']),
    allergy('a', {
      code: {
        coding: [
          { system: 'urn:x', code: 'x' },
          { system: 'http://snomed.info/sct', code: '9', display: 'Nine' },
        ],
      },
    }),
    list(codes.medication, ['MedicationStatement/m']),
    ...medication('m', 1),
  );

  it('names the rule and the source element of every field, in both profiles', () => {
    for (const profile of ['rsp', 'a19'] as const) {
      for (const segment of segmentsOf(map(record, { profile, trace: true }))) {
        if (at(segment, 3) === 'GPREC.STATUS' || segment.name === 'PV1') continue;
        assert.ok(segment.trace?.length, `${segment.name} ${texts(segment).join(' ')}`);
        for (const { rule, source } of segment.trace ?? []) {
          assert.match(rule, /mappings\/gp-record\/\w+\.yaml:\d+$|^$/);
          assert.notEqual(source, '');
        }
      }
    }
  });

  it('says which coding and which row of which table', () => {
    const segments = segmentsOf(map(record, { trace: true }));
    const trace = Object.fromEntries(
      named(segments, 'AL1')[0]?.trace?.map(({ target, source }) => [target, source]) ?? [],
    );
    assert.equal(trace['AL1-3.1'], 'AllergyIntolerance/a#code.coding[1].code');
    assert.match(
      trace['AL1-2.1'] ?? '',
      /^AllergyIntolerance\/a#category\[0\] → tables\/allergy-category\.csv:\d+$/,
    );
    const drug = named(segments, 'RXO')[0]?.trace?.find(({ target }) => target === 'RXO-1.1');
    assert.equal(
      drug?.source,
      'MedicationStatement/m#medicationReference → Medication/m-drug#code.coding[0].code',
    );
  });

  it('makes the same segments with a trace as without, and no trace unless asked', () => {
    const bare = segmentsOf(map(record, { trace: true })).map(({ name, fields }) => ({
      name,
      fields,
    }));
    const plain = segmentsOf(map(record));
    assert.deepEqual(
      plain.map(({ name, fields }) => ({ name, fields })),
      bare,
    );
    assert.ok(plain.every(({ trace }) => trace === undefined));
  });

  it('never changes the record it maps', () => {
    const before = JSON.stringify(record);
    map(record, { trace: true });
    map(record, { profile: 'a19' });
    assert.equal(JSON.stringify(record), before);
  });

  it('names coding systems as the site does', () => {
    const site = map(record, {
      datasets: ['ALL'],
      codingSystems: { 'http://snomed.info/sct': 'SNM3', 'urn:x': '99X' },
    });
    const [al1] = named(site.datasets[0]?.segments ?? [], 'AL1');
    assert.deepEqual([at(al1, 3, 3), at(al1, 3, 6)], ['SNM3', '99X']);
  });

  it('reports an element no rule carries, and shows it to the reader of its item alone', () => {
    const { warnings, datasets } = map(
      bundle(
        patient,
        list(codes.problems, ['Condition/c']),
        problem('c', { stage: { summary: { text: 'secret' } } }),
      ),
      { datasets: ['PRB'] },
    );
    assert.deepEqual(warnings, ['Condition.stage: no rule carries it']);
    const said = named(datasets[0]?.segments ?? [], 'NTE').map(({ fields }) => fields[3]);
    assert.deepEqual(said, ['Also in the GP record: Condition.stage.summary.text = secret']);
    // Of the patient where PAT is asked, and there alone.
    const photo = { ...patient, photo: [{ title: 'At work' }] };
    const ofPatient = (asked: 'PAT' | 'ALL') =>
      named(map(bundle(photo), { datasets: [asked] }).patient, 'NTE').map(
        ({ fields }) => fields[3],
      );
    assert.deepEqual(ofPatient('PAT'), ['Also in the GP record: Patient.photo.title = At work']);
    assert.deepEqual(ofPatient('ALL'), []);
  });

  it('fills a required code that the GP system does not state with no other', () => {
    const bare = (resource: Json, code: string): [Json, Json] => [
      list(code, [`${String(resource.resourceType)}/x`]),
      { ...resource, id: 'x', code: undefined },
    ];
    const record = map(
      bundle(
        patient,
        ...bare(allergy('x'), codes.active),
        ...bare(problem('x'), codes.problems),
        ...bare({ resourceType: 'Immunization', date: '2010' }, areaCodes.immunisations),
        ...bare({ resourceType: 'ProcedureRequest', status: 'active' }, areaCodes.diary),
      ),
      { datasets: ['ALL', 'RSK', 'PRB', 'DIA', 'IMM', 'DRY'] },
    );
    const segments = record.datasets.flatMap((one) => one.segments);
    for (const place of ['AL1-3', 'IAM-3', 'PRB-3', 'DG1-3', 'RXA-5', 'OBR-4']) {
      const [name = '', field] = place.split('-');
      const [segment] = named(segments, name);
      assert.equal(at(segment, Number(field)), 'GPREC.NOCODE', place);
      assert.match(at(segment, Number(field), 2), / without a code$/, place);
    }
  });
});
