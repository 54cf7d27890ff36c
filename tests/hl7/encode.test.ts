import assert from 'node:assert/strict';
import fc from 'fast-check';
import { standardDelimiters } from '../../engine/hl7/delimiters.ts';
import { encodeField, encodeMessage, encodeSegment } from '../../engine/hl7/encode.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import type { CharsetName } from '../../engine/hl7/message.ts';
import type { Segment } from '../../engine/hl7/segment.ts';

const msh = (charset?: string): Segment => {
  const fields: Segment['fields'] = [];
  fields[3] = 'GH';
  fields[9] = [['ACK', 'A01', 'ACK']];
  fields[18] = charset;
  return { name: 'MSH', fields };
};
const nte = (text: string): Segment => ({ name: 'NTE', fields: [undefined, '1', undefined, text] });
const written = (segments: Segment[], charset: CharsetName) =>
  encodeMessage(segments, { delimiters: standardDelimiters, charset });

describe('building a message', () => {
  it('writes fields, repetitions, components and sub-components, without trailing empty ones', () => {
    assert.equal(encodeField(undefined, standardDelimiters), '');
    assert.equal(encodeField('a|b', standardDelimiters), 'a\\F\\b');
    assert.equal(
      encodeField(
        [
          ['a', undefined, ['b', undefined, 'c', undefined], ''],
          [],
          ['d^', undefined],
          [undefined],
        ],
        standardDelimiters,
      ),
      'a^^b&&c~~d\\S\\',
    );
    assert.equal(
      encodeSegment(
        { name: 'PV1', fields: [undefined, '', 'I', undefined, [[]], '""', ''] },
        standardDelimiters,
      ),
      'PV1||I|||""',
    );
    assert.equal(encodeSegment({ name: 'ZZZ', fields: [] }, standardDelimiters), 'ZZZ');
  });

  it('writes MSH-1 and MSH-2 from the delimiters, and all else with them', () => {
    const delimiters = {
      field: '#',
      component: '!',
      repetition: '@',
      escape: '%',
      subcomponent: '*',
      truncation: '',
    };
    const { bytes } = encodeMessage([msh(), nte('a#b^c')], { delimiters, charset: 'ASCII' });
    assert.equal(bytes.toString(), 'MSH#!@%*#GH######ACK!A01!ACK\rNTE#1##a%F%b^c\r');
  });

  it('fills in the delimiters the receiver did not name', () => {
    const none = { ...standardDelimiters, escape: '', subcomponent: '' };
    const { bytes } = encodeMessage([msh(), nte('a|b')], { delimiters: none, charset: 'ASCII' });
    assert.match(bytes.toString(), /^MSH\|\^~\\&\|GH.*\rNTE\|1\|\|a\\F\\b\r$/);
    const taken = { ...none, component: '\\' };
    const { delimiters } = parseMessage(
      encodeMessage([msh()], { delimiters: taken, charset: 'ASCII' }).bytes,
    );
    assert.equal(new Set(Object.values(delimiters)).size, 6);
  });

  it('says in MSH-18 what it used, and leaves it empty where ASCII is meant', () => {
    const state = (charset: CharsetName, stated: string | undefined, text: string) => {
      const result = written([msh(stated), nte(text)], charset);
      const read = parseMessage(result.bytes);
      assert.equal(read.get('NTE-3'), text);
      return [read.get('MSH-18'), result.charset];
    };
    assert.deepEqual(state('ASCII', undefined, 'plain'), [undefined, 'ASCII']);
    assert.deepEqual(state('8859/1', undefined, 'plain'), [undefined, '8859/1']);
    assert.deepEqual(state('8859/1', '8859/1', 'plain'), ['8859/1', '8859/1']);
    assert.deepEqual(state('8859/1', undefined, 'Zoë'), ['8859/1', '8859/1']);
    assert.deepEqual(state('8859/1', '8859/1', 'Łódź'), ['UNICODE UTF-8', 'UNICODE UTF-8']);
    assert.deepEqual(state('ASCII', undefined, '5 µg'), ['UNICODE UTF-8', 'UNICODE UTF-8']);
    assert.deepEqual(state('ASCII', 'ASCII', '5 µg'), ['UNICODE UTF-8', 'UNICODE UTF-8']);
    assert.deepEqual(state('8859/15', '8859/15', '€ 5'), ['8859/15', '8859/15']);
    assert.deepEqual(state('UNICODE UTF-8', 'utf-8', 'x'), ['UNICODE UTF-8', 'UNICODE UTF-8']);
  });

  it('reads back as it was built, for every text in every character set', () => {
    const sets = fc.constantFrom<CharsetName>(
      'ASCII',
      '8859/1',
      '8859/7',
      'UNICODE UTF-8',
      'BIG-5',
    );
    const text = fc.string({ unit: 'binary', minLength: 1 });
    fc.assert(
      fc.property(sets, text, text, fc.boolean(), (charset, first, second, stated) => {
        const segment: Segment = {
          name: 'OBX',
          fields: [
            undefined,
            undefined,
            [
              [first, [undefined, second]],
              [undefined, first],
            ],
            second,
          ],
        };
        const { bytes, charset: used } = written([msh(stated ? charset : ''), segment], charset);
        const read = parseMessage(bytes, { charset: used });
        assert.equal(read.charset, used);
        assert.equal(read.get('OBX-2'), first);
        assert.equal(read.get('OBX-2.2.2'), second);
        assert.equal(read.get('OBX-2[2].2'), first);
        assert.equal(read.get('OBX-3'), second);
      }),
      { numRuns: 500 },
    );
  });

  it('echoes what a sender sent, byte for byte', () => {
    const sent = Buffer.from(
      'MSH|^~\\&|A||||||QBP|1|P|2.4||||||UNICODE UTF-8\rQPD|Q\\T\\1^a&b~c^|\xff\\Z1\\|é\r',
      'latin1',
    );
    const message = parseMessage(sent);
    const echo = { 1: message.raw('QPD-1'), 2: message.raw('QPD-2'), 3: message.raw('QPD-3') };
    const built = written(
      [msh('UNICODE UTF-8'), { name: 'QPD', fields: [], echo }, nte('Zoë')],
      message.charset,
    );
    assert.ok(built.bytes.includes(message.segmentBytes('QPD') ?? 'absent'));
    assert.ok(built.bytes.includes(Buffer.from('NTE|1||Zoë\r')));
  });

  it('refuses half a surrogate pair rather than losing it', () => {
    assert.throws(() => written([msh(), nte('a\ud83d')], 'UNICODE UTF-8'), /half a surrogate pair/);
    const echoing = { name: 'ZZZ', fields: [], echo: { 1: '\udcff' } };
    assert.throws(
      () => written([msh(), nte('a\udcff'), echoing], 'UNICODE UTF-8'),
      /half a surrogate pair/,
    );
  });

  it('begins with MSH', () => {
    assert.throws(() => written([nte('x')], 'ASCII'), /MSH first/);
  });
});
