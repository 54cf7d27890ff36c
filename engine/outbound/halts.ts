/**
 * Destinations that halted on a message they refused: `halted.json`, beside the journal. Only a person
 * lets them go on; neither a restart nor another configuration does.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { type ExchangeId, exchangeName } from '../journal/journal.ts';
import { type Kept, openKept } from '../kept.ts';
import type { Health } from './health.ts';
import type { QueueOptions } from './outbound.ts';

const halt = z.strictObject({
  /** ISO 8601. */
  since: z.string(),
  /** Code of the fault it halted on. */
  fault: z.string(),
  /** The exchange whose message was refused. */
  exchange: z.string(),
});

/** Which destinations (`channel/destination`) have halted. */
export type Halts = Kept<z.infer<typeof halt>>;

/**
 * Read what has halted.
 * @param folder of the journal
 * @throws FaultError holdsUnreadable
 */
export const openHalts = (folder: string): Halts =>
  openKept(join(folder, 'halted.json'), 'halted', halt);

/** The halts of one destination. */
export interface Halting {
  /** It refused this message; nothing more is sent. */
  on(exchange: ExchangeId, code: string): void;
  /** What has halted before has halted still. */
  again(): void;
  /** A person lets it go on. @throws Error of the file system: then it has halted still */
  over(): void;
  /** Code of the fault it halted on. */
  fault(): string | undefined;
}

export function createHalting(
  { to, halts, emit }: Pick<QueueOptions, 'to' | 'halts' | 'emit'>,
  health: Health,
): Halting {
  const halting: Halting = {
    on(exchange, code) {
      if (health.tell('refused')) emit('destination.halted', { endpoint: to, code });
      const of = exchangeName(exchange);
      try {
        halts?.put(to, { since: new Date().toISOString(), fault: code, exchange: of });
      } catch (error) {
        // The disk is full, perhaps: it has halted in this life all the same.
        const detail = error instanceof Error ? error.message : typeof error;
        emit('destination.haltNotKept', { endpoint: to, exchange: of, detail });
      }
    },
    again() {
      if (halts?.get(to)) health.tell('refused');
    },
    over: () => halts?.remove(to),
    fault: () => halts?.get(to)?.fault,
  };
  halting.again();
  return halting;
}
