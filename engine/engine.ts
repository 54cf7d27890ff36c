/**
 * The composition root: opens the journal, joins each channel to its destinations and listens.
 * Only this file and `outside.ts` name implementations.
 */
import { createApart } from './apart/apart.ts';
import { type Applied, createChannels } from './channels.ts';
import type { Revisions } from './config/revisions.ts';
import type { Settings } from './config/settings.ts';
import type { Site } from './config/site.ts';
import type { Surroundings as Environment } from './config/values.ts';
import { createDeliveries } from './deliveries.ts';
import type { Emit } from './events.ts';
import { FaultError } from './faults.ts';
import { closeInterrupted } from './interrupted.ts';
import { createHttp } from './gp/http.ts';
import { sharedPaces } from './gp/pace.ts';
import type { Retention } from './journal/deletion.ts';
import type { Journal } from './journal/journal.ts';
import type { Rekeying } from './journal/rekey.ts';
import { openJournal } from './journal/sqlite.ts';
import { createListeners } from './listeners.ts';
import { microseconds } from './microseconds.ts';
import { createDestination } from './mllp/destination.ts';
import { createSource } from './mllp/source.ts';
import { createFeeds } from './outbound/feed.ts';
import { openHalts } from './outbound/halts.ts';
import { type Holds, openHolds } from './outbound/holds.ts';
import type { Queue } from './outbound/outbound.ts';
import { pushesOf } from './outbound/push.ts';
import { type Connectors, linkTls } from './outside.ts';
import { changeTo } from './reload.ts';
import { startRetention } from './retention.ts';
import { type Running, serverTlsOf } from './running.ts';
import { type Suspensions, isStopped, openSuspensions } from './suspensions.ts';
import { type Taps, createTaps } from './watch/taps.ts';
import { createTraffic } from './watch/traffic.ts';
import { createEars } from './watch/watch.ts';
import { type Watching, createWatching } from './watching.ts';

export interface EngineOptions {
  site: Site;
  /** Folder of the journal and, unless `keyFile` names another, its key. */
  data: string;
  keyFile?: string;
  emit: Emit;
  /** Where secrets (`${env:NAME}`) are looked up. */
  env?: Environment;
  /** Reads the site again, for `reload`. @throws ConfigError with everything wrong with it */
  load?: () => Site;
  /** Where revisions are kept; none are unless told. */
  revisions?: Revisions;
  /** Version of Gatehouse, for `status`. */
  version?: string;
}

export interface Engine {
  journal: Journal & Retention & Rekeying;
  /** By name. */
  channels: ReadonlyMap<string, Running>;
  /** The port each channel listens on; a channel whose port is held by another process has none. */
  readonly ports: Readonly<Record<string, number>>;
  /** The queue of each delivery, by `channel/destination`. */
  queues: ReadonlyMap<string, Queue>;
  /** The destinations that are held. */
  holds: Holds;
  /** The channels that are paused or stopped. */
  suspensions: Suspensions;
  /** As `Channels.relisten`: after a channel was suspended, or is no more. */
  relisten(): Promise<void>;
  /** Microseconds since 1970, never the same twice. */
  now(): number;
  /**
   * Run the channels of this site from now on: all of them, or on an error none of them.
   * @throws FaultError portBusy; Error that names a file or secret that is missing
   */
  apply(site: Site): Promise<Applied>;
  /** Read the site again and apply it. @throws ConfigError, and what `apply` does */
  reload(): Promise<Applied>;
  /** The configuration that runs. */
  site(): Site;
  revisions?: Revisions;
  /** What site.yaml says, as it runs now. */
  settings(): Settings;
  /** Who looks at its messages. */
  taps: Taps;
  /** What is seen of it, what is wrong, and its metrics. */
  watch: Watching;
  /** Take no more, answer what is in hand within `graceMs` (10 s), close the journal. */
  stop(graceMs?: number): Promise<Left>;
}

/** What a stop left behind. */
export interface Left {
  /** Messages that were cut off unanswered; their senders will send them again. */
  unanswered: number;
  /** Messages that wait for the next start to be delivered. */
  owed: number;
}

/**
 * Start every channel of a site. A port that another process holds is waited for.
 * @throws FaultError of the 6xxx rows where the journal cannot be opened
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { site, data, keyFile, env = process.env, load = () => site, version = '' } = options;
  const accepts = (channel: string) => channels.running.get(channel)?.loaded.channel.accepts ?? [];
  const ears = createEars(createTraffic(), accepts);
  const emit: Emit = (name, fields) => {
    options.emit(name, fields);
    ears.hear(name, fields);
  };
  const journal = await openJournal({
    folder: data,
    key: keyFile === undefined ? undefined : { file: keyFile },
    repeatWindowMs: Math.max(...site.channels.map((c) => c.channel.repeats.window)),
    now: microseconds,
    emit,
  });
  // An engine that does not come to run is watched by nobody.
  let watch: Watching | undefined;
  const now = microseconds;
  let endRetention = (): void => {};
  const listeners = createListeners((told, respond) => createSource(told, respond, emit));
  const [holds, halts, suspensions] = await closingOnError(
    () => [openHolds(data), openHalts(data), openSuspensions(data)] as const,
  );
  const isHeld = (to: string) => holds.get(to) !== undefined || isStopped(suspensions, to);
  const deliveries = createDeliveries(queuesOf, isHeld, emit);
  const taps = createTaps();
  const channels = createChannels(site, {
    ...{ journal, listeners, deliveries, suspensions, connectors, env, emit, now, taps },
  });
  let stopped: Promise<Left> | undefined;
  const stop = (graceMs = 10_000) => (stopped ??= stopOnce(graceMs));

  try {
    await closeInterrupted(journal, now);
    await channels.apply(site, 'wait');
    await deliveries.settled();
    await rememberLast();
    watch = createWatching(
      {
        ...{ channels, listeners, suspensions, queues: deliveries.queues },
        ...{ journal, data, env, emit, version },
      },
      ears,
    );
    await watch.listen(site.settings);
  } catch (error) {
    await stop(0);
    throw error;
  }
  endRetention = startRetention({
    ...{ journal, emit, now },
    channels: () => channels.site().channels.map(({ channel }) => channel),
  });
  emit('engine.started', { count: site.channels.length });

  return {
    journal,
    channels: channels.running,
    get ports() {
      const open = Array.from(channels.running.keys(), (name) => [
        name,
        listeners.of(name)?.port(),
      ]);
      return Object.fromEntries(open.filter(([, port]) => port !== undefined));
    },
    queues: deliveries.queues,
    holds,
    suspensions,
    relisten: channels.relisten,
    now,
    apply: (next) => change(() => next, watch),
    reload: () => change(load, watch),
    site: channels.site,
    revisions: options.revisions,
    settings: () => channels.site().settings,
    taps,
    watch,
    stop,
  };

  /** What comes once the engine stops comes too late. */
  async function change(read: () => Site, { listen }: Watching): Promise<Applied> {
    if (stopped) throw new FaultError({ name: 'shuttingDown' });
    return changeTo(read, { channels, emit, listen });
  }

  /** When each channel was sent something last, by an earlier life. */
  async function rememberLast(): Promise<void> {
    for (const [channel, running] of channels.running) {
      const found = await journal.list({ channel, limit: 10 });
      const last = found.find(({ type }) => type !== 'operator');
      if (last) running.heard(last.id / 1000);
    }
  }

  function connectors(): Connectors {
    return {
      http: createHttp,
      mllp: createDestination,
      pace: sharedPaces(),
      mapper: (folder, compiled) =>
        createApart(folder, compiled, (detail) => emit('mapping.threadEnded', { detail })),
    };
  }

  function queuesOf({ loaded, around }: Running): Map<string, Queue> {
    return createFeeds(loaded, {
      ...{ journal, emit, halts, now },
      connect: (told, correlate) => createDestination(told, correlate, emit),
      tls: ({ tls }) => tls && linkTls(loaded, tls),
      push: pushesOf(loaded, around),
      listen(channel, { applicationAcks: { host, tls } }, port, respond) {
        const secure = tls && serverTlsOf(loaded, tls);
        return createSource({ channel, host, port, mode: 'lenient', tls: secure }, respond, emit);
      },
    });
  }

  async function closingOnError<T>(open: () => T): Promise<T> {
    try {
      return open();
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  async function stopOnce(graceMs: number): Promise<Left> {
    emit('engine.stopping');
    endRetention();
    await watch?.close(Math.min(graceMs, noticesMs));
    const unanswered = await channels.stop(graceMs);
    const open = await journal.outboundCounts().catch(() => []);
    const owed = open
      .filter(({ state }) => state !== 'parked')
      .reduce((n, one) => n + one.count, 0);
    await journal.close();
    emit('engine.stopped', { count: unanswered });
    return { unanswered, owed };
  }
}

/** How long a stop waits for notices that are being told, milliseconds. */
const noticesMs = 1000;
