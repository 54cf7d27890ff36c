/** Results and other observations in HL7, and that published ones lose nothing. */
import assert from 'node:assert/strict';
import { type Json, at, named, realBundles } from './records.ts';
import { assertAllCarried } from './published.ts';
import { answer, notesUnder, observation, shown, snomed } from './trees.ts';

const quantity = (value: number | string, unit?: string, more: Json = {}): Json => ({
  valueQuantity: { value, unit, ...more },
});
describe('mapping: results', () => {
  /** The one OBX of an observation. */
  const obx = (more: Json, options = {}) => {
    const segments = shown(answer('OBS', ['a'], [observation('a', more)], options));
    return { obx: named(segments, 'OBX')[0], notes: notesUnder(segments, 'Term a') };
  };

  it('carry a value of any kind in the type HL7 has for it', () => {
    for (const [more, type, value] of [
      [quantity('1.10', 'x'), 'NM', [['1.10']]],
      [quantity('1.5e3'), 'NM', [['1500']]],
      [quantity('12 or so'), 'ST', [['12 or so']]],
      [quantity(5, 'x', { comparator: '<' }), 'SN', [['<', '5']]],
      [
        { valueRange: { low: { value: 3 }, high: { value: 6 } } },
        'SN',
        [[undefined, '3', '-', '6']],
      ],
      [
        { valueRatio: { numerator: { value: 1 }, denominator: { value: 128 } } },
        'SN',
        [[undefined, '1', ':', '128']],
      ],
      [
        { valueRatio: { numerator: { comparator: '<', value: 1 }, denominator: { value: 8 } } },
        'SN',
        [['<', '1', ':', '8']],
      ],
      [{ valueRange: { low: { value: 3 } } }, 'SN', [['>=', '3']]],
      [{ valueRange: { high: { value: '1e-7' } } }, 'SN', [['<=', '0.0000001']]],
      [{ valueString: 'Clear' }, 'ST', [['Clear']]],
      [{ valueString: 'two\nlines' }, 'TX', [['two\nlines']]],
      [{ valueDateTime: '2011-03' }, 'DT', [['201103']]],
      [{ valueDateTime: '2011-03-04T05:06:00Z' }, 'TS', [['20110304050600+0000']]],
      [{ valueBoolean: false }, 'ST', [['false']]],
      [{ valuePeriod: { start: '2011' } }, 'ST', [['start: 2011']]],
    ] as const) {
      const found = obx(more as Json).obx;
      const held = found?.fields[5];
      assert.equal(found?.fields[2], type, JSON.stringify(more));
      const made = typeof held === 'string' ? [[held]] : held?.map((one) => Array.from(one));
      assert.deepEqual(made, value, JSON.stringify(more));
    }
    const coded = obx({ valueCodeableConcept: snomed('2', 'Present') }).obx;
    assert.deepEqual([coded?.fields[2], at(coded, 5), at(coded, 5, 2)], ['CE', '2', 'Present']);
    assert.equal(obx({}).obx?.fields[2], undefined, 'no value, no type');
  });

  it('keep the unit as it was sent, with a UCUM code only where that can mean nothing else', () => {
    for (const [more, unit] of [
      [{ unit: 'mmol/L' }, ['mmol/L', 'mmol/L', 'UCUM']],
      [{ unit: 'C', code: 'Cel', system: 'http://unitsofmeasure.org' }, ['Cel', 'C', 'UCUM']],
      [{ unit: 'mmHg' }, ['mm[Hg]', 'mmHg', 'UCUM']],
      [{ unit: 'U/week' }, [undefined, 'U/week', undefined]],
      [{ unit: 'u/L' }, [undefined, 'u/L', undefined]],
    ] as const) {
      const found = obx({ valueQuantity: { value: 1, ...more } }).obx?.fields[6];
      const [held] = Array.isArray(found) ? found : [];
      assert.deepEqual([held?.[0], held?.[1], held?.[2]], unit, JSON.stringify(more));
    }
    assert.equal(obx(quantity(1)).obx?.fields[6], undefined);
    const range = (low: Json, high: Json) => obx({ valueRange: { low, high } });
    const [gram, milligram] = [
      { value: 5, unit: 'g' },
      { value: 7, unit: 'mg' },
    ];
    assert.equal(at(range(gram, { ...milligram, unit: 'g' }).obx, 6, 2), 'g');
    assert.equal(at(range({ value: 5 }, gram).obx, 6, 2), 'g');
    // One of two units would be read with both limits.
    const mixed = range(milligram, gram);
    assert.equal(mixed.obx?.fields[6], undefined);
    assert.match(
      String(mixed.notes[0]),
      /low.value: 7, low.unit: mg, high.value: 5, high.unit: g$/,
    );
  });

  it('write ranges and flags as HL7 does, and keep the words beside them', () => {
    const limits = (low?: number, high?: number, more: Json = {}) => ({
      ...(low === undefined ? {} : { low: { value: low } }),
      ...(high === undefined ? {} : { high: { value: high } }),
      ...more,
    });
    for (const [ranges, written] of [
      [[limits(60, 80)], '60-80'],
      [[limits(undefined, 5)], '<=5'],
      [[limits(3)], '>=3'],
      [[{ text: 'less than 4' }], 'less than 4'],
      [[limits(10, 20, { type: { text: 'Equivocal' } }), limits(0, 9)], '10-20 (Equivocal); 0-9'],
    ] as const)
      assert.equal(at(obx({ referenceRange: ranges }).obx, 7), written);
    const high = obx({ interpretation: { text: 'HI - Above high reference limit' } });
    assert.equal(at(high.obx, 8), 'H');
    assert.ok(high.notes.includes('Interpretation: HI - Above high reference limit'));
    const odd = obx({ interpretation: { text: 'Peculiar' } });
    assert.equal(at(odd.obx, 8), '', 'no flag is made up');
    assert.ok(odd.notes.includes('Interpretation: Peculiar'));
  });

  it('show a status that is not stated as the site decides, and never by themselves', () => {
    const said = 'Status not stated by the GP system';
    for (const status of ['unknown', undefined]) {
      const final = obx({ status }, { site: { unknownStatus: 'F' } });
      assert.equal(at(final.obx, 11), 'F');
      assert.ok(final.notes.includes(said));
      const unverified = obx({ status }, { site: { unknownStatus: 'R' } });
      assert.equal(at(unverified.obx, 11), 'R');
      assert.ok(!unverified.notes.includes(said));
      assert.equal(at(obx({ status }, { site: {} }).obx, 11), '', 'nothing is assumed');
    }
    for (const [status, code] of [
      ['final', 'F'],
      ['preliminary', 'P'],
      ['registered', 'I'],
      ['amended', 'C'],
      ['cancelled', 'X'],
      ['entered-in-error', 'W'],
    ] as const)
      assert.equal(at(obx({ status }, { site: { unknownStatus: 'R' } }).obx, 11), code);
    const wrong = obx({ status: 'entered-in-error' });
    assert.ok(wrong.notes.includes('Entered in error, according to the GP system'));
  });

  it('join the readings of a blood pressure, with the comment under what it is about', () => {
    const reading = (code: string, term: string, value: number): Json => ({
      code: snomed(code, term),
      valueQuantity: { value, unit: 'mm[Hg]' },
    });
    const pressure = observation('bp', {
      comment: 'Standing; the second of two',
      effectiveDateTime: '2011-03',
      component: [reading('s', 'Systolic', 120), reading('d', 'Diastolic', 80)],
    });
    const segments = shown(answer('OBS', ['x', 'bp'], [observation('x'), pressure]));
    const terms = ['Term bp', 'Systolic', 'Diastolic'];
    const [header, systolic, diastolic] = terms.map((term) =>
      segments.find((one) => at(one, 3, 2) === term),
    );
    assert.deepEqual(
      [header, systolic, diastolic].map((one) => at(one, 4)),
      ['2', '2', '2'],
    );
    assert.deepEqual([at(systolic, 5), at(diastolic, 5)], ['120', '80']);
    assert.equal(header?.fields[5], undefined);
    assert.deepEqual([at(header, 14), at(systolic, 14)], ['201103', '201103'], 'never padded');
    assert.equal(notesUnder(segments, 'Term bp')[0], 'Standing; the second of two');
  });

  it('keep dates as exact as they are, and a local midnight as the day it is', () => {
    for (const [date, written] of [
      ['2004', '2004'],
      ['2004-11', '200411'],
      ['2022-06-30T00:00:00+01:00', '20220630'],
      ['2022-06-30T10:11:12Z', '20220630101112+0000'],
    ] as const)
      assert.equal(at(obx({ effectiveDateTime: date }).obx, 14), written);
  });
});

describe('mapping: published reports and observations', () => {
  it('show each listed one once, with all of its words, in every profile', function () {
    const count = assertAllCarried(realBundles(this), ['INV', 'OBS']);
    assert.ok(count > 500, `${count} items`);
  });
});
