/** The watch over an engine, joined to its parts: it looks, tells, and answers over HTTP. */
import type { Channels } from './channels.ts';
import type { Settings } from './config/settings.ts';
import type { Surroundings as Environment } from './config/values.ts';
import type { Emit } from './events.ts';
import type { Journal } from './journal/journal.ts';
import type { Listeners } from './listeners.ts';
import type { Queue } from './outbound/outbound.ts';
import type { Suspensions } from './suspensions.ts';
import { type HealthAnswers, type HealthListener, healthAnswers } from './watch/health.ts';
import { startHealth } from './watch/health.ts';
import { type Status, statusOf } from './watch/status.ts';
import { type Ears, type Watch, startWatch } from './watch/watch.ts';

export interface Watching extends Watch {
  status(): Promise<Status>;
  health: HealthAnswers;
  /** The port of the health listener, once it is open. */
  healthPort(): number | undefined;
  /**
   * Listen for health where these settings want it.
   * @throws what the operating system says of an address that cannot be used: then nothing changes
   */
  listen(settings: Settings): Promise<void>;
}

export interface WatchingParts {
  channels: Channels;
  listeners: Listeners;
  suspensions: Suspensions;
  queues: ReadonlyMap<string, Queue>;
  journal: Journal;
  data: string;
  env: Environment;
  emit: Emit;
  version: string;
}

/** Watch an engine. Health is served once `listen` is told where. */
export function createWatching(parts: WatchingParts, ears: Ears): Watching {
  const { channels, journal, emit, version } = parts;
  const started = Date.now();
  const settings = () => channels.site().settings;
  const watch = startWatch(
    {
      ...parts,
      running: channels.running,
      traffic: ears.traffic,
      settings: () => settings().alerts,
    },
    ears,
  );
  const health = healthAnswers(watch);
  let listener: HealthListener | undefined;
  let address = '';

  return {
    ...watch,
    health,
    healthPort: () => listener?.port(),
    async status() {
      const told = settings().health;
      const engine = {
        ...{ version, pid: process.pid, started },
        revision: channels.site().revision,
        finishing: channels.finishing(),
        health: told ? { host: told.host, port: listener?.port() ?? null } : null,
      };
      return statusOf(engine, await watch.look(true), journal);
    },
    async listen({ health: told }) {
      const wanted = told ? `${told.host}:${told.port}` : '';
      if (wanted === address) return;
      const next = told && (await startHealth(told, health, emit));
      await listener?.close();
      [listener, address] = [next, wanted];
    },
    async close(graceMs) {
      await listener?.close();
      await watch.close(graceMs);
    },
  };
}
