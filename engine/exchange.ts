/**
 * THE STORY of one message, top to bottom: it is received and read, recognised if it came before,
 * decided upon by the route, asked for, mapped, answered, committed and written.
 *
 * Two laws hold everywhere: what was received is committed before anything is asked or answered,
 * and an answer is committed before it is written. Whatever goes wrong leaves by one door: a fault
 * of the fault table, journalled and answered.
 */
import { hash } from 'node:crypto';
import { type Answer, answerBroken, answerEnd, answerFault } from './answer.ts';
import { acceptance } from './accept.ts';
import { type Ended, answerBatch, isBatchFor } from './batches.ts';
import type { LoadedChannel } from './config/site.ts';
import { takePart } from './continuation.ts';
import type { EndName } from './effects.ts';
import { type Fault, FaultError, faults } from './faults.ts';
import { type HeldRecords, createHeldRecords } from './held-records.ts';
import { type Message, parseMessage } from './hl7/message.ts';
import { patientOf } from './query/query.ts';
import type { Keys } from './journal/journal.ts';
import type { Arrival, Interim, Peer, Respond, Response } from './mllp/mllp.ts';
import { perform } from './perform.ts';
import { idOf, isReused, storedAnswer } from './repeats.ts';
import { createSequence, sequenceOf } from './sequence.ts';
import { type ReadWork, type Surroundings, type Work, beginWork, commit, note } from './work.ts';

/** What a channel remembers from one message to the next; it outlives a change of configuration. */
export interface Memory {
  /** Fingerprints and control ids of the messages being worked on, and what each comes to. */
  inFlight: Map<string, Promise<Answer>>;
  /** Records whose rest may still be asked for. */
  held: HeldRecords;
}

/** The memory of a channel that has seen nothing yet. */
export function createMemory({ channel }: LoadedChannel, { now, emit }: Surroundings): Memory {
  const dropped = () => emit('parts.dropped', { channel: channel.channel });
  return { inFlight: new Map(), held: createHeldRecords(channel.parts, now, dropped) };
}

/** The function that answers a channel's arrivals. */
export function exchangesOf(
  loaded: LoadedChannel,
  around: Surroundings,
  { inFlight, held }: Memory = createMemory(loaded, around),
): Respond {
  async function exchange(
    arrival: Arrival,
    peer: Peer,
    interim: Interim,
    of: Readonly<Record<string, unknown>> = {},
    sequence = sequenceOf(peer),
  ): Promise<Ended> {
    const work = receive(loaded, around, held, arrival, peer, of);
    const place = (work.place = sequence.begin());
    try {
      if (arrival.kind === 'broken') return await keepBroken(work, arrival.fault);

      const message = readHeader(work, arrival.payload);
      const fault = 'name' in message ? message : acceptance(loaded.channel, message);
      if (fault) return ended(work, await finish(work, answerFault(work, fault, 'accept')));

      const names = [work.fingerprint, idOf(work)];
      const [before, underId] = names.map((name) => inFlight.get(name));
      const answer = firstOrAgain(work as ReadWork, before, underId, interim);
      for (const name of names) inFlight.set(name, answer);
      try {
        return ended(work, await answer);
      } finally {
        for (const name of names) if (inFlight.get(name) === answer) inFlight.delete(name);
      }
    } catch (error) {
      return await failed(work, error);
    } finally {
      clearTimeout(work.timer);
      place.end();
    }
  }

  /** Each message of a batch is an exchange of its own, and so is the batch. */
  async function exchangeBatch(payload: Buffer, arrival: Arrival, peer: Peer, interim: Interim) {
    const work = receive(loaded, around, held, arrival, peer);
    const place = sequenceOf(peer).begin();
    const within = createSequence(place.inTurn);
    try {
      const { answer, parts } = await answerBatch(work, payload, (bytes, number) => {
        const message: Arrival = { kind: 'message', payload: bytes, warnings: [] };
        return exchange(message, peer, () => {}, { batch: work.name, number }, within);
      });
      return respond(ended(work, await finish(work, answer, interim)), parts);
    } catch (error) {
      return respond(await failed(work, error));
    } finally {
      place.end();
    }
  }

  return async (arrival, peer, interim) =>
    arrival.kind === 'message' && isBatchFor(loaded.channel, arrival.payload)
      ? exchangeBatch(arrival.payload, arrival, peer, interim)
      : respond(await exchange(arrival, peer, interim));
}

const ended = (work: Work, answer: Answer): Ended => ({ work, answer, stored: true });

/** The exchange begins: an id is minted, and the bytes stand first in what will be committed. */
function receive(
  loaded: LoadedChannel,
  around: Surroundings,
  held: HeldRecords,
  arrival: Arrival,
  peer: Peer,
  of: Readonly<Record<string, unknown>> = {},
): Work {
  const work = beginWork(loaded, around, held);
  const { revision } = loaded;
  const from = { peer: peer.address, certificate: peer.certificate, revision, ...of };
  if (arrival.kind === 'broken') {
    const { fault, dropped } = arrival;
    work.pending.push({
      kind: 'broken',
      at: work.at,
      note: { ...from, fault: faults[fault].code, dropped },
      body: arrival.bytes,
    });
  } else {
    const warnings = arrival.warnings.map((name) => faults[name].code);
    work.pending.push({
      kind: 'received',
      at: work.at,
      note: warnings.length ? { ...from, warnings } : from,
      body: arrival.payload,
    });
  }
  return work;
}

/** Bytes that were no message are kept, and answered only where somebody could read the answer. */
async function keepBroken(work: Work, name: Fault['name']): Promise<Ended> {
  work.around.emit('frame.fault', { channel: work.channel.channel, code: faults[name].code });
  return ended(work, await finish(work, answerBroken(work, { name })));
}

/** MSH is read: type, MSH-10, character set. */
export function readHeader(work: Work, payload: Buffer): Message | Fault {
  const { keys } = work;
  let message: Message;
  try {
    message = parseMessage(payload, { charset: work.loaded.charset });
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
  work.message = message;
  work.payload = payload;
  Object.assign(keys, keysOf(message));
  keys.fingerprint = work.fingerprint = hash('sha256', payload, 'base64');
  return message;
}

/** What an exchange is found by, as the header of its message has it. */
export function keysOf(message: Message): Pick<Keys, 'type' | 'controlId' | 'sender'> {
  // Logs and listings show the type, so only what can be one is taken: anything may stand in MSH-9.
  const type = message.raw('MSH-9') ?? '';
  return {
    type: /^[A-Z]{3}(\W[A-Z0-9]{3}(\W[A-Z0-9_]{3,7})?)?$/.test(type) ? type : 'unknown',
    controlId: message.raw('MSH-10') ?? '',
    sender: `${message.get('MSH-3') ?? ''}|${message.get('MSH-4') ?? ''}`,
  };
}

/** The same bytes again get the stored answer; a repeat in flight waits for the first. */
async function firstOrAgain(
  work: ReadWork,
  before: Promise<Answer> | undefined,
  underId: Promise<Answer> | undefined,
  interim: Interim,
): Promise<Answer> {
  const earlier = (before && (await before.catch(() => undefined))) ?? (await storedAnswer(work));
  if (earlier) work.keys.repeatOf = earlier.exchange;
  if (earlier?.final) {
    work.keys.patient = patientOf(work.message);
    work.around.emit('exchange.repeat', { channel: work.channel.channel, exchange: work.name });
    return finish(work, { ...earlier, exchange: work.id }, interim);
  }
  if (await isReused(work, underId === before ? undefined : underId)) {
    return finish(work, answerFault(work, { name: 'controlIdReused' }, 'accept'), interim);
  }
  return decideAndPerform(work, interim);
}

/** The route ends in an answer. */
export async function decideAndPerform(work: ReadWork, interim: Interim): Promise<Answer> {
  const end = await followRoute(work, interim);
  if (end === 'record') takePart(work);
  return finish(work, answerEnd(work, end), interim);
}

/** The route says what comes next, the engine performs it, until the route ends. */
export async function followRoute(work: ReadWork, interim: Interim): Promise<EndName> {
  const { route } = work;
  let key = route.start;
  for (;;) {
    const next = route.at(key);
    if ('end' in next) return next.end;
    const began = work.around.now();
    const outcome = await perform(work, next, interim);
    if (outcome.fault) work.fault = outcome.fault;
    const to = route.decide(key, outcome.event);
    note(work, began, { state: key, do: next.do, event: outcome.event, to, fault: outcome.fault });
    key = to;
  }
}

/** Everything not yet stored is committed together with the answer; only then is it given back. */
export async function finish(work: Work, given: Answer, interim?: Interim): Promise<Answer> {
  const { keys, pending } = work;
  // What a person has worked on again is answered to nobody.
  const answer = work.origin ? { ...given, payloads: [] } : given;
  keys.state = answer.state;
  if (answer.fault) keys.fault = faults[answer.fault.name].code;
  const at = work.around.now();
  for (const { level, bytes } of answer.payloads) {
    pending.push({ kind: 'answer', at, note: { level }, body: bytes });
  }
  await Promise.all([commit(work), work.origin?.committing(work.id, answer.state)]);
  for (const to of work.owed.splice(0)) {
    const owe = () =>
      work.around.owed(to, work.id, work.payload, work.origin?.arrived.has(to) === true);
    if (work.place) work.place.inTurn(owe);
    else owe();
  }
  const last = answer.payloads.at(-1);
  for (const payload of answer.payloads) {
    if (payload !== last) interim?.(payload.bytes);
  }
  work.around.emit(answer.fault ? 'exchange.fault' : 'exchange.answered', {
    channel: work.channel.channel,
    exchange: work.name,
    code: keys.fault,
    type: keys.type,
    state: answer.state,
    ms: Math.max(0, at - work.at) / 1000,
  });
  work.around.finished?.(() => ({
    ...{ id: work.name, at: work.at, channel: work.channel.channel, message: work.message },
    ...{ type: keys.type, controlId: keys.controlId, sender: keys.sender },
    ...{ state: answer.state, fault: keys.fault, ms: (at - work.at) / 1000 },
  }));
  return answer;
}

/**
 * The committed answer as it is written; what became of it is recorded afterwards.
 * @param parts the exchanges of a batch, whose answers are in it
 */
function respond({ work, answer, stored }: Ended, parts: Ended[] = []): Response | undefined {
  const last = answer.payloads.at(-1);
  if (!last) return undefined;
  const { journal, emit } = work.around;
  return {
    payload: last.bytes,
    close: answer.close,
    settled(outcome) {
      if (!stored) return;
      journal.settle(work.id, outcome);
      for (const part of parts) if (part.stored) journal.settle(part.work.id, outcome);
      if (outcome === 'undelivered') {
        emit('exchange.undelivered', { channel: work.channel.channel, exchange: work.name });
      }
    },
  };
}

/**
 * The engine itself failed, or nothing could be stored. The answer says so and claims nothing; it is
 * committed like any other where the journal still can, and given without it where it cannot.
 */
async function failed(work: Work, error: unknown): Promise<Ended> {
  const fault: Fault =
    error instanceof FaultError ? error.fault : { name: 'internalError', detail: nameOf(error) };
  const answer = answerFault(work, fault, 'accept');
  const { code } = faults[fault.name];
  if (!code.startsWith('GH-6')) {
    // What is refused is owed to nobody.
    work.owed = [];
    work.pending = work.pending.filter(({ kind }) => kind !== 'outbound');
    const stored = await finish(work, answer).catch(() => undefined);
    if (stored) return ended(work, stored);
  }
  const { channel } = work.channel;
  work.around.emit('exchange.fault', { channel, exchange: work.name, code, detail: fault.detail });
  return { work, answer, stored: false };
}

/** What kind of error it was; its message may hold message content. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
