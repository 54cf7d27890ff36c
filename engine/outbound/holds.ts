/**
 * Destinations that a person holds. A hold outlives a restart and every retention, so it stands in
 * a small file of its own, `held.json` beside the journal; who held it and why stands in the
 * journal. Neither names a patient.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { FaultError } from '../faults.ts';

const hold = z.strictObject({
  /** ISO 8601. */
  since: z.string(),
  by: z.string(),
  /** The exchange that records it. */
  exchange: z.string(),
});
const file = z.strictObject({ version: z.literal(1), held: z.record(z.string(), hold) });

export type Hold = z.infer<typeof hold>;

/** Which destinations (`channel/destination`) are held. What is put here is on disk on return. */
export interface Holds {
  get(to: string): Hold | undefined;
  put(to: string, hold: Hold): void;
  remove(to: string): void;
}

/**
 * Read what is held.
 * @param folder of the journal
 * @throws FaultError holdsUnreadable: sending what a person holds is worse than not starting
 */
export function openHolds(folder: string): Holds {
  const path = join(folder, 'held.json');
  const held = new Map(Object.entries(readHeld(path)));
  const store = () => writeDurably(path, { version: 1, held: Object.fromEntries(held) });
  return {
    get: (to) => held.get(to),
    put(to, one) {
      held.set(to, one);
      store();
    },
    remove(to) {
      if (held.delete(to)) store();
    },
  };
}

function readHeld(path: string): Record<string, Hold> {
  if (!existsSync(path)) return {};
  try {
    return file.parse(JSON.parse(readFileSync(path, 'utf8'))).held;
  } catch (error) {
    throw new FaultError({ name: 'holdsUnreadable', detail: path }, { cause: error });
  }
}

/** The old content or the new, whatever happens meanwhile. */
function writeDurably(path: string, content: z.infer<typeof file>): void {
  const next = `${path}.next`;
  const written = openSync(next, 'w', 0o600);
  writeSync(written, `${JSON.stringify(content, null, 2)}\n`);
  fsyncSync(written);
  closeSync(written);
  renameSync(next, path);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
