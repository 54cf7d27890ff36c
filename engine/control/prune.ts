/** Route to delete old exchanges from the journal of the running engine. */
import { z } from 'zod';
import type { Engine } from '../engine.ts';
import type { Emit } from '../events.ts';
import { prunedStates } from '../journal/pruning.ts';
import { pruneStep } from '../prune.ts';
import { person } from './operator.ts';
import { Refusal } from './refusal.ts';
import { type Route, route } from './router.ts';

const time = z.number().int().positive();
const step = z.strictObject({
  channel: z.string().min(1),
  before: time,
  state: z.enum(prunedStates).optional(),
  keepErrors: z.boolean().optional(),
  begins: z.strictObject({ until: time, ...person }).optional(),
});

/** The route of `gatehouse store prune`: one step of it. */
export function pruneRoutes(engine: Engine, emit: Emit): Route[] {
  return [
    route('POST', '/v1/store/prune', step, async (told) => {
      if (told.before > engine.now()) throw new Refusal(400, 'that time is still to come');
      if (told.begins) emit('control.acted', { step: 'prune', channel: told.channel });
      const forgotten = await pruneStep(engine, told);
      const { channel } = told;
      if (forgotten.exchanges > 0) {
        emit('journal.forgotten', { channel, count: forgotten.exchanges });
      }
      return { body: forgotten };
    }),
  ];
}
