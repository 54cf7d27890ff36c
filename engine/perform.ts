/**
 * The effects of a route, performed. Each makes one attempt and says how it ended; whether there is
 * another one, and what follows, is for the route to decide.
 */
import { type Performed, askOutside, deadlineOf } from './asking.ts';
import { canResume, pointerUnknown, resume } from './continuation.ts';
import { type Fault, type FaultLocation, faults } from './faults.ts';
import type { OutboundNote, Registration } from './journal/journal.ts';
import { mapReply } from './map-reply.ts';
import type { Interim } from './mllp/mllp.ts';
import { feedName } from './outbound/feed.ts';
import { queryKind } from './query/kinds.ts';
import { patientOf, readQuery } from './query/query.ts';
import { isMerge, mergesIn, practiceIn, registrationsIn } from './register.ts';
import type { Next } from './route.ts';
import type { ReadWork } from './work.ts';

/** Perform the effect a route asks for. */
export function perform(
  work: ReadWork,
  next: Extract<Next, { do: string }>,
  interim: Interim,
): Performed | Promise<Performed> {
  switch (next.do) {
    case 'identify':
      return identify(work);
    case 'authorise':
      return authorise(work);
    case 'resume':
      return resume(work);
    case 'register':
      return register(work);
    case 'deliver':
      return deliver(work);
    case 'second':
      return second(work);
    case 'map':
      return mapReply(work);
    case 'wait':
      return wait(work, next.waitMs ?? 0);
    case 'trace':
    case 'traceIndex':
    case 'locate':
    case 'locateHtml':
    case 'ask':
      return askOutside(work, next.do, interim);
  }
}

/** The query is read whole; every fault in it is told at once. */
function identify(work: ReadWork): Performed {
  const { message, channel, keys } = work;
  const type = `${message.get('MSH-9.1')}^${message.get('MSH-9.2')}`;
  const kind = work.kind ?? queryKind(type);
  if (!kind) return { event: 'refused', fault: { name: 'typeNotAccepted' } };
  const { query, faults } = readQuery(message, kind, channel.asker[type]);
  work.query = query;
  keys.patient = query.nhsNumber;
  if (query.pointer !== undefined && !canResume(work)) faults.push(pointerUnknown);
  work.queryFaults = faults;
  const [first] = faults;
  if (!first) return { event: 'found' };
  const detail = faults.map(placesOf).filter(Boolean).join('; ') || undefined;
  return { event: 'refused', fault: { ...first, detail } };
}

/** Where a query is wrong, for those who read the journal: `at QRD-8`, `nothing at ZPI-5`. */
function placesOf({ at = [], detail }: Fault): string {
  return detail ?? (at.length > 0 ? `at ${at.map(placeOf).join(', ')}` : '');
}

const placeOf = ({ segment, field, component }: FaultLocation) =>
  segment + (field === undefined ? '' : `-${field}`) + (component ? `.${component}` : '');

/** User, role, organisation and consent are there (the query says so); may they be used here? */
function authorise(work: ReadWork): Performed {
  const asker = work.query?.asker;
  if (!asker) return { event: 'refused', fault: { name: 'askerMissing' } };
  if (asker.consent === 'R') return { event: 'refused', fault: { name: 'consentRefused' } };
  const { ods: given, name } = asker.organisation;
  const known = work.channel.organisations.find(
    ({ ods, codes }) => ods === given || codes.includes(given),
  );
  // What has the form of a code is named; anything else may have slipped in from another field.
  const detail = /^[A-Z0-9]{2,8}$/i.test(given) ? `${given} asks` : undefined;
  if (!known) return { event: 'refused', fault: { name: 'organisationNotAllowed', detail } };
  const named = name === given ? (known.name ?? known.ods) : name;
  asker.organisation = { ods: known.ods, name: named };
  return { event: work.query?.pointer === undefined ? 'found' : 'continues' };
}

/** What an ADT message says of where its patient is registered; kept as it is committed. */
function register(work: ReadWork): Performed | Promise<Performed> {
  const { message, keys } = work;
  keys.patient = patientOf(message);
  keys.practice = practiceIn(message) || undefined;
  if (work.origin?.outdated) return { event: 'found' };
  const registered = registrationsIn(message);
  if (registered.length > 0) keys.registered = registered;
  return isMerge(message) ? merge(work, registered) : { event: 'found' };
}

/** Where the index cannot be read nothing is inherited: PDS is asked first in any case. */
async function merge(work: ReadWork, registered: Registration[]): Promise<Performed> {
  const { practiceOf } = work.around.outside;
  const merged = await mergesIn(work.message, (patient) =>
    practiceOf(patient).catch(() => undefined),
  );
  work.keys.registered = [...registered, ...merged];
  return { event: 'found' };
}

/** Owed with the same commit that stores the message; each queue is told once that is done. */
function deliver(work: ReadWork): Performed {
  work.keys.patient ??= patientOf(work.message);
  for (const { to } of work.channel.deliver) {
    const name = feedName(work.channel.channel, to);
    const note: OutboundNote = { to: name, state: 'owed', ...sentBefore(work, name) };
    work.pending.push({ kind: 'outbound', at: work.around.now(), note });
    work.owed.push(name);
  }
  return { event: 'found' };
}

/** Kept with what is owed, so that a restart does not forget it. */
function sentBefore({ origin }: ReadWork, to: string): Pick<OutboundNote, 'fault'> {
  return origin?.arrived.has(to) ? { fault: faults.sentBefore.code } : {};
}

/** The second endpoint, where the channel names one that has not been asked already. */
function second(work: ReadWork): Performed {
  const { ask, destinations } = work.channel;
  const name = ask.second;
  const at = name === undefined ? undefined : destinations[name];
  const type = work.query?.kind.type ?? '';
  const knows = at?.kind === 'cdg' || (at?.kind === 'mllp' && at.accepts.includes(type));
  if (!name || !knows || work.endpoint?.name === name) {
    return { event: 'notFound', fault: work.fault };
  }
  work.endpoint = { kind: at.kind, name };
  work.cautions.push('secondEndpoint');
  return { event: 'found' };
}

function wait(work: ReadWork, ms: number): Promise<Performed> {
  const { signal } = deadlineOf(work);
  return new Promise((resolve) => {
    const ended = (performed: Performed) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', late);
      resolve(performed);
    };
    const late = () => ended({ event: 'timeout', fault: { name: 'deadlinePassed' } });
    const timer = setTimeout(() => ended({ event: 'elapsed' }), ms);
    if (signal.aborted) late();
    else signal.addEventListener('abort', late);
  });
}
