/** What a channel file says of what is watched: what is expected to come, and what may wait. */
import { z } from 'zod';
import { isZone, longestOf, readHours } from './hours.ts';
import { duration, text, whole } from './values.ts';

const hours = z
  .string()
  .transform((written, context) => {
    const rules = readHours(written);
    if (rules) return rules;
    context.addIssue('hours are needed, for example Mon-Fri 07:00-19:00, Sat 08:00-12:00');
    return z.NEVER;
  })
  .meta({ description: 'when messages are expected: days and times, separated by commas' });

/** Key of a channel: what is expected of its senders. */
export const expects = {
  expects: z
    .strictObject({
      within: duration.meta({ description: 'longest silence: a message is expected so often' }),
      hours: hours.prefault('Mon-Sun 00:00-24:00'),
      zone: text
        .default('Europe/London')
        .refine(isZone, 'a time zone is needed, for example Europe/London')
        .meta({ description: 'time zone of the hours' }),
    })
    .refine(
      ({ within, hours: rules }) => longestOf(rules) > within,
      'within is longer than all of the hours, so that no silence would ever be too long',
    )
    .optional()
    .meta({ description: 'a feed that should not fall silent; nothing is expected unless told' }),
};

/** Keys of a destination that messages are delivered to: what may wait before somebody is told. */
export const mayWait = {
  alerts: z
    .strictObject({
      depth: whole(1, 100_000_000)
        .default(1000)
        .meta({ description: 'messages waiting beyond which it is told' }),
      age: duration.default(900_000).meta({ description: 'age of the oldest, beyond which' }),
      down: duration.default(60_000).meta({ description: 'how long it may be out of reach' }),
      parked: whole(0, 1_000_000)
        .default(1)
        .meta({ description: 'dead letters from which on it is told; 0 for never' }),
    })
    .prefault({})
    .meta({ description: 'what may wait for this destination before somebody is told' }),
};
