import assert from 'node:assert/strict';
import fc from 'fast-check';
import { recordParameters } from '../../engine/gp/gpconnect-request.ts';
import { type Dataset, datasets } from '../../engine/gp/port.ts';

const nhsNumber = '9000000009';
const today = '2026-06-15';
const patientNumber = {
  name: 'patientNHSNumber',
  valueIdentifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber },
};
const ask = (asked: Dataset[], from?: string) =>
  recordParameters({ nhsNumber, datasets: asked, from, to: '2026-01-01' }, today);

describe('the Parameters of a structured record request', () => {
  it('names the patient and each area asked for, resolved allergies and issues included', () => {
    assert.deepEqual(ask(['PRB', 'MED', 'PAT', 'ALL']), {
      parameters: {
        resourceType: 'Parameters',
        parameter: [
          patientNumber,
          {
            name: 'includeAllergies',
            part: [{ name: 'includeResolvedAllergies', valueBoolean: true }],
          },
          {
            name: 'includeMedication',
            part: [{ name: 'includePrescriptionIssues', valueBoolean: true }],
          },
          { name: 'includeProblems' },
        ],
      },
      medicationFrom: undefined,
    });
  });

  it('asks for the patient alone by the number alone', () => {
    assert.deepEqual(ask(['PAT'], '2026-01-01').parameters.parameter, [patientNumber]);
  });

  const dates: [string | undefined, Dataset[], boolean][] = [
    ['2026-01-01', ['MED'], true],
    [today, ['MED', 'ALL', 'PAT'], true],
    ['2026-06-16', ['MED'], false],
    ['2026-01', ['MED'], false],
    ['2026-01-01T00:00:00Z', ['MED'], false],
    [undefined, ['MED'], false],
    ['2026-01-01', ['ALL'], false],
    ['2026-01-01', ['MED', 'PRB'], false],
  ];
  for (const [from, asked, sent] of dates) {
    it(`${sent ? 'sends' : 'leaves out'} the date ${from} for ${asked.join(' ')}, and says so`, () => {
      const { parameters, medicationFrom } = ask(asked, from);
      assert.equal(medicationFrom, sent ? from : undefined);
      const medication = parameters.parameter.find(({ name }) => name === 'includeMedication');
      const date = medication?.part?.find(({ name }) => name === 'medicationSearchFromDate');
      assert.equal(date?.valueDate, sent ? from : undefined);
    });
  }

  it('never makes a combination that providers must refuse, and never leaves out what was asked', () => {
    const anyDate = fc.option(
      fc.date({ min: new Date('2000-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.subarray([...datasets], { minLength: 1 }), anyDate, (asked, date) => {
        const { parameters } = ask(asked, date?.toISOString().slice(0, 10));
        const names = parameters.parameter.map(({ name }) => name);
        assert.equal(new Set(names).size, names.length);
        assert.equal(names.includes('includeAllergies'), asked.includes('ALL'));
        assert.equal(names.includes('includeMedication'), asked.includes('MED'));
        assert.equal(names.includes('includeProblems'), asked.includes('PRB'));
        const dated = JSON.stringify(parameters).includes('medicationSearchFromDate');
        assert.ok(!(dated && asked.includes('PRB')));
      }),
    );
  });
});
