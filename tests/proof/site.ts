/** The site a proof runs: an ADT feed that is delivered, and one that is kept for a moment only. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../world.ts';

export interface ProofSite {
  /** Where the receiver listens. */
  port: number;
  /** Deliveries under way at a time. */
  connections?: number;
  /** How long its messages are kept. 90 days. */
  keep?: string;
  /** Keys of the destination beside its address, as they stand in a channel file. */
  destination?: Readonly<Record<string, string | number>>;
}

/** The channel whose messages the law is about, and the name of its delivery. */
export const channel = 'adt-feed';
export const delivery = `${channel}/epr`;
/** A channel whose messages are deleted as soon as retention runs. */
export const brief = 'brief';
/** How many channels the site has. */
export const channels = 2;

/** Write the site into a folder, in the place of the one that is there. */
export function writeSite(folder: string, site: ProofSite): void {
  const { port, connections = 8, keep = '90d', destination } = site;
  const place = join(folder, 'channels');
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  cpSync(join(root, 'channels', 'routes'), join(place, 'routes'), { recursive: true });
  for (const name of ['mappings', 'fixtures']) mkdirSync(join(folder, name), { recursive: true });
  const more = Object.entries(destination ?? {}).map(([key, value]) => `    ${key}: ${value}`);
  const delivered = [
    `keep: ${keep}`,
    'destinations:',
    '  epr:',
    '    kind: feed',
    `    port: ${port}`,
    `    connections: ${connections}`,
    '    timeout: 500ms',
    '    backoff: { first: 20ms, most: 200ms }',
    ...more,
    'deliver:',
    '  - { to: epr, key: PID-3.1 }',
  ];
  writeFileSync(join(place, `${channel}.yaml`), channelFile(channel, delivered));
  writeFileSync(join(place, `${brief}.yaml`), channelFile(brief, ['keep: 1s']));
}

function channelFile(name: string, lines: string[]): string {
  return [
    `channel: ${name}`,
    'listen:',
    '  port: 0',
    'us: { application: GATEHOUSE, facility: RECGW }',
    'accepts: [ADT^A08]',
    'senders:',
    '  - { application: PROOF, facility: R0A }',
    'route: adt',
    ...lines,
    '',
  ].join('\n');
}
