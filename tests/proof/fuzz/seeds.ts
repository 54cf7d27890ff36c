/** What the fuzzing begins with: the fixtures, and the published messages and records where they are at hand. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { corpus } from '../../hl7/corpus.ts';
import { type Random, oneOf } from '../part.ts';
import { root } from '../../world.ts';

export interface Seeds {
  /** HL7 v2 messages, as byte text. */
  messages: readonly [string, ...string[]];
  /** Bundles of records. */
  records: readonly [Json, ...Json[]];
}

export type Json = Record<string, unknown>;

/** Longer ones cost time in which many shorter ones can be tried. */
const longest = 8_000;

export function readSeeds(): Seeds {
  const fixtures = join(root, 'fixtures');
  const own = readdirSync(fixtures, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.hl7'))
    .map((name) => readFileSync(join(fixtures, name), 'latin1'));
  const published = (corpus() ?? []).map(({ bytes }) => bytes.toString('latin1'));
  const messages = [...own, ...published].filter(
    (text) => text.includes('MSH') && text.length < longest,
  );
  const folders = [
    join(fixtures, 'patients'),
    join(root, '..', 'shared', 'data', 'gpconnect', 'structured'),
  ];
  const records = folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Json)
      .filter(({ resourceType }) => resourceType === 'Bundle'),
  );
  const [message, ...more] = messages;
  const [record, ...others] = records;
  if (message === undefined || record === undefined) throw new Error('there are no fixtures');
  return { messages: [message, ...more], records: [record, ...others] };
}

/** A Bundle of the patient and some neighbouring resources of a record: small, so quickly mapped. */
export function excerpt(random: Random, seeds: Seeds): Json {
  const record = oneOf(random, seeds.records);
  const entries = Array.isArray(record.entry) ? (record.entry as Json[]) : [];
  const from = Math.floor(random() * entries.length);
  const nearby = entries.slice(from, from + 1 + Math.floor(random() * 12));
  const always = entries.filter((entry) => {
    const { resourceType } = (entry.resource ?? {}) as Json;
    return resourceType === 'Patient' || (resourceType === 'List' && random() < 0.3);
  });
  return { ...record, entry: [...new Set([...always, ...nearby])] };
}
