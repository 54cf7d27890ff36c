/**
 * The files of simulated patients, read again only when they have changed: each of hundreds of cases
 * has a GP side of its own, and all of them have the same patients.
 */
import { readFileSync, statSync } from 'node:fs';

const kept = new Map<string, { state: string; value: unknown }>();

/**
 * What a file holds.
 * @param read makes it of the text, and is the same for a file each time. What it gives is shared:
 *   nobody may change it
 * @throws Error where the file cannot be read, and what `read` throws
 */
export function readOnce<T>(file: string, read: (text: string) => T): T {
  const { mtimeMs, size, ino } = statSync(file);
  const state = `${mtimeMs} ${size} ${ino}`;
  const known = kept.get(file);
  if (known?.state === state) return known.value as T;
  const value = read(readFileSync(file, 'utf8'));
  kept.set(file, { state, value });
  return value;
}
