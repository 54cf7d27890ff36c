/**
 * The effects that go outside: PDS, the directory, the GP system. What is asked is committed before
 * it is sent, and the sender's deadline ends every one of them.
 */
import { randomUUID } from 'node:crypto';
import { acceptEarly } from './answer.ts';
import { type Ended, askRecord, missing, standingIn } from './ask-record.ts';
import type { Fault } from './faults.ts';
import { claimsDiffering, isBirthDate } from './gp/demographics.ts';
import type { Asker, Attempt, Outcome, OutcomeEvent, Trace } from './gp/port.ts';
import type { Registration } from './journal/journal.ts';
import type { Interim } from './mllp/mllp.ts';
import { type ReadWork, commit } from './work.ts';

/** How an effect ended, as an event of the route. */
export interface Performed {
  event: string;
  fault?: Fault;
}

/** The effects of a route that go outside. */
export type OutsideEffect = 'trace' | 'traceIndex' | 'locate' | 'locateHtml' | 'ask';

/** The sender's deadline: it starts when the message arrived, and ends every effect outside. */
export function deadlineOf(work: ReadWork): AbortController {
  if (!work.deadline) {
    const deadline = new AbortController();
    work.timer = setTimeout(() => deadline.abort(), leftOf(work));
    work.deadline = deadline;
  }
  return work.deadline;
}

/** Whole milliseconds left until the sender's deadline. */
function leftOf(work: ReadWork): number {
  const spent = (work.around.now() - work.at) / 1000;
  return Math.max(0, Math.floor(work.channel.patience.answer - spent));
}

/** An effect that goes outside: what is asked is committed before, what came back is committed after. */
export async function askOutside(
  work: ReadWork,
  effect: OutsideEffect,
  interim: Interim,
): Promise<Performed> {
  const { signal } = deadlineOf(work);
  work.keys.state = 'asking';
  work.correlationId ??= randomUUID();
  const accepted = acceptEarly(work);
  if (accepted) {
    const at = work.around.now();
    work.pending.push({ kind: 'answer', at, note: { level: 'accept' }, body: accepted });
  }
  await commit(work);
  if (accepted) interim(accepted);
  const attempt: Attempt = {
    signal,
    correlationId: work.correlationId,
    requestId: (work.requestIds[effect] ??= randomUUID()),
    session: sessionOf(work),
    left: () => leftOf(work),
    beforeAsk: ({ to, interaction, startedAt, request }) =>
      commit(work, { kind: 'asking', at: startedAt, note: { to, interaction }, body: request }),
  };
  const outcome = await outcomeOf(work, effect, attempt);
  for (const hop of outcome.hops) {
    work.pending.push({
      kind: 'reply',
      at: hop.endedAt,
      note: {
        to: hop.to,
        interaction: hop.interaction,
        status: hop.status,
        us: hop.endedAt - hop.startedAt,
      },
      body: hop.reply,
    });
    work.around.emit('gp.replied', {
      channel: work.channel.channel,
      exchange: work.name,
      endpoint: hop.to,
      interaction: hop.interaction,
      status: hop.status,
      bytes: hop.reply?.length,
      ms: (hop.endedAt - hop.startedAt) / 1000,
    });
  }
  if (signal.aborted && outcome.event !== 'found' && outcome.event !== 'reply') {
    return { event: 'timeout', fault: { name: 'deadlinePassed' } };
  }
  // The GP's reply is on disk before the mapping touches it.
  if (outcome.event === 'reply') await commit(work);
  return { event: eventOf(effect, outcome.event), fault: outcome.fault };
}

/**
 * `timeout` is the sender's deadline alone. A destination that did not answer in its own time may be
 * tried again within it: a look-up as after any passing failure, a record query as one that may have
 * been worked on.
 */
function eventOf(effect: string, event: OutcomeEvent): OutcomeEvent {
  if (event !== 'timeout') return event;
  return effect === 'ask' ? 'ambiguous' : 'transient';
}

/** The same user about the same patient; another patient or another user is another session. */
function sessionOf({ query, trace }: ReadWork): string {
  const { user, roleProfile, organisation } = query?.asker ?? {};
  const patient = trace?.nhsNumber ?? query?.nhsNumber;
  return JSON.stringify([user?.id, user?.localId, roleProfile, organisation?.ods, patient]);
}

async function outcomeOf(work: ReadWork, effect: OutsideEffect, attempt: Attempt): Promise<Ended> {
  const { query } = work;
  if (!query?.nhsNumber || !query.asker) return missing('internalError');
  switch (effect) {
    case 'trace':
      return trace(work, query.nhsNumber, query.asker, attempt);
    case 'traceIndex':
      return traceIndex(work, query.nhsNumber);
    case 'locate':
      return locate(work, query.asker, attempt);
    case 'locateHtml':
      return locateHtml(work, query.asker, attempt);
    case 'ask':
      return askRecord(work, query.asker, attempt);
  }
}

async function trace(work: ReadWork, nhsNumber: string, asker: Asker, attempt: Attempt) {
  const outcome = await work.around.outside.trace?.(nhsNumber, asker, attempt);
  if (!outcome) return missing('internalError');
  if (work.channel.ask.adtIndex) work.keys.registered = registrationsOf(nhsNumber, outcome);
  const found = outcome.value;
  if (outcome.event !== 'found' || !found) return outcome;
  if (found.superseded) work.cautions.push('superseded');
  if (found.deceased) work.cautions.push('deceased');
  for (const what of claimsDiffering(work.query?.claimed ?? {}, found)) {
    work.cautions.push(claimCautions[what]);
  }
  if (!isBirthDate(work.query?.claimed.birthDate)) work.cautions.push('claimedBirthDateUnread');
  if (!found.practice)
    return { ...outcome, event: 'notFound' as const, fault: { name: 'practiceUnknown' as const } };
  work.trace = found;
  work.keys.practice = found.practice;
  return outcome;
}

/**
 * What PDS says of where a patient is registered, for when it cannot be reached. Who is restricted, or
 * registered with nobody, is so then, too: what ADT said before counts no more.
 */
function registrationsOf(asked: string, { event, value }: Outcome<Trace>): Registration[] {
  const source = 'pds';
  if (event === 'restricted') return [{ patient: asked, practice: '', source }];
  if (event !== 'found' || !value) return [];
  const { nhsNumber, superseded, practice = '' } = value;
  const old = { patient: asked, practice: '', into: nhsNumber, source } as const;
  return [{ patient: nhsNumber, practice, source }, ...(superseded ? [old] : [])];
}

const claimCautions = {
  family: 'claimedFamilyDiffers',
  given: 'claimedGivenDiffers',
  gender: 'claimedGenderDiffers',
  birthDate: 'claimedBirthDateDiffers',
} as const;

const indexCautions = {
  adt: 'practiceFromAdt',
  list: 'practiceFromList',
  pds: 'practiceFromPds',
} as const;

/** PDS cannot be reached: the hospital's own ADT may know, where the channel allows it. */
async function traceIndex(work: ReadWork, nhsNumber: string): Promise<Ended> {
  const { channel, around } = work;
  const found = channel.ask.adtIndex ? await around.outside.practiceOf(nhsNumber) : undefined;
  // Not knowing the practice is no answer about the patient: PDS's own fault stands.
  if (!found) return { event: 'notFound', fault: work.fault, hops: [] };
  work.trace = { nhsNumber, superseded: false, practice: found.practice, source: 'adtIndex' };
  work.keys.practice = found.practice;
  work.cautions.push(indexCautions[found.source ?? 'adt']);
  return { event: 'found', hops: [] };
}

async function locate(work: ReadWork, asker: Asker, attempt: Attempt): Promise<Ended> {
  const practice = work.trace?.practice;
  if (!practice || !work.around.outside.locate) return missing('internalError');
  const before = work.fault;
  const outcome = await work.around.outside.locate(practice, asker, attempt);
  if (outcome.event === 'notFound' && work.trace?.source === 'adtIndex') {
    return standingIn(outcome, before);
  }
  work.endpoint = outcome.value;
  return outcome;
}

/** The practice's own view as HTML. Where there is none, what led here stands. */
async function locateHtml(work: ReadWork, asker: Asker, attempt: Attempt): Promise<Ended> {
  const practice = work.trace?.practice;
  const before = work.fault;
  const outcome = practice && (await work.around.outside.locateHtml?.(practice, asker, attempt));
  if (!outcome || outcome.event === 'notFound') {
    return { event: 'notFound', fault: before, hops: outcome ? outcome.hops : [] };
  }
  work.endpoint = outcome.value;
  return outcome;
}
