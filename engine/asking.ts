/**
 * The effects that go outside: PDS, the directory, the GP system. What is asked is committed before
 * it is sent, and the sender's deadline ends every one of them.
 */
import { randomUUID } from 'node:crypto';
import { acceptEarly } from './answer.ts';
import { type Fault, faults } from './faults.ts';
import { claimsDiffering, differences, isComparable } from './gp/demographics.ts';
import type {
  Asker,
  Attempt,
  Endpoint,
  GpMessage,
  GpRecord,
  Outcome,
  OutcomeEvent,
  RecordRequest,
} from './gp/port.ts';
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

/** Milliseconds left until the sender's deadline. */
function leftOf(work: ReadWork): number {
  const spent = (work.around.now() - work.at) / 1000;
  return Math.max(0, work.channel.patience.answer - spent);
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

type Ended = Pick<Outcome<unknown>, 'event' | 'fault' | 'hops'>;

async function outcomeOf(
  work: ReadWork,
  effect: OutsideEffect,
  attempt: Attempt,
): Promise<Ended> {
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
      return ask(work, query.asker, attempt);
  }
}

async function trace(work: ReadWork, nhsNumber: string, asker: Asker, attempt: Attempt) {
  const outcome = await work.around.outside.trace?.(nhsNumber, asker, attempt);
  if (!outcome) return missing('internalError');
  const found = outcome.value;
  if (outcome.event !== 'found' || !found) return outcome;
  if (found.superseded) work.cautions.push('superseded');
  if (found.deceased) work.cautions.push('deceased');
  for (const what of claimsDiffering(work.query?.claimed ?? {}, found)) {
    work.cautions.push(claimCautions[what]);
  }
  if (!found.practice)
    return { ...outcome, event: 'notFound' as const, fault: { name: 'practiceUnknown' as const } };
  work.trace = found;
  work.keys.practice = found.practice;
  return outcome;
}

const claimCautions = {
  family: 'claimedFamilyDiffers',
  given: 'claimedGivenDiffers',
  gender: 'claimedGenderDiffers',
  birthDate: 'claimedBirthDateDiffers',
} as const;

/** PDS cannot be reached: the hospital's own ADT may know, where the channel allows it. */
async function traceIndex(work: ReadWork, nhsNumber: string): Promise<Ended> {
  const { channel, around } = work;
  const found = channel.ask.adtIndex ? await around.outside.practiceOf(nhsNumber) : undefined;
  // Not knowing the practice is no answer about the patient: PDS's own fault stands.
  if (!found) return { event: 'notFound', fault: work.fault, hops: [] };
  work.trace = { nhsNumber, superseded: false, practice: found.practice, source: 'adtIndex' };
  work.keys.practice = found.practice;
  work.cautions.push('practiceFromAdt');
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

async function ask(work: ReadWork, asker: Asker, attempt: Attempt): Promise<Ended> {
  const { query, endpoint, around, message } = work;
  const nhsNumber = work.trace?.nhsNumber ?? query?.nhsNumber;
  if (!query || !nhsNumber || !endpoint) return missing('internalError');
  const request: RecordRequest = {
    nhsNumber,
    datasets: query.datasets,
    from: query.from,
    to: query.to,
  };
  const before = work.fault;
  const outcome = await askEndpoint(endpoint);
  const second = work.cautions.includes('secondEndpoint');
  const unsure =
    outcome.event === 'notFound' ||
    (second && outcome.event === 'permanent' && outcome.fault?.name !== 'wrongPatient');
  if (unsure && (second || work.trace?.source === 'adtIndex')) {
    return standingIn(outcome, before);
  }
  if (outcome.event === 'reply' && outcome.value) {
    work.reply = outcome.value;
    compare(work, outcome.value);
    tellDates(work, request, outcome.value);
  }
  return outcome;

  function askEndpoint(at: Endpoint): Promise<Outcome<GpRecord | GpMessage>> {
    if (at.kind === 'gpconnect') {
      return around.outside.gpconnect?.(request, at, asker, attempt) ?? absent();
    }
    return around.outside.mllp[at.name]?.(message, request, attempt) ?? absent();
  }
}

/**
 * What was asked only because something else could not be reached says nothing about the patient by
 * not knowing them: "no record" must never stand where the truth is "could not ask". The fault that
 * led here stands, and asking again may help.
 */
function standingIn(outcome: Ended, before: Fault | undefined): Ended {
  const code = outcome.fault && faults[outcome.fault.name].code;
  const fault = before && { ...before, detail: `the one asked instead: ${code ?? outcome.event}` };
  return { ...outcome, fault: fault ?? outcome.fault };
}

/** GP Connect: a mismatch of family, given, gender or date of birth must be told to the user. */
function compare(work: ReadWork, reply: GpRecord | GpMessage): void {
  if (reply.kind !== 'bundle') return;
  if (work.trace?.source !== 'pds' || !isComparable(work.trace)) {
    work.cautions.push('notCompared');
    return;
  }
  for (const differs of differences(work.trace, reply.bundle)) {
    work.cautions.push(`${differs}Differs`);
  }
}

/** A record that is not limited although the query wanted it so must not look as if it were. */
function tellDates(work: ReadWork, { from, to }: RecordRequest, reply: GpRecord | GpMessage): void {
  const ignored =
    reply.kind === 'hl7' ? from !== undefined || to !== undefined : reply.datesIgnored;
  if (ignored) work.cautions.push('datesNotApplied');
}

const missing = (name: Fault['name']): Ended => ({ event: 'permanent', fault: { name }, hops: [] });
const absent = async (): Promise<Outcome<never>> => ({
  event: 'permanent',
  fault: { name: 'practiceNotEnabled' },
  hops: [],
});
