/** The route that has a running engine read its certificates again. */
import { z } from 'zod';
import type { Engine } from '../engine.ts';
import type { Emit } from '../events.ts';
import { exchangeName } from '../journal/journal.ts';
import { operatorEntry, person } from './operator.ts';
import { Refusal } from './refusal.ts';
import { type Route, route } from './router.ts';

const asked = z.strictObject({
  /** A channel that uses what was changed: the act is recorded with it. */
  channel: z.string(),
  /** What was changed, as people name it. */
  certificate: z.string().max(300),
  ...person,
});

/** The route of `gatehouse cert rotate`. Ports stay open, and so does every connection. */
export function certificateRoutes({ journal, now, reload }: Engine, emit: Emit): Route[] {
  return [
    route(
      'POST',
      '/v1/certificates/reload',
      asked,
      async ({ channel, certificate, by, reason }) => {
        const applied = await reload().catch((error: Error) => {
          throw new Refusal(
            409,
            `the engine does not take it: ${error.message}`,
            'gatehouse check',
          );
        });
        const exchange = journal.mint();
        const act = operatorEntry(now(), { act: 'cert-rotate', by, reason, to: certificate });
        await journal.append(exchange, channel, [act], { type: 'operator', state: 'answered' });
        emit('control.acted', { step: 'cert-rotate', revision: applied.revision });
        return { body: { exchange: exchangeName(exchange), ...applied } };
      },
    ),
  ];
}
