/**
 * What is fuzzed: each target makes an input by chance and holds what reads it to its laws. An
 * input is known by the target, the seed of the run and its number, so it can be made again.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { FaultError } from '../../../engine/faults.ts';
import { datasets } from '../../../engine/gp/port.ts';
import { parseFhir } from '../../../engine/gp/json.ts';
import { acknowledgementMode, buildAck } from '../../../engine/hl7/ack.ts';
import { isBatch, splitBatch } from '../../../engine/hl7/batch.ts';
import { standardDelimiters } from '../../../engine/hl7/delimiters.ts';
import { encodeMessage } from '../../../engine/hl7/encode.ts';
import { type Message, parseMessage } from '../../../engine/hl7/message.ts';
import { validateMessage } from '../../../engine/hl7/validate.ts';
import { mapRecord } from '../../../engine/mapping/apply.ts';
import { loadFeed } from '../../../engine/mapping/feed/load.ts';
import { loadMappings } from '../../../engine/mapping/load.ts';
import { profiles } from '../../../engine/mapping/mapped.ts';
import { createDeframer, frame } from '../../../engine/mllp/frame.ts';
import { type Arrival, messageStarts } from '../../../engine/mllp/mllp.ts';
import { queryKinds } from '../../../engine/query/kinds.ts';
import { readQuery } from '../../../engine/query/query.ts';
import { root } from '../../world.ts';
import { type Random, oneOf, randomFrom, wholeBetween } from '../part.ts';
import { mutated, mutatedJson, noise } from './mutate.ts';
import { type Seeds, excerpt } from './seeds.ts';

export interface Target {
  name: string;
  /** Of a million inputs, how many are for it. */
  share: number;
  /** Make an input and try it. @throws whatever the product must not throw, or a law that is broken */
  tryOne(random: Random, seeds: Seeds): void;
}

/** The numbers that make up the input with this number. */
export const chanceOf = (seed: number, target: string, number: number): Random =>
  randomFrom(seed, `fuzz ${target} ${number}`);

const now = new Date('2026-06-04T10:15:00Z');

const deframer: Target = {
  name: 'frames',
  share: 400_000,
  tryOne(random, seeds) {
    const parts = Array.from({ length: wholeBetween(random, 0, 4) }, () => aFrame(random, seeds));
    const bytes = Buffer.from(parts.join(''), 'latin1');
    const options = {
      maxBytes: oneOf(random, [40, 2000, 1 << 20]),
      keepBytes: oneOf(random, [8, 1 << 20]),
      mode: oneOf(random, ['lenient', 'strict'] as const),
      marks: messageStarts,
    };
    const read = (chunks: Buffer[]) => {
      const found: Arrival[] = [];
      const one = createDeframer(options, (arrival) => found.push(arrival));
      for (const chunk of chunks) one.push(chunk);
      one.end();
      return found;
    };
    const whole = read([bytes]);
    assert.deepEqual(read(cut(random, bytes)), whole, 'chunks change what is read');
    let held = 0;
    for (const one of whole) {
      held += one.kind === 'message' ? one.payload.length : one.bytes.length + one.dropped;
    }
    assert.ok(held <= bytes.length, 'more bytes came out than went in');
  },
};

function aFrame(random: Random, seeds: Seeds): string {
  const message = oneOf(random, seeds.messages);
  const kind = random();
  if (kind < 0.3) return noise(random, 10);
  const framed = `\x0b${message.slice(0, wholeBetween(random, 1, 1500))}\x1c\r`;
  return kind < 0.5 ? framed : mutated(random, framed, oneOf(random, seeds.messages));
}

function cut(random: Random, bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  const most = oneOf(random, [1, 7, 300]);
  for (let at = 0; at < bytes.length;) {
    const to = at + wholeBetween(random, 1, most === 1 && bytes.length > 3000 ? 40 : most);
    chunks.push(bytes.subarray(at, to));
    at = to;
  }
  return chunks;
}

/** A mutated message that can be read; undefined where it is refused by a fault. */
function aMessage(random: Random, seeds: Seeds): { bytes: Buffer; message?: Message } {
  const text = mutated(random, oneOf(random, seeds.messages), oneOf(random, seeds.messages));
  const bytes = Buffer.from(text, 'latin1');
  try {
    return { bytes, message: parseMessage(bytes) };
  } catch (error) {
    if (error instanceof FaultError) return { bytes };
    throw error;
  }
}

const message: Target = {
  name: 'messages',
  share: 250_000,
  tryOne(random, seeds) {
    const { bytes, message: read } = aMessage(random, seeds);
    if (read === undefined) return;
    for (const name of read.segmentNames().slice(0, 30)) {
      if (name === '') continue;
      const path = `${name}-${wholeBetween(random, 3, 12)}`;
      read.get(path);
      read.raw(`${path}[2].2.1`);
      read.repetitions(path);
    }
    assert.ok(read.toBytes().equals(bytes), 'reading changed the bytes');
    const value = noise(random, 3);
    try {
      read.set('PID-5', value);
    } catch (error) {
      assert.match(String(error), /cannot be set|no escape character/);
      return;
    }
    assert.equal(read.get('PID-5'), value === '' ? undefined : value, 'set and read differ');
    parseMessage(read.toBytes());
  },
};

const validator: Target = {
  name: 'validations',
  share: 120_000,
  tryOne(random, seeds) {
    const { message: read } = aMessage(random, seeds);
    if (read) validateMessage(read, { lengths: random() < 0.5 });
  },
};

const answers: Target = {
  name: 'queries and acknowledgements',
  share: 80_000,
  tryOne(random, seeds) {
    const { message: read } = aMessage(random, seeds);
    const code = oneOf(random, ['AA', 'AE', 'AR', 'CA', 'CE', 'CR'] as const);
    const faults = code.endsWith('A') ? [] : [{ name: 'segmentMissing' as const }];
    const responder = { controlId: 'F1', now, application: 'GATEHOUSE', facility: 'RECGW' };
    const answer = parseMessage(buildAck(read, { code, faults, ...responder }));
    const said = answer.get('MSA-1') ?? '';
    assert.ok(said === code || said.endsWith('E'), `asked to say ${code}, it said ${said}`);
    if (read === undefined) return;
    const id = read.raw('MSH-10');
    // A line feed inside of MSH-10 may read as the end of MSA, which ends with MSA-2.
    if (said.endsWith('A') && !id?.includes('\n')) assert.equal(answer.raw('MSA-2'), id);
    acknowledgementMode(read);
    readQuery(read, oneOf(random, queryKinds as unknown as [(typeof queryKinds)[number]]));
  },
};

const batches: Target = {
  name: 'batches',
  share: 90_000,
  tryOne(random, seeds) {
    const count = wholeBetween(random, 0, 4);
    const parts = Array.from({ length: count }, () =>
      oneOf(random, seeds.messages).slice(0, wholeBetween(random, 50, 1500)),
    );
    const text = `FHS|^~\\&|A\rBHS|^~\\&|A\r${parts.join('\r')}\rBTS|${count}\rFTS|1\r`;
    const bytes = Buffer.from(mutated(random, text, parts.join('')), 'latin1');
    isBatch(bytes);
    const file = splitBatch(bytes);
    let held = 0;
    for (const { messages } of file.batches) {
      for (const one of messages) {
        held += one.length;
        assert.ok(bytes.includes(one), 'a message has bytes that the batch had not');
      }
    }
    assert.ok(held <= bytes.length, 'more bytes came out than went in');
  },
};

const feed = loadFeed(join(root, 'docs', 'examples', 'feeds', 'mappings'), 'epr');

const feeds: Target = {
  name: 'feed mappings',
  share: 40_000,
  tryOne(random, seeds) {
    const { message: read } = aMessage(random, seeds);
    if (read === undefined) return;
    try {
      feed.apply(read, { exchange: 'F1', received: now });
    } catch (error) {
      if (error instanceof FaultError && error.fault.name === 'preparationFailed') return;
      throw error;
    }
    try {
      frame(parseMessage(read.toBytes()).toBytes());
    } catch (error) {
      // What came with an end of frame inside cannot be sent on.
      if (!(error instanceof FaultError)) throw error;
    }
  },
};

const mappings = loadMappings(join(root, 'mappings', 'gp-record'));

const records: Target = {
  name: 'GP records',
  share: 20_000,
  tryOne(random, seeds) {
    const text = JSON.stringify(mutatedJson(random, excerpt(random, seeds)));
    const broken = random() < 0.1 ? mutated(random, text, text) : text;
    let bundle: unknown;
    try {
      bundle = parseFhir(broken);
    } catch (error) {
      if (error instanceof SyntaxError) return;
      throw error;
    }
    const version = oneOf(random, ['2.3', '2.4', '2.5.1'] as const);
    const profile = oneOf(random, profiles);
    try {
      const { patient, datasets: mapped } = mapRecord(mappings, bundle, {
        ...{ datasets, profile, version, now },
      });
      const segments = [...patient, ...mapped.flatMap((one) => one.segments)];
      const header = { name: 'MSH', fields: [undefined, undefined, undefined, 'A'] };
      const { bytes } = encodeMessage([header, ...segments], {
        delimiters: standardDelimiters,
        charset: 'UNICODE UTF-8',
      });
      assert.equal(parseMessage(bytes).segmentNames().length, segments.length + 1);
      frame(bytes);
    } catch (error) {
      // A fault is an answer; a bug behind one is not.
      if (!(error instanceof FaultError)) throw error;
      if (error.cause instanceof Error && isBug(error.cause)) throw error.cause;
    }
  },
};

const isBug = (error: Error): boolean =>
  error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;

export const targets: readonly Target[] = [
  ...[deframer, message, validator, answers, batches, feeds, records],
];
