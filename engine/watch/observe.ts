/** Looks at a running engine: its channels, destinations, certificates, disk and journal. */
import { statfs } from 'node:fs/promises';
import type { Channel } from '../channel.ts';
import type { Journal, OutboundCount } from '../journal/journal.ts';
import type { Listeners } from '../listeners.ts';
import type { Queue } from '../outbound/outbound.ts';
import type { Running } from '../running.ts';
import type { Suspensions } from '../suspensions.ts';
import { certificatesOf } from './certificates.ts';
import type {
  Observed,
  ObservedCertificate,
  ObservedChannel,
  ObservedDestination,
  ObservedDisk,
} from './observed.ts';
import type { Traffic } from './traffic.ts';

export interface ObserveParts {
  running: ReadonlyMap<string, Running>;
  listeners: Listeners;
  suspensions: Suspensions;
  queues: ReadonlyMap<string, Queue>;
  journal: Pick<Journal, 'outboundCounts'>;
  traffic: Traffic;
  /** Folder of the journal. */
  data: string;
}

/** Milliseconds since 1970, of microseconds. */
const ms = (us: number | undefined): number | null => (us === undefined ? null : us / 1000);

/** The least time between two counts of what the journal holds, milliseconds. */
const countEveryMs = 30_000;

/**
 * Looks at an engine whenever it is called.
 * @returns a function; `fresh` counts what the journal holds anew, which costs more the more it is
 */
export function createObserver(parts: ObserveParts): (fresh?: boolean) => Promise<Observed> {
  const { running, listeners, suspensions, queues, journal, traffic, data } = parts;
  const since = new Map<string, number>();
  const certificates = new WeakMap<Running, ObservedCertificate[]>();
  let counts: readonly OutboundCount[] = [];
  let countAgain = 0;

  /** Counting stands in the way of everything else: it takes a two-hundredth of the time at most. */
  async function counted(fresh: boolean): Promise<readonly OutboundCount[]> {
    const began = performance.now();
    if (!fresh && began < countAgain) return counts;
    counts = await journal.outboundCounts().catch(() => counts);
    const took = performance.now() - began;
    countAgain = began + Math.max(countEveryMs, took * 200);
    return counts;
  }

  function channelOf(name: string, one: Running, at: number): ObservedChannel {
    const { host, port, channel } = { ...one.listening, channel: one.loaded.channel };
    const source = listeners.of(name);
    const suspended = suspensions.get(name) ?? null;
    // Nothing is expected of it while a person keeps it closed.
    if (suspended || !since.has(name)) since.set(name, at);
    return {
      channel: name,
      host,
      port: source?.port() ?? port,
      state: suspended?.how ?? source?.state() ?? 'closed',
      suspended,
      connections: source?.standing() ?? [],
      last: one.last(),
      since: since.get(name) ?? at,
      expects: channel.expects,
    };
  }

  function certificatesIn(one: Running, { channel, connections }: ObservedChannel) {
    const own = certificates.get(one) ?? certificatesOf(one.loaded);
    certificates.set(one, own);
    const peers = new Map<string, ObservedCertificate>();
    for (const { peer } of connections) {
      const { certificate: name, certificateUntil: until } = peer;
      if (until === undefined) continue;
      const subject = `${channel} client ${name ?? 'without a name'}`;
      const least = Math.min(until, peers.get(subject)?.until ?? Infinity);
      peers.set(subject, { subject, until: least });
    }
    return [...own, ...peers.values()];
  }

  return async function observe(fresh = false) {
    const at = Date.now();
    const open = await counted(fresh);
    const channels = Array.from(running, ([name, one]) => channelOf(name, one, at));
    for (const name of since.keys()) if (!running.has(name)) since.delete(name);
    traffic.keep(new Set(running.keys()));
    return {
      at,
      channels,
      destinations: destinationsOf(queues, running, open, traffic),
      systems: traffic.systems(),
      certificates: [...running.values()].flatMap((one, index) => {
        const channel = channels[index];
        return channel ? certificatesIn(one, channel) : [];
      }),
      disk: await diskOf(data),
      journal: { failed: traffic.journalFailed() },
      refused: traffic.refused(),
    };
  };
}

function destinationsOf(
  queues: ReadonlyMap<string, Queue>,
  running: ReadonlyMap<string, Running>,
  counts: readonly OutboundCount[],
  traffic: Traffic,
): ObservedDestination[] {
  const sum = (to: string, parked: boolean) =>
    counts
      .filter((one) => one.to === to && (one.state === 'parked') === parked)
      .reduce((all, { count }) => all + count, 0);
  const known = Array.from(queues, ([to, queue]): ObservedDestination => {
    const { state, depth, more, oldest, fault, nextTry } = queue.status();
    if (state === 'idle') traffic.atRest(to);
    return {
      ...{ to, state, depth, more },
      oldest: ms(oldest),
      downSince: traffic.downSince(to),
      fault: fault ?? null,
      nextTry: ms(nextTry),
      parked: sum(to, true),
      limits: limitsOf(to, running),
    };
  });
  const gone = new Set(counts.map(({ to }) => to).filter((to) => !queues.has(to)));
  const removed = Array.from(gone, (to): ObservedDestination => {
    const open = counts.filter((one) => one.to === to && one.state !== 'parked');
    return {
      ...{ to, state: 'removed' as const, depth: sum(to, false), more: false },
      oldest: open.length > 0 ? Math.min(...open.map((one) => one.oldest)) / 1000 : null,
      ...{ downSince: null, fault: null, nextTry: null, parked: sum(to, true), limits: null },
    };
  });
  return [...known, ...removed].sort((a, b) => (a.to < b.to ? -1 : 1));
}

function limitsOf(to: string, running: ReadonlyMap<string, Running>) {
  const at = to.indexOf('/');
  const channel: Channel | undefined = running.get(to.slice(0, at))?.loaded.channel;
  const destination = channel?.destinations[to.slice(at + 1)];
  return destination?.kind === 'feed' ? destination.alerts : null;
}

async function diskOf(folder: string): Promise<ObservedDisk | null> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { folder, free: bavail * bsize, total: blocks * bsize };
  } catch {
    return null;
  }
}
