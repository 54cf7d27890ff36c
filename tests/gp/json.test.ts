import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseFhir } from '../../engine/gp/json.ts';

describe('FHIR JSON', () => {
  it('keeps the precision of decimals', () => {
    assert.deepEqual(parseFhir('{"a":1.10,"b":[2.0, 3],"c":-0.50,"d":1e3,"e":1.5,"f":"1.10"}'), {
      a: '1.10',
      b: ['2.0', 3],
      c: '-0.50',
      d: '1e3',
      e: 1.5,
      f: '1.10',
    });
    assert.deepEqual(parseFhir('{"a":12345678901234567890}'), { a: '12345678901234567890' });
    assert.deepEqual(parseFhir('{"a":0.12345678901234567}'), { a: '0.12345678901234567' });
  });

  it('leaves what stands in strings as it is', () => {
    const awkward = fc.constantFrom('a: 1.10, b', '\\', '"', '[2.0]', '\\", 1e3,', 'x');
    const values = fc.array(
      fc.tuple(
        fc.string(),
        fc.array(awkward).map((parts) => parts.join('')),
      ),
    );
    fc.assert(
      fc.property(values, (pairs) => {
        const texts = pairs.map(
          ([key, value]) => `{${JSON.stringify(key)}:${JSON.stringify(value)}}`,
        );
        const parsed = parseFhir(`[${texts.join(', 1.10, ')}]`) as unknown[];
        const expected = JSON.parse(`[${texts.join(', "1.10", ')}]`) as unknown[];
        assert.deepEqual(parsed, expected);
      }),
    );
  });

  it('writes every number back as it was read', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,20})?([eE][+-]?\d{1,2})?$/);
    fc.assert(
      fc.property(digits, (number) => {
        const { value } = parseFhir(`{"value": ${number} }`) as { value: string | number };
        assert.equal(String(value), number);
      }),
    );
  });

  it('reads everything else as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        const plain = JSON.stringify(parseFhir(text), (_, v) =>
          typeof v === 'string' && String(Number(v)) === v ? Number(v) : v,
        );
        const expected = JSON.stringify(JSON.parse(text), (_, v) =>
          typeof v === 'string' && String(Number(v)) === v ? Number(v) : v,
        );
        assert.equal(plain.replaceAll('"', ''), expected.replaceAll('"', ''));
      }),
    );
  });

  it('refuses what is no JSON', () => {
    for (const text of ['{"a":1.10,}', '{"a":01.10}', '{"a":1.}', '[1.0e]', '{a:1.10}', '"1.0']) {
      assert.throws(() => parseFhir(text), SyntaxError, text);
    }
  });

  it('reads half a surrogate pair as U+FFFD, and a whole one as its character', () => {
    const text = String.raw`{"a": "cut \ud83d", "b": ["\ude00 x", "\ud83d\ude00", "\\ud83d"], "c": 1.10}`;
    assert.deepEqual(parseFhir(text), {
      a: 'cut \ufffd',
      b: ['\ufffd x', '😀', '\\ud83d'],
      c: '1.10',
    });
  });
});
