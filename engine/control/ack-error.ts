/**
 * The route that closes dead letters: a person has dealt with them, and they are neither counted nor
 * listed any more. What they are made of stays, and who closed them, when and why is stored with them.
 */
import { z } from 'zod';
import type { Engine } from '../engine.ts';
import type { Emit } from '../events.ts';
import {
  type Entry,
  type ExchangeId,
  type OutboundNote,
  exchangeName,
  exchangeOf,
} from '../journal/journal.ts';
import { operatorEntry, person } from './operator.ts';
import { Refusal } from './refusal.ts';
import { type Route, route } from './router.ts';

/** One dead letter, as `gatehouse message ack-error` shows it. */
export interface ClosedRow {
  id: string;
  kind: 'delivery' | 'frame';
  /** The destination it was for, or the channel that took the bytes. */
  where: string;
  fault: string | null;
  /** `ready`: a dry run found that it can be closed. */
  outcome: 'ready' | 'closed' | 'refused';
  why?: string;
}

const asked = z.strictObject({
  ids: z.array(z.string()).max(1000).default([]),
  fault: z.string().optional(),
  channel: z.string().optional(),
  /** `channel/destination` */
  to: z.string().optional(),
  dryRun: z.boolean().default(false),
  by: person.by,
  reason: z.string().min(1).max(1000),
});
type Asked = z.output<typeof asked>;

/** Closed by one call at most. */
const mostAtOnce = 10_000;
/** More than anybody parks. */
const mostRead = 1_000_000;

interface DeadLetter {
  exchange: ExchangeId;
  channel: string;
  /** Undefined for bytes that were no message. */
  to?: string;
  attempts: number;
  fault: string | null;
}

/** The route of `gatehouse message ack-error`. */
export function ackErrorRoutes({ journal, now }: Engine, emit: Emit): Route[] {
  return [
    route('POST', '/v1/ack-error', asked, async (input) => {
      const { found, more } =
        input.ids.length > 0 ? { found: await named(journal, input), more: false } : await alike();
      const rows: ClosedRow[] = [];
      for (const one of found) rows.push('outcome' in one ? one : await close(one, input));
      const count = rows.filter(({ outcome }) => outcome === 'closed').length;
      if (count > 0) emit('control.acted', { step: 'ack-error', count });
      return { body: { rows, more } };

      async function alike() {
        const { fault, channel, to } = input;
        if (fault === undefined && to === undefined && channel === undefined) {
          throw new Refusal(
            400,
            'name dead letters by their ids, or a cause: --fault CODE, --to CHANNEL/DESTINATION, --channel NAME',
          );
        }
        const all = await parkedWith(journal, input);
        if (all.length === 0) {
          throw new Refusal(404, 'nothing is parked so', 'gatehouse message list --state parked');
        }
        return { found: all.slice(0, mostAtOnce), more: all.length > mostAtOnce };
      }
    }),
  ];

  async function close(one: DeadLetter, { by, reason, dryRun }: Asked): Promise<ClosedRow> {
    const { exchange, channel, to, attempts, fault } = one;
    const row = {
      id: exchangeName(exchange),
      kind: to === undefined ? ('frame' as const) : ('delivery' as const),
      where: to ?? channel,
      fault,
    };
    if (dryRun) return { ...row, outcome: 'ready' };
    const at = now();
    const entries: Entry[] = [operatorEntry(at, { act: 'ack-error', by, reason, to })];
    if (to === undefined) {
      await journal.append(exchange, channel, entries, { state: 'closed' });
    } else {
      const known = { attempt: attempts, ...(fault !== null && { fault }) };
      const note: OutboundNote = { to, state: 'closed', ...known };
      await journal.append(exchange, channel, [...entries, { kind: 'outbound', at, note }]);
    }
    return { ...row, outcome: 'closed' };
  }
}

type Reads = Pick<Engine['journal'], 'read' | 'list' | 'outbound'>;

/** The dead letters of exchanges that are named, and the names that have none. */
async function named(journal: Reads, { ids, to }: Asked): Promise<(DeadLetter | ClosedRow)[]> {
  const found: (DeadLetter | ClosedRow)[] = [];
  for (const name of new Set(ids.map((id) => id.toUpperCase()))) {
    const exchange = exchangeOf(name) ?? 0;
    const stored = await journal.read(exchange);
    if (!stored) {
      throw new Refusal(404, `there is no message ${name}`, 'gatehouse message list');
    }
    const { channel, state, fault } = stored;
    const parked = await journal.outbound({ exchange, states: ['parked'] });
    const wanted = parked.filter((one) => to === undefined || one.to === to);
    const of: DeadLetter[] = wanted.map((one) => ({ ...one, channel }));
    if (state === 'parked' && to === undefined) of.push({ exchange, channel, attempts: 0, fault });
    const why = to === undefined ? 'nothing of it is parked' : `it is not parked for ${to}`;
    const row = { id: name, kind: 'delivery', where: to ?? channel, fault } as const;
    found.push(...(of.length > 0 ? of : [{ ...row, outcome: 'refused' as const, why }]));
  }
  return found;
}

/** The dead letters with one cause, oldest first; one more than a call closes where there are more. */
async function parkedWith(
  journal: Reads,
  { fault, channel, to }: Pick<Asked, 'fault' | 'channel' | 'to'>,
): Promise<DeadLetter[]> {
  // Which channel a delivery is of is known only once it is read.
  const limit = channel === undefined || to !== undefined ? mostAtOnce + 1 : mostRead;
  const deliveries = await journal.outbound({ states: ['parked'], fault, to, limit });
  const found = deliveries
    .map((one): DeadLetter => ({ ...one, channel: one.to.slice(0, one.to.indexOf('/')) }))
    .filter((one) => channel === undefined || one.channel === channel);
  if (to === undefined) {
    for (const one of await journal.list({ state: 'parked', fault, channel, limit })) {
      found.push({ exchange: one.id, channel: one.channel, attempts: 0, fault: one.fault });
    }
  }
  return found.sort((a, b) => a.exchange - b.exchange);
}
