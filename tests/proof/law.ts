/**
 * The law of the proof, held against what the senders were told, what the receiver saw and what the
 * journal holds: every acknowledged message is in the journal once, delivered at least once and in
 * order of its key, and whatever the receiver may have seen twice is flagged.
 */
import SQLite from 'better-sqlite3';
import { silent } from '../../engine/events.ts';
import { filesOf } from '../../engine/journal/database.ts';
import {
  type ExchangeSummary,
  type Journal,
  outboundStates,
} from '../../engine/journal/journal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import type { Figures } from './part.ts';
import type { Receiver } from './receiver.ts';
import type { Senders } from './senders.ts';

export interface Evidence {
  senders: Pick<Senders, 'acknowledged' | 'wrong'>;
  receiver: Pick<Receiver, 'arrivals' | 'order' | 'accepted' | 'altered'>;
  /** The message with a control id. */
  build(id: string): string;
  /** The journal's folder; nobody has it open. */
  data: string;
  channel: string;
  /** `channel/destination` */
  delivery: string;
}

export interface Judgement {
  broken: string[];
  found: Figures & { lost: number; duplicates: number };
}

/** Bytes of so many messages are compared with what was sent. */
const bytesCompared = 200;

/** What was found, and each way in which the law was broken. */
export async function judge(evidence: Evidence): Promise<Judgement> {
  const journal = await openJournal({ folder: evidence.data, readOnly: true, emit: silent });
  try {
    const { channel, delivery, senders, receiver } = evidence;
    const stored = await journal.list({ channel, limit: 100_000_000 });
    const firsts = Map.groupBy(
      stored.filter(({ repeatOf, state }) => repeatOf === null && state === 'answered'),
      ({ controlId }) => controlId ?? '',
    );
    const lost = [...senders.acknowledged].filter((id) => !firsts.has(id));
    const twice = [...firsts].filter(([, exchanges]) => exchanges.length > 1).map(([id]) => id);
    const deliveries = await journal.outbound({
      to: delivery,
      states: outboundStates,
      limit: 100_000_000,
    });
    const byExchange = new Map(deliveries.map((one) => [one.exchange, one]));
    const undelivered = [...senders.acknowledged].filter((id) => !receiver.accepted.has(id));
    const unsettled = [...senders.acknowledged].filter((id) => {
      const [first] = firsts.get(id) ?? [];
      return first !== undefined && byExchange.get(first.id)?.state !== 'delivered';
    });
    const unknown = [...receiver.arrivals.keys()].filter((id) => !firsts.has(id));
    const repeated = [...receiver.arrivals].filter(([, times]) => times > 1);
    const unflagged: string[] = [];
    for (const [id, times] of repeated) {
      const [first] = firsts.get(id) ?? [];
      if (first && !(await flagged(journal, first.id, delivery, times))) unflagged.push(id);
    }
    return {
      found: { lost: lost.length, duplicates: repeated.length },
      broken: [
        ...several('acknowledged and not in the journal', lost),
        ...several('in the journal more than once', twice),
        ...several('acknowledged and never accepted by the receiver', undelivered),
        ...several('acknowledged and not delivered as the journal tells it', unsettled),
        ...several('delivered and not in the journal', unknown),
        ...several('delivered again without being flagged', unflagged),
        ...several('delivered otherwise than it was sent', receiver.altered),
        ...several('delivered out of order', outOfOrder(receiver.order, firsts)),
        ...several('stored otherwise than it was sent', await altered(journal, firsts, evidence)),
        ...several('answered wrongly', senders.wrong),
        ...several('damaged', damage(evidence.data)),
      ],
    };
  } finally {
    await journal.close();
  }
}

/** How many, and the first few by name. */
function several(what: string, which: readonly string[]): string[] {
  if (which.length === 0) return [];
  const more = which.length > 5 ? ', …' : '';
  return [`${which.length} ${what}: ${which.slice(0, 5).join(', ')}${more}`];
}

/** Whether each arrival was told as an attempt before, and all but one of them as a repetition. */
export async function flagged(
  journal: Journal,
  exchange: number,
  delivery: string,
  arrivals: number,
): Promise<boolean> {
  const stored = await journal.read(exchange);
  const sendings = (stored?.entries ?? []).filter(
    ({ kind, note }) => kind === 'outbound' && note?.to === delivery && note.state === 'sending',
  );
  const flags = sendings.filter(({ note }) => note?.possibleDuplicate === true);
  return sendings.length >= arrivals && flags.length >= arrivals - 1;
}

/** The first message of each key that came after one that was received later. */
export function outOfOrder(
  order: Receiver['order'],
  firsts: ReadonlyMap<string, readonly Pick<ExchangeSummary, 'id'>[]>,
): string[] {
  const wrong: string[] = [];
  for (const ids of order.values()) {
    let latest = 0;
    for (const id of ids) {
      const exchange = firsts.get(id)?.[0]?.id ?? latest;
      if (exchange < latest) {
        wrong.push(id);
        break;
      }
      latest = exchange;
    }
  }
  return wrong;
}

/** Of some of the messages, those that the journal does not hold byte for byte. */
async function altered(
  journal: Journal,
  firsts: ReadonlyMap<string, readonly ExchangeSummary[]>,
  { build }: Evidence,
): Promise<string[]> {
  const wrong: string[] = [];
  const step = Math.max(1, Math.floor(firsts.size / bytesCompared));
  let place = 0;
  for (const [id, [first]] of firsts) {
    if (place++ % step !== 0 || first === undefined) continue;
    const bytes = await journal.received(first.id);
    if (bytes === undefined || Buffer.from(bytes).toString() !== build(id)) wrong.push(id);
  }
  return wrong;
}

/** What SQLite's own check finds in the databases of a folder. */
export function damage(data: string): string[] {
  const { journal, keys } = filesOf(data);
  return [journal, keys].flatMap((file) => {
    const database = new SQLite(file, { readonly: true });
    try {
      const found = database.pragma('integrity_check') as { integrity_check: string }[];
      return found.map((row) => row.integrity_check).filter((word) => word !== 'ok');
    } finally {
      database.close();
    }
  });
}
