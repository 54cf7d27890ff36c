import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Claimed,
  type Demographic,
  claimsDiffering,
  differences,
  isBirthDate,
  isComparable,
} from '../../engine/gp/demographics.ts';
import type { Trace } from '../../engine/gp/port.ts';

const trace: Trace = {
  nhsNumber: '9000000009',
  superseded: false,
  family: 'O\u2019Brien-M\u00fcller',
  given: ['Jane', 'Marie'],
  gender: 'female',
  birthDate: '1980-02-29',
  source: 'pds',
};
const bundle = (more: object = {}, name: object = {}) => ({
  resourceType: 'Bundle',
  entry: [
    { resource: { resourceType: 'Organization' } },
    {
      resource: {
        resourceType: 'Patient',
        name: [
          { use: 'old', family: 'Before', given: ['Ann'] },
          { use: 'official', family: 'OBRIEN MULLER', given: ['JANE'], ...name },
        ],
        gender: 'female',
        birthDate: '1980-02-29',
        ...more,
      },
    },
  ],
});

describe('comparing the record\u2019s patient with the trace', () => {
  const cases: [string, Partial<Trace>, unknown, Demographic[]][] = [
    ['case, accents, apostrophes and hyphens', {}, bundle(), []],
    ['middle names left out', { given: ['Jane', 'Marie'] }, bundle({}, { given: ['Jane'] }), []],
    ['given names in one text', {}, bundle({}, { given: ['Jane  Marie'] }), []],
    ['another middle name', {}, bundle({}, { given: ['Jane', 'Mary'] }), ['given']],
    ['another first name', {}, bundle({}, { given: ['Janet'] }), ['given']],
    ['another family name', {}, bundle({}, { family: 'Brian' }), ['family']],
    ['a family name that was', { family: 'Before' }, bundle(), ['family']],
    ['another gender', { gender: 'male' }, bundle(), ['gender']],
    ['another day of birth', { birthDate: '1980-02-28' }, bundle(), ['birthDate']],
    ['a year of birth only', { birthDate: '1980' }, bundle(), []],
    ['another year of birth', { birthDate: '1981' }, bundle(), ['birthDate']],
    ['a record without a name', {}, bundle({ name: [] }), ['family', 'given']],
    ['a record without a patient', {}, {}, ['family', 'given', 'gender', 'birthDate']],
    ['no record', {}, null, ['family', 'given', 'gender', 'birthDate']],
    ['a null among the given names', {}, bundle({}, { given: [null, 'Jane'] }), []],
    [
      'a trace that knows nothing',
      { family: undefined, given: undefined, gender: undefined, birthDate: undefined },
      {},
      [],
    ],
  ];
  for (const [name, traced, record, expected] of cases) {
    it(`with ${name}: ${expected.join(', ') || 'no difference'}`, () => {
      assert.deepEqual(differences({ ...trace, ...traced }, record), expected);
    });
  }

  it('finds no difference between anything and itself', () => {
    const word = fc.stringMatching(/^[A-Za-z\u00c0-\u00ff]{1,12}$/);
    fc.assert(
      fc.property(word, fc.array(word, { minLength: 1, maxLength: 3 }), (family, given) => {
        const record = bundle({}, { family: family.toUpperCase(), given });
        assert.deepEqual(differences({ ...trace, family, given }, record), []);
      }),
    );
  });
});

describe('comparing what a query says of the patient with the trace', () => {
  const cases: [string, Claimed, Partial<Trace>, Demographic[]][] = [
    ['nothing', {}, {}, []],
    [
      'everything, written otherwise',
      { family: 'OBRIEN MULLER', given: 'JANE', gender: 'F', birthDate: '19800229' },
      {},
      [],
    ],
    ['both given names', { given: 'Jane  Marie' }, {}, []],
    ['another family name', { family: 'Brian' }, {}, ['family']],
    ['another given name', { given: 'Janet' }, {}, ['given']],
    ['the second given name first', { given: 'Marie' }, {}, ['given']],
    ['another gender', { gender: 'M' }, {}, ['gender']],
    ['another gender as the NHS codes it', { gender: '1' }, {}, ['gender']],
    ['the gender as the NHS codes it', { gender: '2' }, {}, []],
    ['an unknown gender', { gender: 'U' }, {}, []],
    ['a gender PDS does not know', { gender: 'F' }, { gender: 'unknown' }, []],
    ['another day of birth', { birthDate: '19800228' }, {}, ['birthDate']],
    ['a year and month of birth', { birthDate: '198002' }, {}, []],
    ['another year of birth', { birthDate: '1981' }, {}, ['birthDate']],
    [
      'a date of birth of which PDS knows the year',
      { birthDate: '19800101' },
      { birthDate: '1980' },
      [],
    ],
    ['a date of birth that is none', { birthDate: 'unknown' }, {}, []],
    ['a name PDS does not know', { family: 'Brian' }, { family: undefined }, []],
    [
      'somebody else',
      { family: 'A', given: 'B', gender: '9', birthDate: '19000101' },
      {},
      ['family', 'given', 'gender', 'birthDate'],
    ],
  ];
  for (const [name, claimed, traced, expected] of cases) {
    it(`with ${name}: ${expected.join(', ') || 'no difference'}`, () => {
      assert.deepEqual(claimsDiffering(claimed, { ...trace, ...traced }), expected);
    });
  }

  it('knows a date of birth that can be compared', () => {
    for (const text of [undefined, '1980', '198002', '19800229']) assert.ok(isBirthDate(text));
    for (const text of ['29/02/80', '1980022', 'unknown']) assert.ok(!isBirthDate(text), text);
  });

  it('knows a trace that says nothing to compare with', () => {
    const nothing = { family: ' ', given: [], gender: undefined, birthDate: undefined };
    assert.equal(isComparable({ ...trace, ...nothing }), false);
    assert.equal(isComparable({ ...trace, ...nothing, birthDate: '1980' }), true);
    assert.equal(isComparable(trace), true);
  });
});
