/** How the answers of the outside become outcomes: what PDS, SDS and GP Connect have in common. */
import { z } from 'zod';
import { type Fault, type FaultName, FaultError, faults } from '../faults.ts';
import type { HttpFailure } from './http.ts';
import type { Attempt, Hop, Outcome, OutcomeEvent } from './port.ts';

/**
 * An outcome that is not the wished one.
 * @param event unless told, the class of the fault: transient, ambiguous or permanent
 */
export function failed<V>(
  fault: Fault,
  hops: Hop[],
  event: OutcomeEvent = faults[fault.name].class,
): Outcome<V> {
  return { event, fault, hops };
}

/**
 * The outcome of a request without a whole reply: `timeout` where nobody answered in time,
 * otherwise the class of its fault. At the deadline the fault is the one the signal's reason
 * carries (the engine stops, say), and `deadlinePassed` where it carries none.
 */
export function withoutReply<V>(
  reply: { failure: HttpFailure; detail: string },
  faultOf: (failure: Exclude<HttpFailure, 'deadline'>) => FaultName,
  attempt: Attempt,
  hops: Hop[],
): Outcome<V> {
  if (reply.failure === 'deadline') {
    const reason: unknown = attempt.signal.reason;
    const fault: Fault =
      reason instanceof FaultError
        ? reason.fault
        : { name: 'deadlinePassed', detail: reply.detail };
    return failed(fault, hops, 'timeout');
  }
  const fault = { name: faultOf(reply.failure), detail: reply.detail };
  return failed(fault, hops, reply.failure === 'noReply' ? 'timeout' : undefined);
}

const text = z.string().optional();
const outcomeSchema = z.object({
  resourceType: z.literal('OperationOutcome'),
  issue: z.array(
    z.object({
      details: z
        .object({
          coding: z.array(z.object({ system: text, code: text, display: text })).optional(),
        })
        .optional(),
    }),
  ),
});

export interface Coding {
  system?: string;
  code?: string;
  display?: string;
}

/**
 * The codings of an OperationOutcome, in order (FHIR OperationOutcome.issue.details.coding).
 * @returns undefined where the reply is no OperationOutcome
 */
export function codingsOf(json: unknown): Coding[] | undefined {
  const read = outcomeSchema.safeParse(json);
  return read.success ? read.data.issue.flatMap((issue) => issue.details?.coding ?? []) : undefined;
}

/**
 * A code from outside as it may stand in a fault's detail: letters and underscores from its start,
 * so that neither a patient's number nor an address can follow.
 */
export function plainCode(code: string | undefined): string | undefined {
  return /^[A-Za-z][A-Za-z_ ]{0,59}/.exec(code ?? '')?.[0].replace(/[_ ]+$/, '');
}

/** `HTTP 422 INVALID_PARAMETER`: the status and the first code, nothing else from outside. */
export function statusAndCode(status: number, coding: Coding | undefined): string {
  return [`HTTP ${status}`, plainCode(coding?.code)].filter(Boolean).join(' ');
}

/**
 * The fault of an HTTP status with which PDS or SDS answered something else than found or not
 * found: our credentials, a passing failure (408, 429, 5xx, and what has no place here), or our
 * request.
 */
export function lookupFault(
  status: number,
  unavailable: 'traceUnavailable' | 'directoryUnavailable',
): FaultName {
  if (status === 401 || status === 403) return 'accessRefused';
  const passing = status < 400 || status >= 500 || status === 408 || status === 429;
  return passing ? unavailable : 'lookupRejected';
}
