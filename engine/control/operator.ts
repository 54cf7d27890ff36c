/** What persons do, for the journal: who, what, to which destination or message, and why. */
import { z } from 'zod';
import type { Engine } from '../engine.ts';
import { type Entry, type ExchangeId, exchangeName } from '../journal/journal.ts';

/** Who asks and why: part of the input of everything that changes something. */
export const person = {
  /** As the operating system knows them. */
  by: z.string().min(1).max(200),
  reason: z.string().min(1).max(1000).optional(),
};

export interface Act {
  act:
    | 'replay'
    | 'edit'
    | 'skip'
    | 'hold'
    | 'release'
    | 'retry'
    | 'ack-error'
    | 'prune'
    | 'cert-rotate'
    | 'key-rotate'
    | 'key-reencrypt'
    | 'key-retire'
    | 'pause'
    | 'stop'
    | 'start';
  by: string;
  reason?: string;
  /** `channel/destination`, or a channel. */
  to?: string;
  /** The exchange that came of it. */
  as?: string;
  /** What it was done to, where that is no destination. */
  what?: string;
}

/** An act as an entry. @param at microseconds since 1970 */
export function operatorEntry(at: number, { act, by, reason, to, as, what }: Act): Entry {
  const optional = Object.entries({ to, as, what, reason }).filter(
    ([, value]) => value !== undefined,
  );
  return { kind: 'operator', at, note: { act, by, ...Object.fromEntries(optional) } };
}

/**
 * Record what was done to a destination or a channel, as an exchange of its own.
 * @returns the exchange
 * @throws FaultError of the 6xxx rows: it is not recorded, so it must not be done
 */
export async function recordAct(
  { journal, now }: Pick<Engine, 'journal' | 'now'>,
  act: Act & { to: string },
): Promise<string> {
  const exchange: ExchangeId = journal.mint();
  const entry = operatorEntry(now(), act);
  await journal.append(exchange, channelOf(act.to), [entry], {
    type: 'operator',
    state: 'answered',
  });
  return exchangeName(exchange);
}

/** The channel of `channel/destination`; a channel is its own. */
export const channelOf = (to: string): string => to.split('/', 1)[0] ?? '';
