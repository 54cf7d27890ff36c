/** Routes that have a running engine read the key file of its journal again, and re-encrypt the journal. */
import { z } from 'zod';
import type { Engine } from '../engine.ts';
import type { Emit } from '../events.ts';
import { reencryptStep } from '../reencrypt.ts';
import { exchangeName } from '../journal/journal.ts';
import { operatorEntry, person } from './operator.ts';
import { Refusal } from './refusal.ts';
import { type Route, route } from './router.ts';

const adopt = z.strictObject({
  /** A key that is no longer in the file; unless told one was added. */
  retired: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  ...person,
});

const step = z.strictObject({
  after: z.number().int().nonnegative(),
  begins: z.strictObject(person).optional(),
});

/** The routes of `gatehouse key rotate`, `reencrypt` and `retire`. */
export function keyRoutes(engine: Engine, emit: Emit): Route[] {
  const { journal, channels, now } = engine;
  return [
    route('POST', '/v1/key/adopt', adopt, async ({ retired, by, reason }) => {
      const keys = await journal.adoptKeys();
      const exchange = journal.mint();
      const [channel = ''] = channels.keys();
      const act = retired === undefined ? 'key-rotate' : 'key-retire';
      const entry = operatorEntry(now(), { act, by, reason, to: retired ?? keys.at(-1) });
      await journal.append(exchange, channel, [entry], { type: 'operator', state: 'answered' });
      emit('control.acted', { step: act });
      return { body: { exchange: exchangeName(exchange), keys } };
    }),
    route('POST', '/v1/key/reencrypt', step, async (told) => {
      const [channel = ''] = channels.keys();
      const done = await reencryptStep({ journal, now, channel }, told);
      if (told.begins) emit('control.acted', { step: 'key-reencrypt' });
      if (done) return { body: done };
      throw new Refusal(
        409,
        'the keys were changed, or another re-encryption was begun, meanwhile',
        'gatehouse key reencrypt',
      );
    }),
  ];
}
