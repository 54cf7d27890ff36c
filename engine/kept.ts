/**
 * What only a person may change, by name: a small file beside the journal, which outlives a restart
 * and every retention. Who decided it and why stands in the journal. Nothing in it names a patient.
 */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { FaultError } from './faults.ts';
import { replaceFile } from './journal/durable-file.ts';

/** What is put here is on disk on return. */
export interface Kept<T> {
  get(name: string): T | undefined;
  put(name: string, one: T): void;
  remove(name: string): void;
}

/**
 * Read what is kept.
 * @param path of the file; where there is none, nothing is kept
 * @param key under which the file has it
 * @throws FaultError holdsUnreadable: doing what a person forbade is worse than not starting
 */
export function openKept<S extends z.ZodType>(
  path: string,
  key: string,
  one: S,
): Kept<z.output<S>> {
  const file = z.strictObject({ version: z.literal(1), [key]: z.record(z.string(), one) });
  const kept = new Map<string, z.output<S>>(Object.entries(read()));
  const store = () => {
    const content = { version: 1, [key]: Object.fromEntries(kept) };
    replaceFile(path, `${JSON.stringify(content, null, 2)}\n`, 0o600);
  };
  return {
    get: (name) => kept.get(name),
    put(name, given) {
      kept.set(name, given);
      store();
    },
    remove(name) {
      const one = kept.get(name);
      if (!kept.delete(name)) return;
      try {
        store();
      } catch (error) {
        // The file has it still, and so has the next life.
        kept.set(name, one as z.output<S>);
        throw error;
      }
    },
  };

  function read(): Record<string, z.output<S>> {
    if (!existsSync(path)) return {};
    try {
      const { [key]: found } = file.parse(JSON.parse(readFileSync(path, 'utf8')));
      return found as Record<string, z.output<S>>;
    } catch (error) {
      throw new FaultError({ name: 'holdsUnreadable', detail: path }, { cause: error });
    }
  }
}
