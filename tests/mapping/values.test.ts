/** Dates and coded elements: the two rules that every dataset shares. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { codedElement } from '../../engine/mapping/coded.ts';
import { formatDate } from '../../engine/mapping/dates.ts';

describe('mapping: dates', () => {
  it('keeps partial dates partial and offsets as stated', () => {
    for (const [fhir, hl7] of [
      ['2010', '2010'],
      ['2010-01', '201001'],
      ['2010-01-13', '20100113'],
      ['2010-01-13T11:37:31+00:00', '20100113113731+0000'],
      ['2010-07-13T11:37:31.563+01:00', '20100713113731.563+0100'],
      ['2010-01-13T11:37:31Z', '20100113113731+0000'],
      ['2010-01-13T11:37:31', '20100113113731'],
      ['2010-01-13T11:37', '201001131137'],
    ]) {
      assert.deepEqual(formatDate(fhir ?? '', 'dateTime'), { text: hl7, lossy: false });
    }
  });

  it('never shows what is no date', () => {
    for (const wrong of [
      '',
      '13/01/2010',
      '2010-13',
      '2010-1-1',
      '2010-02-40',
      '2010-01-13T25:00:00',
    ]) {
      assert.equal(formatDate(wrong, 'dateTime'), undefined);
    }
  });

  it('takes exactly midnight for a day, whatever its offset, and nothing else', () => {
    assert.equal(formatDate('2010-06-30T00:00:00+01:00', 'day')?.text, '20100630');
    assert.equal(formatDate('2010-01-13T00:00:00.000Z', 'day')?.text, '20100113');
    assert.equal(formatDate('2010-06-29T23:00:00Z', 'day')?.text, '20100629230000+0000');
    assert.equal(formatDate('2010-01-13T00:00:01Z', 'day')?.text, '20100113000001+0000');
  });

  it('says when a time of day, or decimals a TS has no room for, stay behind', () => {
    assert.deepEqual(formatDate('2010-02-06T12:41:00+00:00', 'date'), {
      text: '20100206',
      lossy: true,
    });
    assert.deepEqual(formatDate('2010-02-06T00:00:00+00:00', 'date'), {
      text: '20100206',
      lossy: false,
    });
    assert.equal(formatDate('2010-02-06T12:41:00.12345Z', 'dateTime')?.lossy, true);
    assert.equal(formatDate('2010-02-06T12:41:00.12340Z', 'dateTime')?.lossy, false);
  });

  it('keeps every digit of every date', () => {
    const two = (from: number, to: number) =>
      fc.integer({ min: from, max: to }).map((n) => String(n).padStart(2, '0'));
    const parts = fc.tuple(
      fc.integer({ min: 1000, max: 9999 }).map(String),
      two(1, 12),
      two(1, 28),
      two(0, 23),
      two(0, 59),
      two(0, 59),
    );
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 6 }), ([y, m, d, h, min, s], length) => {
        const fhir = [y, `-${m}`, `-${d}`, `T${h}:${min}:${s}`, '', '+01:00']
          .slice(0, length)
          .join('');
        const digits = fhir.replace(/[-:T]/g, '');
        assert.equal(formatDate(fhir, 'dateTime')?.text, digits);
      }),
    );
  });
});

const naming = {
  systemName: (uri: string) =>
    ({ 'http://snomed.info/sct': 'SCT', 'http://read.info/readv2': 'RC' })[uri] ?? uri,
  isDegraded: (code: string) => code === '196421000000109',
};
const sct = (code: string, display?: string) => ({
  system: 'http://snomed.info/sct',
  code,
  display,
});
const read = (code: string, display: string, userSelected?: boolean) => ({
  system: 'http://read.info/readv2',
  code,
  display,
  userSelected,
});
const coded = (concept: unknown) => {
  const element = codedElement(concept, naming);
  return { ce: element?.components, notes: element?.notes.map(({ text }) => text) };
};

describe('mapping: coded elements', () => {
  it('puts SNOMED CT first and the local code second, wherever they stood', () => {
    const { ce, notes } = coded({
      coding: [read('H33..00', 'Asthma'), sct('195967001', 'Asthma')],
    });
    assert.deepEqual(ce, ['195967001', 'Asthma', 'SCT', 'H33..00', 'Asthma', 'RC']);
    assert.deepEqual(notes, []);
  });

  it('says the term the GP chose where CE-2 shows another', () => {
    const { ce, notes } = coded({
      coding: [
        read('14LP.00', 'H/O: warfarin allergy', true),
        sct('294881007', 'Warfarin allergy'),
      ],
    });
    assert.deepEqual(ce?.slice(1, 2), ['Warfarin allergy']);
    assert.deepEqual(notes, ['GP term: H/O: warfarin allergy']);
  });

  it('puts the only code in the first place, and text alone in the second', () => {
    assert.deepEqual(coded({ coding: [read('H33..00', 'Asthma')] }).ce?.slice(0, 3), [
      'H33..00',
      'Asthma',
      'RC',
    ]);
    assert.deepEqual(coded({ text: 'Asthma, brittle' }).ce?.slice(0, 3), [
      undefined,
      'Asthma, brittle',
      undefined,
    ]);
    assert.equal(codedElement({}, naming), undefined);
    assert.equal(codedElement('not a concept', naming), undefined);
  });

  it('keeps differing text, descriptions and further codes', () => {
    const description = {
      url: 'https://fhir.nhs.uk/x/Extension-coding-sctdescid',
      extension: [{ url: 'descriptionDisplay', valueString: 'Heart attack' }],
    };
    const { ce, notes } = coded({
      coding: [
        { ...sct('22298006', 'Myocardial infarction'), extension: [description] },
        read('G30..00', 'Acute MI'),
        { system: 'urn:other', code: 'X1', display: 'MI' },
      ],
      text: 'Large anterior MI',
    });
    assert.equal(ce?.[1], 'Myocardial infarction');
    assert.deepEqual(notes, [
      'GP text: Large anterior MI',
      'SNOMED CT description: Heart attack',
      'Also coded: X1 MI urn:other',
    ]);
  });

  it('shows the text of a code that was lost in a transfer, in CE-2 and in a note', () => {
    const { ce, notes } = coded({
      coding: [sct('196421000000109', 'Transfer-degraded medication entry')],
      text: 'Old ointment 5%',
    });
    assert.deepEqual(ce?.slice(0, 3), ['196421000000109', 'Old ointment 5%', 'SCT']);
    assert.deepEqual(notes, [
      'Transferred without its code; the text is all that is known: Old ointment 5%',
      'Code term: Transfer-degraded medication entry',
    ]);
  });

  it('loses no code, no display and no text of any concept', () => {
    const word = fc.constantFrom('alpha', 'beta', 'gamma', undefined);
    const coding = fc.record({
      system: fc.constantFrom(
        'http://snomed.info/sct',
        'http://read.info/readv2',
        'urn:x',
        undefined,
      ),
      code: fc.constantFrom('1', '2', '196421000000109', undefined),
      display: word,
      userSelected: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(coding, { maxLength: 4 }), word, (codings, text) => {
        const element = codedElement({ coding: codings, text }, naming);
        const shown = [
          ...(element?.components ?? []),
          ...(element?.notes ?? []).map((n) => n.text),
        ].join(' ');
        for (const value of [text, ...codings.flatMap((one) => [one.code, one.display])]) {
          if (value !== undefined)
            assert.ok(shown.includes(value), `${value} is lost from ${shown}`);
        }
      }),
    );
  });
});
