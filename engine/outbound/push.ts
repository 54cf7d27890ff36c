/**
 * A push: the GP record of the patient an ADT message is about is fetched as for a query, and sent
 * in its place. The hops are journalled under the ADT message's own exchange, each with `for`, the
 * delivery they were made for.
 *
 * A record is fetched once: what has been committed as being sent is sent again byte for byte,
 * after a failure or a crash, until it is delivered or parked.
 */
import { deadlineOf } from '../asking.ts';
import type { Push } from '../config/push.ts';
import type { LoadedChannel } from '../config/site.ts';
import { followRoute } from '../exchange.ts';
import { type Fault, FaultError, faults } from '../faults.ts';
import { createHeldRecords } from '../held-records.ts';
import { type Message, parseMessage } from '../hl7/message.ts';
import { type Entry, type ExchangeId, type Journal, exchangeName } from '../journal/journal.ts';
import { composePush } from '../map-reply.ts';
import { formOf } from '../push/forms.ts';
import { pushKind } from '../push/kind.ts';
import type { Route } from '../route.ts';
import { type ReadWork, type Surroundings, beginWork, commit } from '../work.ts';
import { type FeedParts, feedName } from './feed.ts';
import type { Prepare, Prepared } from './outbound.ts';
import { type PrepareOptions, leftOut, readyToSend } from './prepare.ts';

export interface PushOptions extends PrepareOptions {
  loaded: LoadedChannel;
  around: Surroundings;
  push: Push;
  /** `channel/destination` */
  to: string;
  /** Its place among the deliveries of the channel, from 0. */
  place: number;
}

/** What prepares the pushes of a channel, for its queues. */
export function pushesOf(
  loaded: LoadedChannel,
  around: Surroundings,
): NonNullable<FeedParts['push']> {
  return ({ push, to }, place, options) =>
    pushing({ ...options, loaded, around, push, to: feedName(loaded.channel.channel, to), place });
}

/** The preparation of a push. @throws RangeError where its route is not loaded */
export function pushing(options: PushOptions): Prepare {
  const { loaded, around, push, to, entry } = options;
  const route = loaded.pushRoutes?.get(push.route);
  if (!route) throw new RangeError(`no route ${push.route} was loaded for ${to}`);
  return async (exchange, received, signal) => {
    const message = parseMessage(received, { charset: loaded.charset });
    const why = notWanted(message, push) ?? leftOut(message, entry);
    if (why !== undefined) return { kind: 'filtered', why };
    const before = (await around.journal.read(exchange))?.entries ?? [];
    const composed = composedBefore(before, to);
    if (composed) return composed;
    const work = workFor(options, route, exchange, message, received);
    const deadline = deadlineOf(work);
    const end = () => deadline.abort();
    signal.addEventListener('abort', end);
    try {
      return await fetched(options, work, began(before, to) ?? work.at);
    } finally {
      signal.removeEventListener('abort', end);
      clearTimeout(work.timer);
    }
  };
}

function notWanted(message: Message, { events }: Push): string | undefined {
  const isWanted =
    message.get('MSH-9.1') === 'ADT' && events.includes(message.get('MSH-9.2') ?? '');
  return isWanted ? undefined : `MSH-9 is none of ADT ${events.join(', ')}`;
}

/** What was committed as being sent, by an earlier attempt or an earlier life. */
function composedBefore(entries: readonly Entry[], to: string): Prepared | undefined {
  const sent = entries.findLast(
    ({ kind, note, body }) =>
      kind === 'outbound' && note?.to === to && note.state === 'sending' && body !== undefined,
  );
  if (!sent?.body) return undefined;
  const controlId = parseMessage(sent.body).get('MSH-10') ?? '';
  return { kind: 'send', payload: sent.body, controlId };
}

/** When the record was first asked for. */
const began = (entries: readonly Entry[], to: string): number | undefined =>
  entries.find(({ note }) => note?.for === to)?.at;

function workFor(
  { loaded, around, push, to }: PushOptions,
  route: Route,
  exchange: ExchangeId,
  message: Message,
  received: Uint8Array,
): ReadWork {
  const held = createHeldRecords(loaded.channel.parts, around.now, () => {});
  const version = push.version ?? message.get('MSH-12') ?? '2.4';
  return {
    ...beginWork(loaded, { ...around, journal: journalFor(around.journal, to) }, held),
    id: exchange,
    name: exchangeName(exchange),
    route,
    message,
    payload: received,
    kind: pushKind(formOf(push.as), push, version),
    // The message was acknowledged when it was stored.
    acceptedEarly: true,
  };
}

/** The journal under a message that is answered already: its keys stay as they are. */
function journalFor(journal: Journal, to: string): Journal {
  const named = (entry: Entry): Entry => ({ ...entry, note: { ...entry.note, for: to } });
  return {
    ...journal,
    append: (exchange, channel, entries) => journal.append(exchange, channel, entries.map(named)),
  };
}

async function fetched(options: PushOptions, work: ReadWork, since: number): Promise<Prepared> {
  const { push } = options;
  const end = await followRoute(work, () => {});
  await commit(work);
  if (end !== 'compose') {
    return notFetched(work.fault ?? { name: 'internalError' }, work.around.now() - since, push);
  }
  try {
    const bytes = await composed(options, work);
    if (bytes) return readyToSend(parseMessage(bytes), work.id, options);
    return { kind: 'filtered', why: `nothing is recorded, and ${push.as} has no place to say so` };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { kind: 'failed', fault: error.fault };
  }
}

function composed({ push, place }: PushOptions, work: ReadWork): Promise<Uint8Array | undefined> {
  const { message, cautions, channel, around, kind, name } = work;
  const version = kind?.answer.version;
  if (version === undefined) throw new FaultError({ name: 'internalError' });
  const { document, orders, receiver } = push;
  return composePush(work, {
    ...{ message, version, cautions, document, orders, receiver },
    form: formOf(push.as),
    us: channel.us,
    controlId: `${name}P${place === 0 ? '' : place + 1}`,
    now: new Date(around.now() / 1000),
    patientClass: channel.site.patientClass,
  });
}

/**
 * What follows where there is no record: tried again for a time; left out, in the same words, where
 * nobody may or can be shown one; otherwise parked, for somebody has to do something about it.
 */
function notFetched(fault: Fault, spent: number, { patience }: Push): Prepared {
  const row = faults[fault.name];
  if (row.class !== 'permanent') {
    if (spent < patience * 1000) return { kind: 'failed', fault };
    return { kind: 'failed', fault: { name: 'pushGivenUp', detail: `last: ${row.code}` } };
  }
  if (row.qak === 'NF' || leftAlone.has(fault.name)) {
    return { kind: 'filtered', why: fault.verbatim ?? row.says };
  }
  return { kind: 'failed', fault };
}

/** Decisions of the patient or the practice, and patients whose number nobody knows. */
const leftAlone: ReadonlySet<Fault['name']> = new Set([
  'nhsNumberMissing',
  'consentRefused',
  'gpNoPatientConsent',
  'gpNoOrganisationConsent',
  'gpAccessDenied',
  'gpNoRelationship',
]);
