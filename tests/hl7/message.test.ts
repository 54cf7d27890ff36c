import assert from 'node:assert/strict';
import { parseMessage } from '../../engine/hl7/message.ts';
import type { Message } from '../../engine/hl7/message.ts';

const parse = (text: string): Message => parseMessage(Buffer.from(text, 'latin1'));
const out = (message: Message): string => message.toBytes().toString('latin1');

const adt =
  'MSH|^~\\&|PAS|RXX|GH|GH|20240102||ADT^A01^ADT_A01|42|P|2.4\r' +
  'PID|1||9449305552^^^NHS&1&ISO^NH~633^^^R0A^MR||O\\T\\NEIL^ANN||1970|""||\r' +
  'OBX|1|TX|a||first~second\rOBX|2|TX|b||\rOBX|3|TX|c||A\\F\\B\r';

describe('reading a message by path', () => {
  const message = parse(adt);

  it('takes 1 for levels that are not named', () => {
    assert.equal(message.get('PID-3'), '9449305552');
    assert.equal(message.get('PID-3[1].1.1'), '9449305552');
    assert.equal(message.get('PID-3.4'), 'NHS');
    assert.equal(message.get('PID-3.4.3'), 'ISO');
    assert.equal(message.get('PID-3[2].5'), 'MR');
    assert.equal(message.get('OBX[3]-5'), 'A|B');
    assert.equal(message.get('PID-5'), 'O&NEIL');
  });

  it('gives undefined for absent and for empty, and keeps the HL7 null', () => {
    for (const path of [
      'ZZZ-1',
      'OBX[4]-1',
      'PID-99',
      'PID-3[3]',
      'PID-3.9',
      'PID-4',
      'OBX[2]-5',
    ]) {
      assert.equal(message.get(path), undefined, path);
    }
    assert.equal(message.get('PID-8'), '""');
  });

  it('gives the exact text of a node at any level, telling empty from absent', () => {
    assert.equal(message.raw('PID-3'), '9449305552^^^NHS&1&ISO^NH~633^^^R0A^MR');
    assert.equal(message.raw('PID-3[1]'), '9449305552^^^NHS&1&ISO^NH');
    assert.equal(message.raw('PID-3.4'), 'NHS&1&ISO');
    assert.equal(message.raw('PID-3.4.2'), '1');
    assert.equal(message.raw('PID-5.1'), 'O\\T\\NEIL');
    assert.equal(message.raw('OBX[2]'), 'OBX|2|TX|b||');
    assert.equal(message.raw('PID-4'), '');
    assert.equal(message.raw('PID-10'), '');
    assert.equal(message.raw('PID-11'), undefined);
    assert.equal(message.raw('ZZZ'), undefined);
  });

  it('knows that MSH-1 and MSH-2 are the delimiters', () => {
    assert.equal(message.get('MSH-1'), '|');
    assert.equal(message.get('MSH-2'), '^~\\&');
    assert.equal(message.raw('MSH-2'), '^~\\&');
    assert.equal(message.get('MSH-3'), 'PAS');
    assert.equal(message.get('MSH-9.3'), 'ADT_A01');
    assert.equal(message.repetitions('MSH-2'), 1);
  });

  it('counts segments, fields and repetitions', () => {
    assert.deepEqual(message.segmentNames(), ['MSH', 'PID', 'OBX', 'OBX', 'OBX']);
    assert.equal(message.count('OBX'), 3);
    assert.equal(message.count('ZZZ'), 0);
    assert.equal(message.fields('MSH'), 12);
    assert.equal(message.fields('PID'), 10);
    assert.equal(message.fields('OBX[4]'), 0);
    assert.equal(message.repetitions('PID-3'), 2);
    assert.equal(message.repetitions('PID-4'), 0);
    assert.equal(message.repetitions('OBX[1]-5'), 2);
  });

  it('gives a segment as bytes', () => {
    assert.equal(message.segmentBytes('OBX', 3)?.toString(), 'OBX|3|TX|c||A\\F\\B');
    assert.equal(message.segmentBytes('OBX', 4), undefined);
  });

  it('refuses a path without a field where a value is asked for', () => {
    assert.throws(() => message.get('PID'), /names a segment, not a value.*PID-3/);
  });

  it('does not see bytes the caller changes afterwards', () => {
    const bytes = Buffer.from(adt);
    const kept = parseMessage(bytes);
    bytes.fill(0);
    assert.equal(out(kept), adt);
  });
});

describe('editing a message', () => {
  const edited = (change: (message: Message) => void): string => {
    const message = parse(adt);
    change(message);
    return out(message);
  };

  it('replaces one leaf', () => {
    assert.equal(
      edited((m) => m.set('PID-3[2].1', '7|7')),
      adt.replace('~633^', '~7\\F\\7^'),
    );
    assert.equal(
      edited((m) => m.set('OBX[3]-5', '')),
      adt.replace('A\\F\\B', ''),
    );
  });

  it('writes the separators that are missing before it', () => {
    assert.equal(
      edited((m) => m.set('OBX[2]-8[2].2.3', 'x')),
      adt.replace('OBX|2|TX|b||', 'OBX|2|TX|b|||||~^&&x'),
    );
    assert.equal(
      edited((m) => m.set('MSH-18', 'ASCII')),
      adt.replace('|2.4', '|2.4||||||ASCII'),
    );
    assert.equal(
      edited((m) => m.set('PID-3[3]', 'x')),
      adt.replace('^MR|', '^MR~x|'),
    );
  });

  it('writes nothing where an absent node becomes empty', () => {
    assert.equal(
      edited((m) => m.set('PID-30', '')),
      adt,
    );
  });

  it('replaces a whole node with setRaw', () => {
    assert.equal(
      edited((m) => m.setRaw('PID-3', 'a^b~c')),
      adt.replace(/9449.*MR/, 'a^b~c'),
    );
    assert.equal(
      edited((m) => m.setRaw('OBX[2]', 'OBX|2')),
      adt.replace('OBX|2|TX|b||', 'OBX|2'),
    );
  });

  it('sees its own edits', () => {
    const message = parse(adt);
    message.set('PID-5.2', 'B^C');
    message.set('PID-5.3', 'D');
    message.set('MSH-10', '43');
    assert.equal(message.get('PID-5.2'), 'B^C');
    assert.equal(message.raw('PID-5'), 'O\\T\\NEIL^B\\S\\C^D');
    assert.equal(message.segmentBytes('MSH')?.toString().split('|')[9], '43');
  });

  it('says what cannot be set, and why', () => {
    const message = parse(adt);
    assert.throws(() => message.set('ZZZ-1', 'x'), /ZZZ-1 cannot be set: .*no such segment/);
    assert.throws(() => message.set('MSH-2', 'x'), /delimiters of a message cannot be changed/);
    assert.throws(() => message.setRaw('PID-5', 'a|b'), /separator or line end/);
    assert.throws(() => message.setRaw('PID-5.1', 'a^b'), /separator or line end/);
    assert.throws(() => message.setRaw('PID-5', 'a\rZZZ|1'), /separator or line end/);
    assert.throws(() => message.setRaw('PID', 'PV1|'), /must begin with PID\|/);
    assert.equal(out(message), adt);
  });
});
