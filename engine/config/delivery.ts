/** What a channel file says of deliveries: to whom, what, in which order, and what if it fails. */
import { z } from 'zod';
import type { Policy, Refusal } from '../outbound/outbound.ts';
import { duration, size, text, whole } from './values.ts';

const place = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9]{2}(\[\d+\])?-\d+(\[\d+\])?(\.\d+){0,2}$/,
    'a place such as PID-3.1 is needed',
  );

/** `retry`, `retry 3` (then park), `park` or `halt`. */
const refusal = z
  .string()
  .regex(/^(retry( \d{1,3})?|park|halt)$/, 'write retry, retry N, park or halt')
  .transform((rule): Refusal => {
    const [then, times] = rule.split(' ');
    if (then === 'retry' && times) return { then: 'retryThenPark', times: Number(times) };
    return { then: then as 'retry' | 'park' | 'halt' };
  });

const backoff = z.strictObject({
  first: duration.default(1000).meta({ description: 'wait after the first failure' }),
  most: duration.default(60_000).meta({ description: 'longest wait; it doubles until then' }),
});

const policy: z.ZodType<Policy, unknown> = z.strictObject({
  AE: refusal.prefault('retry 3').meta({ description: 'application error' }),
  AR: refusal.prefault('retry 3').meta({ description: 'application reject' }),
  CE: refusal.prefault('retry').meta({ description: 'commit error: it cannot store now' }),
  CR: refusal.prefault('park').meta({ description: 'commit reject' }),
  unreadable: refusal.prefault('retry 3').meta({ description: 'no acknowledgement one can read' }),
  unanswered: refusal
    .prefault('retry')
    .meta({ description: 'it was written, and no acknowledgement came in time' }),
  unprocessed: refusal.prefault('park').meta({
    description: 'it was accepted (CA), and no application acknowledgement came in time',
  }),
  poison: refusal.prefault('park').meta({ description: 'it cannot be turned into what is sent' }),
});

/** Keys of a destination that messages are delivered to, beside its address and its TLS. */
export const feed = {
  connections: whole(1, 64).default(1).meta({
    description: 'messages under way at a time; those of one key always one after the other',
  }),
  timeout: duration.default(30_000).meta({ description: 'longest wait for an acknowledgement' }),
  connect: duration.default(10_000).meta({ description: 'longest wait for a connection' }),
  write: duration.default(30_000).meta({ description: 'longest time to write one message' }),
  reply: size.default(1024 ** 2).meta({ description: 'longest acknowledgement accepted' }),
  backoff: backoff.prefault({}).meta({ description: 'between tries, for as long as it takes' }),
  refused: policy.prefault({}).meta({
    description:
      'what becomes of a message that is refused: retry (keeping its place), retry N then park, park, or halt',
  }),
};

/** Key of a channel: what is delivered to whom. */
export const deliver = z
  .array(
    z.strictObject({
      to: text.meta({ description: 'a destination of kind feed' }),
      when: z
        .record(place, z.array(text).min(1))
        .default({})
        .meta({ description: 'only messages that hold one of these values at each place' }),
      key: place.default('PID-3.1').meta({
        description: 'messages with the same value here are delivered in the order they came in',
      }),
    }),
  )
  .default([])
  .meta({ description: 'deliveries: what is stored and acknowledged here goes on to these' });
