/** One delivery without an engine: a queue over real sockets, its journal in memory. */
import { channelSchema } from '../../engine/channel.ts';
import type { LoadedChannel } from '../../engine/config/site.ts';
import type { EventFields, EventName } from '../../engine/events.ts';
import type { Entry, ExchangeId, Journal } from '../../engine/journal/journal.ts';
import { memoryJournal } from '../../engine/journal/memory.ts';
import { createDestination } from '../../engine/mllp/destination.ts';
import type { LinkTls } from '../../engine/mllp/link.ts';
import { createSource } from '../../engine/mllp/source.ts';
import type { FeedMapping } from '../../engine/mapping/feed/load.ts';
import { createFeeds } from '../../engine/outbound/feed.ts';
import type { Queue } from '../../engine/outbound/outbound.ts';
import { compileRoute } from '../../engine/route.ts';

export const to = 'lone/epr';

export interface LoneFeed {
  queue: Queue;
  journal: Journal;
  events: { name: EventName; fields?: EventFields }[];
  /** Commit a message as owed, and tell the queue. */
  owe(message: string): Promise<ExchangeId>;
  /** What the journal tells of a message on its way. */
  told(exchange: ExchangeId): Promise<Entry[]>;
  /** Another queue on the same journal, as after a restart. */
  again(): Promise<void>;
  stop(): Promise<void>;
}

export interface LoneFeedOptions {
  port: number;
  /** Keys of the destination. */
  destination?: Record<string, unknown>;
  /** Keys of the entry of `deliver`. */
  entry?: Record<string, unknown>;
  map?: FeedMapping;
  tls?: LinkTls;
  journal?: Journal;
}

let clock = Date.now() * 1000;
const now = () => (clock += 1);

export async function startLoneFeed(options: LoneFeedOptions): Promise<LoneFeed> {
  const { port, destination = {}, entry = {}, map, tls } = options;
  const journal = options.journal ?? memoryJournal(now);
  const events: LoneFeed['events'] = [];
  const emit = (name: EventName, fields?: EventFields) => void events.push({ name, fields });
  const channel = channelSchema.parse({
    channel: 'lone',
    listen: { port: 0 },
    us: { application: 'GATEHOUSE', facility: 'RECGW' },
    accepts: ['ADT'],
    senders: [{ application: '*', facility: '*' }],
    route: 'feed',
    keep: '1d',
    destinations: {
      epr: {
        ...{ kind: 'feed', port, timeout: '250ms', backoff: { first: '5ms', most: '20ms' } },
        ...destination,
      },
    },
    deliver: [{ to: 'epr', ...(map && { map: map.name }), ...entry }],
  });
  const route = compileRoute({
    route: 'feed',
    version: '1',
    start: 'accept',
    states: { accept: { end: 'accepted' } },
  });
  const maps = new Map(map ? [[map.name, map]] : []);
  const loaded: LoadedChannel = { channel, file: 'lone.yaml', route, maps };
  const start = async () => {
    const queues = createFeeds(loaded, {
      ...{ journal, emit, now },
      connect: (told, correlate) => createDestination(told, correlate, emit),
      tls: () => tls,
      listen: (name, feed, ackPort, respond) =>
        createSource(
          { channel: name, host: feed.applicationAcks.host, port: ackPort, mode: 'lenient' },
          respond,
          emit,
        ),
    });
    const queue = queues.get(to);
    if (!queue) throw new Error('there is no queue');
    await queue.start();
    return queue;
  };
  const feed: LoneFeed = {
    queue: await start(),
    journal,
    events,
    async owe(message) {
      const exchange = journal.mint();
      const body = Buffer.from(message);
      await journal.append(exchange, 'lone', [
        { kind: 'received', at: now(), body },
        { kind: 'outbound', at: now(), note: { to, state: 'owed' } },
      ]);
      feed.queue.owed(exchange, body);
      return exchange;
    },
    async told(exchange) {
      const stored = await journal.read(exchange);
      return (stored?.entries ?? []).filter(({ kind }) => kind === 'outbound');
    },
    async again() {
      await feed.queue.stop(0);
      feed.queue = await start();
    },
    stop: () => feed.queue.stop(0),
  };
  return feed;
}

/** A small ADT message. */
export function adt(id: string, patient = '9465701459', more = ''): string {
  return [
    `MSH|^~\\&|MILLENNIUM|R0A|EPR|R0A|20260604101500||ADT^A08^ADT_A01|${id}|P|2.4${more}`,
    `PID|1||${patient}^^^NHS^NH||Nel^Morris`,
    '',
  ].join('\r');
}

export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const started = Date.now(); !(await holds());) {
    if (Date.now() - started > 8000) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

/** The states of a message, in words: `sending`, `failed GH-7002`, `sending?` where flagged. */
export const states = (entries: readonly Entry[]): string[] =>
  entries.map(({ note }) =>
    [note?.state, note?.fault]
      .filter(Boolean)
      .map(String)
      .join(' ')
      .concat(note?.possibleDuplicate ? '?' : ''),
  );
