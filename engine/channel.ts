/**
 * A channel, declared once: from this schema come the types, the findings of `gatehouse check`, the
 * JSON Schema for editors and the reference page.
 */
import { z } from 'zod';
import { accepted, asker, batches, parts, understands } from './config/asked.ts';
import { deliver, feed } from './config/delivery.ts';
import { keep } from './config/keep.ts';
import { organisations } from './config/organisations.ts';
import { clientTls, serverTls } from './config/tls.ts';
import { expects, mayWait } from './config/watched.ts';
import { duration, flag, secret, size, text, whole } from './config/values.ts';

const address = z.strictObject({
  host: text.default('127.0.0.1').meta({ description: 'address to use' }),
  port: whole(0, 65535).meta({ description: 'TCP port; 0 takes any free one' }),
});

const timeouts = {
  timeout: duration.default(10_000).meta({ description: 'longest wait for one reply' }),
};

const connections = {
  connections: whole(1, 256)
    .default(16)
    .meta({ description: 'connections open at a time at most' }),
};

/** The allowance of the NHS England API platform, unless more was agreed. */
const rate = {
  rate: whole(1, 10_000)
    .default(5)
    .meta({ description: 'requests a second at most; further ones wait for their turn' }),
};

/** NHS England API platform: application-restricted access with a signed JWT. */
const signed = z
  .strictObject({
    token: text.meta({
      description: 'token endpoint, for example `https://api.service.nhs.uk/oauth2/token`',
    }),
    apikey: secret.meta({ description: 'API key of the application (`iss` and `sub`)' }),
    kid: text.meta({ description: 'name under which the public key is registered' }),
    privateKey: text
      .refine(
        (value) => !value.includes('-----'),
        'a secret is never written here: name a file, ${env:NAME} or ${file:/path}',
      )
      .meta({
        description:
          'PEM file of the private key, with mode 0600; or `${env:NAME}`, `${file:/path}` for its content',
      }),
  })
  .optional()
  .meta({ description: 'access with a signed JWT, as PDS wants it; in the place of `apikey`' });

const destination = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('pds'),
    url: text.meta({ description: 'base address of PDS FHIR R4' }),
    apikey: secret.optional().meta({ description: 'API key, where the environment asks for one' }),
    signed,
    ...rate,
    ...connections,
    ...timeouts,
    tls: clientTls.optional(),
  }),
  z.strictObject({
    kind: z.literal('sds'),
    url: text.meta({ description: 'base address of SDS FHIR R4' }),
    apikey: secret.optional().meta({ description: 'API key of the Spine Directory Service' }),
    session: duration
      .refine((ms) => ms <= 900_000, 'at most 15m: an address must not outlive one encounter')
      .optional()
      .meta({
        description:
          'how long an endpoint is kept for the same user and patient; looked up for each query unless told',
      }),
    ...rate,
    ...connections,
    ...timeouts,
    tls: clientTls.optional(),
  }),
  z.strictObject({
    kind: z.literal('gpconnect'),
    proxy: text.optional().meta({ description: 'address of the Spine secure proxy' }),
    issuer: text.meta({ description: 'our address as the token issuer (iss)' }),
    device: z
      .strictObject({ id: text, model: text, version: text })
      .meta({ description: 'requesting device named in the token' }),
    reply: size.default(20 * 1024 ** 2).meta({ description: 'longest reply accepted' }),
    ...connections,
    ...timeouts,
    tls: clientTls.optional(),
  }),
  z.strictObject({
    kind: z.literal('cdg'),
    url: text.meta({ description: 'base address of the Clinical Data Gateway API' }),
    accessToken: secret.optional().meta({
      description:
        'access token (CIS2, AAL3), read anew for each request: it is short-lived, and whoever holds the sessions of the users renews it',
    }),
    issuer: text.meta({ description: 'our address as the token issuer (iss)' }),
    device: z
      .strictObject({ id: text, model: text, version: text })
      .meta({ description: 'requesting device named to the practice' }),
    reply: size.default(20 * 1024 ** 2).meta({ description: 'longest reply accepted' }),
    ...connections,
    ...timeouts,
    tls: clientTls.optional(),
  }),
  z.strictObject({
    kind: z.literal('mllp'),
    ...address.shape,
    ...understands,
    connections: whole(1, 64).default(4).meta({ description: 'connections kept open at most' }),
    reply: size.default(5 * 1024 ** 2).meta({ description: 'longest reply accepted' }),
    answer: z
      .enum(['pass'])
      .default('pass')
      .meta({ description: 'what becomes of its answer: passed on under our header' }),
    ...timeouts,
    tls: clientTls.optional(),
  }),
  z.strictObject({
    kind: z.literal('feed'),
    ...address.shape,
    ...feed,
    ...mayWait,
    tls: clientTls.optional(),
  }),
]);

/** Which destination serves which step of the route, and what else is asked. */
export const askSchema = z.strictObject({
  trace: text.optional().meta({ description: 'destination that finds the practice (pds)' }),
  locate: text.optional().meta({ description: 'destination that finds the endpoint (sds)' }),
  record: text
    .optional()
    .meta({ description: 'destination asked for the record (gpconnect, or cdg)' }),
  second: text.optional().meta({
    description: 'destination asked where the first cannot be reached (mllp, or cdg)',
  }),
  html: flag.default(false).meta({
    description:
      'where a practice does not offer the structured record, or not all of it, carry its HTML view as text',
  }),
  documents: z.enum(['off', 'list', 'content']).default('off').meta({
    description:
      'documents, where a query asks for DOC: none, where each is, or each in the answer (5 MB at most)',
  }),
  practices: text
    .optional()
    .meta({ description: 'practice table (CSV) looked up before the directory' }),
  unlisted: z.enum(['directory', 'refuse']).default('directory').meta({
    description:
      'a practice that the table does not name: look it up in the directory, or answer that it does not offer the service (GH-4007)',
  }),
  adtIndex: flag.default(false).meta({
    description:
      'where PDS cannot be reached, use the practice that ADT, a list or PDS itself last named, and say so',
  }),
});

export const channelSchema = z.strictObject({
  extends: text.optional().meta({
    description:
      'a file in channels/ whose keys hold where this one says nothing: mappings are merged, lists replaced',
  }),
  channel: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens are needed')
    .meta({ description: 'name of the channel; the name of its file' }),
  description: text.optional().meta({ description: 'one sentence for the people who run it' }),
  listen: address
    .extend({
      framing: z
        .enum(['lenient', 'strict'])
        .default('lenient')
        .meta({ description: 'lenient accepts a frame that ends with FS but no CR' }),
      tls: serverTls.optional().meta({ description: 'TLS; with `clients`, mutual TLS' }),
    })
    .meta({ description: 'where the channel listens for MLLP' }),
  us: z
    .strictObject({ application: text, facility: text })
    .meta({ description: 'our MSH-3 and MSH-4 in answers' }),
  ...accepted,
  ...batches,
  processing: z
    .array(z.enum(['P', 'T', 'D']))
    .min(1)
    .default(['P'])
    .meta({ description: 'processing ids accepted (MSH-11)' }),
  charset: text
    .optional()
    .meta({ description: 'character set to assume where MSH-18 is empty or unknown' }),
  senders: z
    .array(z.strictObject({ application: text, facility: text }))
    .min(1)
    .meta({ description: 'who may send: MSH-3 and MSH-4; * stands for any' }),
  route: text.meta({ description: 'name of a file in channels/routes' }),
  mapping: text.optional().meta({ description: 'name of a folder in mappings' }),
  site: z
    .strictObject({
      patientClass: text.default('O').meta({ description: 'PV1-2 in ADR^A19' }),
      diagnosisType: z
        .enum(['A', 'W', 'F'])
        .default('W')
        .meta({ description: 'DG1-6 where problems go as DG1' }),
      unknownStatus: z.enum(['F', 'R']).optional().meta({
        description:
          'OBX-11 and OBR-25 of results whose status the GP system does not state: F, each with a note that says so, or R (not verified). Required where results are answered, and never assumed',
      }),
    })
    .prefault({})
    .meta({ description: 'what this site wants in fields GP Connect does not give' }),
  ...asker,
  organisations,
  destinations: z
    .record(z.string(), destination)
    .default({})
    .meta({ description: 'the systems this channel asks, by name' }),
  ask: askSchema
    .prefault({})
    .meta({ description: 'which destination serves which step of the route' }),
  deliver,
  ...expects,
  patience: z
    .strictObject({
      answer: duration.default(15_000).meta({ description: 'from the query to its answer' }),
    })
    .prefault({}),
  repeats: z
    .strictObject({
      window: duration.default(300_000).meta({
        description: 'how long the same sender, MSH-10 and bytes get the stored answer',
      }),
      otherBytes: z.enum(['accept', 'flag', 'refuse']).default('accept').meta({
        description:
          'the same sender and MSH-10 with other bytes, within the window: a message like any other, one that is flagged in the journal, or AE',
      }),
    })
    .prefault({}),
  ...parts,
  keep,
  limits: z
    .strictObject({
      frame: size.default(10 * 1024 ** 2).meta({ description: 'longest frame accepted' }),
      connections: whole(1, 10_000).default(256).meta({ description: 'connections at most' }),
      idle: duration.default(3_600_000).meta({ description: 'silence between messages' }),
      inFrame: duration
        .default(30_000)
        .meta({ description: 'time for one whole frame, from its first byte to its last' }),
      pipeline: whole(1, 1000)
        .default(16)
        .meta({ description: 'messages of one connection worked on at a time' }),
    })
    .prefault({}),
});

export type Channel = z.output<typeof channelSchema>;
export type Destination = Channel['destinations'][string];

/** JSON Schema of a channel file, for editors. */
export function channelJsonSchema(): object {
  return z.toJSONSchema(channelSchema, { io: 'input', unrepresentable: 'any' });
}

/**
 * The same, for files of which a part stands elsewhere: in one that extends another, or is there to
 * be extended, nothing is missing.
 */
export function editorJsonSchema(): object {
  const { $schema, ...whole } = channelJsonSchema() as { $schema: string };
  const partly = JSON.parse(JSON.stringify(whole), (key, value: unknown) =>
    key === 'required' && Array.isArray(value) ? undefined : value,
  ) as object;
  const anchors = { patternProperties: { '^x-': {} } };
  const isWhole = { required: ['channel'], not: { required: ['extends'] } };
  return {
    $schema,
    if: isWhole,
    then: { ...whole, ...anchors },
    else: { ...partly, ...anchors },
  };
}
