/** The version of Gatehouse. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownFolder } from './own-folder.ts';

/** As package.json has it. */
export function version(): string {
  const text = readFileSync(join(ownFolder(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
