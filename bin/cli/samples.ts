/** The running engine at one moment, and what happened between two of them: what `top` shows. */
import type { Asks } from '../../engine/control/client.ts';
import type { Status } from '../../engine/watch/status.ts';

/** A metric as the engine gives it as JSON. */
export interface Metric {
  name: string;
  help: string;
  type: string;
  values: { value: number; labels: Record<string, string | number>; metricName?: string }[];
}

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  status: Status;
  metrics: Metric[];
}

/** What `top` tells. Rates are per second; times are seconds. */
export interface Top {
  at: string;
  /** Over which stretch of time rates and times are told; 0: since the engine started. */
  seconds: number;
  alerts: number;
  channels: {
    channel: string;
    received: number;
    rejected: number;
    p50: number | null;
    p99: number | null;
    connections: number;
  }[];
  destinations: {
    destination: string;
    state: string;
    delivered: number;
    failed: number;
    depth: number;
    more: boolean;
    /** Age of the message that has waited longest. */
    oldest: number | null;
    parked: number;
  }[];
  /** PDS, SDS and GP systems, the slowest first. */
  endpoints: {
    endpoint: string;
    asked: number;
    failed: number;
    p50: number | null;
    p99: number | null;
  }[];
}

/** Look at the engine. */
export async function sample(engine: Asks): Promise<Sample> {
  const [status, { metrics }] = await Promise.all([
    engine.get<Status>('/v1/status'),
    engine.get<{ metrics: Metric[] }>('/v1/metrics'),
  ]);
  return { at: Date.now(), status, metrics };
}

type Labels = Record<string, string | number>;

/** What happened from one moment to a later one of the same engine. */
export function between(before: Sample, after: Sample): Top {
  const seconds = (after.at - before.at) / 1000;
  const restarted = before.status.engine.started !== after.status.engine.started;
  const change = (name: string, fits: (labels: Labels) => boolean, of = name): number =>
    sum(after, name, fits, of) - (restarted ? 0 : sum(before, name, fits, of));
  const rate = (name: string, fits: (labels: Labels) => boolean, of?: string) =>
    change(name, fits, of) / seconds;
  /** The value below which a share of what was measured lies, as Prometheus reckons it. */
  const quantile = (name: string, share: number, fits: (labels: Labels) => boolean) => {
    const bounds = [...new Set(rows(after, name, `${name}_bucket`).map(({ labels }) => labels.le))];
    const counts = bounds.map((le) => ({
      le: le === '+Inf' ? Infinity : Number(le),
      count: change(name, (labels) => labels.le === le && fits(labels), `${name}_bucket`),
    }));
    return quantileOf(
      counts.sort((a, b) => a.le - b.le),
      share,
    );
  };

  const channels = after.status.channels.map(({ channel, connections }) => {
    const ofIt = (labels: Labels) => labels.channel === channel;
    return {
      channel,
      received: rate('gatehouse_messages_total', ofIt),
      rejected: rate('gatehouse_messages_total', (one) => ofIt(one) && one.state !== 'answered'),
      p50: quantile('gatehouse_answer_seconds', 0.5, ofIt),
      p99: quantile('gatehouse_answer_seconds', 0.99, ofIt),
      connections: connections.length,
    };
  });
  const destinations = after.status.destinations.map((one) => {
    const { to: destination, state, depth, more, oldest, parked } = one;
    const ended = (...outcomes: string[]) =>
      rate('gatehouse_deliveries_total', (labels) => {
        return labels.destination === destination && outcomes.includes(String(labels.outcome));
      });
    return {
      ...{ destination, state, depth, more, parked },
      delivered: ended('delivered'),
      failed: ended('failed', 'parked'),
      oldest: oldest === null ? null : Math.max(0, after.status.at - oldest) / 1000,
    };
  });
  const asks = 'gatehouse_ask_seconds';
  const names = new Set(rows(after, asks, `${asks}_count`).map(({ labels }) => endpointOf(labels)));
  const endpoints = Array.from(names, (endpoint) => {
    const ofIt = (labels: Labels) => endpointOf(labels) === endpoint;
    const answered = (labels: Labels) => ['2xx', '3xx', '4xx', 'hl7'].includes(`${labels.outcome}`);
    return {
      endpoint,
      asked: rate(asks, ofIt, `${asks}_count`),
      failed: rate(asks, (labels) => ofIt(labels) && !answered(labels), `${asks}_count`),
      p50: quantile(asks, 0.5, ofIt),
      p99: quantile(asks, 0.99, ofIt),
    };
  }).sort((a, b) => (b.p99 ?? -1) - (a.p99 ?? -1));
  return {
    at: new Date(after.at).toISOString(),
    seconds,
    alerts: after.status.alerts.length,
    ...{ channels, destinations, endpoints },
  };
}

/** The engine when it started: nothing had happened. */
export function beginning({ status }: Sample): Sample {
  return { at: status.engine.started, status, metrics: [] };
}

const endpointOf = ({ channel, destination }: Labels) => `${channel}/${destination}`;

const rows = ({ metrics }: Sample, name: string, of: string) =>
  (metrics.find((one) => one.name === name)?.values ?? []).filter(
    ({ metricName = name }) => metricName === of,
  );

const sum = (at: Sample, name: string, fits: (labels: Labels) => boolean, of: string) =>
  rows(at, name, of)
    .filter(({ labels }) => fits(labels))
    .reduce((all, { value }) => all + value, 0);

/**
 * Within the bucket it is taken to grow evenly; beyond the last bound it is that bound.
 * @param counts of those up to each bound, which rise
 * @returns null where nothing was measured
 */
function quantileOf(counts: { le: number; count: number }[], share: number): number | null {
  const all = counts.at(-1)?.count ?? 0;
  if (all <= 0) return null;
  const wanted = all * share;
  const at = counts.findIndex(({ count }) => count >= wanted);
  const [below, here] = [counts[at - 1] ?? { le: 0, count: 0 }, counts[at]];
  if (!here || here.le === Infinity) return below.le;
  const part = here.count === below.count ? 1 : (wanted - below.count) / (here.count - below.count);
  return below.le + (here.le - below.le) * part;
}
