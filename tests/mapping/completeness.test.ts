/** The status line of each dataset: every silence of a GP system is told apart from every other. */
import assert from 'node:assert/strict';
import { unavailableRecord } from '../../engine/mapping/completeness.ts';
import type { MappedRecord } from '../../engine/mapping/mapped.ts';
import {
  type Json,
  allergy,
  at,
  bundle,
  codes,
  emptyReason,
  list,
  map,
  medication,
  named,
  patient,
  warningCode,
} from './records.ts';

/** `C`, `W^confidential-items` … of one dataset. */
const statuses = (record: MappedRecord, dataset: string) =>
  record.datasets
    .find((one) => one.dataset === dataset)
    ?.status.map(({ status, warning }) => (warning ? `${status}^${warning}` : status));

/** The status line with this OBX-4, as text, and the notes that follow it. */
function line(record: MappedRecord, area: string) {
  const segments = record.datasets.flatMap((one) => one.segments);
  const start = segments.findIndex(
    (one) => at(one, 3) === 'GPREC.STATUS' && one.fields[4] === area,
  );
  const after = segments.slice(start + 1);
  const end = after.findIndex(({ name }) => name !== 'NTE');
  const value = segments[start]?.fields[5];
  return {
    value: Array.isArray(value) ? value.map((one) => one.slice(0, 2).join('^')).join('~') : value,
    notes: (end < 0 ? after : after.slice(0, end)).map((note) => note.fields[3]),
  };
}

const nothing = emptyReason('no-content-recorded');
const note = (text: string) => ({ note: [{ text }] });
const confidential = 'Items excluded due to confidentiality and/or patient preferences.';
const disabled = (parameter: string, text: string): Json => ({
  resourceType: 'OperationOutcome',
  issue: [
    { severity: 'warning', code: 'not-supported', details: { text }, diagnostics: parameter },
  ],
});

describe('mapping: completeness', () => {
  const cases: [string, Json[], string[], (string | undefined)[]?][] = [
    [
      'a list with items is complete',
      [list(codes.active, ['AllergyIntolerance/a']), allergy('a')],
      ['C'],
    ],
    [
      'an empty list that says so: nothing recorded',
      [list(codes.active, [], { ...nothing, ...note('Information not available') })],
      ['E'],
      ['Information not available'],
    ],
    [
      'an empty list that gives no reason is not "nothing recorded"',
      [list(codes.active, [])],
      ['U'],
    ],
    [
      'a reason nobody knows is not "nothing recorded"',
      [list(codes.active, [], emptyReason('moon'))],
      ['U'],
    ],
    [
      'withheld by its empty reason',
      [list(codes.active, [], emptyReason('withheld'))],
      ['W^withheld'],
    ],
    ['neither list nor issue: unavailable', [], ['U']],
    [
      'disabled',
      [disabled('includeAllergies', 'includeAllergies has been disabled')],
      ['D'],
      ['includeAllergies has been disabled'],
    ],
    [
      'a parameter the system does not know: unavailable',
      [disabled('includeAllergies', 'includeAllergies is an unrecognised parameter')],
      ['U'],
      ['includeAllergies is an unrecognised parameter'],
    ],
    [
      'items withheld: never complete',
      [
        list(codes.active, ['AllergyIntolerance/a'], {
          extension: [warningCode('confidential-items')],
          ...note('Items excluded.'),
        }),
        allergy('a'),
      ],
      ['W^confidential-items'],
      ['Items excluded.'],
    ],
    [
      'everything withheld: never "nothing recorded"',
      [list(codes.active, [], { ...nothing, extension: [warningCode('confidential-items')] })],
      ['W^confidential-items'],
    ],
    [
      'nothing recorded so far, and the transfer is not complete',
      [list(codes.active, [], { ...nothing, extension: [warningCode('data-in-transit')] })],
      ['W^data-in-transit'],
    ],
    [
      'two warnings',
      [
        list(codes.active, ['AllergyIntolerance/a'], {
          extension: [warningCode('confidential-items'), warningCode('data-in-transit')],
        }),
        allergy('a'),
      ],
      ['W^confidential-items', 'W^data-in-transit'],
    ],
    [
      'a warning code nobody has heard of survives',
      [
        list(codes.active, ['AllergyIntolerance/a'], { extension: [warningCode('solar-flare')] }),
        allergy('a'),
      ],
      ['W^solar-flare'],
    ],
    [
      'an entry of words alone that says disabled',
      [
        list(codes.active, [], {
          entry: [{ item: { display: 'Allergy items have been disabled' } }],
        }),
      ],
      ['D'],
      ['Allergy items have been disabled'],
    ],
    [
      'an entry of other words',
      [
        list(codes.active, ['AllergyIntolerance/a'], {
          entry: [
            { item: { reference: 'AllergyIntolerance/a' } },
            { item: { display: 'Not supported' } },
          ],
        }),
        allergy('a'),
      ],
      ['W^items-not-supplied'],
      ['Not supported'],
    ],
    [
      'an item listed but not supplied',
      [list(codes.active, ['AllergyIntolerance/a', 'AllergyIntolerance/gone']), allergy('a')],
      ['W^items-not-supplied'],
      ['Listed by the GP system but not supplied: AllergyIntolerance/gone'],
    ],
    [
      'an item of a kind its list should not hold',
      [list(codes.active, ['Basic/b']), { resourceType: 'Basic', id: 'b' }],
      ['C'],
      [],
    ],
    [
      'the words of a warning without its code',
      [
        list(codes.active, [], {
          ...nothing,
          ...note(`${confidential} Information not available`),
        }),
      ],
      ['W^confidential-items'],
      [`${confidential} Information not available`],
    ],
    [
      'an issue that has no words but those of its code',
      [
        list(codes.active, [], nothing),
        {
          resourceType: 'OperationOutcome',
          issue: [{ details: { coding: [{ display: 'includeAllergies has been disabled' }] } }],
        },
      ],
      ['D'],
      ['includeAllergies has been disabled'],
    ],
    [
      'a list that is called no longer valid',
      [list(codes.active, ['AllergyIntolerance/a'], { status: 'entered-in-error' }), allergy('a')],
      ['W^not-current'],
      ['Status of this list, according to the GP system: entered-in-error'],
    ],
    [
      'a list of changes',
      [list(codes.active, ['AllergyIntolerance/a'], { mode: 'changes' }), allergy('a')],
      ['W^not-current'],
      ['This list holds changes alone, according to the GP system'],
    ],
    [
      'an entry that is called deleted',
      [
        list(codes.active, [], {
          entry: [{ deleted: true, item: { reference: 'AllergyIntolerance/a' } }],
        }),
        allergy('a'),
      ],
      ['W^not-current'],
      ['Marked as deleted by the GP system: AllergyIntolerance/a'],
    ],
  ];
  for (const [title, resources, expected, notes] of cases) {
    it(title, () => {
      const record = map(bundle(patient, ...resources), { datasets: ['ALL'] });
      assert.deepEqual(statuses(record, 'ALL'), expected);
      if (notes) assert.deepEqual(line(record, 'ALL').notes, notes);
      // The segment says what the status says.
      assert.equal(line(record, 'ALL').value?.split('~').length, expected.length);
    });
  }

  it('states the ended allergies on a line of their own, under their heading', () => {
    const record = map(
      bundle(
        patient,
        list(codes.active, [], nothing),
        list(codes.ended, [], { ...nothing, extension: [warningCode('data-in-transit')] }),
      ),
      { datasets: ['ALL'] },
    );
    assert.equal(line(record, 'ALL').value, 'E^Nothing recorded');
    const ended = line(record, 'ALL.ENDED');
    assert.equal(ended.value, 'W^data-in-transit');
    assert.equal(ended.notes[0], 'Ended allergies');
    const silent = map(bundle(patient, list(codes.active, [], nothing)), { datasets: ['ALL'] });
    assert.equal(line(silent, 'ALL.ENDED').value, 'U^Unavailable');
  });

  it('is no whole answer where medication was asked for from a day on', () => {
    const resources = [list(codes.medication, ['MedicationStatement/m']), ...medication('m')];
    const record = map(bundle(patient, ...resources), {
      datasets: ['MED'],
      limits: { MED: 'Medication that ended before 2024-01-01 was not asked for' },
    });
    assert.deepEqual(statuses(record, 'MED'), ['W^search-limited']);
    assert.match(String(line(record, 'MED').notes[0]), /before 2024-01-01/);
  });

  it('says so where the drug of a listed medication was not supplied', () => {
    const [statement, plan] = medication('m');
    const record = map(
      bundle(
        patient,
        list(codes.medication, ['MedicationStatement/m']),
        statement ?? {},
        plan ?? {},
      ),
      { datasets: ['MED'] },
    );
    assert.deepEqual(statuses(record, 'MED'), ['W^items-not-supplied']);
    const notes =
      record.datasets[0]?.segments.flatMap((one) => (one.name === 'NTE' ? [one.fields[3]] : [])) ??
      [];
    assert.ok(notes.some((one) => String(one).includes('Medication/m-drug (not in the reply)')));
  });

  it('carries an issue that is about no dataset it knows', () => {
    const record = map(bundle(patient, disabled('', 'The system is in maintenance')), {
      datasets: ['ALL'],
    });
    assert.ok(
      named(record.patient, 'NTE').some(
        (one) => one.fields[3] === 'GP system: The system is in maintenance',
      ),
    );
  });

  it('calls every dataset unavailable where the GP could not be asked', () => {
    const record = unavailableRecord(['ALL', 'MED', 'ALL'], 'Temporarily unavailable');
    assert.deepEqual(
      record.datasets.map(({ dataset, items }) => [dataset, items]),
      [
        ['ALL', 0],
        ['MED', 0],
      ],
    );
    for (const { dataset } of record.datasets) {
      assert.deepEqual(line(record, dataset), {
        value: 'U^Unavailable',
        notes: ['Temporarily unavailable'],
      });
    }
  });

  it('gives datasets that are all unavailable for what is no Bundle', () => {
    for (const wrong of [
      undefined,
      null,
      7,
      'text',
      [],
      {},
      { resourceType: 'Bundle', entry: [null, 7, { resource: 'x' }, {}] },
    ]) {
      for (const profile of ['rsp', 'a19'] as const) {
        const record = map(wrong, { profile });
        assert.deepEqual(record.patient, []);
        assert.ok(
          record.datasets.every(({ status }) => status.length === 1 && status[0]?.status === 'U'),
        );
      }
    }
  });
});
