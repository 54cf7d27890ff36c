/** What must hold for every message, not only for those somebody thought of. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeRaw } from '../../engine/hl7/charset.ts';
import { messageWarnings, parseMessage } from '../../engine/hl7/message.ts';

/** Text made of what the structure of a message is made of, and other bytes. */
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('|', '^', '~', '&', '\\', '\r', '\r', '\n', '\r\n', '') },
  {
    weight: 3,
    arbitrary: fc.constantFrom('PID|', 'OBX|1|', 'MSH|', '\\F\\', '\\X41\\', '""', ' '),
  },
  { weight: 3, arbitrary: fc.string({ maxLength: 6 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0x80, max: 0xff }).map((b) => String.fromCharCode(b)) },
);
const lead = fc.constantFrom('', '\r\n', '\xef\xbb\xbf', '\n\n  \r');
const encodings = fc.constantFrom('^~\\&', '^~\\&#', '^~', '^~&', '@~%$', '', '^~\\\\&');
const sets = fc.constantFrom('', 'UNICODE UTF-8', '8859/1', '8859/6', 'BIG-5', 'ASCII', 'nonsense');

const anyBytes = fc
  .tuple(lead, encodings, sets, fc.array(piece, { maxLength: 60 }))
  .map(([before, encoding, set, pieces]) =>
    Buffer.from(
      `${before}MSH|${encoding}|A||||||ADT^A01|1|P|2.4||||||${set}\rPID|1||7^^^NHS~8||A^B\rOBX|1\r` +
        pieces.join(''),
      'latin1',
    ),
  );

const anyPath = fc
  .tuple(
    fc.constantFrom('PID', 'OBX', 'OBX[2]', 'MSH'),
    fc.integer({ min: 3, max: 9 }),
    fc.constantFrom('', '[1]', '[2]', '[3]'),
    fc.constantFrom('', '.1', '.2', '.3.1', '.1.2'),
  )
  .map(([segment, field, repetition, below]) => `${segment}-${field}${repetition}${below}`);

/** How many characters two texts have in common at their start. */
function commonStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}
const reversed = (text: string): string => [...text].reverse().join('');

describe('laws of the message', () => {
  it('any bytes after a valid MSH come out as they came in, whatever is read between', () => {
    fc.assert(
      fc.property(anyBytes, anyPath, (bytes, path) => {
        const message = parseMessage(bytes);
        message.get(path);
        message.raw(path);
        assert.equal(message.repetitions(path) >= 0, true);
        assert.equal(message.segmentNames().length > 0, true);
        assert.ok(message.warnings.every((warning) => messageWarnings[warning]));
        assert.ok(message.toBytes().equals(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('a node written back as it was read leaves every byte alone', () => {
    fc.assert(
      fc.property(anyBytes, anyPath, (bytes, path) => {
        const message = parseMessage(bytes);
        const raw = message.raw(path);
        if (raw === undefined || /[\r\n]/.test(raw)) return;
        message.setRaw(path, raw);
        assert.ok(message.toBytes().equals(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('a value is not set behind a broken double-byte character, which would swallow the separator', () => {
    const bytes = Buffer.from('MSH|^~\\&|A||||||ADT^A01|1|P|2.4||||||BIG-5\rOBX|1|\x81', 'latin1');
    const message = parseMessage(bytes);
    assert.throws(() => message.set('OBX-3', 'x'), /OBX-3 cannot be set: a broken BIG-5 character/);
    assert.ok(message.toBytes().equals(bytes));
    message.set('OBX-1', '2');
    assert.equal(parseMessage(message.toBytes()).get('OBX-1'), '2');
  });

  it('a value that was set is the value that is read, by a new reader too', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }).filter((t) => t !== ''),
    );
    fc.assert(
      fc.property(anyBytes, anyPath, text, (bytes, path, value) => {
        const message = parseMessage(bytes);
        try {
          message.set(path, value);
        } catch (error) {
          assert.match(String(error), /cannot be set|no escape character/);
          assert.ok(message.toBytes().equals(bytes));
          return;
        }
        assert.equal(message.get(path), value === '' ? undefined : value);
        // A new reader may take another set where MSH-18 names none, or was what we set.
        const again = parseMessage(message.toBytes());
        if (again.charset === message.charset) {
          assert.equal(again.get(path), value === '' ? undefined : value);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('setting a value changes the bytes of that node and no others', () => {
    fc.assert(
      fc.property(anyBytes, anyPath, fc.string(), (bytes, path, value) => {
        const message = parseMessage(bytes);
        const levels = /^([^.[]*(?:\[\d\])?-\d+)(\[\d\])?(?:\.(\d))?(?:\.(\d))?$/.exec(path);
        const leaf = `${levels?.[1]}${levels?.[2] ?? '[1]'}.${levels?.[3] ?? 1}.${levels?.[4] ?? 1}`;
        const segment = path.split('-')[0] ?? '';
        const had = Boolean(message.raw(segment));
        const raw = had ? (message.raw(leaf) ?? '') : '';
        try {
          message.set(path, value);
        } catch {
          return;
        }
        const before = bytes.toString('latin1');
        const after = message.toBytes().toString('latin1');
        const start = commonStart(before, after);
        const end = commonStart(reversed(before.slice(start)), reversed(after.slice(start)));
        const replaced = before.length - start - end;
        const rawLength = encodeRaw(raw, message.charset)?.length ?? 0;
        assert.ok(
          replaced <= rawLength,
          `${replaced} bytes were replaced, the node had ${rawLength}`,
        );
      }),
      { numRuns: 1000 },
    );
  });
});
