/**
 * Generated records of every dataset: dangling references, repeated ids, lists without ids, ended
 * allergies inside their list, awkward text in every string. Each text is unlike every other one of
 * its record, so that a text found in the answer is known to be this one.
 */
import fc from 'fast-check';
import { type Json, areaCodes, bundle, codes, list, patient, warningCode } from './records.ts';
import { sections, treeCodes } from './trees.ts';

/** Stands for a number of its own in every text: `numbered` puts it in. */
const mark = '\u{F0000}';

const awkward = fc.constantFrom(
  ...['|', '^', '~', '&', '\\', '\r', '\n', '\r\n', '\\F\\', '\\.br\\', '\t', 'é', '漢', '😀', ' '],
  ...['mg', 'two tablets', '"', '{', '\u000b', '\u001c'],
);
/** Text with whatever HL7 and MLLP must escape, and a number that no other text has. */
export const text = fc
  .tuple(fc.array(awkward, { maxLength: 3 }), fc.array(awkward, { maxLength: 2 }))
  .map(([before, after]) => `${before.join('')}w${mark}w${after.join('')}`);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const oneOrTwo = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 2 });

const ext = (name: string, more: Json): Json => ({
  url: `https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-${name}-1`,
  ...more,
});
const coding = fc
  .record({
    system: fc.constantFrom('http://snomed.info/sct', 'http://read.info/readv2', 'urn:local'),
    code: text,
    display: text,
    userSelected: maybe(fc.boolean()),
    description: maybe(text),
  })
  .map(({ description, ...own }) => ({
    ...own,
    ...(description !== undefined && {
      extension: [
        ext('coding-sctdescid', {
          extension: [
            { url: 'descriptionId', valueId: '1' },
            { url: 'descriptionDisplay', valueString: description },
          ],
        }),
      ],
    }),
  }));
const concept = fc.record({
  coding: fc.array(coding, { minLength: 1, maxLength: 3 }),
  text: maybe(text),
});
/** Each as exact as its source may be, with offsets on both sides of Greenwich. */
export const dates = [
  '1951',
  '1952-03',
  '1953-04-05',
  '1954-05-06T07:08:09+01:00',
  '1955-06-07T08:09:10.25Z',
  '1956-07-08T09:10:11-05:30',
] as const;
const dateTime = fc.constantFrom(...dates);
const notes = oneOrTwo(fc.record({ text }));
const identifier = oneOrTwo(fc.record({ system: fc.constant('https://gp.example'), value: text }));
const reference = (...to: string[]) => fc.constantFrom(...to).map((one) => ({ reference: one }));
const person = reference(
  'Practitioner/1',
  'Practitioner/2',
  'Practitioner/gone',
  'PractitionerRole/1',
);
const subject = { reference: 'Patient/p1' };

/** A resource: what it always has, and what it may have. */
function resource(type: string, id: string, own: Json, may: Record<string, fc.Arbitrary<unknown>>) {
  const optional = Object.fromEntries(Object.entries(may).map(([name, one]) => [name, maybe(one)]));
  return fc.record({ identifier, ...optional }).map((more): Json => {
    const given = Object.entries(more).filter(([, value]) => value !== undefined);
    return { resourceType: type, id, ...own, ...Object.fromEntries(given) };
  });
}

const allergy = (id: string) =>
  fc
    .tuple(fc.constantFrom('active', 'resolved', 'inactive'), concept)
    .chain(([clinicalStatus, code]) =>
      resource(
        'AllergyIntolerance',
        id,
        {
          clinicalStatus,
          verificationStatus: 'unconfirmed',
          category: ['medication'],
          code,
          patient: subject,
        },
        {
          onsetDateTime: dateTime,
          assertedDate: dateTime,
          recorder: person,
          note: notes,
          reaction: oneOrTwo(
            fc.record({
              description: text,
              severity: fc.constantFrom('mild', 'severe'),
              manifestation: oneOrTwo(concept),
            }),
          ),
        },
      ),
    );

const problem = (id: string) =>
  concept.chain((code) =>
    resource(
      'Condition',
      id,
      { clinicalStatus: 'active', code, subject },
      {
        onsetDateTime: dateTime,
        assertedDate: dateTime,
        abatementDateTime: dateTime,
        asserter: person,
        note: notes,
        extension: fc.constant([ext('ProblemSignificance', { valueCode: 'major' })]),
      },
    ),
  );

const medication = (id: string) =>
  fc
    .tuple(concept, text, text, text, maybe(notes), dateTime)
    .chain(([code, dosage, planned, issued, note, day]) => {
      const request = (own: string, intent: string, words: string, more: Json) =>
        resource(
          'MedicationRequest',
          own,
          {
            intent,
            status: 'active',
            subject,
            medicationReference: { reference: `Medication/${id}` },
            dosageInstruction: [{ text: words }],
            authoredOn: day,
            ...more,
          },
          { recorder: person, note: notes },
        );
      return fc.tuple(
        resource(
          'MedicationStatement',
          id,
          {
            status: 'active',
            taken: 'unk',
            subject,
            basedOn: [{ reference: `MedicationRequest/${id}p` }],
            medicationReference: { reference: `Medication/${id}` },
            dosage: [{ text: dosage }],
            ...(note && { note }),
          },
          {
            effectivePeriod: fc.record({ start: dateTime, end: dateTime }),
            dateAsserted: dateTime,
          },
        ),
        request(`${id}p`, 'plan', planned, {}),
        request(`${id}i`, 'order', issued, {
          basedOn: [{ reference: `MedicationRequest/${id}p` }],
        }),
        fc.constant<Json>({ resourceType: 'Medication', id, code }),
      );
    });

const immunisation = (id: string) =>
  fc.tuple(concept, concept).chain(([procedure, vaccineCode]) =>
    resource(
      'Immunization',
      id,
      {
        status: 'completed',
        notGiven: false,
        vaccineCode,
        patient: subject,
        extension: [ext('VaccinationProcedure', { valueCodeableConcept: procedure })],
      },
      { date: dateTime, lotNumber: text, note: notes, site: concept, route: concept },
    ),
  );

const referral = (id: string) =>
  resource(
    'ReferralRequest',
    id,
    { status: 'active', intent: 'order', subject },
    {
      authoredOn: dateTime,
      priority: fc.constantFrom('routine', 'urgent'),
      reasonCode: oneOrTwo(concept),
      description: text,
      note: notes,
      recipient: oneOrTwo(person),
    },
  );

const diary = (id: string) =>
  concept.chain((code) =>
    resource(
      'ProcedureRequest',
      id,
      { status: 'active', intent: 'plan', code, subject },
      { occurrenceDateTime: dateTime, authoredOn: dateTime, note: notes },
    ),
  );

const observation = (id: string, more: Json = {}) =>
  concept.chain((code) =>
    resource(
      'Observation',
      id,
      { status: 'final', code, subject, ...more },
      {
        effectiveDateTime: dateTime,
        issued: fc.constant('1957-08-09T10:11:12+00:00'),
        comment: text,
        performer: oneOrTwo(person),
        valueQuantity: fc.record({ value: fc.constantFrom(7.25, 131, '1.10'), unit: text }),
      },
    ),
  );

const report = (id: string) =>
  fc.tuple(
    concept.chain((code) =>
      resource(
        'DiagnosticReport',
        id,
        {
          status: 'unknown',
          code,
          subject,
          issued: '1958-09-10T11:12:13+00:00',
          result: ['a', 'gone'].map((one) => ({ reference: `Observation/${id}${one}` })),
        },
        { conclusion: text },
      ),
    ),
    observation(`${id}a`),
  );

/** A consultation with a topic and a heading that names two entries. */
const consultation = (id: string) =>
  fc.tuple(
    fc.tuple(text, text, text, text).chain(([kind, title, topic, heading]) => {
      const at = { subject, encounter: { reference: `Encounter/${id}` } };
      const sectionOf = (code: string, own: string, words: string, entries: string[]) =>
        list(code, entries, { id: own, title: words, ...at });
      return resource(
        'Encounter',
        id,
        { status: 'finished', type: [{ text: kind }], subject },
        { period: fc.record({ start: dateTime }) },
      ).map((encounter): Json[] => [
        encounter,
        sectionOf(sections.consultation, `${id}c`, title, [`List/${id}t`]),
        sectionOf(sections.topic, `${id}t`, topic, [`List/${id}h`]),
        sectionOf(sections.heading, `${id}h`, heading, [`Observation/${id}o`, 'Observation/gone']),
      ]);
    }),
    observation(`${id}o`),
  );

/** What is listed as an answer: its list, the reference that names it, and its resources. */
interface Listed {
  code: string;
  reference: string;
  resources: Json[];
}
const listed = (code: string, made: fc.Arbitrary<(Json | Json[])[] | Json>) =>
  made.map((one): Listed => {
    const resources = [one].flat(2) as Json[];
    const [first] = resources;
    return { code, reference: `${String(first?.resourceType)}/${String(first?.id)}`, resources };
  });

/** Items of every dataset; their ids differ. */
const items = fc
  .tuple(
    ...(
      [
        [codes.active, allergy],
        [codes.active, allergy],
        [codes.medication, medication],
        [codes.problems, problem],
        [areaCodes.immunisations, immunisation],
        [areaCodes.referrals, referral],
        [areaCodes.diary, diary],
        [treeCodes.uncategorised, observation],
        [treeCodes.investigations, report],
        [treeCodes.consultations, consultation],
      ] as const
    ).map(([code, make], i) => maybe(listed(code, make(`x${i}`) as fc.Arbitrary<Json | Json[]>))),
  )
  .map((all) => all.filter((one) => one !== undefined));

/** A generated record, and what is known of it. */
export interface Generated {
  bundle: Json;
  /** Resources that a primary list names. */
  answers: Json[];
  /** Resources that only a secondary list names. */
  context: Json[];
}

export const record: fc.Arbitrary<Generated> = fc
  .record({
    items,
    aside: fc.tuple(maybe(allergy('y1')), maybe(problem('y2')), maybe(observation('y3'))),
    ended: maybe(allergy('e1').map((one): Json => ({ ...one, clinicalStatus: 'resolved' }))),
    twice: fc.boolean(),
    warning: maybe(fc.constantFrom('confidential-items', 'data-in-transit')),
    listNote: maybe(text),
    family: text,
    order: fc.infiniteStream(fc.nat()),
  })
  .map(({ items: all, aside, ended, twice, warning, listNote, family, order }): Generated => {
    const context = aside.filter((one) => one !== undefined);
    const secondary = list(
      'problems-uncategorised-data-related-to-problems',
      context.map(({ resourceType, id }) => `${String(resourceType)}/${String(id)}`),
    );
    const named = new Map<string, string[]>();
    for (const { code, reference: one } of all) named.set(code, [...(named.get(code) ?? []), one]);
    const lists = [...named].map(([code, references]) =>
      list(code, [...references, `${references[0]?.split('/')[0]}/gone`], {
        ...(warning && { extension: [warningCode(warning)] }),
        ...(listNote !== undefined && { note: [{ text: listNote }] }),
      }),
    );
    if (ended) lists.push(list(codes.ended, ['#e1'], { contained: [ended] }));
    const staff: Json[] = [
      { resourceType: 'Practitioner', id: '1', name: [{ family, given: ['Ann'] }] },
      { resourceType: 'Practitioner', id: '2', name: [{ family: 'Reed' }] },
      {
        resourceType: 'PractitionerRole',
        id: '1',
        practitioner: { reference: 'Practitioner/2' },
      },
    ];
    const resources = [...lists, secondary, ...all.flatMap((one) => one.resources), ...context];
    const shuffled = resources
      .map((one) => ({ one, at: order.next().value as number }))
      .sort((a, b) => a.at - b.at)
      .map(({ one }) => one);
    const repeated = twice ? [...staff, ...staff] : staff;
    const whole = numbered(bundle(patient, ...repeated, ...shuffled));
    const entries = (whole.entry as { resource: Json }[]).map(({ resource: one }) => one);
    const answersOf = all.map(({ reference: one }) => one);
    const identity = ({ resourceType, id }: Json) => `${String(resourceType)}/${String(id)}`;
    const contained = entries.flatMap(({ contained: inner }) => (inner ?? []) as Json[]);
    return {
      bundle: whole,
      answers: [...entries.filter((one) => answersOf.includes(identity(one))), ...contained],
      context: entries.filter(({ id }) => /^y\d$/.test(String(id))),
    };
  });

/** Every mark by a number of its own. */
function numbered(value: Json): Json {
  let next = 100_000;
  const walk = (one: unknown): unknown => {
    if (typeof one === 'string') return one.replaceAll(mark, () => String(next++));
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([name, inner]) => [name, walk(inner)]));
  };
  return walk(value) as Json;
}
