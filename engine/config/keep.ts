/** What a channel file says of retention: how long, how much, and what is spared. */
import { z } from 'zod';
import { duration, size } from './values.ts';

/** Times in milliseconds, sizes in bytes. */
export interface Keep {
  age: number;
  size?: number;
  parked?: number;
  undelivered?: number;
}

const inFull = z.strictObject({
  age: duration.meta({ description: 'how long messages stay' }),
  size: size.optional().meta({
    description: 'how much of them at most, as stored; beyond it the oldest hours go first',
  }),
  parked: duration.optional().meta({
    description:
      'how long a message stays that is parked, for any destination; until a person deals with it unless told',
  }),
  undelivered: duration.optional().meta({
    description:
      'how long a message stays that is still on its way to a destination; until it is delivered unless told',
  }),
});

/** `30d`, or in full. */
export const keep = z
  .union([duration.transform((age) => ({ age })), inFull])
  .transform((told): Keep => told)
  .refine(
    ({ age, parked = age, undelivered = age }) => parked >= age && undelivered >= age,
    'what is parked or undelivered is not kept for a shorter time than the rest (age)',
  )
  .meta({
    description:
      'retention: how long messages of this channel stay in the journal, as `30d` or in full',
  });
