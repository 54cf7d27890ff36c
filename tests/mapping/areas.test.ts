/** Immunisations, referrals and diary entries: what each looks like in HL7, and that none is lost. */
import assert from 'node:assert/strict';
import type { Dataset } from '../../engine/gp/port.ts';
import type { MappedSegment } from '../../engine/mapping/mapped.ts';
import {
  type Json,
  areaCodes,
  at,
  bundle,
  list,
  map,
  named,
  patient,
  realBundles,
  segmentsOf,
  texts,
} from './records.ts';

const snomed = (code: string, display: string): Json => ({
  coding: [{ system: 'http://snomed.info/sct', code, display }],
});
const extension = (name: string, value: Json): Json => ({
  url: `https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-${name}-1`,
  ...value,
});
const procedure = extension('VaccinationProcedure', {
  valueCodeableConcept: snomed('38598009', 'MMR vaccination'),
});
const unknownProduct = {
  coding: [{ system: 'http://hl7.org/fhir/v3/NullFlavor', code: 'UNK', display: 'unknown' }],
};
const person = (id: string, family: string): Json => ({
  resourceType: 'Practitioner',
  id,
  name: [{ family, prefix: ['Dr'] }],
  identifier: [{ system: 'https://fhir.hl7.org.uk/Id/gmp-number', value: `G${id}` }],
});
const organisation = (id: string, name: string, resourceType = 'Organization'): Json => ({
  resourceType,
  id,
  name,
});

/** The segments of one item of an area, its list and whatever else is in the Bundle. */
function itemOf(dataset: Dataset, code: string, item: Json, ...others: Json[]): MappedSegment[] {
  const listed = list(code, [`${String(item.resourceType)}/${String(item.id)}`]);
  const record = map(bundle(patient, listed, item, ...others), { datasets: [dataset] });
  const [found] = record.datasets;
  assert.deepEqual(found?.status, [{ status: 'C' }]);
  assert.equal(found.items, 1);
  return found.segments;
}
const notesOf = (segments: MappedSegment[]) => named(segments, 'NTE').map((note) => note.fields[3]);
const observed = (segments: MappedSegment[], code: string) =>
  segments.find((segment) => at(segment, 3) === code);

describe('mapping: immunisations', () => {
  const vaccination = (more: Json): Json => ({
    resourceType: 'Immunization',
    id: 'v1',
    status: 'completed',
    notGiven: false,
    vaccineCode: unknownProduct,
    patient: { reference: 'Patient/p1' },
    date: '2019-09-28',
    primarySource: true,
    extension: [procedure],
    ...more,
  });
  const segmentsFor = (more: Json, ...others: Json[]) =>
    itemOf('IMM', areaCodes.immunisations, vaccination(more), ...others);

  it('give RXA and RXR with all that is stated', () => {
    const segments = segmentsFor(
      {
        date: '2019-09-28T10:11:00+01:00',
        extension: [procedure, extension('DateRecorded', { valueDateTime: '2019-09-29' })],
        location: { reference: 'Location/l' },
        manufacturer: { reference: 'Organization/m' },
        lotNumber: 'L|7',
        expirationDate: '2020-01-31',
        site: snomed('368209003', 'Right upper arm'),
        route: snomed('78421000', 'Intramuscular'),
        doseQuantity: { value: 0.5, system: 'http://unitsofmeasure.org', code: 'ml' },
        practitioner: [
          { role: { coding: [{ code: 'EP' }] }, actor: { reference: 'Practitioner/1' } },
          { role: { coding: [{ code: 'AP' }] }, actor: { reference: 'Practitioner/2' } },
        ],
        explanation: { reason: [snomed('171279008', 'Immunisation due')] },
        vaccinationProtocol: [
          { doseSequence: 2, seriesDoses: 3, targetDisease: [snomed('14189004', 'Measles')] },
        ],
      },
      person('1', 'Reed'),
      person('2', 'Fenn'),
      organisation('m', 'Makers'),
      organisation('l', 'Room 3', 'Location'),
    );
    const [rxa] = named(segments, 'RXA');
    assert.deepEqual(
      [1, 2, 3, 4].map((field) => rxa?.fields[field]),
      ['0', '1', '20190928101100+0100', '20190928101100+0100'],
    );
    assert.deepEqual([at(rxa, 5), at(rxa, 5, 2)], ['38598009', 'MMR vaccination']);
    assert.deepEqual([at(rxa, 6), at(rxa, 7), at(rxa, 7, 3)], ['0.5', 'ml', 'UCUM']);
    assert.deepEqual([at(rxa, 10), at(rxa, 10, 2), at(rxa, 11, 4)], ['G2', 'Fenn', 'Room 3']);
    assert.deepEqual([at(rxa, 15), at(rxa, 16), at(rxa, 17, 2)], ['L|7', '20200131', 'Makers']);
    assert.deepEqual([at(rxa, 19), at(rxa, 20), at(rxa, 22)], ['171279008', 'CP', '20190929']);
    assert.equal(at(rxa, 9), '', 'nobody else reported it');
    const [rxr] = named(segments, 'RXR');
    assert.deepEqual([at(rxr, 1), at(rxr, 2)], ['78421000', '368209003']);
    assert.equal(at(observed(segments, 'GPREC.ENTEREDBY'), 5, 2), 'Reed');
    assert.equal(at(observed(segments, 'GPREC.PROTOCOL.DOSE'), 5), '2');
    assert.equal(at(observed(segments, 'GPREC.PROTOCOL.DOSES'), 5), '3');
  });

  it('show procedure and product, and the product alone where there is no procedure', () => {
    const both = segmentsFor({});
    assert.equal(at(named(both, 'RXA')[0], 5), '38598009');
    const product = observed(both, 'GPREC.VACCINE');
    assert.deepEqual([at(product, 5), at(product, 5, 2)], ['UNK', 'unknown']);
    const alone = segmentsFor({ extension: [], vaccineCode: snomed('39473011000001103', 'X') });
    assert.equal(at(named(alone, 'RXA')[0], 5), '39473011000001103');
    assert.equal(observed(alone, 'GPREC.VACCINE'), undefined);
  });

  it('make up no dose: 999 where none is stated, and no unit', () => {
    const [rxa] = named(segmentsFor({}), 'RXA');
    assert.deepEqual([at(rxa, 6), rxa?.fields[7]], ['999', undefined]);
    const [unitless] = named(segmentsFor({ doseQuantity: { value: 1 } }), 'RXA');
    assert.deepEqual([at(unitless, 6), unitless?.fields[7]], ['1', undefined]);
  });

  it('keep a partial date partial, and give no RXA where there is none', () => {
    assert.equal(at(named(segmentsFor({ date: '1971-09' }), 'RXA')[0], 3), '197109');
    const undated = segmentsFor({
      date: undefined,
      lotNumber: 'L7',
      doseQuantity: { value: 0.5, unit: 'ml' },
      expirationDate: '1972',
    });
    assert.deepEqual([...named(undated, 'RXA'), ...named(undated, 'RXR')], []);
    assert.equal(at(observed(undated, 'GPREC.IMMUNISATION'), 5), '38598009');
    assert.equal(at(observed(undated, 'GPREC.IMMUNISATION.LOT'), 5), 'L7');
    assert.equal(at(observed(undated, 'GPREC.IMMUNISATION.DOSE'), 5), '0.5');
    assert.ok(notesOf(undated).includes('The GP system states no date for this immunisation'));
  });

  it('never show one that was not given as given, nor as refused', () => {
    const segments = segmentsFor({
      notGiven: true,
      explanation: { notGivenReason: [snomed('213257006', 'Generally unwell')] },
    });
    const [rxa] = named(segments, 'RXA');
    assert.deepEqual([at(rxa, 6), at(rxa, 18), at(rxa, 20)], ['999', '213257006', 'NA']);
    assert.match(String(notesOf(segments)[0]), /^NOT GIVEN/);
  });

  it('never call one complete that was entered in error, nor show it as RXA', () => {
    const segments = segmentsFor({ status: 'entered-in-error', date: '2019-05' });
    assert.deepEqual(named(segments, 'RXA'), []);
    assert.equal(at(observed(segments, 'GPREC.IMMUNISATION.DATE'), 5), '201905');
    assert.ok(!notesOf(segments).some((note) => String(note).includes('states no date')));
    assert.ok(notesOf(segments).includes('Status stated by the GP system: entered-in-error'));
  });

  it('say that the practice was told of it, and by whom', () => {
    const segments = segmentsFor({ primarySource: false, reportOrigin: { text: 'Red book' } });
    const [rxa] = named(segments, 'RXA');
    assert.deepEqual([at(rxa, 9), at(rxa, 9, 3)], ['01', 'NIP001']);
    assert.equal(at(observed(segments, 'GPREC.REPORTORIGIN'), 5, 2), 'Red book');
  });

  it('give a site without a route as OBX: RXR requires a route', () => {
    const segments = segmentsFor({ site: snomed('368209003', 'Right upper arm') });
    assert.deepEqual(named(segments, 'RXR'), []);
    assert.equal(at(observed(segments, 'GPREC.SITE'), 5), '368209003');
  });

  it('give nobody a part the GP system does not state', () => {
    const segments = segmentsFor(
      { practitioner: [{ actor: { reference: 'Practitioner/1' } }] },
      person('1', 'Reed'),
    );
    assert.equal(named(segments, 'RXA')[0]?.fields[10], undefined);
    assert.equal(at(observed(segments, 'GPREC.PRACTITIONER'), 5, 2), 'Reed');
  });

  it('carry consent and dissent, which stand in the same list', () => {
    const dissent: Json = {
      resourceType: 'Observation',
      id: 'o1',
      status: 'final',
      code: snomed('268559007', 'No consent for any immunization'),
      effectiveDateTime: '2001-02',
      comment: 'Withdrawn since',
    };
    const segments = itemOf('IMM', areaCodes.immunisations, dissent);
    const shown = observed(segments, '268559007');
    assert.deepEqual(
      [at(shown, 3, 2), at(shown, 14)],
      ['No consent for any immunization', '200102'],
    );
    assert.ok(notesOf(segments).includes('Withdrawn since'));
  });
});

describe('mapping: referrals', () => {
  const referral = (more: Json): Json => ({
    resourceType: 'ReferralRequest',
    id: 'r1',
    status: 'unknown',
    intent: 'order',
    subject: { reference: 'Patient/p1' },
    reasonCode: [snomed('308447003', 'Referral to physiotherapist')],
    ...more,
  });
  const segmentsFor = (more: Json, ...others: Json[]) =>
    itemOf('REF', areaCodes.referrals, referral(more), ...others);

  it('give RF1 with its notes, then who referred and to whom', () => {
    const segments = segmentsFor(
      {
        priority: 'urgent',
        authoredOn: '2011-03-07T16:55:00+00:00',
        identifier: [
          { system: 'https://provider.example/id', value: 'own' },
          { system: 'https://fhir.nhs.uk/Id/ubr-number', value: '000049385139' },
        ],
        requester: {
          agent: { reference: 'Practitioner/1' },
          onBehalfOf: { reference: 'Organization/o' },
        },
        recipient: [
          { reference: 'Practitioner/2', display: 'Dr Dave' },
          { reference: 'HealthcareService/h' },
        ],
        description: 'Low back\r\npain',
        note: [{ text: 'Mode:Written' }],
        supportingInfo: [{ reference: 'Observation/9' }],
      },
      person('1', 'Reed'),
      person('2', 'Fenn'),
      organisation('o', 'Fen Practice'),
      organisation('h', 'Triage', 'HealthcareService'),
    );
    const [rf1] = named(segments, 'RF1');
    assert.equal(rf1?.fields[1], undefined, 'a GP system knows no status of a referral');
    assert.deepEqual([at(rf1, 2), at(rf1, 7)], ['A', '20110307165500+0000']);
    assert.deepEqual(
      [at(rf1, 6), at(rf1, 6, 3), at(rf1, 6, 4)],
      ['000049385139', 'https://fhir.nhs.uk/Id/ubr-number', 'URI'],
    );
    assert.equal(at(rf1, 10), '308447003');
    assert.deepEqual(notesOf(segments), [
      'Priority stated by the GP system: urgent',
      'Description: Low back\r\npain',
      'Mode:Written',
    ]);
    const order = segments.map(({ name }) => name).filter((name) => /RF1|PRD/.test(name));
    assert.deepEqual(order, ['RF1', 'PRD', 'PRD', 'PRD']);
    assert.deepEqual(
      named(segments, 'PRD').map((prd) => [at(prd, 1), at(prd, 2), at(prd, 4, 4), at(prd, 7)]),
      [
        ['RP', 'Reed', 'Fen Practice', 'G1'],
        ['RT', 'Fenn', '', 'G2'],
        ['RT', '', 'Triage', ''],
      ],
    );
    assert.equal(at(observed(segments, 'GPREC.REFERRAL.TO'), 5), 'Dr Dave');
    assert.equal(at(observed(segments, 'GPREC.REFERRAL.STATUS'), 5), 'unknown');
    assert.ok(observed(segments, 'GPREC.LINKED')?.fields[5]?.toString().includes('Observation/9'));
  });

  it('give the id where there is no booking number, and a priority nobody knows in words alone', () => {
    const [rf1] = named(segmentsFor({}), 'RF1');
    assert.deepEqual([at(rf1, 6), at(rf1, 6, 3)], ['r1', '']);
    const odd = segmentsFor({ priority: 'soonish' });
    assert.equal(named(odd, 'RF1')[0]?.fields[2], undefined);
    assert.ok(notesOf(odd).some((note) => String(note).includes('soonish')));
  });

  for (const [priority, code] of [
    ['routine', 'R'],
    ['urgent', 'A'],
    ['asap', 'S'],
    ['stat', 'S'],
  ]) {
    it(`give the priority ${priority} as ${code} and in the GP system's own word`, () => {
      const segments = segmentsFor({ priority });
      assert.equal(at(named(segments, 'RF1')[0], 2), code);
      assert.deepEqual(notesOf(segments), [`Priority stated by the GP system: ${priority}`]);
    });
  }

  it('name a recipient who is not in the reply, and say that the reply lacks it', () => {
    const segments = segmentsFor({
      recipient: [{ reference: 'Practitioner/x', display: 'Dr Lost' }],
    });
    assert.deepEqual(named(segments, 'PRD'), []);
    assert.ok(notesOf(segments).some((note) => String(note).includes('Dr Lost')));
  });
});

describe('mapping: diary entries', () => {
  const entry = (more: Json): Json => ({
    resourceType: 'ProcedureRequest',
    id: 'd1',
    status: 'active',
    intent: 'plan',
    subject: { reference: 'Patient/p1' },
    code: snomed('86198006', 'Administration of influenza vaccine'),
    authoredOn: '2025-10-06',
    ...more,
  });
  const segmentsFor = (more: Json, ...others: Json[]) =>
    itemOf('DRY', areaCodes.diary, entry(more), ...others);
  const planned = 'PLANNED, NOT DONE: an entry of the GP diary';

  it('give ORC and OBR that are scheduled, and say that it is not done', () => {
    const segments = segmentsFor(
      {
        occurrencePeriod: { start: '2026-09-14', end: '2026-11-30' },
        requester: { agent: { reference: 'Practitioner/1' } },
        reasonCode: [snomed('195967001', 'Asthma')],
        note: [{ text: 'Bring the diary' }],
      },
      person('1', 'Reed'),
    );
    const [orc] = named(segments, 'ORC');
    const [obr] = named(segments, 'OBR');
    assert.deepEqual([at(orc, 1), at(orc, 5)], ['SR', 'SC']);
    assert.deepEqual([at(orc, 7, 4), at(orc, 7, 5)], ['20260914', '20261130']);
    assert.deepEqual([at(orc, 9), at(orc, 10, 2)], ['20251006', 'Reed']);
    assert.deepEqual([at(obr, 3), at(obr, 4), at(obr, 25)], ['d1', '86198006', 'S']);
    assert.deepEqual([at(obr, 31), at(obr, 36)], ['195967001', '20260914']);
    assert.deepEqual(notesOf(segments), [planned, 'Bring the diary']);
  });

  it('are not called planned where the GP system says that they are over', () => {
    for (const status of ['completed', 'cancelled', 'entered-in-error']) {
      const segments = segmentsFor({ status, occurrenceDateTime: '2026-09' });
      assert.equal(at(named(segments, 'OBR')[0], 25), '');
      assert.ok(!notesOf(segments).includes(planned));
      assert.ok(notesOf(segments).some((note) => String(note).endsWith(`GP system: ${status}`)));
    }
  });

  it('say that no date is stated, and give none', () => {
    const segments = segmentsFor({});
    assert.equal(named(segments, 'OBR')[0]?.fields[36], undefined);
    assert.deepEqual(notesOf(segments), [planned, 'The GP system states no date for it']);
  });

  it('never turn "do not perform" into a plan', () => {
    const notes = notesOf(segmentsFor({ doNotPerform: true, occurrenceDateTime: '2027' }));
    assert.deepEqual(notes, [planned, 'The GP system says that this is NOT to be performed']);
  });

  it('give an organisation that entered it as one', () => {
    const segments = segmentsFor(
      { requester: { agent: { reference: 'Organization/o' } } },
      organisation('o', 'Fen Practice'),
    );
    const [orc] = named(segments, 'ORC');
    assert.deepEqual([orc?.fields[10], at(orc, 21)], [undefined, 'Fen Practice']);
  });
});

describe('mapping: published immunisations, referrals and diary entries', () => {
  const areas: [Dataset, string][] = [
    ['IMM', areaCodes.immunisations],
    ['REF', areaCodes.referrals],
    ['DRY', areaCodes.diary],
  ];
  const array = (value: unknown): Json[] =>
    Array.isArray(value) ? (value as Json[]) : value === undefined ? [] : [value as Json];
  const identity = (resource: Json) => `${String(resource.resourceType)}/${String(resource.id)}`;

  /** What a primary list of this code names and the Bundle holds; each version of it once. */
  function listed(record: unknown, code: string): Json[] {
    // One published reply leaves out the word "resource".
    const resources = array((record as Json).entry).flatMap((entry) =>
      entry ? [(entry.resource ?? entry) as Json] : [],
    );
    const lists = resources.filter(
      (one) =>
        one.resourceType === 'List' &&
        array((one.code as Json | undefined)?.coding).some((coding) => coding.code === code),
    );
    const references = new Set(
      lists.flatMap(({ entry }) => array(entry).map(({ item }) => (item as Json).reference)),
    );
    const found = resources.filter((resource) => references.has(identity(resource)));
    return [...new Map(found.map((one) => [JSON.stringify(one), one])).values()];
  }

  /** Ids, codes, terms and words that must be found again. */
  function wordsOf(resource: Json): string[] {
    const concepts = [
      resource.code,
      resource.vaccineCode,
      ...array(resource.reasonCode),
      ...array(resource.extension).map((one) => one.valueCodeableConcept),
    ] as (Json | undefined)[];
    const words = concepts.flatMap((concept) => [
      concept?.text,
      ...array(concept?.coding).flatMap((coding) => [coding.code, coding.display]),
    ]);
    words.push(resource.id, resource.description, resource.lotNumber, resource.comment);
    words.push(...array(resource.note).map(({ text }) => text));
    words.push(...array(resource.identifier).map(({ value }) => value));
    return words.filter((word): word is string => typeof word === 'string' && word !== '');
  }

  for (const profile of ['rsp', 'a19'] as const) {
    it(`as ${profile}: each item once, by its id, with its codes and words`, function () {
      const counts = areas.map(() => 0);
      for (const { name, bundle: real } of realBundles(this)) {
        const record = map(real, { datasets: areas.map(([dataset]) => dataset), profile });
        const segments = segmentsOf(record).filter(({ from }) => from !== undefined);
        for (const [i, [dataset, code]] of areas.entries()) {
          const expected = listed(real, code);
          assert.equal(record.datasets[i]?.items, expected.length, `${name} ${dataset}`);
          for (const resource of expected) assertCarried(resource, expected, segments, name);
          counts[i] = (counts[i] ?? 0) + expected.length;
        }
      }
      assert.ok(
        counts.every((count) => count > 10),
        counts.join(),
      );
    });
  }

  /** The item has its own segment as often as it has versions, and its words stand in its segments. */
  function assertCarried(
    resource: Json,
    all: readonly Json[],
    segments: readonly MappedSegment[],
    where: string,
  ): void {
    const own = segments.filter(({ from }) => from === identity(resource));
    const heads = own.filter(
      (segment) =>
        /^(RXA|RF1|OBR)$/.test(segment.name) ||
        /^(RXA-5|RF1-6|OBR-4|GPREC\.IMMUNISATION)$/.test(at(segment, 3)),
    );
    const versions = all.filter((one) => identity(one) === identity(resource)).length;
    if (resource.resourceType !== 'Observation') {
      assert.equal(heads.length, versions, `${where} ${identity(resource)}`);
    }
    const shown = own.flatMap(texts);
    for (const word of wordsOf(resource)) {
      const kept = shown.some((text) => text.includes(word));
      assert.ok(kept, `${where} ${identity(resource)} lost "${word}"`);
    }
  }
});
