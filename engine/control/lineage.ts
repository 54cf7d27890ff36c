/**
 * Which message is the newer one. A message that was sent again has a new exchange and is as old as
 * the first; so age is that of the exchange in which its bytes came from a peer.
 */
import type { Channel } from '../channel.ts';
import { type ExchangeId, type Journal, exchangeOf, openStates } from '../journal/journal.ts';
import { feedName, laneOf } from '../outbound/feed.ts';

/** A message about to be sent again, as far as its age goes. */
export interface Aged {
  exchange: ExchangeId;
  root: ExchangeId;
  received: Uint8Array;
  /** Destinations (`channel/destination`) it is to be owed to. */
  to: readonly string[];
}

/** Deliveries read at a time; between two reads the engine works on. */
const perRead = 200;
/** A message sent again and again: longer chains than this are not made by hand. */
const longestChain = 100;

/** The exchange in which a message first came, however often it was sent again since. */
export async function rootOf(
  journal: Pick<Journal, 'beginning'>,
  exchange: ExchangeId,
): Promise<ExchangeId> {
  let root = exchange;
  for (let steps = 0; steps < longestChain; steps++) {
    const of = (await journal.beginning(root))?.note?.of;
    const earlier = typeof of === 'string' ? exchangeOf(of) : undefined;
    if (earlier === undefined) break;
    root = earlier;
  }
  return root;
}

/**
 * Looks which of these messages are superseded: a newer message with the same ordering key was
 * delivered to the same destination, or is on its way there. To send the older one now would undo
 * the newer. Every delivery since the oldest of them is looked at, for a key need not be one that
 * the journal can find messages by.
 * @returns a function that looks at what came since it was last called, and gives all found so far
 */
export function overtaking(
  messages: readonly Aged[],
  channels: ReadonlyMap<string, { loaded: { channel: Channel } }>,
  journal: Pick<Journal, 'beginning' | 'outbound'>,
): () => Promise<ReadonlySet<ExchangeId>> {
  const found = new Set<ExchangeId>();
  const watches = [...channels.values()].flatMap(({ loaded: { channel } }) =>
    channel.deliver.map((entry) => {
      const to = feedName(channel.channel, entry.to);
      const there = messages.filter((one) => one.to.includes(to));
      const lane = (received: Uint8Array) => laneOf(received, entry.key);
      return { to, lane, lanes: Map.groupBy(there, ({ received }) => lane(received)) };
    }),
  );
  const looks = watches
    .filter(({ lanes }) => lanes.size > 0)
    .map((watch) => {
      let after = Math.min(...[...watch.lanes.values()].flat().map(({ root }) => root));
      return async () => {
        for (let full = true; full;) {
          const rows = await journal.outbound({
            to: watch.to,
            states: passing,
            after,
            limit: perRead,
          });
          for (const { exchange } of rows) {
            after = exchange;
            const first = await journal.beginning(exchange);
            const older = first?.body && watch.lanes.get(watch.lane(first.body));
            if (!older) continue;
            const root = await rootOf(journal, exchange);
            for (const one of older) if (one.root < root) found.add(one.exchange);
          }
          full = rows.length === perRead;
          if (full) await new Promise(setImmediate);
        }
      };
    });
  return async () => {
    for (const look of looks) await look();
    return found;
  };
}

/** What has reached a destination, or will. */
const passing = ['delivered', ...openStates] as const;
