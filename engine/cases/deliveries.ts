/** The deliveries of a channel in a case: the same queues, with receivers that have no sockets. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedChannel } from '../config/site.ts';
import { silent } from '../events.ts';
import { parseMessage } from '../hl7/message.ts';
import { segmentLines } from '../hl7/readable.ts';
import type { Entry, ExchangeId, Journal } from '../journal/journal.ts';
import { createFeeds } from '../outbound/feed.ts';
import type { Queue } from '../outbound/outbound.ts';
import { pushesOf } from '../outbound/push.ts';
import type { Outside } from '../work.ts';
import { type CaseReceiver, type ReceiverInCase, receiverInCase } from './receiver.ts';

export interface CaseDeliveries {
  owed(to: string, exchange: ExchangeId, received: Uint8Array): void;
  /** Resolves when nothing more happens to what is owed. */
  settled(): Promise<void>;
  /** What became of an exchange, one destination after the other, with what was sent. */
  tell(entries: readonly Entry[]): string;
  stop(): Promise<void>;
}

/**
 * @param receivers what the case says of the destinations; the others acknowledge what they get
 * @param outside what its pushes ask
 */
export async function playDeliveries(
  loaded: LoadedChannel,
  receivers: readonly CaseReceiver[],
  outside: Outside,
  journal: Journal,
  now: () => number,
): Promise<CaseDeliveries> {
  const played = new Map<string, { queue: Queue; receiver: ReceiverInCase }>();
  const made = new Map<string, ReceiverInCase>();
  const queues = createFeeds(impatient(loaded, receivers), {
    journal,
    emit: silent,
    now,
    random: () => 0,
    push: pushesOf(loaded, { journal, outside, emit: silent, owed: () => {}, now }),
    connect({ name, unasked = () => {} }) {
      const told = receivers.filter(({ destination }) => name.endsWith(`/${destination}`));
      const receiver = receiverInCase(told, unasked, () => new Date(now() / 1000));
      made.set(name, receiver);
      return receiver;
    },
  });
  for (const [to, queue] of queues) {
    const receiver = made.get(to);
    if (receiver) played.set(to, { queue, receiver });
    await queue.start();
  }

  const atRest = ({ queue, receiver }: { queue: Queue; receiver: ReceiverInCase }) =>
    queue.status().depth === 0 || queue.status().state === 'halted' || receiver.isWeary();

  return {
    owed(to, exchange, received) {
      played.get(to)?.receiver.next();
      played.get(to)?.queue.owed(exchange, received);
    },
    async settled() {
      for (const one of played.values()) while (!atRest(one)) await sleep(1);
      // What was stored last is in the journal a moment later.
      await sleep(1);
    },
    tell: (entries) => [...played.keys()].map((to) => toldOf(to, entries)).join(''),
    async stop() {
      await Promise.all([...played.values()].map(({ queue }) => queue.stop(0)));
    },
  };
}

/**
 * The channel with no wait between tries, and little for an application acknowledgement where the
 * case says that none comes. A push has one try: a case shows what becomes of it.
 */
function impatient(loaded: LoadedChannel, receivers: readonly CaseReceiver[]): LoadedChannel {
  const timeout = receivers.some(({ reaction }) => reaction === 'CA') ? 200 : 30_000;
  const destinations = Object.entries(loaded.channel.destinations).map(([name, destination]) => {
    if (destination.kind !== 'feed') return [name, destination] as const;
    const applicationAcks = { ...destination.applicationAcks, timeout, port: undefined };
    return [name, { ...destination, backoff: { first: 0, most: 0 }, applicationAcks }] as const;
  });
  const deliver = loaded.channel.deliver.map((entry) =>
    entry.push ? { ...entry, push: { ...entry.push, patience: 0 } } : entry,
  );
  const channel = { ...loaded.channel, deliver, destinations: Object.fromEntries(destinations) };
  return { ...loaded, channel };
}

/** `epr failed GH-7004, delivered`, and below it what was sent last. */
function toldOf(to: string, entries: readonly Entry[]): string {
  const own = entries.filter(({ kind, note }) => kind === 'outbound' && note?.to === to);
  if (own.length === 0) return '';
  const steps = own.flatMap(({ note }) => stepOf(note));
  const { state } = own.at(-1)?.note ?? {};
  if (state === 'owed' || state === 'sending' || state === 'failed') steps.push('waits');
  const sent = own.findLast(({ note, body }) => note?.state === 'sending' && body);
  const message = sent?.body ? `${segmentLines(parseMessage(sent.body))}\n` : '';
  return `${to.slice(to.indexOf('/') + 1)} ${steps.join(', ')}\n${message}`;
}

function stepOf(note: Entry['note']): string[] {
  if (note?.state === 'owed') return [];
  if (note?.state === 'sending') return note.possibleDuplicate ? ['possible duplicate'] : [];
  const words = [note?.state, note?.fault, note?.detail].filter(Boolean);
  return [words.map(String).join(' ')];
}
