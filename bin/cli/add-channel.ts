/** `gatehouse channel add`: a channel file, a message and a case that passes. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCase, updatedCase } from '../../engine/cases/case.ts';
import { playCase } from '../../engine/cases/play.ts';
import { channelSchema } from '../../engine/channel.ts';
import { type LoadedChannel, type Site, loadSite } from '../../engine/config/site.ts';
import { shortPath } from '../../engine/config/yaml.ts';
import { patientsOf } from '../../engine/cases/files.ts';
import { exits } from './exits.ts';
import { type Form, printOne } from './form.ts';
import { target } from './mllp.ts';
import { CommandError, print, say } from './output.ts';
import { siteFolder } from './site-folder.ts';
import {
  type Party,
  type Wanted,
  bring,
  caseText,
  channelText,
  messageText,
  templateOf,
} from './templates.ts';
import { portOf } from './values.ts';

interface AddOptions {
  site?: string;
  template: string;
  listen?: string;
  sender?: string[];
  as?: string;
  organisation?: string;
  to?: string;
  description?: string;
  dryRun?: boolean;
  output: Form;
}

/** Add a channel to a site. @returns 1 where something of that name is there, or the port is used */
export async function add(name: string, options: AddOptions): Promise<number> {
  const root = siteFolder(options.site);
  const site = loadSite(root);
  const wanted = wantedOf(name, options, site);
  const { created, brought } = await addChannel(root, wanted, options.dryRun === true);
  const told = { channel: name, port: wanted.port, created, brought, dryRun: !!options.dryRun };
  printOne(options.output, 'channelAdded', told, () => {
    const would = options.dryRun ? 'would create' : 'created';
    for (const file of created) print(`${would} ${file}`);
    for (const one of brought) print(`${would} ${one} (what the channel needs)`);
    if (options.template !== 'adt-feed' && options.organisation === undefined) {
      const example = 'an example\u2019s: put in who asks, with its ASID';
      say(`organisations in channels/${name}.yaml is ${example}`);
    }
    const here = receiverOf(wanted, site);
    if (here !== undefined) {
      say(`nothing to deliver to yet? gatehouse sim receiver --port ${here}`);
    }
    if (!options.dryRun) say(`next: gatehouse channel test ${name}`);
  });
  return exits.ok;
}

/**
 * Write the files of a channel. What its case expects is what came out when it was played; it must
 * have been accepted.
 * @throws CommandError where something is there already, or the message would not be accepted
 */
export async function addChannel(
  root: string,
  wanted: Wanted,
  dryRun = false,
): Promise<{ created: string[]; brought: string[] }> {
  const { name } = templateOf(wanted.template);
  const files: [string, string][] = [
    [join('channels', `${wanted.name}.yaml`), channelText(wanted)],
    [join('fixtures', wanted.name, `${name}.hl7`), messageText(wanted).replaceAll('\n', '\r')],
    [join('fixtures', wanted.name, `${name}.case`), caseText(wanted)],
  ];
  const there = files.map(([file]) => file).filter((file) => existsSync(join(root, file)));
  if (there.length > 0) {
    const says = `there already: ${there.join(', ')}; nothing was written`;
    throw new CommandError(says, 'choose another name, or edit what is there', exits.failed);
  }
  const { needs } = templateOf(wanted.template);
  const created = files.map(([file]) => shortPath(join(root, file)));
  if (dryRun) {
    const brought = needs.filter((need) => !existsSync(join(root, need)));
    return { created, brought: brought.map((one) => shortPath(join(root, one))) };
  }
  const brought = bring(root, needs).map((one) => shortPath(join(root, one)));
  for (const [file, text] of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text, { flag: 'wx' });
  }
  try {
    await expect(root, join(root, files.at(-1)?.[0] ?? ''), wanted.name);
  } catch (error) {
    for (const [file] of files) rmSync(join(root, file));
    throw error;
  }
  return { created, brought };
}

/** Play the case, and write into it what came out. */
async function expect(root: string, file: string, name: string): Promise<void> {
  const site = loadSite(root);
  const own = site.channels.filter(({ channel }) => channel.channel === name);
  if (own.length === 0) {
    const found = site.findings.filter(({ severity }) => severity === 'error');
    const says = found.map((one) => `${one.where}  ${one.says}`).join('\n');
    throw new CommandError(`the channel would have errors:\n${says}`, undefined, exits.badConfig);
  }
  const story = readCase(file);
  const { results } = await playCase(story, own, patientsOf(root));
  if (!/^MSA\|AA\|/m.test(results[0]?.out ?? '')) {
    const why = /^MSA.*$/m.exec(results[0]?.out ?? '')?.[0] ?? 'no answer';
    const next = 'see --sender and the template, or report it: a template must pass';
    throw new CommandError(`its first message would not be accepted: ${why}`, next, exits.failed);
  }
  writeFileSync(file, updatedCase(readFileSync(file, 'utf8'), story, results));
}

function wantedOf(name: string, options: AddOptions, site: Site): Wanted {
  const read = channelSchema.shape.channel.safeParse(name);
  if (!read.success) {
    throw new CommandError(`"${name}": ${read.error.issues[0]?.message}`, 'for example rxx-adt');
  }
  const senders = (options.sender ?? []).map(partyOf);
  const us = options.as === undefined ? undefined : partyOf(options.as);
  return {
    ...{ name, template: options.template, senders, us, description: options.description },
    organisation: organisationOf(options),
    port: portFor(name, options, site),
    to: options.to === undefined ? undefined : target(options.to),
  };
}

/** The port on this machine where its deliveries go, unless a channel of the site takes them. */
function receiverOf({ template, to }: Wanted, { channels }: Site): number | undefined {
  if (to === undefined) return template === 'push' ? usualReceiver : undefined;
  const taken = channels.some(({ channel }) => channel.listen.port === to.port);
  return !taken && isHere(to.host) ? to.port : undefined;
}

/** `MILLENNIUM|R0A`; a facility alone is that facility with any application. */
function partyOf(text: string): Party {
  const parts = text.split('|');
  const [application = '', facility = ''] = parts.length === 1 ? ['*', text] : parts;
  if (parts.length <= 2 && application && facility) return { application, facility };
  throw new CommandError(
    `"${text}" names no sender`,
    "write MSH-3 and MSH-4 as 'MILLENNIUM|R0A' (* for any), in quotes",
  );
}

/** `RXX=200000000116`: who asks, and under which ASID. */
function organisationOf({ organisation, template }: AddOptions): Wanted['organisation'] {
  if (organisation === undefined) return undefined;
  const [, ods, asid] = /^([A-Z0-9]{3,8})=(\d{12})$/.exec(organisation) ?? [];
  if (ods === undefined || asid === undefined) {
    const next = 'write its ODS code and its ASID (12 digits) as RXX=200000000116';
    throw new CommandError(`"${organisation}" names no organisation`, next);
  }
  if (template === 'adt-feed') {
    throw new CommandError('nobody asks on an ADT feed', 'leave --organisation out');
  }
  return { ods, asid };
}

/** The port that was asked for where no channel has it, else the first that no channel has or asks. */
function portFor(name: string, { listen, template }: AddOptions, site: Site): number {
  const others = site.channels.filter(({ channel }) => channel.channel !== name);
  const used = new Map(others.map(({ channel }) => [channel.listen.port, channel.channel]));
  const towards = new Set([usualReceiver, ...site.channels.flatMap(portsTowards)]);
  const freeFrom = (port: number): number =>
    used.has(port) || towards.has(port) ? freeFrom(port + 1) : port;
  if (listen === undefined) return freeFrom(usual[template] ?? 2575);
  const port = portOf(listen);
  const other = port === 0 ? undefined : used.get(port);
  if (other === undefined) return port;
  throw new CommandError(
    `channel "${other}" listens on port ${port}`,
    `the next free one: --listen ${freeFrom(port)}`,
    exits.failed,
  );
}

/** The ports of this machine where a channel delivers, or asks: who is there is not to be in its way. */
function portsTowards({ channel }: LoadedChannel): number[] {
  return Object.values(channel.destinations).flatMap((one) =>
    'port' in one && isHere(one.host) ? [one.port] : [],
  );
}

const isHere = (host: string) => ['127.0.0.1', '::1', 'localhost'].includes(host);

/** Where the push that comes with Gatehouse delivers, and the simulated receiver listens. */
const usualReceiver = 2580;

/** Where the channels listen that come with Gatehouse. */
const usual: Readonly<Record<string, number>> = { 'gp-record': 2575, 'adt-feed': 2577, push: 2579 };
