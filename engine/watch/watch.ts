/**
 * The watch over a running engine: it hears every event, looks at everything now and then, and tells
 * people of each condition that begins, lasts and ends.
 */
import type { Settings } from '../config/settings.ts';
import type { Surroundings } from '../config/values.ts';
import type { Emit } from '../events.ts';
import type { Journal } from '../journal/journal.ts';
import { type Alert, createAlerts } from './alerts.ts';
import { findingsOf } from './conditions.ts';
import { type Metrics, createMetrics } from './metrics.ts';
import { createNotifier } from './notify.ts';
import { type ObserveParts, createObserver } from './observe.ts';
import type { Observed } from './observed.ts';
import type { Traffic } from './traffic.ts';
import { createTypeLabels } from './type-labels.ts';

export interface Watch {
  /** Look now, and tell of what is new. */
  look(fresh?: boolean): Promise<{ seen: Observed; alerts: Alert[] }>;
  /** The metrics as Prometheus reads them. */
  metrics(): Promise<string>;
  /** The same as JSON. */
  metricsJson(): Promise<object[]>;
  close(graceMs: number): Promise<void>;
}

export interface WatchParts extends ObserveParts {
  settings(): Settings['alerts'];
  journal: Pick<Journal, 'outboundCounts' | 'stats'>;
  env: Surroundings;
  /** Writes an event; what is written so is not heard again. */
  emit: Emit;
}

/** What hears the events, made before the engine that emits them. */
export interface Ears {
  traffic: Traffic;
  metrics: Metrics;
  /** To be told of every event. */
  hear: Emit;
}

/** Ears for the events of an engine. @param accepts the message types a channel takes */
export function createEars(
  traffic: Traffic,
  accepts: (channel: string) => readonly string[],
): Ears {
  const metrics = createMetrics(createTypeLabels(accepts));
  return {
    traffic,
    metrics,
    hear(name, fields) {
      metrics.hear(name, fields);
      traffic.hear(name, fields);
    },
  };
}

/** Begin to watch. */
export function startWatch(parts: WatchParts, { metrics }: Ears): Watch {
  const { settings, env, emit, journal } = parts;
  const observe = createObserver(parts);
  const alerts = createAlerts(() => settings().repeat);
  const notifier = createNotifier({ settings, env, emit });
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function look(fresh = false): Promise<{ seen: Observed; alerts: Alert[] }> {
    const seen = await observe(fresh);
    for (const notice of alerts.take(findingsOf(seen, settings()), seen.at)) {
      const { condition, subject, says } = notice.alert;
      emit(`alert.${notice.event}`, { condition, subject, detail: says });
      notifier.tell(notice);
    }
    return { seen, alerts: alerts.all() };
  }

  /** The pause begins when the look is over: looks never pile up. */
  function again(): void {
    if (closed) return;
    timer = setTimeout(() => {
      // A look that fails is a defect of ours: it is told, and the next one is tried.
      const failed = (error: Error) => emit('watch.failed', { detail: error.name });
      void look().catch(failed).finally(again);
    }, settings().every).unref();
  }

  async function prepared(): Promise<Metrics['registry']> {
    const { seen, alerts: holding } = await look();
    metrics.see(seen, holding, await journal.stats());
    return metrics.registry;
  }

  again();
  return {
    look,
    metrics: async () => (await prepared()).metrics(),
    metricsJson: async () => (await prepared()).getMetricsAsJSON(),
    async close(graceMs) {
      closed = true;
      clearTimeout(timer);
      metrics.close();
      await notifier.close(graceMs);
    },
  };
}
