import assert from 'node:assert/strict';
import fc from 'fast-check';
import { buildAck, msaSegment, responseHeader } from '../../engine/hl7/ack.ts';
import { encodeMessage } from '../../engine/hl7/encode.ts';
import { parseMessage } from '../../engine/hl7/message.ts';

/** The acknowledgement written segment by segment, without what is remembered of a sender. */
function written(text: string, code: 'AA' | 'CA', controlId: string, now: Date): Buffer {
  const message = parseMessage(Buffer.from(text));
  const responder = { controlId, now, application: 'US', facility: 'HERE' };
  const segments = [responseHeader(message, responder), msaSegment(message, code, [])];
  return encodeMessage(segments, message).bytes;
}

describe('acknowledgements of one sender after another', () => {
  it('are the same bytes whether the sender is new or known', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9 ^~&\\-]{0,12}$/);
    const id = fc.stringMatching(/^[A-Za-z0-9^~&\\. -]{0,11}[A-Za-z0-9]$/);
    const type = fc.constantFrom('ADT^A01', 'ADT^A08^ADT_A01', 'ORU^R01', 'ADT');
    const version = fc.constantFrom('2.2', '2.3', '2.3.1', '2.4', '2.5.1', '2.7');
    const charset = fc.constantFrom('', 'ASCII', 'UNICODE UTF-8', '8859/1', 'odd');
    const condition = fc.constantFrom('', 'AL', 'NE', 'ER');
    const field = fc.constantFrom('|', '#');
    const sender = fc.tuple(word, word, word, word, type, version, condition, charset, field);
    fc.assert(
      fc.property(
        sender,
        fc.array(id, { minLength: 2, maxLength: 4 }),
        fc.constantFrom('AA' as const, 'CA' as const),
        ([a, b, c, d, msh9, msh12, msh15, msh18, bar], ids, code) => {
          for (const [number, msh10] of ids.entries()) {
            const msh = `MSH|^~\\&|${a}|${b}|${c}|${d}|2026060410150${number}||${msh9}|${msh10}|P|${msh12}|||${msh15}|||${msh18}`;
            const text = `${msh.replaceAll('|', bar)}\rEVN${bar}\r`;
            const now = new Date(Date.UTC(2026, 5, 4, 10, 15, number));
            const options = {
              code,
              faults: [],
              controlId: `G${number}`,
              now,
              application: 'US',
              facility: 'HERE',
            };
            assert.equal(
              buildAck(parseMessage(Buffer.from(text)), options).toString('latin1'),
              written(text, code, `G${number}`, now).toString('latin1'),
            );
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('beyond ASCII are written in the sender\u2019s character set', () => {
    const text =
      'MSH|^~\\&|\u00c9tage|R0A|||20260604||ADT^A01|Zo\u00eb1|P|2.4||||||UNICODE UTF-8\r';
    const now = new Date(Date.UTC(2026, 5, 4));
    const options = {
      code: 'AA' as const,
      faults: [],
      controlId: 'G1',
      now,
      application: 'US',
      facility: 'HERE',
    };
    for (let time = 0; time < 2; time++) {
      const ack = buildAck(parseMessage(Buffer.from(text)), options);
      assert.deepEqual(ack, written(text, 'AA', 'G1', now));
      assert.ok(ack.toString('utf8').includes('MSA|AA|Zo\u00eb1'));
    }
  });
});
