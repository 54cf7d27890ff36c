/** How many others failed as one exchange did: counted, or said to be at least so many. */
import {
  type ExchangeId,
  type Journal,
  type OutboundCount,
  type StoredExchange,
} from '../../engine/journal/journal.ts';
import { deliveriesOf } from './deliveries.ts';
import { everyId } from './selection.ts';
import { time } from './times.ts';

/** Other exchanges that ended with the same fault. */
export interface Alike {
  count: number;
  /** There are more than were counted. */
  more: boolean;
  /** When the first of them came, as ISO 8601; null where there is none. */
  since: string | null;
}

/** Dead letters for one destination with one fault, those of the exchange itself among them. */
export interface ParkedAlike {
  to: string;
  fault: string;
  count: number;
  since: string;
}

/** Counted at most: it takes some tenths of a second. */
const mostCounted = 100_000;

/** Count the others with the fault that an exchange ended with. */
export async function alikeOf(
  journal: Pick<Journal, 'list'>,
  { id, fault }: { id: ExchangeId; fault: string | null },
): Promise<Alike> {
  if (fault === null) return { count: 0, more: false, since: null };
  const all = await everyId(journal, { fault }, mostCounted);
  const others = all.filter((one) => one !== id);
  const [first] = others;
  return {
    count: others.length,
    more: all.length === mostCounted,
    since: first === undefined ? null : time(first),
  };
}

/** Count the dead letters that are parked where this exchange is, for the same reason. */
export async function parkedAlikeOf(
  journal: Pick<Journal, 'outboundCounts'>,
  { entries }: Pick<StoredExchange, 'entries'>,
): Promise<ParkedAlike[]> {
  const parked = deliveriesOf(entries).filter(({ state }) => state === 'parked');
  if (parked.length === 0) return [];
  const counts = await journal.outboundCounts();
  return parked.flatMap(({ to, fault }): ParkedAlike[] => {
    const same = (one: OutboundCount) =>
      one.to === to && one.state === 'parked' && one.fault === fault;
    const found = counts.find(same);
    if (!found || fault === null) return [];
    return [{ to, fault, count: found.count, since: time(found.oldest) }];
  });
}

/** In words, with the command that lists them. */
export function likeEnded({ count, more, since }: Alike, code: string): string {
  if (count === 0) return 'no other exchange ended so';
  const others = count === 1 ? 'other' : 'others';
  const number = `${more ? 'at least ' : ''}${count.toLocaleString('en-GB')}`;
  const first = since === null ? '' : `, the first at ${since}`;
  return `${number} ${others} ended so${first}: gatehouse message list --fault ${code}`;
}

/** The same of dead letters. */
export function likeParked({ to, fault, count, since }: ParkedAlike): string {
  if (count === 1) return `no other message is parked so for ${to}`;
  const others = `${(count - 1).toLocaleString('en-GB')} ${count === 2 ? 'other is' : 'others are'}`;
  const all = `gatehouse message replay --fault ${fault} --to ${to} --dry-run`;
  return `${others} parked so, the first of ${since}; all of them: ${all}`;
}
