/**
 * The metrics, in the form of Prometheus. What happened is counted as its event happens; what is, is
 * looked at when it is asked for. No label holds anything a sender chose: message types are those
 * that a channel accepts, the names are those of the configuration.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Emit, EventFields } from '../events.ts';
import type { Alert } from './alerts.ts';
import type { Observed } from './observed.ts';
import { loopInterval, setProcessGauges } from './process-metrics.ts';

export interface Metrics {
  /** To be told of every event. */
  hear: Emit;
  registry: Registry;
  /** Set what is looked at: call it right before the metrics are read. */
  see(seen: Observed, alerts: readonly Alert[], journal: JournalFigures): void;
  close(): void;
}

export interface JournalFigures {
  exchanges: number;
  bytes: number;
  unindexed: number;
}

/** From a millisecond to the longest patience of a sender. */
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30];
const commitSeconds = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2];
const commitBytes = [1e3, 4e3, 16e3, 64e3, 256e3, 1e6, 4e6];

/**
 * @param typeOf the label of a message type as a sender wrote it: one of the configuration, or
 *   `other`
 */
export function createMetrics(typeOf: (channel: string, type: string) => string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `gatehouse_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name: `gatehouse_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: L[] = [],
  ) => new Histogram({ name: `gatehouse_${name}`, help, buckets, labelNames, registers });

  const events = counter('events_total', 'Events, as in the log', ['event']);
  const messages = counter('messages_total', 'Messages by what became of them', [
    'channel',
    'type',
    'state',
  ]);
  const faults = counter('faults_total', 'Faults by code', ['channel', 'code']);
  const deliveries = counter('deliveries_total', 'Attempts to deliver, by outcome', [
    'destination',
    'outcome',
  ]);
  const answers = histogram(
    'answer_seconds',
    'From the receipt of a message to its committed answer',
    seconds,
    ['channel'],
  );
  const asked = histogram('ask_seconds', 'Requests to PDS, SDS and GP systems', seconds, [
    'channel',
    'destination',
    'outcome',
  ]);
  const commits = histogram('journal_commit_seconds', 'Commits of the journal', commitSeconds);
  const sizes = histogram('journal_commit_bytes', 'Bytes in a commit', commitBytes);

  const listening = gauge('channel_listening', '1 where the port is open', ['channel']);
  const last = gauge('channel_last_message_timestamp_seconds', 'Last message', ['channel']);
  const connections = gauge('connections', 'Open connections', ['channel', 'state']);
  const depth = gauge('queue_depth', 'Messages that wait for a destination', ['destination']);
  const oldest = gauge('queue_oldest_seconds', 'Age of the oldest of them', ['destination']);
  const parked = gauge('parked', 'Dead letters in the journal', ['destination']);
  const up = gauge('destination_up', '0 where it is down or halted', ['destination']);
  const system = gauge('system_failing', '1 where it failed five times in a row', ['destination']);
  const certificate = gauge('certificate_end_timestamp_seconds', 'Last moment', ['certificate']);
  const disk = gauge('disk_free_bytes', 'Free space of the data folder');
  const exchanges = gauge('journal_exchanges', 'Exchanges in the journal');
  const bytes = gauge('journal_bytes', 'Size of the journal');
  const unindexed = gauge('journal_unindexed', 'Exchanges not yet indexed');
  const alert = gauge('alert', '1 for each condition that holds', ['condition', 'subject']);
  const loop = monitorEventLoopDelay({ resolution: loopInterval });
  loop.enable();

  function finished({ channel = '', type = '', state, code, ms }: EventFields): void {
    messages.inc({ channel, type: typeOf(channel, type), state: state ?? 'unstored' });
    if (code !== undefined) faults.inc({ channel, code });
    if (ms !== undefined) answers.observe({ channel }, ms / 1000);
  }

  return {
    registry,
    hear(name, fields = {}) {
      events.inc({ event: name });
      const { channel = '', endpoint: destination = '', code, ms, status } = fields;
      switch (name) {
        case 'exchange.answered':
        case 'exchange.fault':
          // A fault of a connection, not of a message, names no exchange.
          if (fields.exchange !== undefined) finished(fields);
          return;
        case 'frame.fault':
        case 'connection.refused':
        case 'journal.fault':
          if (code !== undefined) faults.inc({ channel, code });
          return;
        case 'gp.replied': {
          const outcome = status ? `${Math.floor(status / 100)}xx` : 'none';
          const answered = status === undefined && fields.bytes !== undefined ? 'hl7' : outcome;
          asked.observe({ channel, destination, outcome: answered }, (ms ?? 0) / 1000);
          return;
        }
        case 'delivery.delivered':
        case 'delivery.filtered':
        case 'delivery.failed':
        case 'delivery.parked':
        case 'delivery.skipped':
        case 'delivery.possibleDuplicate':
          deliveries.inc({ destination, outcome: name.slice('delivery.'.length) });
          return;
        case 'journal.committed':
          commits.observe((ms ?? 0) / 1000);
          sizes.observe(fields.bytes ?? 0);
      }
    },
    see(seen, alerts, journal) {
      for (const one of [listening, last, connections, depth, oldest, parked, up]) one.reset();
      for (const one of [system, certificate, alert]) one.reset();
      for (const { channel, state, last: at, connections: open } of seen.channels) {
        listening.set({ channel }, state === 'listening' ? 1 : 0);
        if (at !== null) last.set({ channel }, at / 1000);
        for (const one of open) connections.inc({ channel, state: one.state });
      }
      for (const one of seen.destinations) {
        const { to: destination } = one;
        depth.set({ destination }, one.depth);
        oldest.set({ destination }, one.oldest === null ? 0 : (seen.at - one.oldest) / 1000);
        parked.set({ destination }, one.parked);
        const isUp = one.downSince === null && !['down', 'halted', 'removed'].includes(one.state);
        up.set({ destination }, isUp ? 1 : 0);
      }
      for (const { name, state } of seen.systems) {
        system.set({ destination: name }, state === 'failing' ? 1 : 0);
      }
      for (const { subject, until } of seen.certificates) {
        certificate.set({ certificate: subject }, (until ?? 0) / 1000);
      }
      if (seen.disk) disk.set(seen.disk.free);
      exchanges.set(journal.exchanges);
      bytes.set(journal.bytes);
      unindexed.set(journal.unindexed);
      for (const { condition, subject } of alerts) alert.set({ condition, subject }, 1);
      setProcessGauges(registry, loop);
      loop.reset();
    },
    close: () => void loop.disable(),
  };
}
