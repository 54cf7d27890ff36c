/**
 * `site.yaml`, beside channels/: what holds for the whole site. It may be missing: everything in it
 * has a default. Declared once: types, findings, JSON Schema and the reference page come from it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { duration, secret, size, text, whole } from './values.ts';
import { type Finding, type YamlFile, checkYaml, readYaml } from './yaml.ts';

const atLeast = (least: number, says: string) => duration.refine((ms) => ms >= least, says);

const webhook = z.strictObject({
  url: text.meta({ description: 'http or https address; each notice is POSTed there as JSON' }),
  authorization: secret
    .optional()
    .meta({ description: 'content of the Authorization header: `${env:NAME}` or `${file:/path}`' }),
  timeout: duration.default(10_000).meta({ description: 'longest wait for its answer' }),
  attempts: whole(1, 20).default(6).meta({
    description: 'how often a notice is tried, with growing pauses; then it is given up and logged',
  }),
});

const command = z.strictObject({
  run: z.array(text).min(1).meta({
    description: 'program and arguments; no shell. The notice comes as JSON on its stdin',
  }),
  timeout: duration.default(10_000).meta({ description: 'then it is killed' }),
});

export const settingsSchema = z.strictObject({
  alerts: z
    .strictObject({
      every: atLeast(100, 'at least 100ms is needed')
        .default(15_000)
        .meta({ description: 'how often every condition is looked at' }),
      repeat: atLeast(1000, 'at least 1s is needed')
        .default(4 * 3_600_000)
        .meta({ description: 'how often a notice is repeated while its condition lasts' }),
      certificates: duration
        .default(30 * 86_400_000)
        .meta({ description: 'how long before its last day a certificate is told of' }),
      disk: size
        .default(2 * 1024 ** 3)
        .meta({ description: 'free space of the data folder below which it is told of' }),
      webhook: webhook.optional().meta({ description: 'where notices are sent' }),
      command: command.optional().meta({ description: 'what is run for each notice' }),
    })
    .prefault({})
    .meta({ description: 'what is watched for the whole site, and who is told' }),
  health: z
    .strictObject({
      host: text.default('127.0.0.1').meta({ description: 'address to listen on' }),
      port: whole(0, 65535).meta({ description: 'TCP port; 0 takes any free one' }),
    })
    .optional()
    .meta({ description: '/healthz, /readyz and /metrics over HTTP; none unless told' }),
  limits: z
    .strictObject({
      stop: duration
        .default(10_000)
        .meta({ description: 'how long a stop may take to answer what is in hand' }),
    })
    .prefault({})
    .meta({ description: 'bounds of the engine itself' }),
});

export type Settings = z.output<typeof settingsSchema>;

/** What holds where a site says nothing. */
export const defaultSettings: Settings = settingsSchema.parse({});

/** The file, where there is one. */
export const settingsFile = (root: string): string => join(root, 'site.yaml');

/**
 * The settings of a site.
 * @param prepare fills in `${env:NAME}` before the file is checked
 * @param findings where what is wrong with it is added; then the defaults are returned
 */
export function loadSettings(
  root: string,
  prepare: (source: YamlFile) => void,
  findings: Finding[],
): Settings {
  const file = settingsFile(root);
  if (!existsSync(file)) return defaultSettings;
  const source = readYaml(file);
  prepare(source);
  // A file that says nothing is as good as none.
  const checked = checkYaml({ ...source, value: source.value ?? {} }, settingsSchema);
  findings.push(...checked.findings);
  const url = checked.value?.alerts.webhook?.url;
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    findings.push({
      severity: 'error',
      where: source.where(['alerts', 'webhook', 'url']),
      says: 'an http or https address is needed',
    });
  }
  return checked.value ?? defaultSettings;
}

/** JSON Schema of site.yaml, for editors. */
export function settingsJsonSchema(): object {
  return z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' });
}
