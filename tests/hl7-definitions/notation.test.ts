import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  formatStructure,
  parseStructure,
  segmentsOf,
} from '../../engine/hl7/definitions/notation.ts';
import { describes, structures, wordsOfNames } from './arbitrary.ts';

describe('notation of message structures', () => {
  it('reads groups, options, repetitions and choices', () => {
    const { items } = parseStructure('X', 'MSH [{NTE}] {ORDER: ORC [<OBR|RXO [{RXR}]>]}');
    assert.deepEqual(items[0], { kind: 'segment', name: 'MSH', min: 1, repeats: false });
    assert.deepEqual(items[1], { kind: 'segment', name: 'NTE', min: 0, repeats: true });
    const order = items[2];
    assert.ok(order?.kind === 'group');
    assert.equal(order.name, 'ORDER');
    assert.equal(order.repeats, true);
    const choice = order.items[1];
    assert.ok(choice?.kind === 'choice');
    assert.equal(choice.min, 0);
    assert.equal(choice.items[1]?.kind, 'group');
  });

  it('describes the same messages after writing and reading, and then stays as it is', () => {
    fc.assert(
      fc.property(structures, wordsOfNames, (structure, word) => {
        // Brackets around a single unnamed part are all that reading may leave out.
        const read = parseStructure(structure.id, formatStructure(structure));
        assert.equal(describes(read, word), describes(structure, word));
        assert.deepEqual(segmentsOf(read), segmentsOf(structure));
        assert.deepEqual(parseStructure(read.id, formatStructure(read)), read);
      }),
      { numRuns: 1000 },
    );
  });

  it('says where a notation is wrong', () => {
    const wrong: [string, RegExp][] = [
      ['', /holds no segment/],
      ['MSH [PID', /column 9.*lacks the closing \]/],
      ['MSH [PID}', /column 9.*is not the beginning/],
      ['MSH []', /column 5.*holds no segment/],
      ['MSH <PID|>', /column 5.*empty alternative/],
      ['MSH pid', /column 5.*neither a segment/],
      ['MSH | PID', /is not the beginning/],
    ];
    for (const [text, expected] of wrong) assert.throws(() => parseStructure('X', text), expected);
  });
});
