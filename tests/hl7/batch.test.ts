/** Batches: cut without losing a byte, counted, and answered. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { batchResponse } from '../../engine/hl7/batch-response.ts';
import { type BatchFile, isBatch, splitBatch } from '../../engine/hl7/batch.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { corpus } from './corpus.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const message = (id: string) => `MSH|^~\\&|A|B|C|D|1||ADT^A08|${id}|P|2.4\rPID|1||${id}\r`;
const bhs = (id: string) => `BHS|^~\\&|LAB|RXX|HUB|R0A|1||||${id}\r`;
const all = ({ batches }: BatchFile) => batches.flatMap(({ messages }) => messages);
const ids = (file: BatchFile) => all(file).map((one) => parseMessage(one).get('MSH-10'));

describe('a batch', () => {
  it('is cut into its messages in their order, with the bytes they came with', () => {
    const text = `FHS|^~\\&|LAB\r${bhs('B1')}${message('1')}${message('2')}BTS|2\r${bhs('B2')}${message('3')}BTS|1\rFTS|2\r`;
    const file = splitBatch(bytes(text));
    assert.deepEqual(
      file.batches.map(({ messages }) => messages.map(String)),
      [[message('1'), message('2')], [message('3')]],
    );
    assert.deepEqual([file.problems, file.warnings], [[], []]);
    assert.equal(file.batches[1]?.header?.fields[11], 'B2');
  });

  it('may lack trailers and headers, and is told so', () => {
    const warned = (text: string) => splitBatch(bytes(text)).warnings;
    assert.deepEqual(warned(`${bhs('B1')}${message('1')}`), ['noBatchTrailer']);
    assert.deepEqual(warned(`FHS|^~\\&\r${message('1')}FTS|1\r`), ['noBatchTrailer']);
    const nested = splitBatch(
      bytes(`FHS|^~\\&\r${bhs('B1')}${message('1')}${bhs('B2')}${message('2')}`),
    );
    assert.equal(nested.batches.length, 2);
    assert.deepEqual(ids(splitBatch(bytes(message('1') + message('2')))), ['1', '2']);
  });

  const wrong: [what: string, text: string, problem: RegExp][] = [
    [
      'a message fewer than counted',
      `${bhs('B')}${message('1')}BTS|2\r`,
      /BTS-1 says 2 messages, there are 1/,
    ],
    ['a message more', `${bhs('B')}${message('1')}${message('2')}BTS|1\r`, /BTS-1 says 1/],
    ['a batch fewer', `FHS|^~\\&\r${bhs('B')}BTS|0\rFTS|2\r`, /FTS-1 says 2 batches, there are 1/],
    ['a count that is none', `${bhs('B')}BTS|few\r`, /BTS-1 is no number/],
    [
      'something behind its end',
      `FHS|^~\\&\r${bhs('B')}BTS\rFTS\r${message('1')}`,
      /MSH stands behind FTS/,
    ],
    [
      'a segment in no message',
      `${bhs('B')}PID|1\r${message('1')}`,
      /PID stands behind BHS, in no message/,
    ],
    ['a header nobody can read', `BHS|abc|A\r${message('1')}`, /BHS cannot be read/],
    ['a file in a batch', `${bhs('B')}FHS|^~\\&\r`, /FHS does not stand first/],
  ];
  for (const [what, text, problem] of wrong) {
    it(`with ${what} has a problem`, () => {
      assert.match(splitBatch(bytes(text)).problems.join('; '), problem);
    });
  }

  it('is answered under its own names, BHS-12 and FHS-12 its control ids', () => {
    const file = splitBatch(
      bytes(
        `FHS|^~\\&|LAB|RXX|HUB|R0A|1||||F9\rBHS#*~\\&#LAB#RXX#HUB#R0A#1####B9\r${message('1')}BTS#1\r`,
      ),
    );
    const us = { application: 'US', facility: 'HERE', controlId: 'X', now: new Date(0) };
    const response = batchResponse(file, [[bytes('MSH|1\r'), bytes('MSH|2\r')]], us);
    assert.equal(
      response.toString(),
      'FHS|^~\\&|HUB|R0A|LAB|RXX|19700101000000+0000||||XF|F9\r' +
        'BHS#*~\\&#HUB#R0A#LAB#RXX#19700101000000+0000####XB1#B9\rMSH|1\rMSH|2\rBTS#2\rFTS|1\r',
    );
    assert.deepEqual(splitBatch(response).problems, []);
  });

  it('built of any messages is cut into just these', () => {
    const one = fc
      .array(fc.constantFrom('PID|1', 'OBX|1|a', 'NTE|1|BTS|2', 'ZBH|1'), { maxLength: 4 })
      .map((lines) => ['MSH|^~\\&|A|B', ...lines, ''].join('\r'));
    fc.assert(
      fc.property(fc.array(fc.array(one, { maxLength: 4 }), { maxLength: 3 }), (batches) => {
        const text = batches
          .map((messages, n) => `${bhs(`B${n}`)}${messages.join('')}BTS|${messages.length}\r`)
          .join('');
        const file = splitBatch(bytes(`FHS|^~\\&\r${text}FTS|${batches.length}\r`));
        assert.deepEqual(file.problems, []);
        assert.deepEqual(
          file.batches.map(({ messages }) => messages.map(String)),
          batches,
        );
      }),
    );
  });

  it('of any bytes is cut without a throw, and no byte is in two messages', () => {
    const piece = fc.constantFrom(
      'FHS|',
      'BHS|^~\\&',
      'BTS|1',
      'FTS',
      'MSH|^~\\&|',
      '\r',
      '\n',
      'x',
      '|',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const payload = bytes(pieces.join(''));
        const parts = all(splitBatch(payload));
        assert.ok(parts.reduce((sum, { length }) => sum + length, 0) <= payload.length);
        for (const part of parts) assert.ok(part.toString().startsWith('MSH'));
      }),
      { numRuns: 500 },
    );
  });

  it('the published ones are cut into messages that can be read, and wrong counts are told', function () {
    const samples = corpus()?.filter(({ bytes: sample }) => isBatch(sample));
    if (!samples) {
      console.log('      the published messages are not on this machine');
      return this.skip();
    }
    assert.equal(samples.length, 49);
    let problems = 0;
    for (const { name, bytes: sample } of samples) {
      const file = splitBatch(sample);
      const text = sample.toString('latin1');
      const headers = text.match(/(?:^|[\r\n])[ \t]*MSH[^A-Za-z0-9\s]/g)?.length ?? 0;
      assert.equal(all(file).length, headers, name);
      for (const one of all(file)) {
        parseMessage(one).segmentNames();
        assert.ok(text.includes(one.toString('latin1')), name);
      }
      if (file.problems.length > 0) problems += 1;
    }
    assert.equal(problems, 9);
  });
});
