/**
 * A message sent again, as a new exchange: from the start, or owed to one destination alone. Both
 * exchanges name the other, in one commit: the dead letter is replayed exactly when the new one is
 * stored.
 */
import { noteOf } from '../again.ts';
import type { Engine } from '../engine.ts';
import { keysOf } from '../exchange.ts';
import { faultByCode, faults } from '../faults.ts';
import { type CharsetName, parseMessage } from '../hl7/message.ts';
import {
  type Entry,
  type ExchangeId,
  type OutboundNote,
  type Progress,
  exchangeName,
} from '../journal/journal.ts';
import { patientOf } from '../query/query.ts';
import type { Origin } from '../work.ts';
import type { Candidate } from './candidates.ts';
import { rootOf } from './lineage.ts';
import { operatorEntry } from './operator.ts';

/** Who has it sent again, and why. */
export type Person = Pick<Origin, 'act' | 'by' | 'reason'>;

/** What came of it. */
export interface Resent {
  as: ExchangeId;
  state: Progress;
  /** Why the new exchange was not taken. */
  fault?: string;
}

type Parts = Pick<Engine, 'journal' | 'channels' | 'queues' | 'now'>;

/**
 * Send a message again.
 * @throws FaultError of the 6xxx rows: nothing was stored, and the earlier one is as it was
 */
export async function resend(engine: Parts, one: Candidate, person: Person): Promise<Resent> {
  const { journal, channels } = engine;
  const arrived = await arrivedAt(journal, one.exchange);
  if (one.from === 'failed') return owe(engine, one, person, arrived);
  const running = channels.get(one.channel);
  if (!running) throw new RangeError('a candidate of a channel that does not run');
  const { charset } = running.loaded;
  const answer = await running.again(one.received, {
    ...person,
    of: one.exchange,
    arrived,
    outdated: await outdated(journal, one, charset),
    committing: (as, state) => link(engine, one, person, as, state === 'answered'),
  });
  const { exchange: as, state, fault } = answer;
  return { as, state, ...(fault && { fault: faults[fault.name].code }) };
}

/** Owed to the destinations where it was parked, and to no other. */
async function owe(
  engine: Parts,
  one: Candidate,
  person: Person,
  arrived: ReadonlySet<string>,
): Promise<Resent> {
  const { journal, queues, channels } = engine;
  const message = parseMessage(one.received, {
    charset: channels.get(one.channel)?.loaded.charset,
  });
  const as = journal.mint();
  const at = as;
  const entries: Entry[] = [
    { kind: 'received', at, note: noteOf({ ...person, of: one.exchange }), body: one.received },
    ...one.to.map((to): Entry => {
      const fault = arrived.has(to) ? { fault: faults.sentBefore.code } : {};
      return { kind: 'outbound', at, note: { to, state: 'owed', ...fault } satisfies OutboundNote };
    }),
  ];
  const keys = { ...keysOf(message), patient: patientOf(message), state: 'answered' } as const;
  // Appended one after the other, with nothing between: they are in the same commit.
  await Promise.all([
    journal.append(as, one.channel, entries, keys),
    link(engine, one, person, as, true),
  ]);
  for (const to of one.to) queues.get(to)?.owed(as, one.received, arrived.has(to));
  return { as, state: 'answered' };
}

/** The earlier exchange is told which one took its place; where it did, its dead letters end. */
function link(
  { journal, now }: Parts,
  { exchange, channel, parked }: Candidate,
  { act, by, reason }: Person,
  newer: ExchangeId,
  taken: boolean,
): Promise<void> {
  const at = now();
  const as = exchangeName(newer);
  const ended = parked.map(({ to, attempts, fault }): Entry => {
    const known = { attempt: attempts, ...(fault !== null && { fault }) };
    const note: OutboundNote = { to, state: 'replayed', ...known, as };
    return { kind: 'outbound', at, note };
  });
  const entries = [operatorEntry(at, { act, by, reason, as }), ...(taken ? ended : [])];
  return journal.append(exchange, channel, entries);
}

/** Destinations where a message may be already: there it is flagged as a possible duplicate. */
async function arrivedAt(
  journal: Parts['journal'],
  exchange: ExchangeId,
): Promise<ReadonlySet<string>> {
  const arrived = new Set<string>();
  for (const { kind, note } of (await journal.read(exchange))?.entries ?? []) {
    if (kind !== 'outbound') continue;
    const { to, state, fault, possibleDuplicate } = note as OutboundNote;
    const ambiguous = fault !== undefined && faultByCode(fault)?.class === 'ambiguous';
    if (state === 'delivered' || ambiguous || possibleDuplicate) arrived.add(to);
  }
  return arrived;
}

/** How many of a patient's later messages are looked at; the first that is newer decides. */
const mostLater = 1000;

/** Whether a newer message of the patient came on this channel. */
async function outdated(
  journal: Parts['journal'],
  { received, root, channel }: Candidate,
  charset: CharsetName | undefined,
): Promise<boolean> {
  const patient = patientOf(parseMessage(received, { charset }));
  if (patient === undefined) return false;
  const later = await journal.list({ channel, patient, since: root + 1, limit: mostLater });
  for (const { id } of later) if ((await rootOf(journal, id)) > root) return true;
  return false;
}
