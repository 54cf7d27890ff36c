import assert from 'node:assert/strict';
import type { Fault } from '../../engine/faults.ts';
import {
  acceptCode,
  acknowledgementMode,
  buildAck,
  responseHeader,
  wanted,
} from '../../engine/hl7/ack.ts';
import type { AckCode } from '../../engine/hl7/ack.ts';
import { encodeMessage } from '../../engine/hl7/encode.ts';
import { parseMessage } from '../../engine/hl7/message.ts';

const responder = {
  controlId: 'GH1',
  now: new Date('2024-07-01T11:22:33.444Z'),
  application: 'GATEHOUSE',
  facility: 'GW',
};

/** MSH fields 3 to 19 of a sender, with defaults. */
function sent(fields: Record<number, string> = {}, encoding = '^~\\&', separator = '|'): Buffer {
  const values: Record<number, string> = {
    3: 'PAS',
    4: 'RXX&1&ISO',
    5: 'GH',
    6: 'GP',
    9: 'ADT^A01^ADT_A01',
    10: '42',
    11: 'P',
    12: '2.4',
    ...fields,
  };
  const list = Array.from({ length: 17 }, (_, index) => values[index + 3] ?? '');
  return Buffer.from(`MSH${separator}${encoding}${separator}${list.join(separator)}\r`, 'latin1');
}

const acknowledge = (bytes: Buffer, code: AckCode, faults: Fault[] = []): string =>
  buildAck(parseMessage(bytes), { ...responder, code, faults }).toString('latin1');

describe('which acknowledgement is wanted', () => {
  const modes: [string, string, string, string][] = [
    ['', '', '2.4', 'original NE AL'],
    ['AL', 'NE', '2.4', 'enhanced AL NE'],
    ['AL', '', '2.4', 'enhanced AL NE'],
    ['', 'AL', '2.5', 'enhanced NE AL'],
    ['ER', 'SU', '2.5', 'enhanced ER SU'],
    ['NE', 'NE', '2.4', 'enhanced NE NE'],
    ['AL', 'AL', '2.1', 'original NE AL'],
    ['AL', 'AL', '2.2', 'enhanced AL AL'],
    ['""', '', '2.4', 'original NE AL'],
    ['yes', '', '2.4', 'enhanced AL NE'],
  ];
  for (const [accept, application, version, expected] of modes) {
    it(`MSH-15 "${accept}", MSH-16 "${application}", v${version}: ${expected}`, () => {
      const message = parseMessage(sent({ 12: version, 15: accept, 16: application }));
      assert.equal(Object.values(acknowledgementMode(message)).join(' '), expected);
    });
  }

  it('follows table 0155', () => {
    const table = (['AL', 'NE', 'ER', 'SU'] as const).map(
      (on) => `${on} ${wanted(on, 'success')} ${wanted(on, 'error')}`,
    );
    assert.deepEqual(table, ['AL true true', 'NE false false', 'ER false true', 'SU true false']);
  });

  it('has an accept code for each application code', () => {
    assert.deepEqual((['AA', 'AE', 'AR', 'CE'] as const).map(acceptCode), ['CA', 'CE', 'CR', 'CE']);
  });
});

describe('an acknowledgement', () => {
  it('answers the sender in its own terms', () => {
    assert.equal(
      acknowledge(sent({ 17: 'GBR', 19: 'EN' }), 'AA'),
      'MSH|^~\\&|GH|GP|PAS|RXX&1&ISO|20240701112233+0000||ACK^A01^ACK|GH1|P|2.4|||||GBR||EN\r' +
        'MSA|AA|42\r',
    );
  });

  it("uses the sender's delimiters, completed where it named too few", () => {
    assert.equal(
      acknowledge(sent({ 9: 'ADT!A01' }, '!@%*', '#'), 'AE', [{ name: 'notHl7' }]).split('\r')[2],
      'ERR#!!!207*Application internal error*HL70357',
    );
    assert.match(acknowledge(sent({}, '^~&'), 'AA'), /^MSH\|\^~\\&\|GH\|/);
  });

  it('names itself where the sender did not name it', () => {
    assert.match(acknowledge(sent({ 5: '', 6: '' }), 'AA'), /^MSH\|\^~\\&\|GATEHOUSE\|GW\|PAS\|/);
  });

  const ids = [
    '42',
    'A&B',
    'a^b~c',
    '\\T\\x\\',
    ' 7 ',
    '""',
    '\xff\xfe',
    '{é}',
    'A\x1c\x0b',
    '0'.repeat(300),
  ];
  for (const set of ['', 'UNICODE UTF-8', '8859/1', 'ASCII', 'nonsense']) {
    it(`gives MSH-10 back byte for byte in MSA-2 (MSH-18 "${set}")`, () => {
      for (const id of ids) {
        const ack = acknowledge(sent({ 10: id, 18: set }), 'AA');
        assert.equal(ack.split('\r')[1], `MSA|AA|${id}`);
      }
    });
  }

  const types: [string, string, string][] = [
    ['2.1', 'ADT^A01', 'ACK'],
    ['2.2', 'ADT^A01', 'ACK'],
    ['2.3', 'ADT^A01', 'ACK^A01'],
    ['2.3.1', 'ADT^A01', 'ACK^A01^ACK'],
    ['2.5.1', 'ADT^A01^ADT_A01', 'ACK^A01^ACK'],
    ['2.8', 'ADT^A01^ADT_A01', 'ACK^A01^ACK'],
    ['2.4', 'ADT', 'ACK'],
    ['', 'ADT^A01', 'ACK^A01^ACK'],
  ];
  for (const [version, type, expected] of types) {
    it(`is ${expected} for ${type} in v${version || '(none)'}`, () => {
      const fields = acknowledge(sent({ 9: type, 12: version }), 'AA').split('|');
      assert.equal(fields[8], expected);
      assert.equal(fields[11]?.split('\r')[0], version || '2.4');
    });
  }

  it('says that no acknowledgement of it is wanted, where the sender speaks enhanced mode', () => {
    const message = parseMessage(
      buildAck(parseMessage(sent({ 15: 'AL', 16: 'AL' })), {
        ...responder,
        code: 'CA',
        faults: [],
      }),
    );
    assert.equal(message.get('MSH-15'), 'NE');
    assert.equal(message.get('MSH-16'), 'NE');
    assert.equal(message.get('MSA-1'), 'CA');
  });

  it('states its character set where the sender stated one', () => {
    const stated = (bytes: Buffer) =>
      parseMessage(Buffer.from(acknowledge(bytes, 'AA'))).get('MSH-18');
    assert.equal(stated(sent()), undefined);
    assert.equal(stated(sent({ 18: '8859/1' })), '8859/1');
    assert.equal(stated(sent({ 18: 'utf-8' })), 'UNICODE UTF-8');
    assert.equal(stated(sent({ 18: 'UNICODE UTF-8', 3: 'Caf\xc3\xa9' })), 'UNICODE UTF-8');
  });

  it('is never positive without a control id to refer to', () => {
    for (const [code, given] of [
      ['AA', 'AE'],
      ['CA', 'CE'],
      ['AR', 'AR'],
    ] as const) {
      const ack = parseMessage(Buffer.from(acknowledge(sent({ 10: '' }), code)));
      assert.equal(ack.get('MSA-1'), given);
      assert.equal(ack.get('MSA-2'), undefined);
    }
    assert.match(
      acknowledge(Buffer.from('MSH|^~\\&|A\r'), 'AA'),
      /\rMSA\|AE\|\|.*\rERR\|MSH\^1\^10\^101&/,
    );
  });

  it('is a general one where nothing could be read', () => {
    const ack = buildAck(undefined, { ...responder, code: 'AR', faults: [{ name: 'notHl7' }] });
    assert.equal(
      ack.toString(),
      'MSH|^~\\&|GATEHOUSE|GW|||20240701112233+0000||ACK|GH1|P|2.4\r' +
        'MSA|AR||The frame does not hold an HL7 v2 message (no MSH segment).\r' +
        'ERR|^^^207&Application internal error&HL70357\r',
    );
  });
});

describe('the header of a response', () => {
  it('carries its own type, with the structure where the version has it', () => {
    const type = { code: 'RSP', event: 'K11', structure: 'RSP_K11' };
    const header = (version: string) => {
      const message = parseMessage(sent({ 12: version }));
      const segments = [responseHeader(message, responder, type)];
      const { bytes } = encodeMessage(segments, message);
      return parseMessage(bytes).raw('MSH-9');
    };
    assert.equal(header('2.4'), 'RSP^K11^RSP_K11');
    assert.equal(header('2.3'), 'RSP^K11');
  });
});
