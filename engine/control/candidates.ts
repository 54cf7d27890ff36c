/** Which stored messages a person means, and which of them can be sent again, to whom. */
import type { Engine } from '../engine.ts';
import { FaultError } from '../faults.ts';
import { type CharsetName, parseMessage } from '../hl7/message.ts';
import {
  type ExchangeId,
  type Outbound,
  type OutboundState,
  exchangeName,
  exchangeOf,
  openStates,
  outboundStates,
} from '../journal/journal.ts';
import { feedName } from '../outbound/feed.ts';
import { queryKind } from '../query/kinds.ts';
import { type Aged, rootOf } from './lineage.ts';
import { channelOf } from './operator.ts';
import { Refusal } from './refusal.ts';

/** What a person names: messages, or a cause. */
export interface Selection {
  ids: readonly string[];
  /** Dead letters with this fault. */
  fault?: string;
  /** Of, or for, this destination alone. */
  to?: string;
  /**
   * `start`: worked on again as if it came in now. `failed`: owed again to the destination where it
   * was parked, by the filter and the mapping as they are now. The latter where it was ever owed.
   */
  from?: 'start' | 'failed';
}

/** A message that can be sent again. */
export interface Candidate extends Aged {
  channel: string;
  from: 'start' | 'failed';
  /** Its dead letters that this one takes the place of. */
  parked: readonly Outbound[];
}

/** One that cannot. */
export interface Refused {
  exchange: ExchangeId;
  refused: string;
}

/** Dead letters taken up by one call at most. */
const mostAtOnce = 10_000;

/**
 * Find what is meant, oldest message first.
 * @param edited bytes in the place of the stored ones
 * @returns what was found; with `more`, there are others with this cause
 * @throws Refusal where nothing is meant, or a named message is not there
 */
export async function candidates(
  engine: Pick<Engine, 'journal' | 'channels' | 'queues'>,
  selection: Selection,
  edited?: Uint8Array,
): Promise<{ found: (Candidate | Refused)[]; more: boolean }> {
  const found: (Candidate | Refused)[] = [];
  const { all, more } = await selected(engine, selection);
  for (const meant of all) {
    const one = await candidate(engine, meant, selection, edited);
    found.push(typeof one === 'string' ? { exchange: meant.exchange, refused: one } : one);
    // The engine works on meanwhile.
    if (found.length % 100 === 0) await new Promise(setImmediate);
  }
  const age = (one: Candidate | Refused) => ('root' in one ? one.root : one.exchange);
  return { found: found.sort((a, b) => age(a) - age(b)), more };
}

interface Meant {
  exchange: ExchangeId;
  channel: string;
  /** What is known of its deliveries; where a cause is named, of those with that cause. */
  deliveries: readonly Outbound[];
  repeatOf: ExchangeId | null;
}

async function selected(
  { journal }: Pick<Engine, 'journal'>,
  { ids, fault, to }: Selection,
): Promise<{ all: Meant[]; more: boolean }> {
  if (ids.length > 0) {
    const all: Meant[] = [];
    for (const name of new Set(ids.map((id) => id.toUpperCase()))) {
      const exchange = exchangeOf(name) ?? 0;
      const stored = await journal.read(exchange);
      if (!stored || stored.type === 'operator') {
        throw new Refusal(404, `there is no message ${name}`, 'gatehouse message list');
      }
      const deliveries = await journal.outbound({ exchange, states: outboundStates });
      const { channel, repeatOf } = stored;
      all.push({ exchange, channel, deliveries, repeatOf });
    }
    return { all, more: false };
  }
  if (fault === undefined && to === undefined) {
    throw new Refusal(400, 'name messages, or a cause: --fault CODE, --to CHANNEL/DESTINATION');
  }
  const parked = await journal.outbound({ states: ['parked'], fault, to, limit: mostAtOnce });
  if (parked.length === 0) {
    const cause = [fault && `with ${fault}`, to && `for ${to}`].filter(Boolean).join(' ');
    const refused = fault ? await journal.list({ fault, limit: 1 }) : [];
    if (refused.length > 0) {
      const says = `nothing is parked ${cause}; what ended so was answered, and its sender may send it again`;
      throw new Refusal(404, says, `gatehouse message list --fault ${fault}`);
    }
    throw new Refusal(404, `nothing is parked ${cause}`, 'gatehouse message list --state parked');
  }
  const byExchange = Map.groupBy(parked, ({ exchange }) => exchange);
  const all = [...byExchange].map(([exchange, deliveries]): Meant => {
    const channel = channelOf(deliveries[0]?.to ?? '');
    return { exchange, channel, deliveries, repeatOf: null };
  });
  return { all, more: parked.length === mostAtOnce };
}

/** The message as a candidate, or why it is none. */
async function candidate(
  { journal, channels, queues }: Pick<Engine, 'journal' | 'channels' | 'queues'>,
  { exchange, channel, deliveries, repeatOf }: Meant,
  { to: wanted, from: asked, ids }: Selection,
  edited: Uint8Array | undefined,
): Promise<Candidate | string> {
  const running = channels.get(channel);
  if (!running) return `its channel ${channel} does not run`;
  const first = await journal.beginning(exchange);
  const received = edited ?? (first?.kind === 'received' ? first.body : undefined);
  if (!received) {
    return first?.kind === 'broken'
      ? `its bytes were no message (${String(first.note?.fault)}); message edit --file sends a mended one`
      : 'its bytes are not in the journal any more';
  }
  const why = unsendable(received, running.loaded.charset);
  if (why) return why;
  const root = await rootOf(journal, exchange);
  const known = { exchange, root, received, channel };
  const there = deliveries.filter(({ to }) => wanted === undefined || to === wanted);
  const parked = there.filter(({ state }) => state === 'parked');
  if (repeatOf !== null && deliveries.length === 0) {
    return `it is a repeat of ${exchangeName(repeatOf)}, and was answered as that one was`;
  }
  if ((asked ?? (deliveries[0] || wanted ? 'failed' : 'start')) === 'start') {
    const all = await journal.outbound({ exchange, states: outboundStates });
    const open = all.find(isOpen);
    if (open) return `it is still on its way to ${open.to}; skip it there first`;
    const to = running.loaded.channel.deliver.map((entry) => feedName(channel, entry.to));
    return { ...known, to, from: 'start', parked: all.filter(({ state }) => state === 'parked') };
  }
  // Who names message and destination may have it sent there again, even where it was delivered.
  const named = ids.length > 0 && wanted !== undefined ? there.filter(hasEnded) : [];
  const to = (parked.length > 0 ? parked : named).map((one) => one.to);
  if (to.length === 0) return notThere(there, wanted);
  const gone = to.find((name) => !queues.has(name));
  if (gone !== undefined) return `no channel delivers to ${gone} any more`;
  return { ...known, to, from: 'failed', parked };
}

const isOpen = ({ state }: Outbound) => (openStates as readonly OutboundState[]).includes(state);
const hasEnded = ({ state }: Outbound) =>
  ['delivered', 'skipped', 'filtered', 'closed'].includes(state);

/** Why there is nothing to go on with from the failing step. */
function notThere(deliveries: readonly Outbound[], wanted: string | undefined): string {
  const waiting = deliveries.find(isOpen);
  if (waiting) return `it is still on its way to ${waiting.to}`;
  const replayed = deliveries.find(({ state }) => state === 'replayed');
  if (replayed) return `it was replayed already for ${replayed.to}`;
  const closed = deliveries.find(({ state }) => state === 'closed');
  if (closed) return `it was closed (ack-error); --to ${closed.to} sends it there all the same`;
  const whole = '; --from start works on all of it again';
  return `it is not parked${wanted === undefined ? whole : ` for ${wanted}`}`;
}

/** Why bytes cannot be sent again, whatever became of them before. */
function unsendable(bytes: Uint8Array, charset: CharsetName | undefined): string | undefined {
  try {
    const message = parseMessage(bytes, { charset });
    const type = `${message.get('MSH-9.1')}^${message.get('MSH-9.2')}`;
    if (!queryKind(type)) return undefined;
    return 'it is a query: it was answered to the one who asked, and nobody would get the answer now';
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return error.message;
  }
}
