/** Which areas are asked for, with which parameters, in which requests: as a strict provider reads them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Area, recordRequests, sources } from '../../engine/gp/gpconnect-areas.ts';
import { type Dataset, datasets } from '../../engine/gp/port.ts';
import { checkParameters } from '../../engine/simulator/parameters.ts';

const nhsNumber = '9000000009';
const today = '2026-06-15';
const number = {
  name: 'patientNHSNumber',
  valueIdentifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber },
};
const yes = (name: string) => ({ name, valueBoolean: true });
const issues = yes('includePrescriptionIssues');
const immunisations = {
  name: 'includeImmunisations',
  part: [yes('includeNotGiven'), yes('includeStatus')],
};

const ask = (asked: readonly Dataset[], from?: string, to?: string) =>
  recordRequests({ nhsNumber, datasets: [...asked], from, to }, today);
/** The areas of each request, without the number, which is in every one. */
const areasOf = ({ requests }: ReturnType<typeof ask>) =>
  requests.map(({ resourceType, parameter: [first, ...areas] }) => {
    assert.equal(resourceType, 'Parameters');
    assert.deepEqual(first, number);
    return areas;
  });

describe('the requests for a structured record', () => {
  it('name the patient and each area asked for, with all it holds', () => {
    assert.deepEqual(areasOf(ask(['PRB', 'MED', 'PAT', 'ALL', 'INV'])), [
      [
        { name: 'includeAllergies', part: [yes('includeResolvedAllergies')] },
        { name: 'includeMedication', part: [issues] },
        { name: 'includeProblems' },
        { name: 'includeInvestigations' },
      ],
    ]);
    assert.deepEqual(areasOf(ask(['IMM', 'DRY'])), [
      [immunisations, { name: 'includeDiaryEntries' }],
    ]);
  });

  it('name the patient alone where nothing of the record is asked for', () => {
    assert.deepEqual(areasOf(ask(['PAT', 'DOC'], '2026-01-01')), [[]]);
  });

  it('ask for the areas a view is made from', () => {
    const names = (dataset: Dataset) =>
      areasOf(ask([dataset])).map((one) => one.map((p) => p.name));
    assert.deepEqual(names('DIA'), [['includeProblems']]);
    assert.deepEqual(names('RSK'), [
      ['includeAllergies', 'includeProblems', 'includeUncategorisedData'],
    ]);
    assert.deepEqual(names('ADM'), [
      ['includeProblems', 'includeUncategorisedData', 'includeConsultations'],
    ]);
  });

  it('give a view the words of the areas it is made from', () => {
    const { limits } = ask(['RSK', 'ADM', 'DIA'], '2026-01-01');
    const items = 'Items dated before 2026-01-01 were not asked for';
    const consultations = 'Consultations before 2026-01-01 were not asked for';
    assert.deepEqual(limits, { RSK: items, ADM: `${items}; ${consultations}` });
  });

  it('are two where a part must not stand beside problems or consultations', () => {
    assert.deepEqual(areasOf(ask(['ENC', 'IMM', 'MED'])), [
      [{ name: 'includeMedication', part: [issues] }, { name: 'includeConsultations' }],
      [immunisations],
    ]);
    const valuePeriod = { start: '2026-01-01', end: '2026-02-01' };
    const dated = ask(['PRB', 'ENC', 'MED', 'OBS', 'INV', 'REF'], '2026-01-01', '2026-02-01');
    assert.deepEqual(areasOf(dated), [
      [
        { name: 'includeProblems' },
        {
          name: 'includeInvestigations',
          part: [{ name: 'investigationSearchPeriod', valuePeriod }],
        },
        {
          name: 'includeConsultations',
          part: [{ name: 'consultationSearchPeriod', valuePeriod }],
        },
      ],
      [
        {
          name: 'includeMedication',
          part: [issues, { name: 'medicationSearchFromDate', valueDate: '2026-01-01' }],
        },
        {
          name: 'includeUncategorisedData',
          part: [{ name: 'uncategorisedDataSearchPeriod', valuePeriod }],
        },
        { name: 'includeReferrals', part: [{ name: 'referralSearchPeriod', valuePeriod }] },
      ],
    ]);
    assert.deepEqual(dated.limits, {
      MED: 'Medication that ended before 2026-01-01 was not asked for',
      OBS: 'Items dated before 2026-01-01 and after 2026-02-01 were not asked for',
      INV: 'Investigations issued before 2026-01-01 and after 2026-02-01 were not asked for',
      ENC: 'Consultations before 2026-01-01 and after 2026-02-01 were not asked for',
      REF: 'Referrals made before 2026-01-01 and after 2026-02-01 were not asked for',
    });
  });

  // Dates asked for, by which area, what is then left out, and whether a date was not used.
  const dates: [string | undefined, string | undefined, Area, string | undefined, boolean][] = [
    [undefined, undefined, 'MED', undefined, false],
    ['2026-01-01', undefined, 'MED', 'ended before 2026-01-01', false],
    [today, undefined, 'MED', 'ended before 2026-06-15', false],
    ['2026-06-16', undefined, 'MED', undefined, true],
    ['2026-01', undefined, 'MED', undefined, true],
    ['2026-01-01T00:00:00Z', undefined, 'MED', undefined, true],
    ['2026-01-01', '2026-02-01', 'MED', 'ended before 2026-01-01', true],
    ['2026-01-01', undefined, 'ALL', undefined, true],
    ['2026-01-01', undefined, 'PRB', undefined, true],
    ['2026-01-01', undefined, 'IMM', undefined, true],
    ['2026-01-01', undefined, 'OBS', 'dated before 2026-01-01 were', false],
    [undefined, '2026-02-01', 'OBS', 'dated after 2026-02-01 were', false],
    [undefined, '2026-12-31', 'OBS', undefined, false],
    ['2026-01-01', '2026-12-31', 'REF', 'made before 2026-01-01 were', false],
    ['2026-03-01', '2026-02-01', 'INV', undefined, true],
    [undefined, '2026-12-31', 'DRY', 'due after 2026-12-31', false],
    [undefined, '2026-06-14', 'DRY', undefined, true],
    ['2026-01-01', '2026-12-31', 'DRY', 'due after 2026-12-31', true],
  ];
  for (const [from, to, area, left, ignored] of dates) {
    it(`${area} from ${from} to ${to}: leaves out ${left}, ${ignored ? 'uses less' : 'no less'} than asked`, () => {
      const { limits, datesIgnored } = ask([area], from, to);
      if (left === undefined) assert.deepEqual(limits, {});
      else assert.ok(limits[area]?.includes(left), limits[area]);
      assert.equal(datesIgnored, ignored);
    });
  }

  it('are at most two, none that a strict provider refuses, and miss no area', () => {
    const anyDate = fc.option(
      fc
        .date({ min: new Date('2025-01-01'), max: new Date('2027-12-31'), noInvalidDate: true })
        .map((date) => date.toISOString().slice(0, 10)),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.subarray([...datasets]), anyDate, anyDate, (asked, from, to) => {
        const made = ask(asked, from, to);
        assert.ok(made.requests.length === 1 || made.requests.length === 2);
        const read = made.requests.map((request) =>
          checkParameters(Buffer.from(JSON.stringify(request)), today),
        );
        const found = read.flatMap((one) => {
          assert.ok(!('code' in one), JSON.stringify(one));
          assert.deepEqual(one.unknown, []);
          return [...one.areas.keys()];
        });
        const needed = new Set(asked.flatMap((dataset) => sources[dataset]));
        assert.equal(found.length, needed.size, 'each area once');
        const parts = JSON.stringify(made.requests).match(/Search(Period|FromDate|Date)"/g) ?? [];
        const told = new Set(Object.values(made.limits).flatMap((words) => words.split('; ')));
        assert.equal(parts.length, told.size, 'each limit is told');
      }),
    );
  });
});
