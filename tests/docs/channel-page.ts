/** docs/reference/channel.md: every key of a channel file, from the schema that checks it. */
import { channelJsonSchema, channelSchema } from '../../engine/channel.ts';
import { code, table, written } from './markdown.ts';

interface JsonSchema {
  type?: string;
  description?: string;
  pattern?: string;
  enum?: unknown[];
  const?: unknown;
  required?: string[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  minimum?: number;
  maximum?: number;
}

/** The least a channel says, with one destination of each kind: what else is there is a default. */
const least = {
  channel: 'least',
  listen: { port: 0 },
  us: { application: 'A', facility: 'F' },
  accepts: ['ADT^A01'],
  senders: [{ application: '*', facility: '*' }],
  route: 'adt',
  keep: '1d',
  destinations: {
    pds: { kind: 'pds', url: 'https://pds.example/' },
    sds: { kind: 'sds', url: 'https://sds.example/' },
    gpconnect: {
      kind: 'gpconnect',
      issuer: 'https://gatehouse.example/',
      device: { id: '1', model: 'm', version: '1' },
    },
    cdg: {
      kind: 'cdg',
      url: 'https://cdg.example/',
      issuer: 'https://gatehouse.example/',
      device: { id: '1', model: 'm', version: '1' },
    },
    mllp: { kind: 'mllp', port: 1 },
    feed: { kind: 'feed', port: 1 },
  },
};

/** The JSON Schema as editors read it. */
export function channelSchemaFile(): string {
  return JSON.stringify(channelJsonSchema());
}

export function channelPage(): string {
  const schema = channelJsonSchema() as JsonSchema;
  const defaults = channelSchema.parse(least) as Record<string, unknown>;
  const { destinations, ...rest } = schema.properties ?? {};
  const main = rowsOf({ ...schema, properties: rest }, '', defaults);
  const all = destinations?.additionalProperties as JsonSchema;
  const given = defaults.destinations as Record<string, unknown>;
  const kinds = (all.oneOf ?? []).map((one) => {
    const kind = String(one.properties?.kind?.const);
    return `### kind: ${kind}\n\n${table(columns, rowsOf(one, '', given[kind]))}`;
  });
  return `${written('engine/channel.ts')}
# Channel files

A channel is one file \`channels/NAME.yaml\`. \`gatehouse check\` reports every finding with
file:line:column; \`gatehouse config schema\` prints the JSON Schema, which is also in
[channel.schema.json](channel.schema.json).

Text is text: \`no\`, \`on\` and \`2.40\` stay as they are written. Durations are written \`250ms\`, \`15s\`,
\`5m\`, \`12h\`, \`30d\`; sizes \`64KB\`, \`20MB\`. Every text may hold \`\${env:NAME}\`,
\`\${env:NAME:-default}\` or \`\${file:/path}\`; a secret (\`apikey\`, \`accessToken\`) may be nothing else.

${table(columns, main)}
## destinations

\`destinations\` names each system this channel asks; \`ask\` says which of them serves which step.

${kinds.join('\n')}`;
}

const columns = ['key', 'value', 'default', 'what it says'];

function rowsOf(schema: JsonSchema, prefix: string, given: unknown): string[][] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = prefix + name;
    const value = memberOf(given, name);
    const own = [code(path), kindOf(property), defaultOf(property, value, required.has(name))];
    const row = [...own, property.description ?? ''];
    const map = property.properties ? property : property.anyOf?.find((one) => one.properties);
    if (map) return [row, ...rowsOf(map, `${path}.`, value)];
    if (property.items?.properties)
      return [row, ...rowsOf(property.items, `${path}[].`, undefined)];
    const each = property.additionalProperties;
    if (typeof each === 'object' && each.properties) {
      return [row, ...rowsOf(each, `${path}.NAME.`, undefined)];
    }
    return [row];
  });
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

const patterns: [RegExp, string][] = [
  [/ms\|s\|m\|h\|d/, 'duration'],
  [/B\|KB\|MB/, 'size'],
  [/env\|file/, 'secret'],
  [/A-Z0-9\]\{2\}/, 'place, such as ZAU-1'],
  [/\|park\|halt/, 'retry, retry N, park or halt'],
];

/** What may stand there, in words. */
function kindOf(schema: JsonSchema): string {
  const named = schema.pattern && patterns.find(([known]) => known.test(schema.pattern ?? ''));
  if (named) return named[1];
  if (schema.const !== undefined) return code(String(schema.const));
  if (schema.enum) return schema.enum.map((one) => code(String(one))).join(', ');
  if (schema.anyOf?.some(({ properties }) => properties)) {
    return schema.anyOf.map(kindOf).join(', or ');
  }
  const whole = schema.anyOf?.find(({ type }) => type === 'integer');
  if (whole) return `whole number, ${whole.minimum} to ${whole.maximum}`;
  if (schema.anyOf?.some(({ type }) => type === 'boolean')) return 'true or false';
  if (schema.type === 'array') return schema.items?.properties ? 'list' : 'list of text';
  if (schema.type === 'object') return 'map';
  return 'text';
}

function defaultOf(schema: JsonSchema, given: unknown, required: boolean): string {
  if (required) return 'required';
  if (isRefusal(given)) return code(given.times ? `retry ${given.times}` : given.then);
  if (given === undefined || typeof given === 'object') {
    return Array.isArray(given) && given.length > 0 ? given.map(String).map(code).join(', ') : '';
  }
  if (typeof given === 'number' && schema.pattern?.includes('ms|')) return code(duration(given));
  if (typeof given === 'number' && schema.pattern?.includes('KB')) return code(size(given));
  return code(String(given));
}

/** What becomes of a message that is refused, as it is read. */
const isRefusal = (given: unknown): given is { then: string; times?: number } =>
  typeof given === 'object' && given !== null && 'then' in given;

/** In the largest unit that leaves no remainder. */
function duration(ms: number): string {
  for (const [unit, length] of Object.entries({
    d: 86_400_000,
    h: 3_600_000,
    m: 60_000,
    s: 1000,
  })) {
    if (ms % length === 0) return `${ms / length}${unit}`;
  }
  return `${ms}ms`;
}

function size(bytes: number): string {
  for (const [unit, length] of Object.entries({ GB: 1024 ** 3, MB: 1024 ** 2, KB: 1024 })) {
    if (bytes % length === 0) return `${bytes / length}${unit}`;
  }
  return `${bytes}B`;
}
