import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseMessage } from '../../engine/hl7/message.ts';
import { validateMessage } from '../../engine/hl7/validate.ts';
import type { Finding, ValidateOptions } from '../../engine/hl7/validate.ts';

const header = 'MSH|^~\\&|PAS|RXX|GPREC|GH|20260311091504||ADT^A01^ADT_A01|M1|P|2.4';
const event = 'EVN|A01|20260311091504';
const patient = 'PID|1||9990042071^^^NHS^NH||Testperson^Robin||19610214|9';
const visit = 'PV1|1|I';

function check(segments: string[], options?: ValidateOptions): Finding[] {
  return validateMessage(parseMessage(Buffer.from(segments.join('\r') + '\r')), options);
}

function brief(findings: Finding[]): string[] {
  return findings.map(({ code, at }) => {
    const field = at.field === undefined ? '' : `-${at.field}`;
    return `${code} ${at.segment}[${at.sequence}]${field}`;
  });
}

describe('validating a message', () => {
  it('finds nothing in a message as the standard has it', () => {
    assert.deepEqual(check([header, event, patient, visit, 'ZPI|anything|at all']), []);
  });

  it('finds segments missing, in the wrong place and not in the structure', () => {
    const findings = check([header, patient, visit, 'NK1|1', 'PRB|AD|20260101|A|B']);
    assert.deepEqual(brief(findings), [
      'segment.missing EVN[1]',
      'segment.misplaced NK1[1]',
      'segment.unexpected PRB[1]',
    ]);
    assert.equal(findings[0]?.says, 'EVN is missing before PID in the structure ADT_A01.');
    assert.match(
      findings[1]?.says ?? '',
      /^NK1 may not stand after PV1 .* there it allows PV2, ROL/,
    );
  });

  it('says when there is no structure to compare with', () => {
    const [finding] = check([header.replace('ADT^A01^ADT_A01', 'ZZT^Z01'), event]);
    assert.equal(finding?.code, 'structure.unknown');
    assert.match(finding.says, /Version 2\.4 has no message structure for ZZT\^Z01/);
  });

  it('finds required fields empty and fields that repeat where they may not', () => {
    const findings = check([header, event, 'PID|1~2||~||Testperson', 'PV1']);
    assert.deepEqual(brief(findings), ['field.repeated PID[1]-1', 'field.required PV1[1]-2']);
    assert.equal(findings[0]?.at.repetition, 2);
    assert.equal(findings[1]?.says, 'PV1-2 Patient Class is required and is empty.');
  });

  it('looks at the form of numbers, dates and times, with the type of OBX-5 from OBX-2', () => {
    const findings = check([
      header,
      'EVN|A01|2026-03-11',
      patient.replace('19610214', '1961'),
      'PV1|one|I',
      'OBX|1|NM|A^Weight^L||82,5||||||F',
      'OBX|2|NM|A^Weight^L||-82.5~""||||||F',
      'OBX|3|DT|A^Date^L||20260230||||||F',
      'OBX|4|ST|A^Text^L||82,5||||||F|||202613',
    ]);
    assert.deepEqual(brief(findings), [
      'field.type EVN[1]-2',
      'field.type PV1[1]-1',
      'field.type OBX[1]-5',
      'field.type OBX[4]-14',
    ]);
    assert.equal(findings[2]?.says, 'OBX-5 Observation Value is not a number (NM).');
  });

  it('looks into components', () => {
    const id = '9990042071^^^NHS^NH~X^^^^^^14.02.1961';
    const [finding] = check([header, event, `PID|1||${id}||Testperson`, visit]);
    assert.deepEqual(finding?.at, {
      segment: 'PID',
      sequence: 1,
      field: 3,
      repetition: 2,
      component: 7,
    });
    assert.match(finding.says, /^PID-3\.7 Patient Identifier List · Effective Date is not a date/);
  });

  it('looks at lengths only when asked', () => {
    const segments = [header, event, patient, 'PV1|1|INPATIENT'];
    assert.deepEqual(check(segments), []);
    assert.deepEqual(brief(check(segments, { lengths: true })), ['field.length PV1[1]-2']);
  });

  it('finds bytes that frame messages inside a field', () => {
    const findings = check([header, event, patient, visit, 'OBX|1|TX|A^B^L||cut\x1chere||||||F']);
    assert.deepEqual(brief(findings), ['byte.framing OBX[1]-5']);
    assert.match(findings[0]?.says ?? '', /FS \(0x1C\)/);
  });

  it('compares with the nearest version, and says so', () => {
    const [finding, ...others] = check([header.replace('|2.4', '|2.9'), event, patient, visit]);
    assert.deepEqual(others, []);
    assert.equal(finding?.code, 'version.unknown');
    assert.match(finding.says, /compared with 2\.8/);
    assert.deepEqual(check([header.replace('|2.4', '|2.7.1'), event, patient, visit]), []);
  });

  it('counts the same finding instead of repeating it', () => {
    const results = Array.from({ length: 10_000 }, (_, at) => `OBX|${(at % 9999) + 1}|ST|A^B^L||x`);
    const [finding, ...others] = check([header, event, patient, visit, ...results]);
    assert.deepEqual(others, []);
    assert.equal(finding?.code, 'field.required');
    assert.equal(finding.times, 10_000);
    assert.equal(finding.at.sequence, 1);
  });

  it('reads a message with delimiters of its own', () => {
    const text = [header, event, patient, visit].join('\r');
    const other = text.replaceAll('|', '#').replaceAll('^', '*').replaceAll('~', '!');
    assert.deepEqual(validateMessage(parseMessage(Buffer.from(other))), []);
  });

  it('never shows a value, nor a line that is no segment', () => {
    const secret = 'ROBINA';
    const findings = check(
      [
        `${header.slice(0, header.indexOf('||ADT'))}|${secret}|${secret}^${secret}|M1|P|${secret}`,
        `PID|${secret}||${secret}^^^^^^${secret}||||${secret}|${secret}~${secret}`,
        'ROB|A line break cut this text in two',
        `${secret} and this`,
        `OBX|${secret}|NM|${secret}||${secret}\x1c`,
      ],
      { lengths: true },
    );
    assert.ok(findings.length > 8);
    assert.doesNotMatch(JSON.stringify(findings), /ROB/);
  });

  it('never throws, whatever a message holds', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom('PID', 'OBX|1|CX|A||1^2&3~4|', 'ZZZ', 'MSH|^~\\&|', 'PID|constructor^', ''),
      fc.constantFrom('OBX|1|__proto__|A||x', 'OBX|1|toString|A||x&y^z', event, patient, visit),
    );
    fc.assert(
      fc.property(
        fc.array(line),
        fc.constantFrom('MSH|^~\\&|', 'MSH|^', header),
        (lines, first) => {
          for (const { says, times } of check([first, ...lines], { lengths: true })) {
            assert.ok(says.endsWith('.') && times > 0);
          }
        },
      ),
    );
  });
});
