import assert from 'node:assert/strict';
import { faults as faultTable } from '../../engine/faults.ts';
import type { Fault, FaultName } from '../../engine/faults.ts';
import { buildAck } from '../../engine/hl7/ack.ts';
import { errSegments } from '../../engine/hl7/err.ts';
import { parseMessage } from '../../engine/hl7/message.ts';

/** What the sender of a message of this version is told of these faults. */
function acknowledged(version: string, faults: Fault[]): string {
  const message = parseMessage(Buffer.from(`MSH|^~\\&|PAS||GH||||ADT^A01|42|P|${version}\r`));
  const options = { controlId: 'GH1', now: new Date(0), application: 'GH', facility: 'GW' };
  return buildAck(message, { ...options, code: 'AE', faults }).toString();
}

describe('what an acknowledgement says of faults', () => {
  const faults: Fault[] = [
    { name: 'requiredMissing', at: [{ segment: 'PID', field: 3 }], detail: 'secret detail' },
    {
      name: 'valueInvalid',
      at: [
        { segment: 'OBX', sequence: 2, field: 5, repetition: 3, component: 1 },
        { segment: 'OBX', sequence: 4 },
      ],
      verbatim: 'Shown word for word',
    },
  ];
  const lines = (version: string, told = faults): string[] =>
    acknowledged(version, told).split('\r').slice(1, -1);

  it('is one ERR with ERR-1 up to v2.4', () => {
    assert.deepEqual(lines('2.4'), [
      'MSA|AE|42|A required field is missing.',
      'ERR|PID^1^3^101&Required field missing&HL70357~OBX^2^5^102&Data type error&HL70357' +
        '~OBX^4^^102&Data type error&HL70357',
    ]);
  });

  it('is one ERR a fault with ERR-2, 3 and 4 from v2.5, and a text in MSA-3 up to v2.6', () => {
    const expected = [
      'ERR||PID^1^3|101^Required field missing^HL70357|E|GH-2009^^L||' +
        'A required field is missing.|A required field is missing.',
      'ERR||OBX^2^5^3^1~OBX^4|102^Data type error^HL70357|E|GH-2010^^L||' +
        'A field does not hold a valid value.|Shown word for word',
    ];
    assert.deepEqual(lines('2.5'), ['MSA|AE|42|A required field is missing.', ...expected]);
    assert.deepEqual(lines('2.6')[0], 'MSA|AE|42|A required field is missing.');
    assert.deepEqual(lines('2.7'), ['MSA|AE|42', ...expected]);
    assert.deepEqual(lines('2.8')[0], 'MSA|AE|42');
  });

  it('never holds detail meant for the journal', () => {
    for (const version of ['2.3', '2.4', '2.5', '2.8']) {
      assert.doesNotMatch(acknowledged(version, faults), /secret/);
    }
  });

  it('cannot tell a restricted patient from an unknown one', () => {
    for (const version of ['2.4', '2.5.1', '2.8']) {
      const say = (name: FaultName) => lines(version, [{ name }]).join('\r');
      assert.equal(say('patientRestricted'), say('patientNotFound'));
      assert.doesNotMatch(say('patientNotFound'), /ERR/);
    }
  });

  it('has a name for every code the table of faults uses', () => {
    for (const name of Object.keys(faultTable) as FaultName[]) {
      const code = faultTable[name].err;
      const [segment] = errSegments('2.5', [{ name }]);
      if (code === null) assert.equal(segment, undefined);
      else assert.match(JSON.stringify(segment?.fields[3]), /"HL70357"/, name);
    }
  });
});
