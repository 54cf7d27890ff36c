/** Routes to look at the queues of destinations, and to hold, release, hasten and skip. */
import { z } from 'zod';
import { nearest } from '../config/yaml.ts';
import type { Engine } from '../engine.ts';
import type { Emit } from '../events.ts';
import {
  type OutboundCount,
  type OutboundNote,
  type OutboundState,
  exchangeName,
  exchangeOf,
  outboundStates,
} from '../journal/journal.ts';
import type { Hold } from '../outbound/holds.ts';
import type { Queue, QueueStatus, Skip } from '../outbound/outbound.ts';
import { skippable } from '../outbound/skips.ts';
import { isStopped } from '../suspensions.ts';
import { type Act, channelOf, operatorEntry, person, recordAct } from './operator.ts';
import { Refusal } from './refusal.ts';
import { type Route, route } from './router.ts';

/** One destination, as `gatehouse queue list` shows it. Times are microseconds since 1970. */
export interface QueueRow {
  /** `channel/destination` */
  to: string;
  /** `removed`: messages are owed to it, but no channel delivers to it any more. */
  state: QueueStatus['state'] | 'removed';
  /** Messages waiting; with `more`, at least so many. */
  depth: number;
  more: boolean;
  /** When the message was received that has waited longest. */
  oldest: number | null;
  /** Why the last attempt failed. */
  fault: string | null;
  nextTry: number | null;
  /** Delivered since the engine started. */
  delivered: number;
  /** Dead letters in the journal. */
  parked: number;
  held: Hold | null;
}

/** A message that waits, as `gatehouse queue show` has it. */
export interface WaitingRow {
  id: string;
  state: OutboundState;
  attempts: number;
  fault: string | null;
  /** When it was received, microseconds since 1970. */
  received: number;
}

/** A message that was skipped. */
export interface SkippedRow {
  to: string;
  id: string;
  was: OutboundState;
  /** Attempts that had begun: one of them may have arrived. */
  attempts: number;
  /** It is being written, or waits for its acknowledgement: it may arrive. */
  isWritten: boolean;
}

/** What is shown of a queue at most. */
const mostShown = 20;

/** The routes of `gatehouse queue`. */
export function queueRoutes(engine: Engine, emit: Emit): Route[] {
  const { journal, queues, holds, suspensions } = engine;
  const place = z.strictObject({ to: z.string() });
  /** With `dryRun` all is looked at, and nothing is recorded nor done. */
  const acting = place.extend({ ...person, dryRun: z.boolean().optional() });
  const unchanged = (to: string, state: string) => ({ body: { to, exchange: null, state } });

  const told = (act: Act['act'], to: string) => emit('control.acted', { step: act, endpoint: to });
  /** Recorded first: what cannot be recorded is not done. */
  const record = (act: Act['act'], to: string, { by, reason }: z.infer<typeof acting>) =>
    recordAct(engine, { act, to, by, reason });

  return [
    route('GET', '/v1/queues', z.strictObject({}), async () => ({
      body: { queues: await rows(engine) },
    })),

    route('GET', '/v1/queue', place, async ({ to }) => {
      const all = await rows(engine);
      const name = fullName(
        all.map((row) => row.to),
        to,
      );
      const waiting = await journal.outbound({ to: name, limit: mostShown });
      const body = {
        queue: all.find((row) => row.to === name),
        waiting: waiting.map(({ exchange, state, attempts, fault }): WaitingRow => {
          return { id: exchangeName(exchange), state, attempts, fault, received: exchange };
        }),
      };
      return { body };
    }),

    route('POST', '/v1/queue/hold', acting, async (input) => {
      const { to, queue } = queueNamed(queues, input.to);
      if (input.dryRun) return unchanged(to, queue.status().state);
      const exchange = await record('hold', to, input);
      holds.put(to, { since: new Date().toISOString(), by: input.by, exchange });
      queue.hold();
      told('hold', to);
      return { body: { to, exchange, state: queue.status().state } };
    }),

    route('POST', '/v1/queue/release', acting, async (input) => {
      const { to, queue } = queueNamed(queues, input.to);
      const { state } = queue.status();
      const channel = channelOf(to);
      if (isStopped(suspensions, to) && !holds.get(to)) {
        const says = `the channel ${channel} is stopped, and with it all it delivers`;
        throw new Refusal(409, says, `gatehouse channel start ${channel}`);
      }
      if (state !== 'held' && state !== 'halted') {
        throw new Refusal(
          409,
          `${to} is ${state}: there is nothing to release`,
          `gatehouse queue show ${to}`,
        );
      }
      if (input.dryRun) return unchanged(to, state);
      const exchange = await record('release', to, input);
      holds.remove(to);
      if (!isStopped(suspensions, to)) queue.release();
      told('release', to);
      return { body: { to, exchange, state: queue.status().state } };
    }),

    route('POST', '/v1/queue/retry', acting, async (input) => {
      const { to, queue } = queueNamed(queues, input.to);
      const { state } = queue.status();
      if (state !== 'down') {
        const next = state === 'held' || state === 'halted' ? 'release' : 'show';
        throw new Refusal(
          409,
          `${to} is ${state}, not waiting for another try`,
          `gatehouse queue ${next} ${to}`,
        );
      }
      if (input.dryRun) return unchanged(to, state);
      const exchange = await record('retry', to, input);
      queue.release();
      told('retry', to);
      return { body: { to, exchange, state: queue.status().state } };
    }),

    route('POST', '/v1/queue/skip', acting.extend({ id: z.string() }), async (input) => {
      const { by, reason } = input;
      const id = exchangeOf(input.id) ?? 0;
      const there = await journal.outbound({ exchange: id, states: outboundStates });
      const names = [...queues.keys(), ...there.map((one) => one.to)];
      const to = fullName([...new Set(names)], input.to);
      const one = there.find((each) => each.to === to);
      if (!one || !skippable.includes(one.state)) throw unskippable(input.id, to, one?.state);
      if (input.dryRun) {
        const { state: was, attempts } = one;
        const row: SkippedRow = { to, id: exchangeName(id), was, attempts, isWritten: false };
        return { body: row };
      }
      const entries = [operatorEntry(engine.now(), { act: 'skip', to, by, reason })];
      const queue = queues.get(to);
      // Nobody else tells the journal where no channel delivers there any more.
      const note = { to, state: 'skipped', attempt: one.attempts } satisfies OutboundNote;
      if (!queue) entries.push({ kind: 'outbound', at: engine.now(), note });
      await journal.append(id, channelOf(to), entries);
      const skip: Skip = (await queue?.skip(id)) ?? {
        ...{ done: true, was: one.state, attempts: one.attempts, isWritten: false },
      };
      if (!skip.done) throw unskippable(input.id, to, skip.is);
      told('skip', to);
      const { was, attempts, isWritten } = skip;
      return { body: { to, id: exchangeName(id), was, attempts, isWritten } satisfies SkippedRow };
    }),
  ];
}

/** Why a message cannot be skipped: perhaps it ended in the same instant. */
function unskippable(id: string, to: string, is: OutboundState | undefined): Refusal {
  const next = `gatehouse message explain ${id}`;
  if (is === undefined)
    return new Refusal(404, `${id} is not waiting for ${to}, nor parked there`, next);
  const says = is === 'delivered' ? `was delivered to ${to} already` : `is ${is} at ${to} already`;
  return new Refusal(409, `${id} ${says}: there is nothing to skip`, next);
}

/** Every destination, and those that are gone while messages are owed to them. */
async function rows({ journal, queues, holds, suspensions }: Engine): Promise<QueueRow[]> {
  const counts = await journal.outboundCounts();
  const stopOf = (to: string) =>
    isStopped(suspensions, to) ? suspensions.get(channelOf(to)) : undefined;
  const parked = (to: string) => sum(counts.filter((c) => c.to === to && c.state === 'parked'));
  const known = [...queues.values()].map((queue): QueueRow => {
    const { to, state, depth, more, oldest, fault, nextTry, delivered } = queue.status();
    return {
      ...{ to, state, depth, more, delivered },
      oldest: oldest ?? null,
      fault: fault ?? null,
      nextTry: nextTry ?? null,
      parked: parked(to),
      held: holds.get(to) ?? stopOf(to) ?? null,
    };
  });
  const gone = new Set(counts.map(({ to }) => to).filter((to) => !queues.has(to)));
  const removed = [...gone].map((to): QueueRow => {
    const open = counts.filter((c) => c.to === to && c.state !== 'parked');
    const oldest = open.length > 0 ? Math.min(...open.map((c) => c.oldest)) : null;
    return {
      ...{ to, state: 'removed', depth: sum(open), more: false, oldest },
      ...{ fault: null, nextTry: null, delivered: 0, parked: parked(to), held: null },
    };
  });
  return [...known, ...removed].sort((a, b) => (a.to < b.to ? -1 : 1));
}

const sum = (counts: OutboundCount[]) => counts.reduce((all, { count }) => all + count, 0);

/** A destination by `channel/destination`, or by its own name where one channel alone has it. */
function queueNamed(queues: ReadonlyMap<string, Queue>, to: string): { to: string; queue: Queue } {
  const name = fullName([...queues.keys()], to);
  return { to: name, queue: queues.get(name) as Queue };
}

/** The full name of a destination that is named without its channel. */
export function fullName(all: readonly string[], to: string): string {
  if (all.includes(to)) return to;
  const ending = all.filter((name) => name.endsWith(`/${to}`));
  if (ending.length === 1) return ending[0] as string;
  const near = nearest(to, all);
  const says =
    ending.length > 1
      ? `several channels deliver to "${to}": ${ending.join(', ')}`
      : `no channel delivers to "${to}"${near ? `; did you mean "${near}"?` : ''}`;
  throw new Refusal(404, says, 'gatehouse queue list');
}
