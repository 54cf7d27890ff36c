/**
 * The effect `ask`: one attempt to get the record from the endpoint the route has come to, and what
 * the clinician must be told of the reply.
 */
import { askBeside } from './beside.ts';
import type { Channel } from './channel.ts';
import { type Fault, faults } from './faults.ts';
import { differences, isComparable } from './gp/demographics.ts';
import type { Asker, Attempt, Endpoint, GpReply, Outcome, RecordRequest } from './gp/port.ts';
import type { ReadWork } from './work.ts';

/** How something asked outside ended; what it gave is in the work. */
export type Ended = Pick<Outcome<unknown>, 'event' | 'fault' | 'hops'>;

/** Ask for the record, and once it is there for what the channel wants beside it. */
export async function askRecord(work: ReadWork, asker: Asker, attempt: Attempt): Promise<Ended> {
  const { query, channel } = work;
  const nhsNumber = work.trace?.nhsNumber ?? query?.nhsNumber;
  const endpoint = work.endpoint ?? gatewayOf(channel);
  if (!query || !nhsNumber || !endpoint) return missing('internalError');
  const request: RecordRequest = {
    nhsNumber,
    datasets: query.datasets,
    from: query.from,
    to: query.to,
  };
  const before = work.fault;
  const outcome = await askEndpoint(work, endpoint, request, asker, attempt);
  const second = work.cautions.includes('secondEndpoint');
  const permanent = outcome.event === 'permanent' || outcome.event === 'notEnabled';
  const unsure =
    outcome.event === 'notFound' || (second && permanent && outcome.fault?.name !== 'wrongPatient');
  if (unsure && (second || work.trace?.source === 'adtIndex')) {
    return standingIn(outcome, before);
  }
  const reply = outcome.value;
  if (outcome.event !== 'reply' || !reply) return outcome;
  work.reply = reply;
  compare(work, reply);
  tellDates(work, request, reply);
  if (reply.kind === 'hl7') return outcome;
  const { beside, hops } = await askBeside(work, request, reply, asker, attempt);
  work.beside = beside;
  return { ...outcome, hops: [...outcome.hops, ...hops] };
}

/** A gateway finds the practice itself: a route that asks one need not look anybody up. */
function gatewayOf({ ask, destinations }: Channel): Endpoint | undefined {
  const name = ask.record;
  const kind = name === undefined ? undefined : destinations[name]?.kind;
  return name !== undefined && kind === 'cdg' ? { kind, name } : undefined;
}

async function askEndpoint(
  { around, message }: ReadWork,
  at: Endpoint,
  request: RecordRequest,
  asker: Asker,
  attempt: Attempt,
): Promise<Outcome<GpReply>> {
  const { gpconnect, html, gateways, mllp } = around.outside;
  switch (at.kind) {
    case 'gpconnect':
      return gpconnect?.(request, at, asker, attempt) ?? absent;
    case 'html':
      return html?.(request, at, asker, attempt) ?? absent;
    case 'cdg':
      return gateways[at.name]?.(request, at, asker, attempt) ?? absent;
    case 'mllp':
      return mllp[at.name]?.(message, request, attempt) ?? absent;
  }
}

/**
 * What was asked only because something else could not be reached says nothing about the patient by
 * not knowing them: "no record" must never stand where the truth is "could not ask". The fault that
 * led here stands, and asking again may help.
 */
export function standingIn(outcome: Ended, before: Fault | undefined): Ended {
  const code = outcome.fault && faults[outcome.fault.name].code;
  const fault = before && { ...before, detail: `the one asked instead: ${code ?? outcome.event}` };
  return { ...outcome, fault: fault ?? outcome.fault };
}

/** GP Connect: a mismatch of family, given, gender or date of birth must be told to the user. */
function compare(work: ReadWork, reply: GpReply): void {
  if (reply.kind === 'hl7') return;
  if (work.trace?.source !== 'pds' || !isComparable(work.trace)) {
    work.cautions.push('notCompared');
    return;
  }
  const about = reply.kind === 'bundle' ? reply.opening : reply.bundle;
  for (const differs of differences(work.trace, about)) {
    work.cautions.push(`${differs}Differs`);
  }
}

/** A record that is not limited although the query wanted it so must not look as if it were. */
function tellDates(work: ReadWork, { from, to }: RecordRequest, reply: GpReply): void {
  const ignored =
    reply.kind === 'hl7' ? from !== undefined || to !== undefined : reply.datesIgnored;
  if (ignored) work.cautions.push('datesNotApplied');
}

/** An outcome for what cannot be asked at all. */
export const missing = (name: Fault['name']): Ended => ({
  event: 'permanent',
  fault: { name },
  hops: [],
});

const absent: Outcome<never> = {
  event: 'permanent',
  fault: { name: 'practiceNotEnabled' },
  hops: [],
};
