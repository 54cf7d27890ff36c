import assert from 'node:assert/strict';
import fc from 'fast-check';
import { differences } from '../../engine/hl7/difference.ts';
import { parseMessage } from '../../engine/hl7/message.ts';

const text = [
  'MSH|^~\\&|A|B|C|D|20260604||ADT^A08^ADT_A01|M1|P|2.4',
  'PID|1||1^^^NHS^NH~2^^^R0A^MR||Nel^Morris',
  'OBX|1|ST|X||one',
  'OBX|2|ST|Y||two',
  '',
].join('\r');
const message = () => parseMessage(Buffer.from(text));

describe('the difference of two messages', () => {
  it('is nothing where nothing differs', () => {
    assert.deepEqual(differences(message(), message()), []);
  });

  it('is the field that was set, and no other', () => {
    const place = fc.constantFrom('MSH-10', 'PID-3', 'PID-5', 'PID-30', 'OBX-5', 'OBX[2]-5');
    const value = fc.stringMatching(/^[a-z]{0,6}$/);
    fc.assert(
      fc.property(place, value, (at, set) => {
        const changed = message();
        const before = changed.raw(at);
        changed.setRaw(at, set);
        const found = differences(message(), changed);
        if ((before ?? '') === set) return assert.deepEqual(found, []);
        assert.deepEqual(
          found.map((one) => [one.at, one.before ?? '', one.after ?? '']),
          [[at, before ?? '', set]],
        );
      }),
    );
  });

  it('names a segment that only one of them has', () => {
    const more = parseMessage(Buffer.from(`${text}ZPV|1\rOBX|3|ST|Z||three\r`));
    assert.deepEqual(differences(message(), more), [
      { at: 'OBX[3]', before: undefined, after: 'OBX|3|ST|Z||three' },
      { at: 'ZPV', before: undefined, after: 'ZPV|1' },
    ]);
    assert.deepEqual(
      differences(more, message()).map(({ at, after }) => [at, after]),
      [
        ['OBX[3]', undefined],
        ['ZPV', undefined],
      ],
    );
  });
});
