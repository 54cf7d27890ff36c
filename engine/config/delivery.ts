/** What a channel file says of deliveries: to whom, what, in which order, and what if it fails. */
import { z } from 'zod';
import { condition, place } from '../mapping/feed/schema.ts';
import type { Policy, Refusal } from '../outbound/outbound.ts';
import { push } from './push.ts';
import { serverTls } from './tls.ts';
import { duration, size, text, whole } from './values.ts';

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

/** Whom application acknowledgements come from, and where, apart from the connection itself. */
const applicationAcks = z.strictObject({
  timeout: duration
    .default(60_000)
    .meta({ description: 'longest wait for one, after the accept acknowledgement' }),
  port: whole(0, 65535)
    .optional()
    .meta({ description: 'TCP port on which they come, where not on the same connection' }),
  host: text.default('127.0.0.1').meta({ description: 'address of that port' }),
  from: z.strictObject({ application: text, facility: text }).optional().meta({
    description:
      'MSH-3 and MSH-4 of those that come to that port, * for any; unless told MSH-5 and MSH-6 of what was sent',
  }),
  tls: serverTls.optional().meta({ description: 'TLS on that port; with `clients`, mutual TLS' }),
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
  acknowledge: z.enum(['original', 'accept', 'accept+application']).optional().meta({
    description:
      'what MSH-15 and MSH-16 ask for: original (both empty), accept (CA settles it), accept+application (CA, then AA); as received unless told',
  }),
  applicationAcks: applicationAcks
    .prefault({})
    .meta({ description: 'application acknowledgements, with accept+application' }),
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
      when: condition.default({}).meta({
        description:
          'only messages of which all of this holds: by place a list of values, or present, or absent',
      }),
      unless: condition.optional().meta({ description: 'not those of which all of this holds' }),
      map: text
        .optional()
        .meta({ description: 'name of a file in mappings/feeds: what becomes of it on the way' }),
      push: push.optional().meta({
        description: 'the GP record of the patient is fetched, and sent in place of the message',
      }),
      key: place.default('PID-3.1').meta({
        description: 'messages with the same value here are delivered in the order they came in',
      }),
    }),
  )
  .default([])
  .meta({ description: 'deliveries: what is stored and acknowledged here goes on to these' });
