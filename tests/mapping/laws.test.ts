/** The laws of the mapping over generated records and over published ones. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  answered,
  assertA19Shape,
  assertEndedApart,
  assertExactlyOnce,
  assertNothingLostBetween,
  assertWarningsSurvive,
  assertWordsSurvive,
  carriedIds,
} from './laws.ts';
import {
  type Json,
  allergy,
  bundle,
  codes,
  emptyReason,
  list,
  map,
  medication,
  patient,
  problem,
  realBundles,
  warningCode,
} from './records.ts';

function assertLaws(record: unknown): void {
  const rsp = map(record);
  const a19 = map(record, { profile: 'a19' });
  assertExactlyOnce(record, rsp, 'rsp');
  assertExactlyOnce(record, a19, 'a19');
  assertWordsSurvive(record, rsp);
  assertWordsSurvive(record, a19);
  assertWarningsSurvive(record, rsp);
  assertWarningsSurvive(record, a19);
  assertEndedApart(record, rsp);
  assertEndedApart(record, a19);
  assertNothingLostBetween(rsp, a19);
  assertA19Shape(a19);
}

const word = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((one) => one.trim() !== '');
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const coding = fc.record({
  system: fc.constantFrom('http://snomed.info/sct', 'http://read.info/readv2', 'urn:x'),
  code: fc.constantFrom('01', '5E1', 'no', '195967001', '196461000000101'),
  display: maybe(word),
  userSelected: maybe(fc.boolean()),
});
const concept = fc.record({
  coding: fc.array(coding, { minLength: 1, maxLength: 3 }),
  text: maybe(word),
});
const date = fc.constantFrom(
  '2010',
  '2010-01',
  '2010-01-13',
  '2010-01-13T10:11:12.5+01:00',
  'last spring',
  undefined,
);
const notes = maybe(fc.array(fc.record({ text: word }), { maxLength: 2 }));
const more = fc.record({ code: concept, note: notes, onsetDateTime: date, assertedDate: date });
const allergyMore = fc.record({
  clinicalStatus: fc.constantFrom('active', 'resolved', 'inactive', undefined),
  verificationStatus: fc.constantFrom('unconfirmed', 'confirmed', undefined),
  category: fc.constantFrom(['medication'], ['food', 'biologic'], undefined, 'environment'),
  reaction: maybe(
    fc.array(
      fc.record({
        description: maybe(word),
        severity: fc.constantFrom('mild', 'severe', 'odd', undefined),
      }),
      { maxLength: 2 },
    ),
  ),
});
const statementMore = fc.record({
  status: fc.constantFrom('active', 'stopped', 'strange'),
  dosage: fc.array(fc.record({ text: word, patientInstruction: maybe(word) }), { maxLength: 2 }),
  note: notes,
});
const warnings = fc.array(fc.constantFrom('confidential-items', 'data-in-transit', 'new-code'), {
  maxLength: 2,
});

/** A record: some items listed, some not, some lists empty, some references to nothing. */
const record = fc
  .tuple(
    fc.array(fc.tuple(more, allergyMore, fc.boolean()), { maxLength: 4 }),
    fc.array(fc.tuple(more, fc.boolean()), { maxLength: 3 }),
    fc.array(fc.tuple(statementMore, fc.boolean(), fc.integer({ min: 0, max: 2 })), {
      maxLength: 3,
    }),
    warnings,
    fc.boolean(),
    word,
  )
  .map(([allergies, problems, medications, warned, dangling, words]): Json => {
    const resources: Json[] = [patient];
    const listed: Record<keyof typeof codes, string[]> = {
      active: [],
      ended: [],
      medication: [],
      problems: [],
    };
    const contained: Json[] = [];
    allergies.forEach(([common, own, isListed], i) => {
      const one = allergy(`a${i}`, { ...common, ...own });
      if (own.clinicalStatus === 'resolved' && isListed) {
        contained.push(one);
        listed.ended.push(`#a${i}`);
      } else {
        resources.push(one);
        if (isListed) listed.active.push(`AllergyIntolerance/a${i}`);
      }
    });
    problems.forEach(([common, isListed], i) => {
      resources.push(problem(`c${i}`, common));
      if (isListed) listed.problems.push(`Condition/c${i}`);
    });
    medications.forEach(([own, isListed, issues], i) => {
      resources.push(...medication(`m${i}`, issues, own));
      if (isListed) listed.medication.push(`MedicationStatement/m${i}`);
    });
    if (dangling) listed.active.push('AllergyIntolerance/nowhere');
    const extension = warned.map(warningCode);
    resources.push(
      list(codes.active, listed.active, {
        extension,
        note: [{ text: words }],
        ...emptyReason('no-content-recorded'),
      }),
      list(codes.ended, listed.ended, { contained }),
      list(codes.medication, listed.medication, { extension }),
      list(codes.problems, listed.problems),
      list(
        'problems-medications-related-to-problems',
        medications.map((_, i) => `MedicationStatement/m${i}`),
      ),
    );
    return JSON.parse(JSON.stringify(bundle(...resources.reverse()))) as Json;
  });

describe('mapping: laws', () => {
  it('hold over generated records', () => {
    fc.assert(fc.property(record, assertLaws), { numRuns: 200 });
  });

  it('never throw, whatever stands in the place of an element', () => {
    const junk = fc.constantFrom<unknown>(
      null,
      7,
      '',
      'x',
      true,
      [],
      {},
      [null],
      [[]],
      [{}],
      { coding: 'x' },
      { reference: 3 },
    );
    const names = fc.constantFrom(
      'code',
      'note',
      'category',
      'reaction',
      'onsetDateTime',
      'identifier',
      'extension',
      'clinicalStatus',
      'verificationStatus',
      'recorder',
      'basedOn',
      'medicationReference',
      'dosage',
      'status',
      'meta',
      'id',
      'entry',
      'contained',
      'name',
      'subject',
    );
    fc.assert(
      fc.property(
        record,
        fc.array(fc.tuple(fc.nat(), names, junk), { maxLength: 8 }),
        (value, changes) => {
          const { entry } = value as { entry: { resource: Json }[] };
          for (const [n, name, wrong] of changes) {
            const { resource } = entry[n % entry.length] ?? { resource: {} };
            resource[name] = wrong;
          }
          for (const profile of ['rsp', 'a19'] as const) map(value, { profile, trace: n(changes) });
        },
      ),
      { numRuns: 200 },
    );
    function n(changes: unknown[]): boolean {
      return changes.length % 2 === 0;
    }
  });

  it('hold over published records', function () {
    let items = 0;
    for (const { name, bundle: real } of realBundles(this)) {
      try {
        assertLaws(real);
      } catch (error) {
        (error as Error).message = `${name}: ${(error as Error).message}`;
        throw error;
      }
      items += answered(real).length;
    }
    assert.ok(items > 100, 'the published records hold items');
  });

  it('present nothing that only a secondary list, a reference or nothing at all names', () => {
    const resources = [allergy('x'), problem('y'), ...medication('z', 1)];
    const secondary = list('problems-allergies-related-to-problems', [
      'AllergyIntolerance/x',
      'Condition/y',
      'MedicationStatement/z',
    ]);
    const none = Object.values(codes).map((code) =>
      list(code, [], emptyReason('no-content-recorded')),
    );
    const mapped = map(bundle(patient, secondary, ...none, ...resources));
    assert.deepEqual(carriedIds(mapped, 'rsp'), []);
    assert.ok(mapped.datasets.every(({ items }) => items === 0));
  });
});
