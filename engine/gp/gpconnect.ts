/**
 * GP Connect Access Record: Structured (FHIR STU3, specification 1.6): one patient's record, in one
 * request or two.
 */
import { type RecordPart, bundleType, recordOf } from './bundle.ts';
import { recordRequests } from './gpconnect-areas.ts';
import { structuredRecord, tokenClaims } from './gpconnect-request.ts';
import type { Http } from './http.ts';
import { londonDate } from './london-date.ts';
import { failed } from './outcome.ts';
import type { AskRecord, Hop } from './port.ts';
import {
  type ProviderOptions,
  createProviders,
  stu3,
  unreadable,
  whyOtherPatient,
} from './provider.ts';

/**
 * Asks for a structured record. Outcomes: `reply`; `notFound`; `notEnabled` (the practice does not
 * offer the structured record); `refused` (patient or practice, with their text); `permanent` (our
 * organisation, our request, Spine's refusal, another patient's record); `transient` (unavailable or
 * unreadable) and `timeout`.
 */
export function createGpConnect(options: ProviderOptions, http: Http): AskRecord {
  const now = options.now ?? Date.now;
  const providers = createProviders(options, http);
  return async (request, endpoint, asker, attempt) => {
    const provider = providers(endpoint, asker);
    if ('fault' in provider) return failed(provider.fault, []);
    const { requests, ...limited } = recordRequests(request, londonDate(now()));
    const hops: Hop[] = [];
    const parts: RecordPart[] = [];
    // One after the other: what is refused once is not asked for again.
    for (const parameters of requests) {
      const { json, isOpening, ended } = await provider.ask(
        {
          interaction: structuredRecord,
          method: 'POST',
          path: 'Patient/$gpc.getstructuredrecord',
          mediaType: stu3,
          claims: tokenClaims(options, endpoint.address, asker, provider.user, now()),
          body: parameters,
          wanted: 'Bundle',
          openingOnly: true,
        },
        attempt,
        hops,
      );
      if (ended) return ended;
      const unfit = whyNoRecord(json, request.nhsNumber);
      if (unfit) return failed(unfit, hops);
      parts.push({ json, isOpening, text: hops.at(-1)?.reply ?? new Uint8Array() });
    }
    return { event: 'reply', value: { ...recordOf(parts), ...limited }, hops };
  };
}

/** A structured record is a collection about the patient asked for, and about nobody else. */
export function whyNoRecord(bundle: unknown, nhsNumber: string) {
  if (bundleType(bundle) !== 'collection') return unreadable('not a collection Bundle');
  return whyOtherPatient(bundle, nhsNumber);
}
