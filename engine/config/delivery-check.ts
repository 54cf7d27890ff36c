/** What the schema of a channel cannot say of its deliveries. */
import type { Channel, Destination } from '../channel.ts';
import { type FeedMapping, feedNames, loadFeed } from '../mapping/feed/load.ts';
import { ConfigError, type Finding, nearest } from './yaml.ts';

type Tell = (path: PropertyKey[], says: string, next?: string) => void;

/**
 * Check the deliveries of a channel, and load the mappings they name.
 * @param mappings folder of all mappings
 * @param effects what its route performs; undefined where there is no usable route
 * @param findings gets those of the mappings
 * @returns the mappings, by name
 */
export function loadDeliveries(
  channel: Channel,
  mappings: string,
  effects: ReadonlySet<string> | undefined,
  error: Tell,
  findings: Finding[],
): ReadonlyMap<string, FeedMapping> {
  const maps = new Map<string, FeedMapping>();
  const destinations = Object.keys(channel.destinations);
  const owed = new Set<string>();
  for (const [index, { to, map }] of channel.deliver.entries()) {
    const path = ['deliver', index, 'to'];
    const kind = channel.destinations[to]?.kind;
    if (!kind) error(path, `there is no destination "${to}"${meant(to, destinations)}`);
    else if (kind !== 'feed') {
      error(path, `"${to}" is of kind ${kind}; messages are delivered to kind feed`);
    } else if (owed.has(to)) error(path, `"${to}" is delivered to already`, 'join the two');
    owed.add(to);
    if (map === undefined || maps.has(map)) continue;
    const known = feedNames(mappings);
    if (!known.includes(map)) {
      const says = `there is no mapping feeds/${map}.yaml${meant(map, known)}`;
      error(['deliver', index, 'map'], says, `feed mappings known: ${known.join(', ') || 'none'}`);
      continue;
    }
    try {
      maps.set(map, loadFeed(mappings, map));
    } catch (thrown) {
      if (!(thrown instanceof ConfigError)) throw thrown;
      findings.push(...thrown.findings);
    }
  }
  if (owed.size > 0 && effects && !effects.has('deliver')) {
    const next = 'take a route with a state that does "deliver"';
    error(['deliver'], `route "${channel.route}" delivers nothing`, next);
  }
  for (const [name, destination] of Object.entries(channel.destinations)) {
    if (destination.kind === 'feed') checkAcknowledgements(name, destination, error);
  }
  return maps;
}

type Feed = Extract<Destination, { kind: 'feed' }>;

function checkAcknowledgements(name: string, feed: Feed, error: Tell): void {
  const { port, from, tls } = feed.applicationAcks;
  const at = ['destinations', name, 'applicationAcks'];
  if (port !== undefined && feed.acknowledge !== 'accept+application') {
    const says = 'no application acknowledgement is asked for that could come to this port';
    error([...at, 'port'], says, 'add acknowledge: accept+application, or take the port out');
  }
  if (port === undefined && (from || tls)) {
    error(at, '"from" and "tls" are about the port, and there is none', 'add port');
  }
}

function meant(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near ? `; did you mean "${near}"?` : '';
}

/** The files of TLS that the deliveries of a channel name, with the places where they do. */
export function* deliveryFiles(channel: Channel): Generator<[PropertyKey[], string]> {
  for (const [name, destination] of Object.entries(channel.destinations)) {
    if (destination.kind !== 'feed') continue;
    const { tls } = destination.applicationAcks;
    for (const key of ['certificate', 'key', 'clients'] as const) {
      if (tls?.[key]) yield [['destinations', name, 'applicationAcks', 'tls', key], tls[key]];
    }
  }
}
