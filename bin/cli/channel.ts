/** `gatehouse channel list|show|pause|stop|start`: the channels of a site, and how they run. */
import type { Channel } from '../../engine/channel.ts';
import type { ChannelRow } from '../../engine/control/channels.ts';
import { engineIn } from '../../engine/control/client.ts';
import { Refusal } from '../../engine/control/refusal.ts';
import { type OutlinedChannel, outlineOf } from '../../engine/config/outline.ts';
import { shownOf } from '../../engine/config/resolve.ts';
import type { LoadedChannel, Site } from '../../engine/config/site.ts';
import { nearest, shortPath } from '../../engine/config/yaml.ts';
import { isAnothers } from './anothers.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { type Form, printListing, printOne } from './form.ts';
import { CommandError, print, say, style } from './output.ts';
import { confirm, whoAsks } from './person.ts';
import { siteFolder } from './site-folder.ts';
import { age } from './times.ts';

interface ChannelOptions {
  site?: string;
  data: string;
  output: Form;
}

/** List the channels of a site; where an engine runs, how each of them stands. */
export async function list(options: ChannelOptions): Promise<number> {
  const { channels, unreadable } = outlineOf(siteFolder(options.site));
  const running = await runningChannels(options.data);
  const read = new Set(channels.map(({ channel }) => channel.channel));
  // What runs is shown, also where its file cannot be read: a variable of the engine's may not be set here.
  const unread = [...(running?.values() ?? [])].filter(({ channel }) => !read.has(channel));
  const unseen = running === undefined && isAnothers(options.data);
  const unknownState = unseen ? 'not known' : 'no engine';
  const rows = [
    ...channels.map((one) => rowOf(one, running)),
    ...unread.map(({ channel, host, port, state }) => ({
      ...{ channel, listen: `${host}:${port}`, state, route: null, accepts: [], deliversTo: [] },
      description: '',
    })),
  ];
  printListing(options.output, {
    kind: 'channels',
    key: 'channels',
    rows,
    columns: [
      { title: 'CHANNEL', cell: (row) => row.channel },
      { title: 'LISTEN', cell: (row) => row.listen },
      { title: 'STATE', cell: (row) => row.state ?? unknownState },
      { title: 'ROUTE', cell: (row) => row.route },
      { title: 'ACCEPTS', cell: (row) => row.accepts.join(' ') },
      { title: 'DELIVERS TO', cell: (row) => row.deliversTo.join(' '), wide: true },
      { title: 'DESCRIPTION', cell: (row) => row.description, wide: true },
    ],
  });
  if (unseen) say(`whether they run is not known: ${options.data} belongs to another user`);
  if (unreadable === 0) return exits.ok;
  say('not every channel file can be read; "gatehouse check" tells what is wrong');
  return exits.badConfig;
}

/** Show one channel: what it takes, whom it asks, to whom it delivers, and how it runs. */
export async function show(name: string, options: ChannelOptions): Promise<number> {
  const root = siteFolder(options.site);
  const { loadSite } = await import('../../engine/config/site.ts');
  const { casesOf } = await import('../../engine/cases/files.ts');
  const loaded = channelNamed(loadSite(root), name);
  const { channel, file } = loaded;
  const running = await runningChannels(options.data);
  const row = rowOf(loaded, running);
  const cases = casesOf(root, name).map(shortPath);
  const told = {
    ...row,
    file: shortPath(file),
    senders: channel.senders,
    us: channel.us,
    mapping: channel.mapping ?? null,
    destinations: Object.entries(channel.destinations).map(([to, one]) => ({
      ...{ name: to, kind: one.kind, address: addressOf(one) },
    })),
    cases,
    running: running?.get(name) ?? null,
  };
  printOne(options.output, 'channel', told, () => {
    print(`${style('bold', name)}  ${row.state ?? 'no engine runs'}`);
    if (channel.description) print(channel.description);
    for (const line of linesOf(told)) print(line);
  });
  return exits.ok;
}

type Told = ReturnType<typeof rowOf> & {
  file: string;
  senders: Channel['senders'];
  us: Channel['us'];
  mapping: string | null;
  destinations: { name: string; kind: string; address: string }[];
  cases: string[];
  running: ChannelRow | null;
};

function* linesOf(told: Told): Generator<string> {
  const name = (one: { application: string; facility: string }) =>
    `${one.application}|${one.facility}`;
  yield `file      ${told.file}`;
  yield `listens   ${told.listen}`;
  yield `accepts   ${told.accepts.join(' ')} from ${told.senders.map(name).join(', ')}`;
  yield `answers   as ${name(told.us)}, by route ${told.route}${told.mapping ? ` and mapping ${told.mapping}` : ''}`;
  for (const { name: to, kind, address } of told.destinations) {
    if (told.deliversTo.includes(to)) yield `delivers  to ${to} ${address}`;
    else yield `asks      ${to} (${kind}) ${address}`;
  }
  yield `cases     ${told.cases.length === 0 ? 'none: nothing says what it should do' : told.cases.length}`;
  if (!told.running) return;
  const { connections, last, suspended, revision } = told.running;
  const ago = last === null ? 'none yet' : `${age(last * 1000)} ago`;
  yield `runs      under revision ${revision ?? ''}: ${connections} connections, last message ${ago}`;
  if (suspended) {
    const { how, by, since, exchange } = suspended;
    yield `${how} by ${by} since ${since}: gatehouse message explain ${exchange}`;
    yield `next: gatehouse channel start ${told.channel}`;
  }
}

interface SuspendOptions extends Omit<ChannelOptions, 'site'> {
  reason?: string;
  yes?: boolean;
  dryRun?: boolean;
}

const means = {
  pause: 'takes no messages; what it owes is still delivered',
  stop: 'takes no messages and delivers nothing',
  start: 'takes messages and delivers again',
} as const;

/** Pause, stop or start a channel of the running engine. */
export async function suspend(
  act: 'pause' | 'stop' | 'start',
  name: string,
  options: SuspendOptions,
): Promise<number> {
  const engine = runningEngine(options);
  if (options.dryRun) {
    const { channels } = await engine.get<{ channels: ChannelRow[] }>('/v1/channels');
    const one = channels.find(({ channel }) => channel === name);
    if (!one)
      throw unknown(
        name,
        channels.map(({ channel }) => channel),
      );
    const told = { channel: name, act, state: one.state, connections: one.connections };
    printOne(options.output, 'channelAct', { ...told, dryRun: true }, () => {
      const close = act === 'start' ? '' : `; ${one.connections} connections would be closed`;
      print(`${name} is ${one.state}. ${act}: it ${means[act]}${close}`);
    });
    return exits.ok;
  }
  if (act === 'stop') await confirm(`${name} ${means.stop}.`, options.yes);
  const done = await engine.post<{ channel: string; exchange: string; state: string }>(
    `/v1/channel/${act}`,
    { channel: name, by: whoAsks(), reason: options.reason },
  );
  printOne(options.output, 'channelAct', { act, ...done, dryRun: false }, () =>
    say(`${name} is ${done.state}: it ${means[act]}; recorded as ${done.exchange}`),
  );
  return exits.ok;
}

/** How the channels of the engine run; undefined where none does. */
async function runningChannels(data: string): Promise<Map<string, ChannelRow> | undefined> {
  try {
    const { channels } = await engineIn(data).get<{ channels: ChannelRow[] }>('/v1/channels');
    return new Map(channels.map((one) => [one.channel, one]));
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function rowOf({ channel, route }: OutlinedChannel, running?: Map<string, ChannelRow>) {
  const { host, port } = channel.listen;
  const live = running?.get(channel.channel);
  return {
    channel: channel.channel,
    listen: `${host}:${live?.port ?? port}`,
    state: running && (live?.state ?? 'not applied'),
    route: `${route.name}@${route.version}`,
    accepts: channel.accepts,
    deliversTo: channel.deliver.map(({ to }) => to),
    description: channel.description ?? '',
  };
}

/** A channel of a site. @throws CommandError where there is none of this name, or it has errors */
export function channelNamed({ channels, findings }: Site, name: string): LoadedChannel {
  const found = channels.find(({ channel }) => channel.channel === name);
  if (found) return found;
  const wrong = findings.some(
    (one) => one.severity === 'error' && one.where.includes(`${name}.yaml`),
  );
  if (wrong)
    throw new CommandError(`channel "${name}" has errors`, 'gatehouse check', exits.badConfig);
  throw unknown(
    name,
    channels.map(({ channel }) => channel.channel),
  );
}

function unknown(name: string, known: string[]): CommandError {
  const near = nearest(name, known);
  const says = `there is no channel "${name}"${near ? `; did you mean "${near}"?` : ''}`;
  return new CommandError(says, `channels: ${known.join(', ') || 'none'}`, exits.notFound);
}

function addressOf(one: Channel['destinations'][string]): string {
  if ('port' in one) return `${one.host}:${one.port}`;
  // An address that is kept elsewhere may hold a password.
  return 'url' in one ? shownOf('url', one.url) : shownOf('proxy', one.proxy ?? 'no proxy');
}
