/**
 * The deliveries of a channel: for each entry of `deliver` a queue that filters and maps what was
 * received, and sends it over MLLP.
 */
import { createHash } from 'node:crypto';
import type { Channel, Destination } from '../channel.ts';
import type { LoadedChannel } from '../config/site.ts';
import { type Message, parseMessage } from '../hl7/message.ts';
import { exchangeName } from '../journal/journal.ts';
import type { DestinationOptions, MllpDestination } from '../mllp/destination.ts';
import type { LinkTls } from '../mllp/link.ts';
import type { Respond } from '../mllp/mllp.ts';
import { createApplicationAcks } from './application-acks.ts';
import type { Prepare, Queue, QueueOptions, Send } from './outbound.ts';
import { type PrepareOptions, preparing } from './prepare.ts';
import { createQueue } from './queue.ts';
import { sending } from './send.ts';

export type Feed = Extract<Destination, { kind: 'feed' }>;
type Entry = Channel['deliver'][number];
/** A delivery of the GP record in place of the message. */
export type Pushed = Entry & { push: NonNullable<Entry['push']> };

/** A port that is open for application acknowledgements. */
export interface AckPort {
  listen(): Promise<void>;
  /** Its number, once it is open. */
  port(): number | undefined;
  stop(graceMs: number): Promise<unknown>;
}

/** What is handed to a queue from outside. */
export interface FeedParts extends Pick<
  QueueOptions,
  'journal' | 'emit' | 'halts' | 'now' | 'random'
> {
  /** Opens the destination. @param correlate reads MSA-2 of a reply */
  connect(
    options: DestinationOptions,
    correlate: (reply: Buffer) => string | undefined,
  ): Pick<MllpDestination, 'ask' | 'close'>;
  tls?: (feed: Feed) => LinkTls | undefined;
  /** Prepares what is pushed. @param place of the entry among the deliveries, from 0 */
  push?: (entry: Pushed, place: number, options: PrepareOptions) => Prepare;
  /**
   * Makes the port to which application acknowledgements come; closed at first.
   * @param name `channel/destination`
   */
  listen?: (name: string, feed: Feed, port: number, respond: Respond) => AckPort;
}

/** How a delivery is named: unique in a site. */
export const feedName = (channel: string, to: string): string => `${channel}/${to}`;

/** The queues of a channel, by their names. */
export function createFeeds(loaded: LoadedChannel, parts: FeedParts): Map<string, Queue> {
  const { channel, charset, maps } = loaded;
  const queues = new Map<string, Queue>();
  for (const [place, entry] of channel.deliver.entries()) {
    const feed = channel.destinations[entry.to];
    if (feed?.kind !== 'feed') continue;
    const to = feedName(channel.channel, entry.to);
    const { connections, backoff, refused, acknowledge, applicationAcks } = feed;
    const acks = createApplicationAcks({
      endpoint: to,
      us: channel.us,
      newId: () => `${exchangeName(parts.now())}K`,
      emit: parts.emit,
    });
    const link = { ...linkOptions(to, feed, parts.tls?.(feed)), unasked: acks.came };
    const destination = parts.connect(link, answeredId);
    const { timeout, from, port } = applicationAcks;
    const options: PrepareOptions = {
      ...{ entry, acknowledge, charset },
      map: entry.map === undefined ? undefined : maps?.get(entry.map),
    };
    const opened = port === undefined ? undefined : parts.listen?.(to, feed, port, acks.respond);
    const send = sending({ destination, acks, applicationMs: timeout, from });
    const queue = createQueue({
      ...parts,
      channel: channel.channel,
      to,
      parallel: connections,
      backoff,
      policy: refused,
      laneOf: (received) => laneOf(received, entry.key),
      prepare: preparationOf(entry, place, options, parts),
      send: opened ? whileOpen(opened, send) : send,
    });
    queues.set(to, {
      ...queue,
      async start() {
        await opened?.listen();
        await queue.start();
      },
      async stop(graceMs) {
        await queue.stop(graceMs);
        acks.close();
        destination.close();
        await opened?.stop(graceMs);
      },
    });
  }
  return queues;
}

/** Nothing is sent whose application acknowledgement could not come. */
function whileOpen(opened: AckPort, send: Send): Send {
  const detail = 'the port for application acknowledgements is not open';
  return async (...message) =>
    opened.port() === undefined
      ? { fault: { name: 'destinationUnavailable', detail } }
      : send(...message);
}

function preparationOf(
  entry: Entry,
  place: number,
  options: PrepareOptions,
  { push }: FeedParts,
): Prepare {
  if (!isPush(entry)) return preparing(options);
  if (!push) throw new RangeError(`nothing prepares what is pushed to ${entry.to}`);
  return push(entry, place, options);
}

const isPush = (entry: Entry): entry is Pushed => entry.push !== undefined;

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
