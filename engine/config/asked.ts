/** What a channel file says of how the channel is asked, and what cannot be meant. */
import { z } from 'zod';
import { definitions } from '../hl7/definitions/definitions.ts';
import { hasKind, queryKind, queryKinds } from '../query/kinds.ts';
import { duration, size, text, whole } from './values.ts';
import { type Finding, nearest } from './yaml.ts';

const queryTypes = queryKinds.map(({ type }) => type);

/** `QBP^Q11`, `ORU^R01`, or `ADT` for all of its events. */
const type = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9]{2}(\^[A-Z][A-Z0-9]{2})?$/,
    'write a message type with its event, such as ORU^R01, or a type for all of its events',
  );

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
      description: `message types with their trigger events: ${queryTypes.join(', ')}; or, where the route answers no queries, any other, such as ADT^A01 or ORU^R01`,
    }),
  versions: z
    .array(text)
    .min(1)
    .default(['2.3', '2.3.1', '2.4', '2.5', '2.5.1'])
    .meta({ description: 'HL7 versions accepted (MSH-12)' }),
};

/** Keys of a channel: whether it takes batches, and how it answers them. */
export const batches = {
  batches: z
    .enum(['refuse', 'split'])
    .default('refuse')
    .meta({ description: 'FHS and BHS: refused, or split into their messages' }),
  batchAnswer: z.enum(['each', 'failures', 'one']).default('each').meta({
    description:
      'what a batch is answered: a batch of all acknowledgements, of those that refuse, or one acknowledgement (MSA-2 is its BHS-11)',
  }),
};

/** Where a message carries who asks. */
export const askerPlaces = z.strictObject({
  user: place,
  name: place
    .optional()
    .meta({ description: 'XPN: the name of the user, where `user` is an identifier alone' }),
  role: place,
  organisation: place.meta({
    description: 'an XON; or a component, such as ZPI-2.1, that holds the code alone',
  }),
  consent: place,
  reason: place.optional(),
  department: place.optional(),
});

/** The key of a channel that says who asks, where the query has no field for it. */
export const asker = {
  asker: z.record(z.string(), askerPlaces).default({}).meta({
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
  deliver: readonly unknown[];
  batches: 'refuse' | 'split';
}

type Impossible = Pick<Finding, 'says' | 'next'> & {
  path: PropertyKey[];
  /** An error unless told. */
  severity?: Finding['severity'];
};

/**
 * What a channel accepts and cannot serve.
 * @param effects what its route performs; undefined where there is no usable route
 */
export function* impossible(
  { accepts, versions, asker, deliver, batches }: Asked,
  effects: ReadonlySet<string> | undefined,
): Generator<Impossible> {
  if (effects?.has('identify') && batches === 'split') {
    const says = 'queries are answered one by one: this channel takes no batches';
    yield { path: ['batches'], says, next: 'take batches out' };
  }
  for (const [index, type] of accepts.entries()) {
    const path = ['accepts', index];
    const kind = queryKind(type);
    if (effects && kind && !effects.has('identify')) {
      const says = `${type} is a query, and the route of this channel answers none`;
      yield { path, says, next: 'give it a route that performs identify, such as gp-record' };
    }
    if (effects && !kind && effects.has('identify')) {
      const near = nearest(type, queryTypes);
      const meant = near ? `; did you mean "${near}"?` : '';
      const says = `${type} is no query, and the route of this channel answers queries${meant}`;
      yield { path, says, next: 'take it in a channel of its own, with the route adt or feed' };
    }
    if (effects && !kind && !effects.has('identify')) {
      yield* unlikely(type, path, versions, deliver.length > 0);
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

/** What a channel that answers no queries accepts, and hardly means. */
function* unlikely(
  type: string,
  path: PropertyKey[],
  versions: readonly string[],
  delivers: boolean,
): Generator<Impossible> {
  const [code = '', event] = type.split('^');
  if (code !== 'ADT' && !delivers) {
    const says = `${type} would be acknowledged and go nowhere: this channel delivers nothing`;
    yield { path, says, next: 'add deliver, with a destination of kind feed' };
  }
  // Local types and events begin with Z (HL7 v2.5 §2.11).
  if (event === undefined || /^Z|\^Z/.test(type)) return;
  if (versions.some((version) => definitions(version).structure(`${code}_${event}`))) return;
  const says = `no version of this channel has ${type}`;
  yield { path, severity: 'warning', says, next: 'look for a misspelling, or see versions' };
}
