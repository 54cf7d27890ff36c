/**
 * A stored message worked on again because a person wants it: from the start, by the route and the
 * channel as they are now. It is a new exchange, linked with the earlier one. Nobody waits for its
 * answer, and it is never taken for a repeat, nor a repeat for it.
 */
import { acceptance } from './accept.ts';
import { type Answer, answerFault } from './answer.ts';
import type { LoadedChannel } from './config/site.ts';
import { decideAndPerform, finish, readHeader } from './exchange.ts';
import { createHeldRecords } from './held-records.ts';
import { exchangeName } from './journal/journal.ts';
import { type Origin, type ReadWork, type Surroundings, type Work, beginWork } from './work.ts';

/**
 * Work on a message again.
 * @returns how the new exchange ended; it is committed
 * @throws FaultError of the 6xxx rows: nothing was stored
 */
export type Again = (payload: Uint8Array, origin: Origin) => Promise<Answer>;

/** The function that works on a channel's stored messages again. */
export function againOf(loaded: LoadedChannel, around: Surroundings): Again {
  return async (payload, origin) => {
    const held = createHeldRecords(loaded.channel.parts, around.now, () => {});
    const work: Work = { ...beginWork(loaded, around, held), origin };
    work.pending.push({ kind: 'received', at: work.at, note: noteOf(origin), body: payload });
    try {
      const message = readHeader(work, Buffer.from(payload));
      delete work.keys.fingerprint;
      const fault = 'name' in message ? message : acceptance(loaded.channel, message);
      if (fault) return await finish(work, answerFault(work, fault, 'accept'));
      return await decideAndPerform(work as ReadWork, () => {});
    } finally {
      clearTimeout(work.timer);
    }
  };
}

/** Where the bytes came from, in the place of a peer. */
export function noteOf({
  act,
  of,
  by,
  reason,
}: Pick<Origin, 'act' | 'of' | 'by' | 'reason'>): Record<string, unknown> {
  return { act, of: exchangeName(of), by, ...(reason !== undefined && { reason }) };
}
