/** Destinations that a person holds: `held.json`, beside the journal. */
import { join } from 'node:path';
import { z } from 'zod';
import { type Kept, openKept } from '../kept.ts';

const hold = z.strictObject({
  /** ISO 8601. */
  since: z.string(),
  by: z.string(),
  /** The exchange that records it. */
  exchange: z.string(),
});

export type Hold = z.infer<typeof hold>;

/** Which destinations (`channel/destination`) are held. */
export type Holds = Kept<Hold>;

/**
 * Read what is held.
 * @param folder of the journal
 * @throws FaultError holdsUnreadable
 */
export const openHolds = (folder: string): Holds =>
  openKept(join(folder, 'held.json'), 'held', hold);
