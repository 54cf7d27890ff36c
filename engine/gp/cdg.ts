/**
 * The Clinical Data Gateway API: GP Connect's structured record over the internet. The gateway finds
 * the practice (PDS), its endpoint (SDS) and asks it; we send what we would send the practice.
 */
import { randomUUID } from 'node:crypto';
import { type Access, authorise } from './access.ts';
import { type RecordPart, recordOf } from './bundle.ts';
import { gatewayVerdict } from './cdg-errors.ts';
import { recordRequests } from './gpconnect-areas.ts';
import { type Requester, structuredRecord, tokenClaims, userId } from './gpconnect-request.ts';
import { whyNoRecord } from './gpconnect.ts';
import type { Http } from './http.ts';
import { londonDate } from './london-date.ts';
import { failed, withoutReply } from './outcome.ts';
import type { AskGateway, Asker, Hop, LocateEndpoint } from './port.ts';
import { gpFailures } from './provider.ts';

export interface GatewayOptions extends Requester {
  /** Base address; `/patient/$gpc.getstructuredrecord` is below it. */
  url: string;
  access: Access;
  /** Milliseconds since 1970; `Date.now` unless told. */
  now?: () => number;
}

const mediaType = 'application/fhir+json';

/**
 * Asks for a structured record. Outcomes: `reply`; `notFound` (PDS names no current practice);
 * `notEnabled`; `refused`; `permanent` (our credentials, our organisation, our request, a refusal the
 * gateway does not explain, another patient's record); `transient` and `timeout`.
 *
 * The gateway mints the token for the practice. Who asks is named to it in the parameter `identity`,
 * which it does not pass on; a user is never made up.
 */
export function createGateway(options: GatewayOptions, http: Http): AskGateway {
  const now = options.now ?? Date.now;
  return async (request, _endpoint, asker, attempt) => {
    const user = userId(asker);
    if (!user) return failed({ name: 'askerMissing', detail: 'no user id' }, []);
    const access = await authorise(options.access, attempt);
    const hops: Hop[] = [...access.hops];
    if (access.failed) {
      return failed({ name: 'gatewayAccessRefused', detail: access.detail }, hops);
    }
    const { requests, ...limited } = recordRequests(request, londonDate(now()));
    const parts: RecordPart[] = [];
    for (const parameters of requests) {
      const reply = await http.ask(
        {
          interaction: structuredRecord,
          method: 'POST',
          url: `${options.url.replace(/\/+$/, '')}/patient/$gpc.getstructuredrecord`,
          headers: {
            Accept: mediaType,
            'Content-Type': mediaType,
            'Ods-from': asker.organisation.ods,
            'Ssp-TraceID': randomUUID(),
          },
          secrets: access.headers,
          body: JSON.stringify({
            ...parameters,
            parameter: [...parameters.parameter, identity(options, asker, user, now())],
          }),
          openingOnly: true,
        },
        attempt,
      );
      hops.push(reply.hop);
      if (reply.failure) {
        return withoutReply(reply, (failure) => gpFailures[failure], attempt, hops);
      }
      const { status, json, isOpening } = reply;
      if (status !== 200 || (json as { resourceType?: unknown })?.resourceType !== 'Bundle') {
        const { event, fault } = gatewayVerdict(status, json);
        return failed(fault, hops, event);
      }
      const unfit = whyNoRecord(json, request.nhsNumber);
      if (unfit) return failed(unfit, hops);
      parts.push({ json, isOpening, text: reply.bytes });
    }
    return { event: 'reply', value: { ...recordOf(parts), ...limited }, hops };
  };
}

/** Locate by not looking: a gateway finds every practice itself. */
export const gatewayAnywhere =
  (name: string): LocateEndpoint =>
  async () => ({ event: 'found', value: { kind: 'cdg', name }, hops: [] });

/** Who asks, as the gateway wants it named: the resources of the token it will mint. */
function identity(requester: Requester, asker: Asker, user: string, now: number): object {
  const claims = tokenClaims(requester, requester.issuer, asker, user, now);
  return {
    name: 'identity',
    part: [
      { name: 'issuer', value: requester.issuer },
      { name: 'requestingOrgName', value: asker.organisation.name },
      { name: 'requestingDevice', resource: claims.requesting_device },
      { name: 'requestingPractitioner', resource: claims.requesting_practitioner },
    ],
  };
}
