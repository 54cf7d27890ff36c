/**
 * Channels that a person has paused or stopped: `suspended.json`, beside the journal. A channel that
 * is paused listens no more, and what it owes is delivered; one that is stopped delivers nothing,
 * either. Both outlive a restart: what a person stopped nobody starts but a person.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { type Kept, openKept } from './kept.ts';

const suspension = z.strictObject({
  how: z.enum(['paused', 'stopped']),
  /** ISO 8601. */
  since: z.string(),
  by: z.string(),
  /** The exchange that records it. */
  exchange: z.string(),
});

export type Suspension = z.infer<typeof suspension>;

/** Which channels are paused or stopped, by name. */
export type Suspensions = Kept<Suspension>;

/**
 * Read what is suspended.
 * @param folder of the journal
 * @throws FaultError holdsUnreadable
 */
export const openSuspensions = (folder: string): Suspensions =>
  openKept(join(folder, 'suspended.json'), 'suspended', suspension);

/** Whether the channel of `channel/destination` is stopped. */
export const isStopped = (suspensions: Suspensions, to: string): boolean =>
  suspensions.get(to.slice(0, to.indexOf('/')))?.how === 'stopped';
