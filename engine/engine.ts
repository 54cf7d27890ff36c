/**
 * The composition root: opens the journal, joins each channel to its destinations and listens.
 * Only this file and `outside.ts` name implementations.
 */
import { type LoadedChannel, type Site, fileOf } from './config/site.ts';
import type { Surroundings as Environment } from './config/values.ts';
import type { Emit } from './events.ts';
import { type Again, againOf } from './again.ts';
import { closeInterrupted, exchangesOf } from './exchange.ts';
import { createHttp } from './gp/http.ts';
import { sharedPaces } from './gp/pace.ts';
import type { Journal } from './journal/journal.ts';
import { openJournal } from './journal/sqlite.ts';
import { createDestination } from './mllp/destination.ts';
import { createFeeds } from './outbound/feed.ts';
import { type Holds, openHolds } from './outbound/holds.ts';
import type { Queue } from './outbound/outbound.ts';
import type { Source, SourceOptions } from './mllp/listener.ts';
import { createSource } from './mllp/source.ts';
import { type Connectors, type Joined, joinOutside, linkTls } from './outside.ts';
import type { Surroundings } from './work.ts';

export interface EngineOptions {
  site: Site;
  /** Folder of the journal and, unless `keyFile` names another, its key. */
  data: string;
  keyFile?: string;
  emit: Emit;
  /** Where secrets (`${env:NAME}`) are looked up. */
  env?: Environment;
}

/** A channel that runs. */
export interface Running {
  loaded: LoadedChannel;
  /** Works on a stored message of it again. */
  again: Again;
}

export interface Engine {
  journal: Journal;
  /** By name. */
  channels: ReadonlyMap<string, Running>;
  /** The port each channel listens on. */
  ports: Readonly<Record<string, number>>;
  /** The queue of each delivery, by `channel/destination`. */
  queues: ReadonlyMap<string, Queue>;
  /** The destinations that are held. */
  holds: Holds;
  /** Microseconds since 1970, never the same twice. */
  now(): number;
  /** Take no more, answer what is in hand within `graceMs` (10 s), close the journal. */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Start every channel of a site.
 * @throws FaultError portBusy, or of the 6xxx rows where the journal cannot be opened
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { site, data, keyFile, emit, env = process.env } = options;
  const channels = new Map<string, Running>();
  const journal = await openJournal({
    folder: data,
    key: keyFile === undefined ? undefined : { file: keyFile },
    repeatWindowMs: Math.max(...site.channels.map((c) => c.channel.repeats.window)),
    emit,
  });
  const connect: Connectors = { http: createHttp, mllp: createDestination, pace: sharedPaces() };
  const sources: Source[] = [];
  const joined: Joined[] = [];
  const queues = new Map<string, Queue>();
  const ports: Record<string, number> = {};
  let holds: Holds;
  const retention = setInterval(forgetOld, 3_600_000).unref();
  let stopped: Promise<void> | undefined;
  const stop = (graceMs = 10_000) => (stopped ??= stopOnce(graceMs));
  const stopOnce = async (graceMs: number) => {
    emit('engine.stopping');
    clearInterval(retention);
    await Promise.all(sources.map((source) => source.stop(graceMs)));
    await Promise.all([...queues.values()].map((queue) => queue.stop(graceMs)));
    await Promise.all(joined.map((outside) => outside.close()));
    await journal.close();
    emit('engine.stopped');
  };
  try {
    holds = openHolds(data);
    await closeInterrupted(journal, microseconds);
    for (const loaded of site.channels) {
      const { channel } = loaded.channel;
      const outside = joinOutside(loaded, connect, env);
      joined.push(outside);
      const around: Surroundings = {
        journal,
        outside: { ...outside, practiceOf: (patient) => journal.practiceOf(patient) },
        emit,
        owed: (to, ...message) => queues.get(to)?.owed(...message),
        now: microseconds,
      };
      channels.set(channel, { loaded, again: againOf(loaded, around) });
      for (const [to, queue] of createFeeds(loaded, {
        journal,
        emit,
        now: microseconds,
        connect: (options, correlate) => createDestination(options, correlate, emit),
        tls: ({ tls }) => tls && linkTls(loaded, tls),
      })) {
        queues.set(to, queue);
        if (holds.get(to)) queue.hold();
        await queue.start();
      }
      const source = createSource(listening(loaded), exchangesOf(loaded, around), emit);
      sources.push(source);
      await source.listen();
      ports[channel] = source.port() ?? 0;
    }
  } catch (error) {
    await stop(0);
    throw error;
  }
  void forgetOld();
  emit('engine.started', { count: sources.length });
  return { journal, channels, ports, queues, holds, now: microseconds, stop };

  /** Retention: what is older than its channel keeps it is deleted for good. */
  async function forgetOld(): Promise<void> {
    for (const { channel } of site.channels) {
      await journal
        .forget(channel.channel, microseconds() - channel.keep * 1000)
        .catch(() => emit('journal.fault', { channel: channel.channel, detail: 'retention' }));
    }
  }
}

function listening(loaded: LoadedChannel): SourceOptions {
  const { channel, listen, limits } = loaded.channel;
  const { tls } = listen;
  return {
    channel,
    host: listen.host,
    port: listen.port,
    mode: listen.framing,
    tls: tls && {
      cert: fileOf(loaded, tls.certificate),
      key: fileOf(loaded, tls.key),
      ca: tls.clients === undefined ? undefined : fileOf(loaded, tls.clients),
      requireClientCertificate: tls.clients !== undefined,
    },
    limits: {
      frameBytes: limits.frame,
      connections: limits.connections,
      idleMs: limits.idle,
      inFrameMs: limits.inFrame,
      pipeline: limits.pipeline,
    },
  };
}

let offset = 0;
let last = 0;
/**
 * Microseconds since 1970, never backwards and never the same twice within one process. It follows
 * the wall clock, which the monotonic one leaves behind when the machine's time is corrected.
 */
function microseconds(): number {
  const steady = performance.now() * 1000;
  const wall = Date.now() * 1000;
  if (Math.abs(offset + steady - wall) > 5000) offset = wall - steady;
  last = Math.max(last + 1, Math.round(offset + steady));
  return last;
}
