/** What a channel file says of how the channel is asked, and what cannot be meant. */
import { z } from 'zod';
import { hasKind, queryKind, queryKinds } from '../query/kinds.ts';
import { duration, size, text, whole } from './values.ts';
import { type Finding, nearest } from './yaml.ts';

const queryTypes = queryKinds.map(({ type }) => type);

/** `QBP^Q11`, `ADT^A01`, or `ADT` for all of its events. */
const known = new RegExp(
  `^(${queryTypes.map((type) => type.replace('^', '\\^')).join('|')}|ADT(\\^A\\d\\d)?)$`,
);
const type = z.string().regex(known, {
  error: ({ input }) => {
    const near = typeof input === 'string' && nearest(input, [...queryTypes, 'ADT^A01']);
    const meant = near ? `; did you mean "${near}"?` : '';
    return `this is no message a channel can take${meant} (known: ${queryTypes.join(', ')}, ADT^A01 and its like)`;
  },
});

const place = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9]{2}(\[\d+\])?-\d+(\[\d+\])?(\.\d+){0,2}$/,
    'a place such as ZAU-1 is needed',
  );

/** Keys of a channel: what it accepts, and in which versions. */
export const accepted = {
  accepts: z
    .array(type)
    .min(1)
    .meta({
      description: `message types with their trigger events: ${queryTypes.join(', ')}, ADT^A01 and its like`,
    }),
  versions: z
    .array(text)
    .min(1)
    .default(['2.3', '2.3.1', '2.4', '2.5', '2.5.1'])
    .meta({ description: 'HL7 versions accepted (MSH-12)' }),
};

/** The key of a channel that says who asks, where the query has no field for it. */
export const asker = {
  asker: z
    .record(
      z.string(),
      z.strictObject({
        user: place,
        name: place
          .optional()
          .meta({ description: 'XPN: the name of the user, where `user` is an identifier alone' }),
        role: place,
        organisation: place,
        consent: place,
        reason: place.optional(),
        department: place.optional(),
      }),
    )
    .default({})
    .meta({
      description:
        'per message type without fields for the asker: where user, role, organisation and consent stand',
    }),
};

/** The key of a channel that bounds what is held for answers in parts. */
export const parts = {
  parts: z
    .strictObject({
      hold: duration.default(300_000).meta({ description: 'how long the rest can be asked for' }),
      records: whole(1, 10_000).default(100).meta({ description: 'records held at most' }),
      size: size.default(64 * 1024 ** 2).meta({ description: 'what they may take together' }),
    })
    .prefault({})
    .meta({ description: 'records held in memory for answers in parts (RCP-2, DSC)' }),
};

/** The key of a GP system that speaks HL7 v2: the queries it knows. */
export const understands = {
  accepts: z
    .array(z.enum(queryTypes as [string, ...string[]]))
    .min(1)
    .default(['QBP^Q11', 'QRY^A19'])
    .meta({ description: 'the queries it understands; no other is forwarded to it' }),
};

interface Asked {
  accepts: readonly string[];
  versions: readonly string[];
  asker: Readonly<Record<string, unknown>>;
}

/**
 * What a channel accepts and cannot serve.
 * @param effects what its route performs; undefined where there is no usable route
 */
export function* impossible(
  { accepts, versions, asker }: Asked,
  effects: ReadonlySet<string> | undefined,
): Generator<Pick<Finding, 'says' | 'next'> & { path: PropertyKey[] }> {
  for (const [index, type] of accepts.entries()) {
    const path = ['accepts', index];
    const kind = queryKind(type);
    if (effects && kind && !effects.has('identify')) {
      const says = `${type} is a query, and the route of this channel answers none`;
      yield { path, says, next: 'give it a route that performs identify, such as gp-record' };
    }
    if (effects && !kind && effects.has('identify')) {
      const says = `${type} is no query, and the route of this channel answers queries`;
      yield { path, says, next: 'take it in a channel of its own, with the route adt' };
    }
    if (!kind) continue;
    if (!versions.some((version) => hasKind(version, kind))) {
      const says = `none of this channel's versions has ${type}, which came with ${kind.since}`;
      yield { path, says, next: `add ${kind.since} or a later one to versions` };
    }
    if (!kind.asker && !asker[type]) {
      yield {
        path,
        says: `${type} has no fields for the asker, and "asker" does not say where they stand`,
        next: `add asker: { ${type}: { user: …, role: …, organisation: …, consent: … } }`,
      };
    }
  }
  for (const type of Object.keys(asker)) {
    const kind = queryKind(type);
    if (kind && !kind.asker) continue;
    const near = nearest(type, queryTypes);
    const says = kind
      ? `${type} names the asker in fields of its own`
      : `there is no query ${type}${near ? `; did you mean "${near}"?` : ''}`;
    yield { path: ['asker', type], says, next: 'take this entry out' };
  }
}
