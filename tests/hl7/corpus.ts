/** Real messages from public repositories, where this machine has them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../../shared/data/hl7v2');

export interface Sample {
  name: string;
  bytes: Buffer;
}

/** Undefined where the corpus is absent; the tests that need it then skip. */
export function corpus(): Sample[] | undefined {
  if (!existsSync(folder)) return undefined;
  const samples: Sample[] = [];
  for (const file of readdirSync(join(folder, 'files'))) {
    samples.push({ name: file, bytes: readFileSync(join(folder, 'files', file)) });
  }
  const lines = readFileSync(join(folder, 'messages.jsonl'), 'utf8').split('\n');
  for (const line of lines.filter((text) => text !== '')) {
    const { id, b64 } = JSON.parse(line) as { id: number; b64: string };
    samples.push({ name: `message ${id}`, bytes: Buffer.from(b64, 'base64') });
  }
  return samples;
}
