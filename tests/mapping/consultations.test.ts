/** Consultations: what was written, in its order, with what other datasets carry named and not repeated. */
import assert from 'node:assert/strict';
import {
  type Json,
  at,
  bundle,
  list,
  map,
  named,
  patient,
  problem,
  realBundles,
  segmentsOf,
  texts,
  warningCode,
} from './records.ts';
import { assertAllCarried } from './published.ts';
import {
  answer,
  comment,
  encounter,
  notesUnder,
  observation,
  observed,
  ref,
  section,
  shown,
  shownIds,
  snomed,
  treeCodes,
} from './trees.ts';

const problemLink = {
  extension: [
    {
      url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-RelatedProblemHeader-1',
      extension: [{ url: 'target', valueReference: ref('Condition/c') }],
    },
  ],
};
const written = [
  encounter('e', {
    participant: [
      { type: [{ coding: [{ code: 'PPRF' }] }], individual: ref('Practitioner/1') },
      { type: [{ coding: [{ code: 'REC' }] }], individual: ref('Practitioner/2') },
    ],
    location: [{ location: ref('Location/l') }],
    serviceProvider: ref('Organization/o'),
  }),
  { resourceType: 'Practitioner', id: '1', name: [{ family: 'Reed', prefix: ['Dr'] }] },
  { resourceType: 'Practitioner', id: '2', name: [{ family: 'Fenn' }] },
  { resourceType: 'Location', id: 'l', name: 'Branch surgery' },
  { resourceType: 'Organization', id: 'o', name: 'Fen Practice' },
  // Headings before what lists them: the order is that of the lists.
  section('heading', 'h2', ['Observation/plan', 'ReferralRequest/r'], { title: 'Plan' }),
  section('heading', 'h1', ['Observation/free', 'Observation/bp'], { title: 'Examination' }),
  section('topic', 't', ['List/h1', 'List/h2'], { title: 'Low back pain', ...problemLink }),
  section('consultation', 'k', ['List/t', 'List/flat']),
  section('topic', 'flat', ['Observation/flat'], { title: undefined }),
  comment('free', 'Came about the back'),
  observation('bp', { valueQuantity: { value: 120 } }),
  comment('plan', 'See in two weeks'),
  comment('flat', 'No topic'),
  problem('c'),
  {
    resourceType: 'ReferralRequest',
    id: 'r',
    status: 'unknown',
    description: 'To physiotherapy',
    authoredOn: '2011-03-04',
  },
];

/** Where each line stands and what it says. */
const lines = (record: Parameters<typeof shown>[0]) =>
  shown(record)
    .filter(({ name }) => name === 'OBX')
    .filter((one) => /^(GPREC\.(TOPIC|HEADING|MENTION)|1|37331000000100)$/.test(at(one, 3)))
    .map((one) => `${at(one, 4)} ${at(one, 5) || at(one, 3, 2)}`);

describe('mapping: consultations', () => {
  it('give topics, headings and entries in the order in which they were written', () => {
    assert.deepEqual(lines(answer('ENC', ['e'], written)), [
      '1.1.1 Low back pain',
      '1.1.1.1 Examination',
      '1.1.1.1.1 Came about the back',
      '1.1.1.1.2 120',
      '1.1.1.2 Plan',
      '1.1.1.2.1 See in two weeks',
      '1.1.1.2.2 ReferralRequest',
      '1.1.2 Without a title',
      '1.1.2.1 No topic',
    ]);
  });

  it('fill PV1 and PV2 with when, where, by whom and of what type', () => {
    const segments = shown(answer('ENC', ['e'], written));
    const [pv1] = named(segments, 'PV1');
    const [pv2] = named(segments, 'PV2');
    assert.deepEqual(
      [at(pv1, 2), at(pv1, 3), at(pv1, 3, 4), at(pv1, 7, 2), at(pv1, 19), at(pv1, 44)],
      ['O', 'Branch surgery', 'Fen Practice', 'Reed', 'e', '20110304103000+0000'],
    );
    assert.equal(at(pv2, 3, 2), 'GP Surgery');
    assert.equal(at(observed(segments, 'GPREC.RECORDER'), 5, 2), 'Fenn');
    assert.equal(at(observed(segments, 'GPREC.PROBLEM'), 5, 2), 'Term c');
    assert.equal(at(observed(segments, 'GPREC.LINKED'), 5), 'Condition/c');
  });

  it('say that one may be a draft where the GP system does not say that it was finished', () => {
    const draft = /may be a draft$/;
    const said = (more: Json) =>
      segmentsOf(answer('ENC', ['e'], [encounter('e', more)])).flatMap(texts);
    assert.ok(said({ status: 'unknown' }).some((text) => draft.test(text)));
    assert.ok(said({ status: undefined }).some((text) => draft.test(text)));
    assert.ok(!said({}).some((text) => draft.test(text)));
    assert.ok(said({ status: 'in-progress' }).includes('in-progress'));
  });

  it('name an entry that its own dataset shows in the same answer, and show it else', () => {
    const both = map(
      bundle(
        patient,
        list(treeCodes.consultations, ['Encounter/e']),
        list(treeCodes.uncategorised, ['Observation/bp']),
        ...written,
      ),
      { datasets: ['ENC', 'OBS'] },
    );
    assert.equal(shownIds(both).filter((id) => id === 'bp').length, 1, 'once, and as an answer');
    const item = shown(both).filter((one) => at(one, 3) === 'GPREC.ITEM');
    assert.deepEqual(
      item.map((one) => at(one, 5)),
      ['Observation/bp', 'ReferralRequest/r'],
    );
    assert.ok(shownIds(answer('ENC', ['e'], written)).includes('bp'));
  });

  it('say of a named entry what turns it into its opposite', () => {
    const entries: [Json, string][] = [
      [
        { resourceType: 'Immunization', notGiven: true, status: 'completed' },
        'NOT GIVEN: this immunisation was intended and was not given',
      ],
      [
        { resourceType: 'ProcedureRequest', doNotPerform: true },
        'NOT TO BE DONE: the request says so',
      ],
      [
        { resourceType: 'Condition', verificationStatus: 'entered-in-error' },
        'Verification status stated by the GP system: entered-in-error',
      ],
      [
        { resourceType: 'MedicationRequest', dosageInstruction: [{ text: 'ONE daily' }] },
        'Dosage as text: ONE daily',
      ],
    ];
    for (const [resource, words] of entries) {
      const entry = { id: 'n', code: snomed('2', 'Named'), ...resource };
      const record = answer(
        'ENC',
        ['e'],
        [
          encounter('e'),
          section('consultation', 'k', [`${String(resource.resourceType)}/n`]),
          entry,
        ],
      );
      assert.ok(segmentsOf(record).flatMap(texts).includes(words), words);
    }
  });

  it('lose nothing where the lists are not as they should be', () => {
    const words = (resources: Json[], listed = ['e']) => {
      const record = answer('ENC', listed, [encounter('e'), ...resources]);
      return { record, said: segmentsOf(record).flatMap(texts) };
    };
    const free = comment('f', 'Free text');
    // A consultation List without an id; a topic no consultation lists; a heading no topic lists.
    for (const own of [
      section('consultation', undefined, ['Observation/f']),
      section('topic', 't', ['Observation/f']),
      section('heading', undefined, ['Observation/f']),
    ])
      assert.ok(words([own, free]).said.includes('Free text'));
    // One that lists itself, and what is not there.
    const loop = section('consultation', 'k', ['List/k', 'List/none', 'Observation/f']);
    const { record, said } = words([loop, free]);
    assert.ok(said.includes('Free text'));
    assert.ok(said.includes('Listed by the GP system but not supplied: List/none'));
    assert.deepEqual(record.datasets[0]?.status, [{ status: 'W', warning: 'items-not-supplied' }]);
    // An entry in words alone, and an unknown kind of list.
    const odd = section('consultation', 'k', [], {
      code: snomed('9', 'New kind'),
      entry: [{ item: { display: 'Referral items are not supported by the provider system' } }],
    });
    const unknown = words([odd]).said.join('\n');
    assert.match(unknown, /Referral items are not supported by the provider system/);
    assert.match(unknown, /Kind of section: New kind/);
  });

  it('take a consultation that is listed by its List, with its encounter or without', () => {
    const record = answer('ENC', ['List/k'], written);
    assert.equal(at(named(shown(record), 'PV1')[0], 19), 'e');
    assert.deepEqual(lines(record), lines(answer('ENC', ['e'], written)));
    const alone = answer('ENC', ['List/k'], written.slice(1));
    assert.deepEqual(named(shown(alone), 'PV1'), []);
    assert.ok(segmentsOf(alone).flatMap(texts).includes('Came about the back'));
  });

  it('warn where a list inside a consultation says that something is withheld', () => {
    const withheld = section('consultation', 'k', ['Observation/f'], {
      extension: [warningCode('confidential-items')],
      note: [{ text: 'Items excluded due to confidentiality and/or patient preferences.' }],
    });
    const record = answer('ENC', ['e'], [encounter('e'), withheld, comment('f', 'x')]);
    assert.deepEqual(record.datasets[0]?.status, [{ status: 'W', warning: 'confidential-items' }]);
    assert.ok(
      notesUnder(shown(record), 'Consultation').includes(
        'Items excluded due to confidentiality and/or patient preferences.',
      ),
    );
  });

  it('answer nothing that only a consultation names', () => {
    const elsewhere = map(
      bundle(patient, list(treeCodes.consultations, ['Encounter/e']), ...written),
      { datasets: ['OBS', 'REF', 'PRB'] },
    );
    for (const { dataset, items, status } of elsewhere.datasets)
      assert.deepEqual([items, status], [0, [{ status: 'U' }]], dataset);
  });
});

describe('mapping: published consultations', () => {
  it('show each listed one once, with all of its words, in every profile', function () {
    const count = assertAllCarried(realBundles(this), ['ENC']);
    assert.ok(count > 200, `${count} consultations`);
  });
});
