/** Messages as they should not be sent, and are. */
import assert from 'node:assert/strict';
import { FaultError } from '../../engine/faults.ts';
import { messageWarnings, parseMessage } from '../../engine/hl7/message.ts';
import type { Message } from '../../engine/hl7/message.ts';

const parse = (text: string): Message => parseMessage(Buffer.from(text, 'latin1'));
const out = (message: Message): string => message.toBytes().toString('latin1');

const faultOf = (bytes: Buffer): { name: string; detail?: string } => {
  try {
    parseMessage(bytes);
  } catch (error) {
    assert.ok(error instanceof FaultError);
    return error.fault;
  }
  return assert.fail('it was read');
};

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
