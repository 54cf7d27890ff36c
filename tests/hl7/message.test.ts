import assert from 'node:assert/strict';
import { FaultError } from '../../engine/faults.ts';
import { messageWarnings, parseMessage } from '../../engine/hl7/message.ts';
import type { Message } from '../../engine/hl7/message.ts';

const parse = (text: string): Message => parseMessage(Buffer.from(text, 'latin1'));
const out = (message: Message): string => message.toBytes().toString('latin1');

const adt =
  'MSH|^~\\&|PAS|RXX|GH|GH|20240102||ADT^A01^ADT_A01|42|P|2.4\r' +
  'PID|1||9449305552^^^NHS&1&ISO^NH~633^^^R0A^MR||O\\T\\NEIL^ANN||1970|""||\r' +
  'OBX|1|TX|a||first~second\rOBX|2|TX|b||\rOBX|3|TX|c||A\\F\\B\r';

const faultOf = (bytes: Buffer): { name: string; detail?: string } => {
  try {
    parseMessage(bytes);
  } catch (error) {
    assert.ok(error instanceof FaultError);
    return error.fault;
  }
  return assert.fail('it was read');
};

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

describe('messages as they should not be sent', () => {
  it('keeps BOM, blank lines and every kind of terminator', () => {
    const text = '\xef\xbb\xbf\r\n\nMSH|^~\\&|A\r\nEVN|A01\n\n \t\rPID|1\rOBX|1\n';
    const message = parse(text);
    assert.equal(out(message), text);
    assert.deepEqual(message.segmentNames(), ['MSH', 'EVN', 'PID', 'OBX']);
    assert.deepEqual(message.warnings, ['byteOrderMark', 'blankLines', 'lineFeeds']);
    message.set('EVN-2', 'x');
    assert.equal(out(message), text.replace('A01', 'A01|x'));
  });

  it('reads a message without its last terminator, and adds none', () => {
    const message = parse('MSH|^~\\&|A\rPID|1||7');
    assert.deepEqual(message.warnings, ['noFinalTerminator']);
    message.set('PID-3', '8');
    assert.equal(out(message), 'MSH|^~\\&|A\rPID|1||8');
  });

  it('takes a line feed that no segment follows for part of the field', () => {
    const message = parse('MSH|^~\\&|A\rOBX|1|TX|||two\nlines of text|F\rPID|1\n');
    assert.deepEqual(message.segmentNames(), ['MSH', 'OBX', 'PID']);
    assert.equal(message.get('OBX-5'), 'two\nlines of text');
    assert.equal(message.get('OBX-6'), 'F');
    assert.deepEqual(message.warnings, ['lineFeeds', 'lineFeedInside']);
  });

  it('names no line that begins with no segment name', () => {
    const message = parse('MSH|^~\\&|A\rSMITH is ill\rpid|1\rZPRX1|a\r');
    assert.deepEqual(message.segmentNames(), ['MSH', '', '', 'ZPRX1']);
    assert.equal(message.get('ZPRX1-1'), 'a');
    assert.deepEqual(message.warnings, ['segmentNameOdd']);
  });

  it('reads unusual delimiters', () => {
    const message = parse('MSH#!@%*#SRC\rPID#1##a!b*c@d#x%F%y');
    assert.equal(message.get('MSH-3'), 'SRC');
    assert.equal(message.get('PID-3.2.2'), 'c');
    assert.equal(message.get('PID-3[2]'), 'd');
    assert.equal(message.get('PID-4'), 'x#y');
    message.set('PID-5', 'a#b!c@d%e*f^|~\\&');
    assert.equal(message.raw('PID-5'), 'a%F%b%S%c%R%d%E%e%T%f^|~\\&');
  });

  it('knows the truncation character of v2.7', () => {
    const message = parse('MSH|^~\\&#|A\rPID|1|a\\P\\b\r');
    assert.equal(message.delimiters.truncation, '#');
    assert.equal(message.get('PID-2'), 'a#b');
    assert.deepEqual(message.warnings, []);
    message.set('PID-2', '#1');
    assert.equal(message.raw('PID-2'), '\\P\\1');
  });

  const delimiterCases: [string, string, string[]][] = [
    ['^~\\\\&', '^~\\&', ['delimitersOdd']],
    ['^~&', '^~&', ['escapeMissing']],
    ['^~&#', '^~&#', ['escapeMissing']],
    ['', '^~\\&', ['delimitersMissing']],
    ['^~', '^~', []],
    ['^^^^', '^', ['delimitersOdd']],
    ['^~\\&XY', '^~\\&', ['delimitersOdd']],
  ];
  for (const [encoding, meant, warnings] of delimiterCases) {
    it(`reads MSH-2 "${encoding}" as "${meant}"`, () => {
      const message = parse(`MSH|${encoding}|A\rPID|1||x^y\r`);
      const { component, repetition, escape, subcomponent, truncation } = message.delimiters;
      assert.equal(component + repetition + escape + subcomponent + truncation, meant);
      assert.deepEqual(message.warnings, warnings);
      assert.equal(message.get('PID-3.2'), 'y');
      assert.equal(message.get('MSH-2'), encoding === '' ? undefined : encoding);
    });
  }

  it('reads & as sub-component separator where the backslash was lost', () => {
    const message = parse('MSH|^~&|A\rPID|1||x&F&y^z\\S\\\r');
    assert.equal(message.get('PID-3.1.3'), 'y');
    assert.equal(message.get('PID-3.2'), 'z\\S\\');
    assert.throws(() => message.set('PID-3', 'a|b'), /no escape character/);
    message.set('PID-3', 'plain');
    assert.equal(message.get('PID-3'), 'plain');
  });

  it('has no level for which MSH-2 names no separator', () => {
    const message = parse('MSH|^|A\rPID|1||x~y\r');
    assert.equal(message.get('PID-3'), 'x~y');
    assert.equal(message.get('PID-3[2]'), undefined);
    assert.equal(message.repetitions('PID-3'), 1);
    assert.throws(() => message.set('PID-3[2]', 'x'), /no separator for that level/);
  });

  it('is not read when no MSH stands first', () => {
    assert.deepEqual(faultOf(Buffer.from('')), {
      name: 'notHl7',
      detail: 'nothing but blank lines',
    });
    assert.match(faultOf(Buffer.from('FHS|^~\\&|A\r')).detail ?? '', /batch header/);
    assert.match(faultOf(Buffer.from('\x0bMSH|^~\\&|A\r')).detail ?? '', /VT/);
    for (const text of ['PID|1', 'MSH', 'MSHA', 'MSH-2 is wrong', 'MSH 1', 'GET / HTTP/1.1\r\n']) {
      assert.equal(faultOf(Buffer.from(text)).name, 'notHl7', text);
    }
  });

  it('is read with a header of any length', () => {
    for (const text of ['MSH|', 'MSH|^~\\&', 'MSH|^~\\&|', 'MSH|^~\\&|A|B']) {
      const message = parse(text);
      assert.equal(message.get('MSH-9'), undefined);
      assert.equal(message.get('MSH-10'), undefined);
      assert.equal(out(message), text);
    }
  });

  it('has a sentence for each warning', () => {
    for (const sentence of Object.values(messageWarnings)) assert.match(sentence, /^[A-Z].*\.$/);
  });
});
