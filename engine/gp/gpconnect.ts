/**
 * GP Connect Access Record: Structured (FHIR STU3, specification 1.6), by way of the Spine secure
 * proxy or directly: one patient's record, in one request or two.
 */
import { randomUUID } from 'node:crypto';
import type { Fault, FaultName } from '../faults.ts';
import { bundleType, nhsNumbersOf, oneBundle, resourcesOf } from './bundle.ts';
import { verdict } from './gpconnect-errors.ts';
import { type Parameters, recordRequests } from './gpconnect-areas.ts';
import {
  type Requester,
  structuredRecord,
  tokenClaims,
  unsignedToken,
  userId,
} from './gpconnect-request.ts';
import { type Http, type HttpFailure, isHttpUrl } from './http.ts';
import { londonDate } from './london-date.ts';
import { failed, withoutReply } from './outcome.ts';
import type { AskRecord, Hop } from './port.ts';

export interface GpConnectOptions extends Requester {
  /** Address of the Spine secure proxy; without one the provider is asked directly. */
  proxy?: string;
  /** Organisations that may ask, each under its own ASID (Ssp-From). */
  organisations: readonly { ods: string; asid: string }[];
  /** Milliseconds since 1970; `Date.now` unless told. */
  now?: () => number;
}

const failures: Readonly<Record<Exclude<HttpFailure, 'deadline'>, FaultName>> = {
  noReply: 'gpTimeout',
  unreachable: 'gpUnavailable',
  cutShort: 'gpReplyUnreadable',
  badEncoding: 'gpReplyUnreadable',
  notJson: 'gpReplyUnreadable',
  tooLong: 'gpReplyTooLong',
};

/**
 * Asks for a structured record. Outcomes: `reply`; `notFound`; `refused` (patient or practice, with
 * their text); `permanent` (our organisation, our request, Spine's refusal, another patient's
 * record); `transient` (unavailable or unreadable) and `timeout`.
 *
 * `Ssp-From` and the token name the hospital that asked, never this engine: an organisation without
 * an ASID of its own is not asked for at all.
 */
export function createGpConnect(options: GpConnectOptions, http: Http): AskRecord {
  const now = options.now ?? Date.now;
  const asids = new Map(options.organisations.map(({ ods, asid }) => [ods.toUpperCase(), asid]));
  const trimmed = (address: string) => address.replace(/\/+$/, '');
  return async (request, endpoint, asker, attempt) => {
    const from = asids.get(asker.organisation.ods.toUpperCase());
    if (!from) return failed({ name: 'organisationNotAllowed' }, []);
    const user = userId(asker);
    if (!user) return failed({ name: 'askerMissing', detail: 'no user id' }, []);
    if (!isHttpUrl(endpoint.address)) {
      return failed({ name: 'directoryEntryUnusable', detail: 'no http or https address' }, []);
    }
    const proxy = options.proxy ? `${trimmed(options.proxy)}/` : '';
    const askFor = (parameters: Parameters) =>
      http.ask(
        {
          interaction: structuredRecord,
          method: 'POST',
          url: `${proxy}${trimmed(endpoint.address)}/Patient/$gpc.getstructuredrecord`,
          headers: {
            Accept: 'application/fhir+json;charset=utf-8',
            'Content-Type': 'application/fhir+json;charset=utf-8',
            'Ssp-TraceID': randomUUID(),
            'Ssp-From': from,
            'Ssp-To': endpoint.asid,
            'Ssp-InteractionID': structuredRecord,
            // Unsigned, so no secret: the journal keeps who was named as the asker.
            Authorization: `Bearer ${unsignedToken(tokenClaims(options, endpoint.address, asker, user, now()))}`,
          },
          body: JSON.stringify(parameters),
        },
        attempt,
      );

    const { requests, ...limited } = recordRequests(request, londonDate(now()));
    const hops: Hop[] = [];
    const bundles: unknown[] = [];
    // One after the other: what is refused once is not asked for again.
    for (const parameters of requests) {
      const reply = await askFor(parameters);
      hops.push(reply.hop);
      if (reply.failure) {
        return withoutReply(reply, (failure) => failures[failure], attempt, hops);
      }
      const { status, json } = reply;
      if (status !== 200 || bundleType(json) === undefined) {
        const { event, fault } = verdict(status, json);
        return failed(fault, hops, event);
      }
      const unfit = whyUnfit(json, request.nhsNumber);
      if (unfit) return failed(unfit, hops);
      bundles.push(json);
    }
    return {
      event: 'reply',
      value: { kind: 'bundle', bundle: oneBundle(bundles), ...limited },
      hops,
    };
  };
}

/** Every Patient in the record must be the one asked for, by every NHS number it has. */
function whyUnfit(bundle: unknown, nhsNumber: string): Fault | undefined {
  const unreadable = (why: string): Fault => ({
    name: 'gpReplyUnreadable',
    detail: `HTTP 200, ${why}`,
  });
  if (bundleType(bundle) !== 'collection') return unreadable('not a collection Bundle');
  const numbers = resourcesOf(bundle, 'Patient').map(nhsNumbersOf);
  if (numbers.length === 0) return unreadable('no Patient');
  if (numbers.flat().some((number) => number !== nhsNumber)) return { name: 'wrongPatient' };
  if (numbers.some((own) => own.length === 0)) return unreadable('a Patient without an NHS number');
  return undefined;
}
