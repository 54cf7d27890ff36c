/** The audit: what it proves, what it finds, and that nothing can be put into a record unseen. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Audit, type Verdict, auditBundle } from '../../engine/audit/audit.ts';
import { proves } from '../../engine/audit/proof.ts';
import { isStandard } from '../../engine/audit/standard.ts';
import { datasets } from '../../engine/gp/port.ts';
import { parseFhir } from '../../engine/gp/json.ts';
import type { MapOptions } from '../../engine/mapping/apply.ts';
import type { Resource } from '../../engine/mapping/record.ts';
import { root } from '../world.ts';
import { record } from './generated.ts';
import {
  type Json,
  allergy,
  areaCodes,
  bundle,
  codes,
  list,
  map,
  medication,
  now,
  patient,
  realBundles,
  shipped,
  texts,
} from './records.ts';
import { treeCodes } from './trees.ts';

const audit = (of: Json, more: Partial<MapOptions> = {}): Audit =>
  auditBundle(shipped(), of as Resource, { datasets, version: '2.4', now, ...more });
/** What is not accounted for. */
function lost(of: Json, more?: Partial<MapOptions>): string[] {
  return audit(of, more).resources.flatMap(({ verdicts }) =>
    verdicts.filter(({ fate }) => fate === 'unaccounted').map(({ leaf }) => leaf.element),
  );
}
/** What became of the leaves of one element. */
function fates(of: Json, element: string, more?: Partial<MapOptions>): Verdict['fate'][] {
  const verdicts = audit(of, more).resources.flatMap((one) => one.verdicts);
  return verdicts.filter(({ leaf }) => leaf.element === element).map(({ fate }) => fate);
}

const fixtures = join(root, 'fixtures/patients');
const patients = readdirSync(fixtures)
  .filter((name) => name.endsWith('.json'))
  .map((name) => [name, parseFhir(readFileSync(join(fixtures, name), 'utf8')) as Json] as const);

/** Every object of a Bundle in which something could be put. */
function objectsOf(value: unknown): Json[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(objectsOf);
  return Array.isArray(value) ? inner : [value as Json, ...inner];
}

describe('mapping: the audit', () => {
  it('accounts for every element of every patient of the simulator', () => {
    for (const [name, one] of patients) assert.deepEqual(lost(one), [], name);
  });

  it('accounts for every element of generated records of every dataset', () => {
    fc.assert(
      fc.property(record, ({ bundle: one }) => assert.deepEqual(lost(one), [])),
      { numRuns: 25 },
    );
  });

  it('accounts for every element of published records', function () {
    this.timeout(30_000);
    for (const { name, bundle: one } of realBundles(this)) {
      assert.deepEqual(lost(one as Json), [], name);
    }
  });

  it('finds an element nobody knows, wherever it is put', () => {
    const something = fc.constantFrom<unknown>('x', 7, true, '', {}, [], ['x'], { y: [{ z: 1 }] });
    fc.assert(
      fc.property(record, fc.nat(), something, ({ bundle: whole }, at, what) => {
        const one = structuredClone(whole);
        const places = objectsOf(one);
        const place = places[at % places.length] ?? one;
        place.unheardOf = what;
        assert.ok(lost(one).length > 0, JSON.stringify(place));
      }),
      { numRuns: 40 },
    );
  });

  it('finds an extension nobody knows, wherever it is put', () => {
    const url = 'https://fhir.example/StructureDefinition/Extension-Unheard-Of-1';
    fc.assert(
      fc.property(record, fc.nat(), ({ bundle: whole }, at) => {
        const one = structuredClone(whole);
        const places = objectsOf(one).filter(({ url: own }) => own === undefined);
        const place = places[at % places.length] ?? one;
        const held = (place.extension ?? []) as Json[];
        place.extension = [...held, { url, valueString: 'x' }];
        assert.deepEqual(
          lost(one).filter((element) => !element.includes('ext(Unheard-Of)')),
          [],
        );
        assert.ok(lost(one).length > 0, JSON.stringify(place));
      }),
      { numRuns: 40 },
    );
  });

  const whole = () => bundle(patient, list(codes.active, ['AllergyIntolerance/a']), allergy('a'));

  it('finds a resource nobody knows, in a list, beside it and inside another', () => {
    const strange: Json = { resourceType: 'Sphinx', id: 's', riddle: 'x' };
    const entries = ['AllergyIntolerance/a', 'Sphinx/s'];
    const records: Json[] = [
      bundle(patient, list(codes.active, entries), allergy('a'), strange),
      bundle(patient, list(codes.active, ['AllergyIntolerance/a']), allergy('a'), strange),
      bundle(
        patient,
        list(codes.active, ['AllergyIntolerance/a']),
        allergy('a', { contained: [strange] }),
      ),
    ];
    for (const one of records) assert.ok(lost(one).includes('Sphinx.riddle'));
  });

  it('accounts for a resource of a kind its list should not hold, which is carried element by element', () => {
    const others = ['1149501000000101', '887191000000108', '826501000000100'];
    for (const code of [codes.medication, codes.problems, ...Object.values(areaCodes), ...others]) {
      const one = bundle(patient, list(code, ['AllergyIntolerance/a']), allergy('a'));
      assert.deepEqual(lost(one), [], code);
    }
  });

  it('finds a list whose code nobody knows, with all that it names', () => {
    const one = bundle(patient, list('1234567', ['AllergyIntolerance/a']), allergy('a'));
    for (const element of ['List.code.coding.system', 'List.status', 'List.entry.item.reference']) {
      assert.ok(lost(one).includes(element), element);
    }
  });

  it('tells the reader and the analyst of a list nobody knows, unless it is empty', () => {
    const told = (code: string, entries: string[], more: Json = {}) => {
      const { patient: segments, warnings } = map(
        bundle(patient, list(code, entries, { title: 'Old list', ...more }), allergy('a')),
      );
      return [
        segments.flatMap(texts).filter((text) => /not known here: Old list\./.test(text)),
        warnings,
      ];
    };
    const [said, warned] = told('1234567', ['AllergyIntolerance/a']);
    assert.equal(said?.length, 1);
    assert.ok(warned?.includes('the reply has a list of an unknown code: 1234567'));
    for (const [code, entries, more] of [
      ['1234567', [], {}],
      [codes.active, ['AllergyIntolerance/a'], {}],
      ['problems-allergies-related-to-problems', ['AllergyIntolerance/a'], {}],
      ['24781000000107', ['AllergyIntolerance/a'], { encounter: { reference: 'Encounter/e' } }],
    ] as const) {
      assert.deepEqual(told(code, [...entries], more)[0], []);
    }
  });

  it('takes what a secondary list names for no answer, and what was not asked for for that', () => {
    const secondary = list('problems-allergies-related-to-problems', ['AllergyIntolerance/a']);
    const element = 'AllergyIntolerance.code.coding.code';
    assert.deepEqual(fates(bundle(patient, secondary, allergy('a')), element), ['unlisted']);
    assert.deepEqual(fates(whole(), element, { datasets: ['MED'] }), ['notAsked']);
    assert.deepEqual(fates(whole(), element), ['carried']);
  });

  it('takes an ended allergy that stands twice for one', () => {
    const ended = allergy('a', { clinicalStatus: 'resolved' });
    const one = bundle(
      patient,
      list(codes.ended, ['#c', 'AllergyIntolerance/a'], {
        contained: [{ ...ended, id: 'c', identifier: [{ system: 'urn:x', value: '1' }] }],
      }),
      { ...ended, identifier: [{ system: 'urn:x', value: '1' }] },
    );
    assert.deepEqual(lost(one), []);
    assert.ok(fates(one, 'AllergyIntolerance.code.coding.code').includes('same'));
  });

  it('is not content with a rule that merely reads an element', () => {
    const taken = (value: string) =>
      bundle(
        patient,
        list(codes.medication, ['MedicationStatement/m']),
        ...medication('m', 0, { taken: value }),
      );
    assert.deepEqual(fates(taken('unk'), 'MedicationStatement.taken'), ['implied']);
    assert.deepEqual(fates(taken('y'), 'MedicationStatement.taken'), ['carried']);
  });

  it('takes a repeat for one only where it says the same', () => {
    const planned = (words: string) =>
      bundle(
        patient,
        list(codes.medication, ['MedicationStatement/m']),
        ...medication(
          'm',
          0,
          { dosage: [{ text: 'Take m' }] },
          { dosageInstruction: [{ text: words }] },
        ),
      );
    const element = 'MedicationRequest.dosageInstruction.text';
    assert.deepEqual(fates(planned('Take m'), element), ['repeats']);
    assert.deepEqual(fates(planned('Take two'), element), ['carried']);
  });

  it('accounts for a record of 3 MB, with ids used twice and references that lead nowhere', () => {
    const long = 'x'.repeat(4000);
    const entries = Array.from({ length: 760 }, (_, i) => ({
      resourceType: 'Observation',
      id: `o${i % 380}`,
      status: 'final',
      code: { text: `${i} ${long}` },
      performer: [{ reference: 'Practitioner/gone' }],
    }));
    const named = entries.map(({ id }) => `Observation/${id}`);
    const large = bundle(patient, list(treeCodes.uncategorised, named), ...entries);
    assert.ok(JSON.stringify(large).length > 3_000_000);
    assert.deepEqual(lost(large), []);
  });

  it('never fails, whatever the Bundle is', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 })), fc.jsonValue(), (entry, more) => {
        const { total } = audit({ resourceType: 'Bundle', entry, more });
        assert.ok(total >= 0);
      }),
      { numRuns: 40 },
    );
  });
});

describe('mapping: the proof', () => {
  const yes: [value: string, text: string][] = [
    ['Warfarin', 'Warfarin'],
    ['Warfarin', 'GP term: Warfarin'],
    ['28', 'D28'],
    ['2010-01-13', '20100113'],
    ['2010-01', 'Ended: 201001'],
    ['2010-01-13T10:11:12.50+01:00', '20100113101112.50+0100'],
    ['2010-01-13T10:11:12Z', '20100113101112+0000'],
    ['2010-01-13T00:00:00+00:00', '20100113'],
    ['two\n"x"', String.raw`Also: {"text":"two\n\"x\""}`],
  ];
  const no: [value: string, text: string][] = [
    ['Warfarin', 'Warfarinum'],
    ['28', '128'],
    ['mild', 'mildly'],
    ['2010', '20100101'],
    ['2010-01-13', '201001'],
    ['2010-01-13T10:11:12+01:00', '20100113101112'],
    ['2010-01-13T10:11:12+01:00', '20100113091112+0000'],
    ['2010-01-13T10:11:12+01:00', '20100113'],
    ['', ''],
  ];
  for (const [value, text] of yes) {
    it(`finds ${JSON.stringify(value)} in ${JSON.stringify(text)}`, () => {
      assert.ok(proves(value, [text]));
    });
  }
  for (const [value, text] of no) {
    it(`does not find ${JSON.stringify(value)} in ${JSON.stringify(text)}`, () => {
      assert.ok(!proves(value, [text].filter(Boolean)));
    });
  }
});

describe('mapping: what is not carried', () => {
  /** Elements of published examples that FHIR does not have. */
  const misspelt =
    /^(Bundle\.entry\.fhir_comments|List\.entry\.item:\.reference|ProcedureRequest\.occurrence(\.start|\.end)?)$/;

  it('names elements that FHIR has, and no others', () => {
    const { leftBehind, extensions } = shipped();
    const wrong = [...leftBehind]
      .filter(([, row]) => row.class !== 'unlisted')
      .flatMap(([element, { of }]) => [element, ...of])
      .filter((element) => !isStandard(element, extensions) && !misspelt.test(element));
    assert.deepEqual(wrong, []);
  });

  it('gives each a reason, and never a wildcard', () => {
    for (const [element, { reason }] of shipped().leftBehind) {
      assert.ok(reason.length >= 8, element);
      assert.doesNotMatch(element, /[*?]/);
    }
  });
});
