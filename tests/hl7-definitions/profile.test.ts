import assert from 'node:assert/strict';
import { definitions } from '../../engine/hl7/definitions/definitions.ts';
import { profileStructures } from '../../engine/hl7/definitions/profile.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { matchStructure } from '../../engine/hl7/structure.ts';
import { validateMessage } from '../../engine/hl7/validate.ts';
import { gpRecordAnswer } from './answer.ts';

const { RSP_K11, RSP_ZGS, ADR_A19 } = profileStructures;

function mismatches(structure: typeof RSP_K11, text: string): string[] {
  const found = matchStructure(structure, text.split(' '));
  return found.map(({ kind, segment }) => `${kind} ${segment}`);
}

describe('structures of our own answers', () => {
  it('hold a whole GP record', () => {
    const message = parseMessage(Buffer.from(gpRecordAnswer));
    assert.deepEqual(matchStructure(RSP_K11, message.segmentNames()), []);
    assert.deepEqual(matchStructure(RSP_ZGS, message.segmentNames()), []);
    // Great Britain puts ODS codes where 2.4 still has a number (XON.3 became a string in 2.5).
    const [odsCode, ...others] = validateMessage(message, { structure: RSP_K11 });
    assert.deepEqual(others, []);
    assert.equal(
      odsCode?.says,
      'PD1-3.3 Patient Primary Facility · ID Number is not a number (NM).',
    );
  });

  it('differ from the base structure of 2.4, which ends after QPD', () => {
    const base = definitions('2.4').structure('RSP_K11');
    assert.ok(base);
    assert.deepEqual(mismatches(base, 'MSH MSA QAK QPD'), []);
    assert.deepEqual(mismatches(base, 'MSH MSA QAK QPD PID'), ['unexpected PID']);
  });

  it('hold an error, nothing found, every dataset and a continuation', () => {
    const fits = [
      'MSH MSA ERR QAK QPD',
      'MSH MSA QAK QPD NTE',
      'MSH MSA QAK QPD PID PD1 NK1 NK1 NTE OBX OBX NTE OBX DSC',
      'MSH MSA QAK QPD PID OBX AL1 NTE NTE IAM NTE AL1 OBX PRB NTE OBX OBX NTE',
      'MSH MSA QAK QPD PID OBX ORC RXO NTE OBX OBX ORC RXO NTE ORC RXE RXR ORC OBR NTE',
      'MSH MSA QAK QPD PID OBX OBR NTE OBX NTE OBR OBX OBX RXA RXR OBX RF1 NTE PRD PRD NTE',
      'MSH MSA QAK QPD PID OBX PV1 PV2 OBX NTE OBX DG1 NTE PR1 NTE TXA OBX ZGP',
    ];
    for (const text of fits) assert.deepEqual(mismatches(RSP_K11, text), [], text);
  });

  it('refuse clinical data without its patient, its status line or its order', () => {
    assert.deepEqual(mismatches(RSP_K11, 'MSH MSA QAK QPD OBX AL1'), ['missing PID']);
    assert.deepEqual(mismatches(RSP_K11, 'MSH MSA QAK QPD PID AL1'), ['missing OBX']);
    assert.deepEqual(mismatches(RSP_K11, 'MSH MSA QAK QPD PID OBX RXO'), ['missing ORC']);
    assert.deepEqual(mismatches(RSP_K11, 'MSH MSA QPD'), ['missing QAK']);
    assert.deepEqual(mismatches(RSP_K11, 'MSH MSA QAK QPD PID OBX PID'), ['misplaced PID']);
  });

  it('answer QRY_A19 as the standard does, with or without a patient', () => {
    const standard = definitions('2.4').structure('ADR_A19');
    assert.ok(standard);
    const full = 'MSH MSA QAK QRD QRF PID PD1 PV1 OBX OBX AL1 AL1 DG1 DSC';
    assert.deepEqual(mismatches(standard, full), []);
    assert.deepEqual(mismatches(ADR_A19, full), []);
    assert.deepEqual(mismatches(ADR_A19, 'MSH MSA QRD'), []);
    assert.deepEqual(mismatches(standard, 'MSH MSA QRD'), ['missing PID', 'missing PV1']);
    assert.deepEqual(mismatches(ADR_A19, 'MSH MSA QRD PID AL1'), ['missing PV1']);
    assert.deepEqual(mismatches(ADR_A19, 'MSH MSA QRD PID PV1 AL1 OBX'), ['misplaced OBX']);
  });

  it('can be read by a third-party parser', async () => {
    const { HL7Message } = await import('hl7v2');
    const decoded = HL7Message.parse(gpRecordAnswer);
    assert.equal(decoded.messageType, 'RSP^K11');
    const names = decoded.segments.map(({ segmentType }) => segmentType);
    assert.deepEqual(names, parseMessage(Buffer.from(gpRecordAnswer)).segmentNames());
    const allergy = decoded.getSegment('AL1');
    assert.equal(allergy?.field(3).getValue(2), 'Allergy to bee venom');
    assert.equal(decoded.getSegment('PID')?.field(3).getValue(1), '9990042071');
  });
});
