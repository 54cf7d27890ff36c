/** The rules of a practice's system about the Parameters of a request. */
import * as caller from '../caller.ts';
import { type Part, type Row, day, systems } from './row.ts';

const nhs = caller.nhsParameter(caller.nel);
const area = (name: string, ...part: object[]) => ({ name, part });
const resolved = { name: 'includeResolvedAllergies', valueBoolean: true };
const fromDate = (valueDate: string) => ({ name: 'medicationSearchFromDate', valueDate });
const period = (name: string, start?: string, end?: string) => ({
  name,
  valuePeriod: { start, end },
});
const consultations = { name: 'includeConsultations' };

/** Area filters that would hide gaps, and where GP Connect therefore forbids them. */
const filters: [string, object][] = [
  ['medicationSearchFromDate', area('includeMedication', fromDate('2025-01-01'))],
  [
    'uncategorisedDataSearchPeriod',
    area('includeUncategorisedData', period('uncategorisedDataSearchPeriod', '2020-01-01')),
  ],
  ['referralSearchPeriod', area('includeReferrals', period('referralSearchPeriod', '2020-01-01'))],
  [
    'diaryEntriesSearchDate',
    area('includeDiaryEntries', { name: 'diaryEntriesSearchDate', valueDate: day(30) }),
  ],
  [
    'includeNotGiven',
    area('includeImmunisations', { name: 'includeNotGiven', valueBoolean: true }),
  ],
  ['includeStatus', area('includeImmunisations', { name: 'includeStatus', valueBoolean: false })],
];

const wrong: [string, unknown[], string][] = [
  ['no patientNHSNumber', [caller.allergies], 'INVALID_PARAMETER'],
  [
    'patientNHSNumber as text',
    [{ name: 'patientNHSNumber', valueString: caller.nel }],
    'INVALID_PARAMETER',
  ],
  ['patientNHSNumber twice', [nhs, nhs], 'INVALID_RESOURCE'],
  [
    'an identifier of another system',
    [{ name: 'patientNHSNumber', valueIdentifier: { system: 'urn:x', value: caller.nel } }],
    'INVALID_IDENTIFIER_SYSTEM',
  ],
  ['a wrong check digit', [caller.nhsParameter('9465701458')], 'INVALID_NHS_NUMBER'],
  ['an NHS number with spaces', [caller.nhsParameter('946 570 1459')], 'INVALID_NHS_NUMBER'],
  ['an empty NHS number', [caller.nhsParameter('')], 'INVALID_NHS_NUMBER'],
  ['a parameter without name', [nhs, { part: [] }], 'INVALID_RESOURCE'],
  ['an area twice', [nhs, caller.medication, caller.medication], 'INVALID_RESOURCE'],
  [
    'includeAllergies without includeResolvedAllergies',
    [nhs, { name: 'includeAllergies' }],
    'INVALID_PARAMETER',
  ],
  ['a part twice', [nhs, area('includeAllergies', resolved, resolved)], 'INVALID_RESOURCE'],
  [
    'a boolean as text',
    [nhs, area('includeAllergies', { name: 'includeResolvedAllergies', valueString: 'true' })],
    'INVALID_PARAMETER',
  ],
  [
    'a part without value',
    [nhs, area('includeMedication', { name: 'medicationSearchFromDate' })],
    'INVALID_PARAMETER',
  ],
  ['a partial date', [nhs, area('includeMedication', fromDate('2026-01'))], 'INVALID_PARAMETER'],
  [
    'a date with a time',
    [nhs, area('includeMedication', fromDate('2026-01-01T00:00:00Z'))],
    'INVALID_PARAMETER',
  ],
  [
    'a day that does not exist',
    [nhs, area('includeMedication', fromDate('2026-02-30'))],
    'INVALID_PARAMETER',
  ],
  [
    'medicationSearchFromDate in the future',
    [nhs, area('includeMedication', fromDate(day(2)))],
    'INVALID_PARAMETER',
  ],
  [
    'a filterStatus that is neither active nor inactive',
    [nhs, area('includeProblems', { name: 'filterStatus', valueCode: 'resolved' })],
    'INVALID_PARAMETER',
  ],
  [
    'a period in the future',
    [nhs, area('includeInvestigations', period('investigationSearchPeriod', '2020-01-01', day(2)))],
    'INVALID_PARAMETER',
  ],
  [
    'a period that ends before it starts',
    [nhs, area('includeReferrals', period('referralSearchPeriod', '2021-01-01', '2020-01-01'))],
    'INVALID_PARAMETER',
  ],
  [
    'a period of partial dates',
    [nhs, area('includeReferrals', period('referralSearchPeriod', '2020'))],
    'INVALID_PARAMETER',
  ],
  [
    'a period without start and end',
    [nhs, area('includeReferrals', period('referralSearchPeriod'))],
    'INVALID_PARAMETER',
  ],
  [
    'diaryEntriesSearchDate in the past',
    [nhs, area('includeDiaryEntries', { name: 'diaryEntriesSearchDate', valueDate: day(-2) })],
    'INVALID_PARAMETER',
  ],
  [
    'includeNumberOfMostRecent of none',
    [nhs, area('includeConsultations', { name: 'includeNumberOfMostRecent', valuePositiveInt: 0 })],
    'INVALID_PARAMETER',
  ],
  [
    'consultationSearchPeriod and includeNumberOfMostRecent',
    [
      nhs,
      area('includeConsultations', period('consultationSearchPeriod', '2020-01-01'), {
        name: 'includeNumberOfMostRecent',
        valuePositiveInt: 3,
      }),
    ],
    'INVALID_RESOURCE',
  ],
  ...filters.flatMap(([name, filtered]): [string, unknown[], string][] => [
    [`includeConsultations beside ${name}`, [nhs, consultations, filtered], 'INVALID_PARAMETER'],
    [`includeProblems beside ${name}`, [nhs, caller.problems, filtered], 'INVALID_PARAMETER'],
  ]),
  [
    'includeConsultations beside filterStatus',
    [nhs, consultations, area('includeProblems', { name: 'filterStatus', valueCode: 'active' })],
    'INVALID_PARAMETER',
  ],
];

const recent = area('includeConsultations', {
  name: 'includeNumberOfMostRecent',
  valueInteger: 3,
});
const year = area('includeMedication', fromDate(day(-365)));
const predefined = [nhs, recent, caller.problems, caller.allergies, year];

const accepted: [string, unknown[]][] = [
  ['patientNHSNumber alone', [nhs]],
  [
    'includeProblems with filterStatus',
    [nhs, area('includeProblems', { name: 'filterStatus', valueCode: 'active' })],
  ],
  ['the predefined search', predefined],
  [
    'the predefined search for children',
    [...predefined, { name: 'includeImmunisations' }, { name: 'includeUncategorisedData' }],
  ],
  ['a parameter nobody knows: a warning in the Bundle', [nhs, { name: 'includeHoroscope' }]],
];

export const parameters: Part = {
  title: 'Practice: parameters',
  clause: 'GP Connect 1.6, "Retrieve a patient\'s structured record"',
  system: systems.provider,
  rows: [
    ...accepted.map(([sent, list]): Row => ({
      sent,
      ask: (sim) => caller.ask(sim, { parameters: list }),
      status: 200,
      code: '',
    })),
    ...wrong.map(([sent, list, code]): Row => ({
      sent,
      ask: (sim) => caller.ask(sim, { parameters: list }),
      status: code === 'INVALID_PARAMETER' || code === 'INVALID_RESOURCE' ? 422 : 400,
      code,
    })),
    ...[
      ['no body', ''],
      ['a body that is no JSON', '{'],
      ['a body that is no resource', '[]'],
      ['another resource', '{"resourceType":"Patient"}'],
      ['Parameters without a parameter', '{"resourceType":"Parameters"}'],
    ].map(([sent = '', body]): Row => ({
      sent,
      ask: (sim) => caller.ask(sim, { body }),
      status: 422,
      code: 'INVALID_RESOURCE',
    })),
  ],
};
