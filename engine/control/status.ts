/** Routes that tell how the engine is. */
import { z } from 'zod';
import type { Engine } from '../engine.ts';
import { type Route, route } from './router.ts';

const nothing = z.strictObject({});

/** The routes of `gatehouse status` and `metrics`, and those of the health listener. */
export function statusRoutes({ watch }: Engine): Route[] {
  const health = Object.entries(watch.health).map(([path, answer]) =>
    route('GET', path, nothing, answer),
  );
  return [
    ...health,
    route('GET', '/v1/status', nothing, async () => ({ body: await watch.status() })),
    route('GET', '/v1/metrics', nothing, async () => ({
      body: { metrics: await watch.metricsJson() },
    })),
  ];
}
