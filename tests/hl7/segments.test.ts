/** Segments added and taken out: every other byte stays as it came. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseMessage } from '../../engine/hl7/message.ts';

const read = (text: string) => parseMessage(Buffer.from(text, 'latin1'));
const written = (message: ReturnType<typeof read>) => message.toBytes().toString('latin1');

const msh = 'MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.4';

describe('segments of a message', () => {
  it('are added behind another, ended as the others are', () => {
    for (const end of ['\r', '\n', '\r\n']) {
      const message = read([msh, 'PID|1', 'OBX|1', 'OBX|2', ''].join(end));
      assert.equal(message.insert('ZPI', 'PID'), 'ZPI[1]');
      message.set('ZPI-2', 'a^b');
      assert.equal(message.insert('OBX', 'OBX[1]'), 'OBX[2]');
      assert.equal(message.insert('NTE'), 'NTE[1]');
      const wanted = [msh, 'PID|1', 'ZPI||a\\S\\b', 'OBX|1', 'OBX', 'OBX|2', 'NTE', ''];
      assert.equal(written(message), wanted.join(end));
      assert.equal(message.get('OBX[3]-1'), '2');
    }
  });

  it('are added to a message whose last segment is not ended, or which is all header', () => {
    const message = read(`${msh}\rPID|1`);
    message.insert('ZPI');
    assert.equal(written(message), `${msh}\rPID|1\rZPI`);
    const header = read(msh);
    header.insert('ZPI');
    assert.equal(written(header), `${msh}\rZPI`);
  });

  it('are taken out with what ended them, after other edits too', () => {
    const message = read(`\r\n${msh}\rPID|1\r\rNK1|1\rNK1|2\rPV1|1\r`);
    message.set('PV1-2', 'I');
    message.remove('NK1[1]');
    message.remove('NK1');
    message.insert('NK1', 'PV1');
    assert.equal(written(message), `\r\n${msh}\rPID|1\r\rPV1|1|I\rNK1\r`);
    assert.equal(message.count('NK1'), 1);
  });

  it('are neither found nor added where they cannot be', () => {
    const message = read(`${msh}\rPID|1\r`);
    assert.throws(() => message.remove('MSH'), /one header/);
    assert.throws(() => message.insert('MSH'), /one header/);
    assert.throws(() => message.remove('PV1'), /no such segment/);
    assert.throws(() => message.insert('ZPI', 'OBX[2]'), /no such segment/);
    assert.throws(() => message.insert('pid'), /is not a path/);
    assert.equal(written(message), `${msh}\rPID|1\r`);
  });

  it('one added and taken out again leaves the message as it was, whatever it holds', () => {
    const line = fc.constantFrom('PID|1', 'OBX|1|a\nb', 'ZZZ', '', ' ', 'odd', 'NTE|\xe9', 'OBX|');
    const end = fc.constantFrom('\r', '\n', '\r\n');
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), end, fc.boolean(), (lines, ending, ended) => {
        const text = [msh, ...lines].join(ending) + (ended ? ending : '');
        const message = read(text);
        const names = message.segmentNames().filter((name) => name !== '');
        for (const [i, name] of names.entries()) {
          const occurrence = names.slice(0, i + 1).filter((one) => one === name).length;
          message.remove(message.insert('ZPI', `${name}[${occurrence}]`));
          assert.equal(written(message), text);
        }
      }),
    );
  });
});
