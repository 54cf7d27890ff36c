/**
 * What persons take out of a queue. A message may end, or be written, in the same instant: what is told
 * then is what really becomes of it.
 */
import {
  type ExchangeId,
  type OutboundState,
  openStates,
  outboundStates,
} from '../journal/journal.ts';
import type { QueueOptions, Skip } from './outbound.ts';
import type { Recorder } from './record.ts';

export interface Skips {
  /** A person decided that this message is not to be sent. */
  has(exchange: ExchangeId): boolean;
  /** It is being written from now on: what is skipped now may arrive. */
  writing(exchange: ExchangeId): void;
  /** Whatever came of the writing is known. */
  written(exchange: ExchangeId): void;
  /** It ends so. @param stored resolves once the journal holds it */
  ended(exchange: ExchangeId, state: OutboundState, stored: Promise<unknown>): void;
  /** As `Queue.skip`. */
  skip(exchange: ExchangeId): Promise<Skip>;
}

export function createSkips(
  { to, journal }: Pick<QueueOptions, 'to' | 'journal'>,
  record: Pick<Recorder, 'outcome'>,
): Skips {
  const skipped = new Set<ExchangeId>();
  const onTheWire = new Set<ExchangeId>();
  /** How messages ended, until the journal holds it and nobody reads what it held before. */
  const ends = new Map<ExchangeId, { state: OutboundState; isStored: boolean }>();
  let asking = 0;

  function forget(): void {
    if (asking > 0) return;
    for (const [exchange, { isStored }] of ends) if (isStored) ends.delete(exchange);
  }

  async function decide(exchange: ExchangeId): Promise<Skip> {
    const [one] = await journal.outbound({ to, exchange, states: outboundStates });
    const ended = ends.get(exchange)?.state;
    const was = ended ?? one?.state;
    if (one === undefined || was === undefined || !skippable.includes(was)) {
      return { done: false, is: was };
    }
    // Also where it is just being read from the journal.
    if (was !== 'parked') skipped.add(exchange);
    const isWritten = onTheWire.has(exchange);
    // Stored at once: a restart before its turn must not deliver it.
    await record.outcome({ ...one, lane: exchange }, { state: 'skipped' }, undefined, []);
    return { done: true, was: isWritten ? 'sending' : was, attempts: one.attempts, isWritten };
  }

  return {
    has: (exchange) => skipped.has(exchange),
    writing: (exchange) => void onTheWire.add(exchange),
    written: (exchange) => void onTheWire.delete(exchange),
    ended(exchange, state, stored) {
      skipped.delete(exchange);
      const end = { state, isStored: false };
      ends.set(exchange, end);
      void stored.finally(() => {
        end.isStored = true;
        forget();
      });
    },
    async skip(exchange) {
      asking += 1;
      try {
        return await decide(exchange);
      } finally {
        asking -= 1;
        forget();
      }
    },
  };
}

/** What is left to be decided. */
export const skippable: readonly OutboundState[] = [...openStates, 'parked'];
