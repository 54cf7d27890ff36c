/**
 * The queues of a site. A queue that makes way for another one of the same name is stopped first,
 * and only then does the other read from the journal what is still owed: so the order is kept, and
 * what was cut off while it was being sent is flagged, as after a restart.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Emit } from './events.ts';
import { FaultError, faults } from './faults.ts';
import type { Queue } from './outbound/outbound.ts';
import type { Running } from './running.ts';

export interface Deliveries {
  /** By `channel/destination`. */
  queues: ReadonlyMap<string, Queue>;
  /**
   * Make the queues of channels that are new. Nothing is changed until they are taken.
   * @throws Error of a certificate that cannot be used
   */
  prepare(channels: Iterable<Running>): Promise<void>;
  /**
   * Deliver for these channels from now on: for one that is among them as before nothing changes.
   * @param graceMs how long a queue that makes way may finish what it is sending
   */
  take(channels: Iterable<Running>, graceMs: number): void;
  /** Resolves when every queue has read what it is owed. */
  settled(): Promise<void>;
  /** Stop all of them. What is left is taken up by the next life. */
  stop(graceMs: number): Promise<void>;
}

/** How long to wait before what is owed is read again, where the journal could not be read. */
const againMs = 1000;

/**
 * @param createQueues makes the queues of a channel; they send nothing before they are started
 * @param isHeld whether a person holds a destination, or has stopped its channel
 */
export function createDeliveries(
  createQueues: (channel: Running) => ReadonlyMap<string, Queue>,
  isHeld: (to: string) => boolean,
  emit: Emit,
): Deliveries {
  const queues = new Map<string, Queue>();
  let owners = new Map<Running, ReadonlyMap<string, Queue>>();
  /** By name: the queue before has stopped, and this one has started. */
  const handovers = new Map<string, Promise<void>>();
  /** Queues that make way, and finish what they are sending. */
  const leaving = new Set<Queue>();
  let stopped = false;
  /** Made, and not yet taken. */
  let prepared = new Map<Running, ReadonlyMap<string, Queue>>();

  function handOver(
    to: string,
    earlier: Queue | undefined,
    later: Queue | undefined,
    graceMs: number,
  ): void {
    if (isHeld(to)) later?.hold();
    const before = handovers.get(to) ?? Promise.resolve();
    if (earlier) leaving.add(earlier);
    const stop = async () => {
      await earlier?.stop(stopped ? 0 : graceMs);
      if (earlier) leaving.delete(earlier);
    };
    handovers.set(
      to,
      before.then(stop).then(() => later && start(to, later)),
    );
  }

  async function start(to: string, queue: Queue): Promise<void> {
    while (!stopped && queues.get(to) === queue) {
      try {
        return await queue.start();
      } catch (error) {
        const name = error instanceof FaultError ? error.fault.name : 'internalError';
        emit('journal.fault', { endpoint: to, code: faults[name].code });
        await wait(againMs, undefined, { ref: false });
      }
    }
  }

  return {
    queues,
    async prepare(channels) {
      // Of a change that came to nothing.
      const before = [...prepared.values()].flatMap((own) => [...own.values()]);
      prepared = new Map();
      await Promise.all(before.map((queue) => queue.stop(0)));
      for (const channel of channels) {
        if (!owners.has(channel)) prepared.set(channel, createQueues(channel));
      }
    },
    take(channels, graceMs) {
      const next = new Map<Running, ReadonlyMap<string, Queue>>();
      const wanted = new Set<string>();
      for (const channel of channels) {
        const own = owners.get(channel) ?? prepared.get(channel) ?? createQueues(channel);
        next.set(channel, own);
        for (const [to, queue] of own) {
          wanted.add(to);
          const earlier = queues.get(to);
          if (earlier === queue) continue;
          // What is committed from here on is owed to this one.
          queues.set(to, queue);
          handOver(to, earlier, queue, graceMs);
        }
      }
      for (const [to, queue] of queues) {
        if (wanted.has(to)) continue;
        queues.delete(to);
        handOver(to, queue, undefined, graceMs);
      }
      owners = next;
      prepared = new Map();
    },
    async settled() {
      await Promise.all(handovers.values());
    },
    async stop(graceMs) {
      stopped = true;
      // Those that make way have no more time than the others now.
      await Promise.all([...queues.values(), ...leaving].map((queue) => queue.stop(graceMs)));
      await Promise.all(handovers.values());
    },
  };
}
