/**
 * The channels of a site, started, changed and stopped together. A change takes the whole new set or
 * nothing of it: all that can fail (secrets, certificates, ports) is done before anything is changed.
 *
 * What a channel is told in one configuration it finishes under it; a channel that reads the same in
 * both is not touched. Ports that stay keep their connections, deliveries keep their order.
 */
import { assertAckPorts } from './ack-ports.ts';
import { filesOf, mappingFilesOf } from './config/files.ts';
import type { LoadedChannel, Site } from './config/site.ts';
import { fingerprintOf } from './config/revision.ts';
import type { Deliveries } from './deliveries.ts';
import { FaultError } from './faults.ts';
import type { Listeners } from './listeners.ts';
import type { Source } from './mllp/listener.ts';
import type { Connectors } from './outside.ts';
import { type Running, type RunningParts, createRunning } from './running.ts';
import type { Suspensions } from './suspensions.ts';

/** What a change came to. */
export interface Applied {
  revision: string;
  /** The revision before. */
  before: string;
  /** Names of channels; all others run as they did. */
  added: string[];
  changed: string[];
  removed: string[];
}

export interface Channels {
  /** By name. */
  running: ReadonlyMap<string, Running>;
  /** The site they are of. */
  site(): Site;
  /**
   * Run the channels of this site, and no others.
   * @param busy as for `Listeners.prepare`
   * @throws what `Listeners.prepare` and `createRunning` do: then nothing has changed
   */
  apply(site: Site, busy: 'wait' | 'refuse'): Promise<Applied>;
  /**
   * Listen where a channel is not suspended, and nowhere else; its connections are hung up once what
   * is in hand is answered.
   * @throws FaultError portBusy, and what else `Listeners.prepare` does: then nothing has changed
   */
  relisten(): Promise<void>;
  /** Arrivals that are finished under an earlier configuration. */
  finishing(): number;
  /** Take no more, answer what is in hand. @returns how many arrivals were cut off unanswered */
  stop(graceMs: number): Promise<number>;
}

export interface ChannelsParts extends Omit<RunningParts, 'connect' | 'queues'> {
  /** What opens connections; asked for anew where the paces are others. */
  connectors(): Connectors;
  listeners: Listeners;
  deliveries: Deliveries;
  suspensions: Suspensions;
}

/** How long what is under way may take to finish after a change. */
const finishMs = 60_000;

export function createChannels(first: Site, parts: ChannelsParts): Channels {
  const { listeners, deliveries, suspensions, env } = parts;
  const running = new Map<string, Running>();
  const retiring = new Set<Running>();
  const leaving = new Set<Source>();
  let site = first;
  /** Every allowance told since these connectors were made, which share them out. */
  let allowed: Allowances = { paces: new Map(), generation: 0 };
  let connect = parts.connectors();
  let applying: Promise<unknown> = Promise.resolve();
  let stopping = false;

  /** One change after the other, and none once it stops. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (stopping) return Promise.reject(new FaultError({ name: 'shuttingDown' }));
    const done = applying.then(act);
    applying = done.catch(() => {});
    return done;
  }

  const open = (channels: Iterable<Running>) =>
    Array.from(channels).filter(({ loaded }) => !suspensions.get(loaded.channel.channel));

  async function change(next: Site, busy: 'wait' | 'refuse'): Promise<Applied> {
    const nextAllowed = allowancesOf(next, allowed);
    const nextConnect =
      nextAllowed.generation === allowed.generation ? connect : parts.connectors();
    const wanted = new Map<string, Running>();
    const made: Running[] = [];
    try {
      for (const loaded of next.channels) {
        const name = loaded.channel.channel;
        const before = running.get(name);
        const fingerprint = fingerprintOf(inputsOf(loaded, nextAllowed), env);
        if (before?.fingerprint === fingerprint) {
          wanted.set(name, before);
          continue;
        }
        const around = { ...parts, connect: nextConnect, queues: deliveries.queues };
        const one = createRunning(loaded, fingerprint, around, before);
        made.push(one);
        wanted.set(name, one);
      }
      const loaded = Array.from(running.values(), (one) => one.loaded);
      await assertAckPorts(next.channels, loaded, busy);
      await deliveries.prepare(wanted.values());
      const turn = await listeners.prepare(open(wanted.values()), busy);
      return take(next, wanted, turn.take());
    } catch (error) {
      await Promise.all(made.map((one) => one.retire(0)));
      throw error;
    } finally {
      if (site === next) [allowed, connect] = [nextAllowed, nextConnect];
    }
  }

  /** From here on nothing can fail. */
  function take(next: Site, wanted: ReadonlyMap<string, Running>, left: Source[]): Applied {
    const names = [...wanted.keys()];
    const applied: Applied = {
      revision: next.revision,
      before: site.revision,
      added: names.filter((name) => !running.has(name)),
      changed: names.filter((name) => running.has(name) && running.get(name) !== wanted.get(name)),
      removed: [...running.keys()].filter((name) => !wanted.has(name)),
    };
    const earlier = [...running].filter(([name, one]) => wanted.get(name) !== one);
    running.clear();
    for (const [name, one] of wanted) {
      one.loaded.revision = next.revision;
      running.set(name, one);
    }
    site = next;
    deliveries.take(wanted.values(), finishMs);
    leave(left);
    for (const [, one] of earlier) {
      retiring.add(one);
      // Deliveries may ask outside, too: those of the channel have stopped by then.
      const stopped = deliveries.settled().then(() => one.retire(finishMs));
      void stopped.finally(() => retiring.delete(one));
    }
    return applied;
  }

  /** Close ports; what is in hand is answered. */
  function leave(sources: Source[]): void {
    for (const source of sources) {
      leaving.add(source);
      void source.stop(finishMs).finally(() => leaving.delete(source));
    }
  }

  return {
    running,
    site: () => site,
    apply: (next, busy) => inTurn(() => change(next, busy)),
    relisten: () =>
      inTurn(async () => {
        const turn = await listeners.prepare(open(running.values()), 'refuse');
        leave(turn.take());
      }),
    finishing: () => Array.from(retiring, (one) => one.underWay()).reduce((a, b) => a + b, 0),
    async stop(graceMs) {
      stopping = true;
      await applying;
      const all = [listeners.stop(graceMs), ...Array.from(leaving, (one) => one.stop(graceMs))];
      // At the same time: one bound holds for both. What is taken meanwhile is owed to the next life.
      const [left] = await Promise.all([Promise.all(all), deliveries.stop(graceMs)]);
      const unanswered = left.reduce((sum, each) => sum + each, 0);
      await Promise.all([...running.values(), ...retiring].map((one) => one.retire(0)));
      return unanswered;
    },
  };
}

/** How often each address may be asked, and how often that was told anew. */
interface Allowances {
  paces: ReadonlyMap<string, number>;
  generation: number;
}

/** What a channel depends on. */
function inputsOf(loaded: LoadedChannel, { paces, generation }: Allowances) {
  const { channel, route, pushRoutes, mappings: folder = '' } = loaded;
  const routes = [route, ...(pushRoutes?.values() ?? [])].map(({ definition }) => definition);
  const mappings = { folder, files: mappingFilesOf(loaded) };
  const own = askedBy(loaded).map(([url]) => [url, paces.get(url)]);
  // Who asks at all has to share the new allowances.
  const shared = own.length > 0 ? [generation, own] : [];
  return { channel, files: filesOf(loaded), mappings, beside: [shared, routes] };
}

/**
 * An allowance is shared by all channels that ask the same address, and where they say different
 * figures the smallest holds. One more address leaves the others as they are.
 */
function allowancesOf({ channels }: Site, before: Allowances): Allowances {
  const paces = new Map<string, number>();
  for (const [url, rate] of channels.flatMap(askedBy)) {
    paces.set(url, Math.min(rate, paces.get(url) ?? rate));
  }
  const isSame = [...paces].every(([url, rate]) => (before.paces.get(url) ?? rate) === rate);
  if (!isSame) return { paces, generation: before.generation + 1 };
  return { paces: new Map([...before.paces, ...paces]), generation: before.generation };
}

/** The addresses of a channel that have an allowance, with what it says of that. */
const askedBy = ({ channel }: LoadedChannel): [string, number][] =>
  Object.values(channel.destinations).flatMap((one): [string, number][] =>
    'rate' in one ? [[one.url, one.rate]] : [],
  );
