import assert from 'node:assert/strict';
import { HL7Message } from 'hl7v2';
import { FaultError } from '../../engine/faults.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import type { Message } from '../../engine/hl7/message.ts';
import { corpus } from './corpus.ts';
import type { Sample } from './corpus.ts';

/** Segments, fields and leaves by plain splitting: a second opinion that shares no code. */
function byPlainSplitting(bytes: Buffer): string[][] | undefined {
  const text = bytes.toString('latin1');
  if (!text.startsWith('MSH|^~\\&|') || text.includes('\n')) return undefined;
  return text
    .split('\r')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split('|'));
}

/** The message after MSH-10's first sub-component became `id`, made with bytes alone. */
function withControlId(bytes: Buffer, id: string): Buffer {
  const msh = bytes.indexOf('MSH');
  const separator = bytes.readUInt8(msh + 3);
  let at = msh + 3;
  let separators = 0;
  const endsLine = (byte: number | undefined) => byte === undefined || byte === 13 || byte === 10;
  while (!endsLine(bytes[at])) {
    if (bytes[at] === separator) separators++;
    at++;
    if (separators === 9) break;
  }
  const missing = String.fromCharCode(separator).repeat(9 - separators);
  const stops = new Set([separator, ...bytes.subarray(msh + 4, bytes.indexOf(separator, msh + 4))]);
  stops.delete(bytes.readUInt8(msh + 6)); // the escape character ends nothing
  let end = at;
  while (!endsLine(bytes[end]) && !stops.has(bytes.readUInt8(end))) end++;
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(missing + id), bytes.subarray(end)]);
}

function parseOrUndefined(bytes: Buffer): Message | undefined {
  try {
    return parseMessage(bytes);
  } catch (error) {
    assert.ok(error instanceof FaultError, String(error));
    return undefined;
  }
}

describe('real messages', function () {
  let samples: Sample[] = [];
  before(function () {
    const found = corpus();
    if (!found) {
      console.log('      skipped: ../shared/data/hl7v2 is not on this machine');
      this.skip();
    }
    samples = found;
  });

  it('come out byte for byte as they came in, read or not', () => {
    let read = 0;
    for (const { name, bytes } of samples) {
      const message = parseOrUndefined(bytes);
      if (!message) continue;
      read++;
      assert.ok(message.toBytes().equals(bytes), name);
      message.segmentNames();
      message.get('PID-5');
      assert.ok(message.toBytes().equals(bytes), name);
    }
    assert.ok(read > 1900, `only ${read} of ${samples.length} could be read`);
  });

  it('are refused only where no MSH stands first', () => {
    for (const { name, bytes } of samples) {
      if (parseOrUndefined(bytes)) continue;
      const start = bytes.toString('latin1').replace(/^(?:\xef\xbb\xbf)?[ \t\r\n]*/, '');
      assert.doesNotMatch(start, /^MSH[|#!@:]/, name);
    }
  });

  it('change in MSH-10 alone when MSH-10 is set', () => {
    let compared = 0;
    for (const { name, bytes } of samples) {
      const message = parseOrUndefined(bytes);
      if (!message) continue;
      message.set('MSH-10', 'GATEHOUSE1');
      const edited = message.toBytes();
      assert.equal(parseMessage(edited).get('MSH-10'), 'GATEHOUSE1', name);
      const { delimiters } = message;
      const usual = new Set(Object.values(delimiters)).size >= 5 && delimiters.escape !== '';
      const odd = message.warnings.some((warning) => warning.startsWith('delimiters'));
      if (!usual || odd) continue;
      compared++;
      assert.ok(edited.equals(withControlId(bytes, 'GATEHOUSE1')), name);
    }
    assert.ok(compared > 1800, `only ${compared} were compared`);
  });

  it('give every field at every level without failing', () => {
    for (const { name, bytes } of samples) {
      const message = parseOrUndefined(bytes);
      if (!message) continue;
      const seen = new Map<string, number>();
      for (const segment of message.segmentNames()) {
        if (segment === '') continue;
        const occurrence = (seen.get(segment) ?? 0) + 1;
        seen.set(segment, occurrence);
        const fields = message.fields(`${segment}[${occurrence}]`);
        for (let field = 1; field <= fields + 1; field++) {
          const path = `${segment}[${occurrence}]-${field}`;
          message.get(path);
          if (occurrence === 1) {
            message.get(`${path}[2].2.2`);
            message.repetitions(path);
          }
          if ((message.raw(path) === undefined) !== field > fields) assert.fail(`${name} ${path}`);
        }
      }
      assert.ok(message.toBytes().equals(bytes), name);
    }
  });

  it('have the fields and leaves that plain splitting gives', () => {
    let compared = 0;
    for (const { name, bytes } of samples.filter((_, index) => index % 3 === 0)) {
      const message = parseOrUndefined(bytes);
      const lines = byPlainSplitting(bytes);
      if (!message || !lines || message.charset !== 'ASCII') continue;
      const seen = new Map<string, number>();
      for (const [segment = '', ...fields] of lines) {
        if (!/^[A-Z][A-Z0-9]{2}$/.test(segment)) continue;
        const occurrence = (seen.get(segment) ?? 0) + 1;
        seen.set(segment, occurrence);
        const offset = segment === 'MSH' ? 2 : 1;
        for (const [index, field] of fields.entries()) {
          const path = `${segment}[${occurrence}]-${index + offset}`;
          if (message.raw(path) !== field) assert.fail(`${name} ${path}`);
          compared++;
          if (field.includes('\\') || path === 'MSH[1]-2') continue;
          const second = field.split('~')[0]?.split('^')[1]?.split('&')[0];
          if ((message.get(`${path}.2`) ?? '') !== (second ?? '')) assert.fail(`${name} ${path}.2`);
        }
      }
    }
    assert.ok(compared > 10000, `only ${compared} were compared`);
  });

  it('have the values that another library reads, where that library is right', () => {
    const paths = ['MSH-3.1', 'MSH-10.1', 'PID-3.1', 'PID-5.1', 'PID-5.2', 'PID-11.3', 'PV1-3.1'];
    let compared = 0;
    for (const { name, bytes } of samples.filter((_, index) => index % 8 === 0)) {
      const message = parseOrUndefined(bytes);
      if (message?.raw('MSH-2') !== '^~\\&' || message.charset !== 'ASCII') continue;
      let other: HL7Message;
      try {
        other = HL7Message.parse(bytes.toString('latin1'));
      } catch {
        continue; // it fails on some messages that are well-formed
      }
      for (const path of paths) {
        const [segment = '', field = '', component = ''] = path.split(/[-.]/);
        const value = message.get(path);
        // It reads the HL7 null as nothing and drops highlighting.
        if (!other.getSegment(segment) || value === '""' || value?.includes('\\')) continue;
        const read: unknown = other
          .getSegment(segment)
          ?.field(Number(field))
          ?.getValue(Number(component), 1);
        assert.equal(value, read ?? undefined, `${name} ${path}`);
        compared++;
      }
    }
    assert.ok(compared > 500, `only ${compared} were compared`);
  });
});
