/**
 * A practice's GP Connect service as it is called, by way of the Spine secure proxy or directly: what
 * every capability has in common (GP Connect 1.6, "Spine integration" and "Error handling"; 0.7 alike).
 */
import { randomUUID } from 'node:crypto';
import type { Fault, FaultName } from '../faults.ts';
import { nhsNumbersOf, resourcesOf } from './bundle.ts';
import { verdict } from './gpconnect-errors.ts';
import { type Requester, type TokenClaims, unsignedToken, userId } from './gpconnect-request.ts';
import { isHttpUrl } from './address.ts';
import type { Http, HttpFailure } from './http.ts';
import { failed, withoutReply } from './outcome.ts';
import type { Asker, Attempt, Hop, Outcome } from './port.ts';

export interface ProviderOptions extends Requester {
  /** Address of the Spine secure proxy; without one the provider is asked directly. */
  proxy?: string;
  /** Organisations that may ask, each under its own ASID (Ssp-From). */
  organisations: readonly { ods: string; asid: string }[];
  /** Milliseconds since 1970; `Date.now` unless told. */
  now?: () => number;
}

/** One request to a service. */
export interface ProviderRequest {
  /** Spine interaction id. */
  interaction: string;
  method: 'GET' | 'POST';
  /** Below the service root, with no leading slash. */
  path: string;
  mediaType: string;
  /** Minted for each request: one that is used again on a retry has expired. */
  claims: TokenClaims;
  body?: object;
  /** The resource type of a good reply. */
  wanted: 'Bundle' | 'Binary';
  /** As an `HttpRequest` has it. */
  openingOnly?: boolean;
}

/** The resource that came, or how the request ended without one. */
export type ProviderReply =
  | { json: unknown; isOpening?: boolean; ended?: undefined }
  | { json?: undefined; isOpening?: undefined; ended: Outcome<never> };

/** The service of one practice, for one asker. */
export interface Provider {
  /** Who the user is to the token. */
  user: string;
  /** Make one request; its hop is added to `hops`. */
  ask(request: ProviderRequest, attempt: Attempt, hops: Hop[]): Promise<ProviderReply>;
}

export const stu3 = 'application/fhir+json;charset=utf-8';

/** What becomes of a request to a GP system that has no whole reply. */
export const gpFailures: Readonly<Record<Exclude<HttpFailure, 'deadline'>, FaultName>> = {
  noReply: 'gpTimeout',
  unreachable: 'gpUnavailable',
  cutShort: 'gpReplyUnreadable',
  badEncoding: 'gpReplyUnreadable',
  notJson: 'gpReplyUnreadable',
  tooLong: 'gpReplyTooLong',
};

/**
 * Calls services. `Ssp-From` and the token name the hospital that asked, never this engine: for an
 * organisation without an ASID of its own, and for a user without an id, there is no service.
 * @returns the service at an endpoint, or why it must not or cannot be asked
 */
export function createProviders(
  options: ProviderOptions,
  http: Http,
): (endpoint: { address: string; asid: string }, asker: Asker) => Provider | { fault: Fault } {
  const asids = new Map(options.organisations.map(({ ods, asid }) => [ods.toUpperCase(), asid]));
  const proxy = options.proxy ? `${withoutSlash(options.proxy)}/` : '';
  return ({ address, asid }, asker) => {
    const from = asids.get(asker.organisation.ods.toUpperCase());
    if (!from) return { fault: { name: 'organisationNotAllowed' } };
    const user = userId(asker);
    if (!user) return { fault: { name: 'askerMissing', detail: 'no user id' } };
    if (!isHttpUrl(address)) {
      return { fault: { name: 'directoryEntryUnusable', detail: 'no http or https address' } };
    }
    return {
      user,
      async ask(request, attempt, hops) {
        const { interaction, method, path, mediaType, claims, body, wanted, openingOnly } = request;
        const reply = await http.ask(
          {
            interaction,
            method,
            url: `${proxy}${withoutSlash(address)}/${path}`,
            headers: {
              Accept: mediaType,
              'Content-Type': mediaType,
              'Ssp-TraceID': randomUUID(),
              'Ssp-From': from,
              'Ssp-To': asid,
              'Ssp-InteractionID': interaction,
              // Unsigned, so no secret: the journal keeps who was named as the asker.
              Authorization: `Bearer ${unsignedToken(claims)}`,
            },
            body: body && JSON.stringify(body),
            openingOnly,
          },
          attempt,
        );
        hops.push(reply.hop);
        if (reply.failure) {
          return { ended: withoutReply(reply, (failure) => gpFailures[failure], attempt, hops) };
        }
        const { status, json, isOpening } = reply;
        if (status === 200 && typeOf(json) === wanted) return { json, isOpening };
        const { event, fault } = verdict(status, json);
        return { ended: failed(fault, hops, event) };
      },
    };
  };
}

/** Every Patient in a reply must be the one asked for, by every NHS number it has. */
export function whyOtherPatient(bundle: unknown, nhsNumber: string): Fault | undefined {
  const numbers = resourcesOf(bundle, 'Patient').map(nhsNumbersOf);
  if (numbers.length === 0) return unreadable('no Patient');
  if (numbers.flat().some((number) => number !== nhsNumber)) return { name: 'wrongPatient' };
  if (numbers.some((own) => own.length === 0)) return unreadable('a Patient without an NHS number');
  return undefined;
}

/** A good status with a reply that is not what it should be. */
export const unreadable = (why: string): Fault => ({
  name: 'gpReplyUnreadable',
  detail: `HTTP 200, ${why}`,
});

const typeOf = (json: unknown) => (json as { resourceType?: unknown } | null)?.resourceType;

const withoutSlash = (address: string) => address.replace(/\/+$/, '');
