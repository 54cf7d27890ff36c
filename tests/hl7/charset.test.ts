import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FaultError } from '../../engine/faults.ts';
import {
  charsetMeaning,
  charsetNames,
  decode,
  encode,
  encodeRaw,
  maskSecondBytes,
} from '../../engine/hl7/charset.ts';
import type { CharsetName } from '../../engine/hl7/charset.ts';
import { parseMessage } from '../../engine/hl7/message.ts';

/** A message with this MSH-18 and these bytes in PID-5. */
function message(msh18: string, name: Buffer | string): Buffer {
  const head = `MSH|^~\\&|A||||||ADT^A01|1|P|2.4||||||${msh18}\rPID|1||||`;
  return Buffer.concat([Buffer.from(head), Buffer.from(name), Buffer.from('^JO|x\r')]);
}

/** How the platform's own decoder calls these sets; it is the second opinion here. */
const labels: Partial<Record<CharsetName, string>> = {
  '8859/2': 'iso-8859-2',
  '8859/3': 'iso-8859-3',
  '8859/4': 'iso-8859-4',
  '8859/5': 'iso-8859-5',
  '8859/6': 'iso-8859-6',
  '8859/7': 'iso-8859-7',
  '8859/8': 'iso-8859-8',
  '8859/15': 'iso-8859-15',
};

describe('character sets', () => {
  for (const [charset, label] of Object.entries(labels) as [CharsetName, string][]) {
    it(`${charset} reads and writes as the platform reads it`, () => {
      const decoder = new TextDecoder(label);
      for (let byte = 0xa0; byte <= 0xff; byte++) {
        const expected = decoder.decode(Uint8Array.of(byte));
        const character = decode(String.fromCharCode(byte), charset);
        if (!character.isWellFormed()) continue; // a hole; tested below
        assert.equal(character, expected, `0x${byte.toString(16)}`);
        assert.equal(encode(character, charset), String.fromCharCode(byte));
      }
    });
  }

  it('lose no byte, whatever the bytes are', () => {
    const bytes = fc.uint8Array().map((array) => Buffer.from(array).toString('latin1'));
    fc.assert(
      fc.property(bytes, fc.constantFrom(...charsetNames), (text, charset) => {
        const structural = maskSecondBytes(text, charset);
        const written = encodeRaw(decode(structural, charset), charset) ?? '';
        assert.equal(Buffer.from(written, 'latin1').toString('latin1'), text);
      }),
      { numRuns: 2000 },
    );
  });

  it('write a text so that it reads the same, or not at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom(...charsetNames), (text, set) => {
        const written = encode(text, set);
        if (written !== undefined) assert.equal(decode(written, set), text);
        if (set === 'UNICODE UTF-8') assert.notEqual(written, undefined);
      }),
      { numRuns: 1000 },
    );
  });

  const spellings: [string, CharsetName | 'UTF-16' | 'unknown'][] = [
    ['ASCII', 'ASCII'],
    ['US-ASCII', 'ASCII'],
    ['8859/1', '8859/1'],
    ['iso-8859-1', '8859/1'],
    ['ISO8859_15', '8859/15'],
    ['8859/9', '8859/9'],
    ['8859/12', 'unknown'],
    ['ISO_IR 100', '8859/1'],
    ['UNICODE UTF-8', 'UNICODE UTF-8'],
    ['UTF-8', 'UNICODE UTF-8'],
    ['utf8', 'UNICODE UTF-8'],
    ['UNICODE', 'UNICODE UTF-8'],
    ['GB 18030-2000', 'GB 18030-2000'],
    ['UNICODE UTF-16', 'UTF-16'],
    ['UTF-32LE', 'UTF-16'],
    ['ISO IR87', 'unknown'],
    ['ENG^English^ISO', 'unknown'],
  ];
  for (const [spelling, meaning] of spellings) {
    it(`"${spelling}" in MSH-18 means ${meaning}`, () =>
      assert.equal(charsetMeaning(spelling), meaning));
  }
});

describe('a message and its character set', () => {
  const read = (msh18: string, name: Buffer | string, assumed?: CharsetName) => {
    const bytes = message(msh18, name);
    const parsed = parseMessage(bytes, { charset: assumed });
    assert.ok(parsed.toBytes().equals(bytes));
    const warnings = parsed.warnings.filter((warning) => warning.startsWith('charset'));
    return { parsed, name: parsed.get('PID-5'), charset: parsed.charset, warnings };
  };
  const latin = Buffer.from('ZO\xcb', 'latin1');

  it('is read as MSH-18 says', () => {
    assert.deepEqual(read('8859/1', latin).name, 'ZOË');
    assert.deepEqual(read('8859/15', Buffer.from([0xa4])).name, '€');
    assert.deepEqual(read('8859/2', Buffer.from([0xa3])).name, 'Ł');
    assert.deepEqual(read('UNICODE UTF-8', 'ZOË😀').name, 'ZOË😀');
    assert.deepEqual(read('UNICODE UTF-8', 'ZOË').warnings, []);
  });

  it('is read as configured where MSH-18 says nothing, else as its bytes suggest', () => {
    assert.equal(read('', 'ZOE').charset, 'ASCII');
    assert.deepEqual(read('', 'ZOE').warnings, []);
    assert.equal(read('', 'ZOË').charset, 'UNICODE UTF-8');
    assert.equal(read('', latin).charset, '8859/1');
    assert.equal(read('', latin).name, 'ZOË');
    assert.deepEqual(read('', latin).warnings, ['charsetAssumed']);
    assert.equal(read('', Buffer.from([0x92]), 'windows-1252').name, '’');
    assert.equal(read('', 'ZOE', '8859/1').charset, '8859/1');
  });

  it('is read as configured, with a warning, where MSH-18 is unknown', () => {
    const unknown = read('ISO IR87', latin, '8859/1');
    assert.equal(unknown.name, 'ZOË');
    assert.deepEqual(unknown.warnings, ['charsetUnknown']);
    assert.deepEqual(read('1', 'ZOE').warnings, ['charsetUnknown']);
  });

  it('is read with the first repetition of MSH-18', () => {
    const repeated = read('8859/1~ISO IR87', latin);
    assert.equal(repeated.name, 'ZOË');
    assert.deepEqual(repeated.warnings, ['charsetRepeated']);
    assert.equal(read('~8859/2', 'ZOE').charset, 'ASCII');
  });

  it('warns of a spelling that is not in table 0211', () => {
    assert.deepEqual(read('UTF-8', 'ZOË').warnings, ['charsetSpelling']);
  });

  it('shows bytes that are not in the set it names, and keeps them', () => {
    const broken = read('UNICODE UTF-8', latin);
    assert.equal(broken.name, 'ZO\ufffd');
    assert.deepEqual(broken.warnings, ['charsetViolated']);
    broken.parsed.setRaw('PID-6', broken.parsed.raw('PID-5.1') ?? '');
    assert.ok(broken.parsed.toBytes().includes(Buffer.from('|ZO\xcb\r', 'latin1')));
    assert.deepEqual(read('ASCII', latin).warnings, ['charsetViolated']);
    assert.equal(read('ASCII', latin).name, 'ZOË');
  });

  it('warns where another set is named than the bytes look like, and does as it is told', () => {
    const doubtful = read('8859/1', 'ZOË');
    assert.equal(doubtful.name, 'ZO\xc3\x8b');
    assert.deepEqual(doubtful.warnings, ['charsetDoubtful']);
    assert.deepEqual(read('8859/1', latin).warnings, []);
  });

  it('is edited in its own set', () => {
    const { parsed } = read('8859/15', latin);
    parsed.set('PID-5.2', '€ Ünal');
    assert.ok(parsed.toBytes().includes(Buffer.from('ZO\xcb^\xa4 \xdcnal|x\r', 'latin1')));
    assert.equal(parsed.get('PID-5.2'), '€ Ünal');
  });

  it('says which character its set lacks, and stays as it was', () => {
    const { parsed } = read('8859/1', latin);
    const before = parsed.toBytes();
    assert.throws(
      () => parsed.set('PID-5.2', 'Łódź'),
      /PID-5\.2 cannot be set: .*8859\/1 .*U\+0141/,
    );
    assert.throws(() => read('', 'ZOE').parsed.set('PID-5', 'Zoë'), /ASCII .*U\+00EB/);
    assert.throws(() => read('UTF-8', 'ZOE').parsed.set('PID-5', '\ud800'), /U\+D800/);
    assert.ok(parsed.toBytes().equals(before));
  });

  it('reads hexadecimal escapes as bytes of its set', () => {
    assert.equal(read('8859/1', 'ZO\\XCB\\').name, 'ZOË');
    assert.equal(read('UNICODE UTF-8', 'ZO\\XC38B\\').name, 'ZOË');
    assert.equal(read('UNICODE UTF-8', 'ZO\\XCB\\').name, 'ZO\\XCB\\');
  });

  it('finds its structure where second bytes look like delimiters', () => {
    // In these sets 0x7C, 0x5C and 0x5E occur inside a character.
    for (const [charset, label] of [
      ['BIG-5', 'big5'],
      ['GB 18030-2000', 'gb18030'],
    ] as const) {
      const bytes = Buffer.from([0xb0, 0x7c, 0xb0, 0x5c, 0xb0, 0x5e]);
      const expected = new TextDecoder(label).decode(bytes);
      const { parsed, name } = read(charset, bytes);
      assert.equal(name, expected);
      assert.equal(parsed.get('PID-5.2'), 'JO');
      parsed.set('PID-6', expected);
      assert.equal(parsed.get('PID-6'), expected);
      assert.equal(parseMessage(parsed.toBytes()).get('PID-6'), expected);
      assert.ok(parsed.toBytes().includes(Buffer.concat([Buffer.from('|'), bytes])));
    }
  });

  it('is refused in UTF-16 and UTF-32, however that shows', () => {
    const text = message('', 'ZOE').toString();
    const utf16 = Buffer.from(text, 'utf16le');
    const swapped = Buffer.from(utf16).swap16();
    const refused = [
      utf16,
      swapped,
      Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]),
      Buffer.concat([Buffer.from([0xfe, 0xff]), swapped]),
      Buffer.from([...text].map((c) => `${c}\0\0\0`).join('')),
      Buffer.from([...text].map((c) => `\0\0\0${c}`).join('')),
      Buffer.from(`\r\n${text}`, 'utf16le'),
      message('UNICODE UTF-16', 'ZOE'),
      message('UNICODE UTF-32', 'ZOE'),
    ];
    for (const [index, bytes] of refused.entries()) {
      assert.throws(
        () => parseMessage(bytes),
        (error) => error instanceof FaultError && error.fault.name === 'charsetUtf16',
        `number ${index}`,
      );
    }
  });
});
