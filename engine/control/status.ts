/** Routes that tell how the engine is, and the one that changes its configuration. */
import { z } from 'zod';
import { ConfigError } from '../config/yaml.ts';
import type { Engine } from '../engine.ts';
import type { Emit } from '../events.ts';
import { person } from './operator.ts';
import { type Route, route } from './router.ts';

const nothing = z.strictObject({});

/** The routes of `gatehouse status`, `metrics` and `config apply`, and those of the health listener. */
export function statusRoutes({ watch, reload }: Engine, emit: Emit): Route[] {
  const health = Object.entries(watch.health).map(([path, answer]) =>
    route('GET', path, nothing, answer),
  );
  return [
    ...health,
    route('GET', '/v1/status', nothing, async () => ({ body: await watch.status() })),
    route('GET', '/v1/metrics', nothing, async () => ({
      body: { metrics: await watch.metricsJson() },
    })),
    route('POST', '/v1/config/apply', z.strictObject(person), async ({ by }) => {
      try {
        const applied = await reload();
        emit('control.acted', { step: 'apply', revision: applied.revision, detail: by });
        return { body: { applied, findings: [] } };
      } catch (error) {
        // What is wrong is told as "gatehouse check" tells it.
        if (error instanceof ConfigError) return { body: { findings: error.findings } };
        throw error;
      }
    }),
  ];
}
