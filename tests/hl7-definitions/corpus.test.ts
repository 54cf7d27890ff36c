import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { FaultError } from '../../engine/faults.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import type { Message } from '../../engine/hl7/message.ts';
import { validateMessage } from '../../engine/hl7/validate.ts';

const corpus = new URL('../../../shared/data/hl7v2/messages.jsonl', import.meta.url);

interface Sample {
  kind: string;
  ver: string;
  type: string;
  b64: string;
}

function read({ b64 }: Sample): Message | undefined {
  try {
    return parseMessage(Buffer.from(b64, 'base64'));
  } catch (error) {
    if (error instanceof FaultError) return undefined;
    throw error;
  }
}

describe('validating messages met in public repositories', () => {
  let samples: (Sample & { message: Message })[] = [];

  before(function () {
    if (!existsSync(corpus)) {
      console.log('      skipped: ../shared/data/hl7v2/messages.jsonl is absent');
      this.skip();
    }
    const lines = readFileSync(corpus, 'utf8').trim().split('\n');
    samples = lines.flatMap((line) => {
      const sample = JSON.parse(line) as Sample;
      const message = read(sample);
      return message ? [{ ...sample, message }] : [];
    });
  });

  it('knows the structure of nearly every typed message', () => {
    const typed = samples.filter(
      ({ ver, type }) => /^2\.\d(\.\d)?$/.test(ver) && /^[A-Z]{3}\^[A-Z]\d\d/.test(type),
    );
    const unknown = typed.filter(({ message }) =>
      validateMessage(message).some(({ code }) => code === 'structure.unknown'),
    );
    assert.ok(typed.length > 1000);
    assert.ok(unknown.length / typed.length < 0.02, `${unknown.length} of ${typed.length}`);
  });

  it('finds the great majority of whole messages well built', () => {
    // Many of the rest are cut down to the one segment a test of their project is about.
    const whole = samples.filter(
      ({ kind, ver, message }) =>
        kind === 'file' && /^2\.\d(\.\d)?$/.test(ver) && message.segmentNames().length >= 5,
    );
    const built = whole.filter(
      ({ message }) => !validateMessage(message).some(({ code }) => code.startsWith('segment.')),
    );
    assert.ok(whole.length > 300);
    assert.ok(built.length / whole.length > 0.85, `${built.length} of ${whole.length}`);
  });

  it('says something printable of each and every message', () => {
    for (const { message } of samples) {
      for (const { says } of validateMessage(message, { lengths: true })) {
        assert.match(says, /^[\x20-\x7e·]+\.$/);
      }
    }
  });
});
