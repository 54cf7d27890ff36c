/** One channel as it runs under one configuration: what it asks, and how it answers. */
import { type Again, againOf } from './again.ts';
import { type LoadedChannel, fileOf } from './config/site.ts';
import type { ServerTls } from './config/tls.ts';
import type { Surroundings as Environment } from './config/values.ts';
import type { Emit } from './events.ts';
import { type Memory, createMemory, exchangesOf } from './exchange.ts';
import type { Journal } from './journal/journal.ts';
import type { SourceOptions, SourceTls } from './mllp/listener.ts';
import type { Respond } from './mllp/mllp.ts';
import type { Queue } from './outbound/outbound.ts';
import { type Connectors, joinOutside } from './outside.ts';
import type { Taps } from './watch/taps.ts';
import type { Surroundings } from './work.ts';

export interface Running {
  loaded: LoadedChannel;
  /** Equal where it would run no otherwise. */
  fingerprint: string;
  /** Answers what arrives. */
  respond: Respond;
  /** Works on a stored message of it again. */
  again: Again;
  memory: Memory;
  /** What its deliveries ask, too. */
  around: Surroundings;
  /** How its listener is to listen. */
  listening: SourceOptions;
  /** When the last message came, milliseconds since 1970; null where none is known of. */
  last(): number | null;
  /** A message is known of that came before the engine started. */
  heard(at: number): void;
  /** Arrivals being worked on. */
  underWay(): number;
  /** Close what it asks, once nothing is under way; at the latest after `graceMs`. */
  retire(graceMs: number): Promise<void>;
}

export interface RunningParts {
  journal: Journal;
  connect: Connectors;
  queues: ReadonlyMap<string, Queue>;
  env: Environment;
  emit: Emit;
  taps: Taps;
  /** Microseconds since 1970. */
  now(): number;
}

/**
 * Join a channel to what it asks. Nothing is asked, opened or delivered yet.
 * @param before what the channel remembers, where it ran under another configuration
 * @throws Error that names a secret or file that is missing
 */
export function createRunning(
  loaded: LoadedChannel,
  fingerprint: string,
  { journal, connect, queues, env, emit, now, taps }: RunningParts,
  before: Running | undefined,
): Running {
  const listening = listeningOf(loaded);
  const outside = joinOutside(loaded, connect, env);
  const around: Surroundings = {
    journal,
    outside: { ...outside, practiceOf: (patient) => journal.practiceOf(patient) },
    emit,
    finished: taps.finished,
    owed: (to, ...message) => queues.get(to)?.owed(...message),
    now,
  };
  const kept = before && sameParts(before.loaded, loaded) ? before.memory : undefined;
  const memory = kept ?? createMemory(loaded, around);
  const answer = exchangesOf(loaded, around, memory);
  let last = before?.last() ?? null;
  let underWay = 0;
  let whenIdle = (): void => {};

  return {
    loaded,
    fingerprint,
    memory,
    around,
    listening,
    again: againOf(loaded, around),
    async respond(...arrived) {
      if (arrived[0].kind === 'message') last = Date.now();
      underWay += 1;
      try {
        return await answer(...arrived);
      } finally {
        underWay -= 1;
        if (underWay === 0) whenIdle();
      }
    },
    last: () => last,
    heard: (at) => void (last ??= at),
    underWay: () => underWay,
    async retire(graceMs) {
      if (underWay > 0) {
        await new Promise<void>((resolve) => {
          const late = setTimeout(resolve, graceMs);
          whenIdle = () => {
            clearTimeout(late);
            resolve();
          };
        });
      }
      await outside.close();
    },
  };
}

/** Records are held within limits: where those are others, what is held is given up. */
function sameParts(a: LoadedChannel, b: LoadedChannel): boolean {
  return JSON.stringify(a.channel.parts) === JSON.stringify(b.channel.parts);
}

function listeningOf(loaded: LoadedChannel): SourceOptions {
  const { channel, listen, limits } = loaded.channel;
  const { tls } = listen;
  return {
    channel,
    host: listen.host,
    port: listen.port,
    mode: listen.framing,
    tls: tls && serverTlsOf(loaded, tls),
    limits: {
      frameBytes: limits.frame,
      connections: limits.connections,
      idleMs: limits.idle,
      inFrameMs: limits.inFrame,
      pipeline: limits.pipeline,
    },
  };
}

/** What we show where we listen, and whom we admit, read from the files that a channel names. */
export function serverTlsOf(
  loaded: LoadedChannel,
  { certificate, key, clients }: ServerTls,
): SourceTls {
  return {
    cert: fileOf(loaded, certificate),
    key: fileOf(loaded, key),
    ca: clients === undefined ? undefined : fileOf(loaded, clients),
    requireClientCertificate: clients !== undefined,
  };
}
