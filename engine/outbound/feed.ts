/**
 * The deliveries of a channel: for each entry of `deliver` a queue that filters what was received
 * and sends it over MLLP.
 */
import { createHash } from 'node:crypto';
import type { Channel, Destination } from '../channel.ts';
import type { LoadedChannel } from '../config/site.ts';
import { FaultError } from '../faults.ts';
import { type Message, parseMessage } from '../hl7/message.ts';
import type { DestinationOptions, MllpDestination } from '../mllp/destination.ts';
import { ReplyError } from '../mllp/destination.ts';
import type { LinkTls } from '../mllp/link.ts';
import type { Prepare, Queue, QueueOptions, Send } from './outbound.ts';
import { createQueue } from './queue.ts';

type Entry = Channel['deliver'][number];
type Feed = Extract<Destination, { kind: 'feed' }>;

/** What is handed to a queue from outside. */
export interface FeedParts extends Pick<QueueOptions, 'journal' | 'emit' | 'now' | 'random'> {
  /** Opens the destination. @param correlate reads MSA-2 of a reply */
  connect(
    options: DestinationOptions,
    correlate: (reply: Buffer) => string | undefined,
  ): Pick<MllpDestination, 'ask' | 'close'>;
  tls?: (feed: Feed) => LinkTls | undefined;
}

/** How a delivery is named: unique in a site. */
export const feedName = (channel: string, to: string): string => `${channel}/${to}`;

/** The queues of a channel, by their names. */
export function createFeeds(loaded: LoadedChannel, parts: FeedParts): Map<string, Queue> {
  const { channel } = loaded;
  const queues = new Map<string, Queue>();
  for (const entry of channel.deliver) {
    const feed = channel.destinations[entry.to];
    if (feed?.kind !== 'feed') continue;
    const to = feedName(channel.channel, entry.to);
    const { connections, backoff, refused } = feed;
    const destination = parts.connect(linkOptions(to, feed, parts.tls?.(feed)), answeredId);
    const queue = createQueue({
      ...parts,
      channel: channel.channel,
      to,
      parallel: connections,
      backoff,
      policy: refused,
      laneOf: (received) => laneOf(received, entry.key),
      prepare: filtering(entry),
      send: sending(destination),
    });
    queues.set(to, {
      ...queue,
      async stop(graceMs) {
        await queue.stop(graceMs);
        destination.close();
      },
    });
  }
  return queues;
}

/** What is delivered is what was received, where the entry wants it. */
function filtering({ when }: Entry): Prepare {
  return async (_exchange, received) => {
    const message = parseMessage(received);
    for (const [place, values] of Object.entries(when)) {
      if (!values.includes(message.get(place) ?? '')) {
        return { kind: 'filtered', why: `${place} is none of ${values.join(', ')}` };
      }
    }
    return { kind: 'send', payload: received, controlId: message.get('MSH-10') ?? '' };
  };
}

/** The same key always gives the same lane. Kept in memory only: a key may be a patient's number. */
export function laneOf(received: Uint8Array, key: string): number {
  let message: Message;
  try {
    message = parseMessage(received);
  } catch {
    return 0;
  }
  const value = message.get(key) ?? '';
  return createHash('sha256').update(value).digest().readUIntBE(0, 6);
}

function sending(destination: Pick<MllpDestination, 'ask'>): Send {
  return async (payload, controlId, signal) => {
    try {
      return { reply: await destination.ask(Buffer.from(payload), controlId, signal) };
    } catch (error) {
      if (signal.aborted) return { fault: { name: 'shuttingDown' } };
      if (!(error instanceof FaultError)) throw error;
      const { name, detail } = error.fault;
      const known = {
        gpUnavailable: 'destinationUnavailable',
        gpTimeout: 'acknowledgementTimeout',
        gpReplyUnreadable: 'acknowledgementUnreadable',
        gpReplyTooLong: 'acknowledgementUnreadable',
      } as const;
      const fault = { name: name in known ? known[name as keyof typeof known] : name, detail };
      return error instanceof ReplyError ? { fault, reply: error.reply } : { fault };
    }
  };
}

function answeredId(reply: Buffer): string | undefined {
  return parseMessage(reply).get('MSA-2');
}

function linkOptions(name: string, feed: Feed, tls: LinkTls | undefined): DestinationOptions {
  const { host, port, connections, connect, write, timeout, reply } = feed;
  return {
    name,
    host,
    port,
    connections,
    tls,
    connectMs: connect,
    writeMs: write,
    answerMs: timeout,
    maxReplyBytes: reply,
  };
}
