/**
 * A site: the folder with channels/, mappings/ and fixtures/. Loading reads everything, reports
 * every finding and changes nothing; `serve` refuses what `check` refuses.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve as resolvePath } from 'node:path';
import { type Channel, channelSchema } from '../channel.ts';
import type { Practices } from '../gp/practices.ts';
import { type CharsetName, charsetMeaning } from '../hl7/charset.ts';
import type { FeedMapping } from '../mapping/feed/load.ts';
import type { CompiledMappings } from '../mapping/load.ts';
import type { Route } from '../route.ts';
import { impossible } from './asked.ts';
import { mappingsIn } from './compiled.ts';
import { loadDeliveries } from './delivery-check.ts';
import { checkDestinations } from './destination-check.ts';
import { loadTable } from './practice-check.ts';
import { loadPushes } from './push-check.ts';
import { channelFiles, readChannel } from './extends.ts';
import { noSite } from './findings.ts';
import { filesNamed } from './files.ts';
import { revisionOf } from './revision.ts';
import { loadRoute, performed } from './route-load.ts';
import { type Settings, defaultSettings, loadSettings } from './settings.ts';
import { checkTls } from './tls-check.ts';
import { resolveAll } from './resolve.ts';
import type { Surroundings } from './values.ts';
import { ConfigError, type Finding, checkYaml, nearest } from './yaml.ts';

/** A channel with everything its files name. */
export interface LoadedChannel {
  channel: Channel;
  file: string;
  route: Route;
  /** The routes of its pushes, by name. */
  pushRoutes?: ReadonlyMap<string, Route>;
  /** What to assume where MSH-18 is empty or unknown. */
  charset?: CharsetName;
  mapping?: CompiledMappings;
  /** The folder that its mapping is in. */
  mappings?: string;
  practices?: Practices;
  /** The feed mappings that its deliveries name. */
  maps?: ReadonlyMap<string, FeedMapping>;
  /** Revision of the site it was read with. */
  revision?: string;
}

export interface Site {
  root: string;
  /** Its folder of mappings: its own, or a copy that nobody edits. */
  mappings: string;
  /** Which configuration it is. */
  revision: string;
  /** What site.yaml says. */
  settings: Settings;
  channels: LoadedChannel[];
  findings: Finding[];
}

/** The kinds of destination that can serve each step. */
const kindsOf = {
  trace: ['pds'],
  locate: ['sds'],
  record: ['gpconnect', 'cdg'],
  second: ['mllp', 'cdg'],
} as const;

/**
 * Load every channel of a site.
 * @param root the folder that holds channels/, mappings/ and fixtures/
 * @param env where `${env:NAME}` is looked up
 * @param mappings the folder of mappings, where it is not that of the site
 */
export function loadSite(
  root: string,
  env: Surroundings = process.env,
  mappings = join(root, 'mappings'),
): Site {
  const folder = join(root, 'channels');
  const findings: Finding[] = [];
  const channels: LoadedChannel[] = [];
  if (!existsSync(folder)) {
    findings.push(noSite(folder));
    return { root, mappings, revision: '', settings: defaultSettings, channels, findings };
  }
  const revision = revisionOf(root);
  const settings = loadSettings(root, (source) => resolveAll(source, env), findings);
  for (const name of channelFiles(folder)) {
    try {
      const loaded = loadChannel(root, join(folder, name), env, mappings, findings);
      if (loaded) channels.push({ ...loaded, revision });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      findings.push(...error.findings);
    }
  }
  const byPort = new Map<string, string>();
  for (const { channel, file } of channels) {
    for (const [path, { host, port }] of portsOf(channel)) {
      if (!port) continue;
      const other = byPort.get(`${host}:${port}`);
      if (other !== undefined) {
        findings.push({
          severity: 'error',
          where: readChannel(file, folder).where([...path, 'port']),
          says: `channel "${other}" listens on ${host}:${port} too`,
          next: 'give one of them another port',
        });
      }
      byPort.set(`${host}:${port}`, channel.channel);
    }
  }
  return { root, mappings, revision, settings, channels, findings };
}

/** Where a channel listens: for messages, and for application acknowledgements. */
function* portsOf(channel: Channel): Generator<[string[], { host: string; port?: number }]> {
  yield [['listen'], channel.listen];
  for (const [name, destination] of Object.entries(channel.destinations)) {
    if (destination.kind !== 'feed') continue;
    yield [['destinations', name, 'applicationAcks'], destination.applicationAcks];
  }
}

function loadChannel(
  root: string,
  file: string,
  env: Surroundings,
  mappings: string,
  findings: Finding[],
): LoadedChannel | undefined {
  const source = readChannel(file, join(root, 'channels'));
  resolveAll(source, env);
  const checked = checkYaml(source, channelSchema);
  const channel = checked.value;
  if (!channel) {
    findings.push(...checked.findings);
    return undefined;
  }
  const errors = () => findings.filter(({ severity }) => severity === 'error').length;
  const before = errors();
  const error = (path: PropertyKey[], says: string, next?: string) =>
    findings.push({ severity: 'error', where: source.where(path), says, next });

  if (`${channel.channel}.yaml` !== basename(file)) {
    error(['channel'], `the file is called ${basename(file)}, the channel "${channel.channel}"`);
  }
  const destinations = Object.keys(channel.destinations);
  for (const [step, allowed] of Object.entries(kindsOf)) {
    const name = channel.ask[step as keyof typeof kindsOf];
    if (!name) continue;
    const found = channel.destinations[name];
    const near = nearest(name, destinations);
    if (!found) {
      error(
        ['ask', step],
        `there is no destination "${name}"${near ? `; did you mean "${near}"?` : ''}`,
      );
    } else if (!(allowed as readonly string[]).includes(found.kind)) {
      const needed = allowed.join(' or ');
      error(['ask', step], `"${name}" is of kind ${found.kind}; this step needs kind ${needed}`);
    }
  }
  const beside = (['html', 'documents'] as const).filter(
    (key) => channel.ask[key] && channel.ask[key] !== 'off',
  );
  const { record = '', locate } = channel.ask;
  if (channel.destinations[record]?.kind !== 'gpconnect' || !locate) {
    for (const key of beside) {
      const says = `${key} is asked of the practice\u2019s own services, which takes a record destination of kind gpconnect and a locate destination`;
      error(['ask', key], says, `remove ${key}, or name both`);
    }
  }
  if (Object.values(channel.destinations).some((d) => d.kind === 'gpconnect')) {
    for (const [index, { ods, asid }] of channel.organisations.entries()) {
      if (!asid) error(['organisations', index], `organisation ${ods} has no ASID to ask under`);
    }
  }
  for (const [path, name] of filesNamed(channel)) {
    if (!existsSync(resolvePath(dirname(file), name)))
      error(path, `the file ${name} does not exist`);
  }
  checkTls(channel, file, error);

  const load = (name: string, at: PropertyKey[]) =>
    loadRoute(root, name, channel, source, at, findings);
  const route = load(channel.route, ['route']);
  const effectsOf = route && new Set(performed(route));
  for (const { path, severity = 'error', ...finding } of impossible(channel, effectsOf)) {
    findings.push({ severity, where: source.where(path), ...finding });
  }
  let mapping: CompiledMappings | undefined;
  if (channel.mapping) {
    const folder = join(mappings, channel.mapping);
    if (!existsSync(folder)) error(['mapping'], `there is no mapping mappings/${channel.mapping}`);
    else mapping = mappingsIn(folder);
    if (mapping?.siteSettings.has('unknownStatus') && !channel.site.unknownStatus) {
      error(
        ['site'],
        'GP systems state no status for many results, and "site" does not say how those are shown',
        'add site: { unknownStatus: F } (final, each with a note that the status was not stated) or R (not verified): a clinical safety decision of the site',
      );
    }
  }
  const practices = loadTable(channel, file, error);
  const maps = loadDeliveries(channel, mappings, effectsOf, error, findings);
  const pushRoutes = loadPushes(channel, route, load, error);
  const charset = channel.charset === undefined ? undefined : charsetMeaning(channel.charset);
  if (charset === 'unknown' || charset === 'UTF-16') {
    error(['charset'], `"${channel.charset}" is no character set this engine can assume`);
    return undefined;
  }
  findings.push(...checkDestinations(channel, source, file, practices, env));
  if (!route || errors() > before) return undefined;
  return { channel, file, route, pushRoutes, charset, mapping, mappings, practices, maps };
}

/** The text of a file a channel names, relative to the channel's own file. */
export function fileOf(loaded: LoadedChannel, name: string): string {
  return readFileSync(resolvePath(dirname(loaded.file), name), 'utf8');
}

/** The routes of channels: their own, and those of their pushes. */
export function routesOf(channels: readonly LoadedChannel[]): Route[] {
  return channels.flatMap(({ route, pushRoutes }) => [route, ...(pushRoutes?.values() ?? [])]);
}
