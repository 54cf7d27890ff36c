import assert from 'node:assert/strict';
import fc from 'fast-check';
import { standardDelimiters } from '../../engine/hl7/delimiters.ts';
import type { Delimiters } from '../../engine/hl7/delimiters.ts';
import { escape, unescape } from '../../engine/hl7/text.ts';

const punctuation = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'];

/** Five or six different characters, as MSH-1 and MSH-2 could name them. */
const anyDelimiters: fc.Arbitrary<Delimiters> = fc
  .shuffledSubarray(punctuation, { minLength: 6, maxLength: 6 })
  .chain(
    ([field = '', component = '', repetition = '', mark = '', subcomponent = '', sixth = '']) =>
      fc.constantFrom('', sixth).map((truncation) => ({
        field,
        component,
        repetition,
        escape: mark,
        subcomponent,
        truncation,
      })),
  );

/** Strings rich in what escaping is about, half pairs included. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(...punctuation, '\\', 'F', 'X', '0', 'D', '.br', 'é', '\r', '\n', '\0'),
  }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
);

describe('escape sequences', () => {
  it('read back what was written, for every text and all delimiters', () => {
    fc.assert(
      fc.property(anyText, anyDelimiters, (text, delimiters) => {
        assert.equal(unescape(escape(text, delimiters), delimiters), text);
      }),
      { numRuns: 1500 },
    );
  });

  it('leave nothing in a written value that has a meaning of its own', () => {
    fc.assert(
      fc.property(anyText, anyDelimiters, (text, delimiters) => {
        const written = escape(text, delimiters);
        const { field, component, repetition, subcomponent, truncation } = delimiters;
        for (const character of [field, component, repetition, subcomponent, truncation]) {
          assert.ok(character === '' || !written.includes(character));
        }
        assert.doesNotMatch(written, /[\0-\x08\n-\x1f]/);
      }),
      { numRuns: 500 },
    );
  });

  const cases: [string, string, string][] = [
    ['the delimiters', 'a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f', 'a|b^c&d~e\\f'],
    ['adjacent sequences', '\\F\\\\F\\', '||'],
    ['hexadecimal bytes', '\\X48690A\\!', 'Hi\n!'],
    ['small hexadecimal letters', '\\X0d0a\\', '\r\n'],
    ['a line break', 'one\\.br\\two', 'one\ntwo'],
    ['highlighting, kept', '\\H\\bold\\N\\', '\\H\\bold\\N\\'],
    [
      'formatting, kept',
      '\\.sp2\\\\.in+4\\\\.ti-2\\\\.ce\\x',
      '\\.sp2\\\\.in+4\\\\.ti-2\\\\.ce\\x',
    ],
    ['other sets, kept', '\\C2842\\\\M2442\\\\M244263\\', '\\C2842\\\\M2442\\\\M244263\\'],
    ['local sequences, kept', '\\Z01\\\\Zabc\\', '\\Z01\\\\Zabc\\'],
    ['a kept sequence between letters', '\\H\\F\\N\\', '\\H\\F\\N\\'],
    ['unknown sequences, kept', '\\Q\\ \\f\\', '\\Q\\ \\f\\'],
    ['a word between escape characters', 'a \\Mword\\ b', 'a \\Mword\\ b'],
    ['one escape character', 'C:\\temp', 'C:\\temp'],
    ['two of them', '\\\\server', '\\\\server'],
    ['a path, then a sequence', 'C:\\temp\\ \\T\\ more', 'C:\\temp\\ & more'],
    ['half a byte, kept', '\\X4\\', '\\X4\\'],
    ['no bytes, kept', '\\X\\', '\\X\\'],
    ['a truncation character that is none, kept', 'a\\P\\', 'a\\P\\'],
    ['an escaped escape', '\\E\\H\\E\\', '\\H\\'],
  ];
  for (const [what, written, meant] of cases) {
    it(`read ${what}`, () => assert.equal(unescape(written, standardDelimiters), meant));
  }

  it('keep bytes beyond ASCII as written unless told how to read them', () => {
    assert.equal(unescape('\\XE9\\', standardDelimiters), '\\XE9\\');
    assert.equal(
      unescape('\\XE9\\', standardDelimiters, (bytes) => bytes),
      'é',
    );
  });

  it('write line ends and control characters so that they can be carried', () => {
    assert.equal(
      escape('a\rb\nc\td\x0be\x1cf\0', standardDelimiters),
      'a\\X0D\\b\\.br\\c\td\\X0B\\e\\X1C\\f\\X00\\',
    );
  });

  it('cannot be written without an escape character, which is said', () => {
    const none = { ...standardDelimiters, escape: '' };
    assert.equal(escape('plain', none), 'plain');
    assert.throws(() => escape('a|b', none), /no escape character.*\^~\\&/);
    assert.equal(unescape('a\\F\\b', none), 'a\\F\\b');
  });
});
