/**
 * The Spine Directory Service, FHIR R4: `GET /Endpoint` says where a practice's GP Connect service
 * is, `GET /Device` under which ASID (Ssp-To). The two belong together by their party key
 * (GP Connect 1.6, "Overview and querying SDS").
 */
import { z } from 'zod';
import { structuredRecord } from './gpconnect-request.ts';
import { isHttpUrl } from './address.ts';
import type { Http } from './http.ts';
import { type LookupOptions, createLookup } from './lookup.ts';
import { codingsOf, failed, lookupFault, statusAndCode } from './outcome.ts';
import type { Attempt, Endpoint, Hop, LocateEndpoint, Outcome } from './port.ts';

export interface SdsOptions extends LookupOptions {
  /** Base address, for example `https://sandbox.api.service.nhs.uk/spine-directory/FHIR/R4`. */
  url: string;
  /** Name of the GP Connect destination that is to ask at the endpoints found. */
  destination: string;
  /** The capability looked up; the structured record unless told. Addresses differ by capability. */
  interaction?: string;
}

const systems = {
  organisation: 'https://fhir.nhs.uk/Id/ods-organization-code',
  interaction: 'https://fhir.nhs.uk/Id/nhsServiceInteractionId',
  partyKey: 'https://fhir.nhs.uk/Id/nhsMhsPartyKey',
  asid: 'https://fhir.nhs.uk/Id/nhsSpineASID',
};

const text = z.string().optional();
const bundleSchema = z.object({
  resourceType: z.literal('Bundle'),
  entry: z
    .array(
      z.object({
        resource: z.object({
          resourceType: z.string(),
          status: text,
          address: text,
          identifier: z.array(z.object({ system: text, value: text })).optional(),
        }),
      }),
    )
    .optional(),
});
type Entry = {
  status?: string;
  address?: string;
  identifier?: { system?: string; value?: string }[];
};

/**
 * A directory lookup by SDS. Outcomes: `found`, `notFound` (the practice is not enabled for this
 * capability), `permanent` (an entry that cannot be used, our credentials, our request),
 * `transient` and `timeout`.
 */
export function createSds(options: SdsOptions, http: Http): LocateEndpoint {
  const base = options.url.replace(/\/+$/, '');
  const interaction = options.interaction ?? structuredRecord;
  const look = createLookup(options, http, 'directoryUnavailable');

  /** One search; an outcome instead of entries where it went wrong. */
  async function search(
    type: 'Endpoint' | 'Device',
    practice: string,
    partyKey: string | undefined,
    attempt: Attempt,
    hops: Hop[],
  ): Promise<Entry[] | Outcome<Endpoint>> {
    const query = new URLSearchParams({ organization: `${systems.organisation}|${practice}` });
    query.append('identifier', `${systems.interaction}|${interaction}`);
    if (partyKey) query.append('identifier', `${systems.partyKey}|${partyKey}`);
    const looked = await look(
      {
        interaction: `SDS ${type}`,
        method: 'GET',
        url: `${base}/${type}?${query}`,
        headers: { Accept: 'application/fhir+json', 'X-Correlation-Id': attempt.correlationId },
      },
      attempt,
    );
    if (looked.failed) {
      const { event, fault } = looked.failed;
      return { event, fault, hops: [...hops, ...looked.failed.hops] };
    }
    hops.push(...looked.hops);
    const { status, json } = looked;
    if (status !== 200) {
      const detail = statusAndCode(status, codingsOf(json)?.[0]);
      return failed({ name: lookupFault(status, 'directoryUnavailable'), detail }, hops);
    }
    const read = bundleSchema.safeParse(json);
    if (!read.success) {
      return failed({ name: 'directoryUnavailable', detail: 'HTTP 200, not a Bundle' }, hops);
    }
    return (read.data.entry ?? [])
      .map(({ resource }) => resource)
      .filter(
        (resource) => resource.resourceType === type && (resource.status ?? 'active') === 'active',
      );
  }

  return async (practice, _asker, attempt) => {
    const hops: Hop[] = [];
    const endpoints = await search('Endpoint', practice, undefined, attempt, hops);
    if (!Array.isArray(endpoints)) return endpoints;
    if (endpoints.length === 0) return notEnabled('no Endpoint', hops);

    const keys = new Set(
      endpoints.flatMap((endpoint) => valueOf(endpoint, systems.partyKey) ?? []),
    );
    // The server can narrow the search by party key only where there is one.
    const [only] = keys.size === 1 ? keys : [];
    const devices = await search('Device', practice, only, attempt, hops);
    if (!Array.isArray(devices)) return devices;
    if (devices.length === 0) return notEnabled('no Device', hops);

    const chosen = pair(endpoints, devices);
    if ('problem' in chosen) {
      return failed({ name: 'directoryEntryUnusable', detail: chosen.problem }, hops);
    }
    const value: Endpoint = {
      kind: 'gpconnect',
      name: options.destination ?? 'gpconnect',
      ...chosen,
    };
    return { event: 'found', value, hops };
  };
}

function notEnabled(detail: string, hops: Hop[]): Outcome<Endpoint> {
  return failed({ name: 'practiceNotEnabled', detail }, hops, 'notFound');
}

/**
 * The one address and ASID that share a party key. Several entries that say the same are one; where
 * they disagree nobody may guess, since the record would be asked for at the wrong system.
 */
function pair(
  endpoints: Entry[],
  devices: Entry[],
): { address: string; asid: string } | { problem: string } {
  const pairs = new Map<string, { address: string; asid: string }>();
  for (const endpoint of endpoints) {
    const key = valueOf(endpoint, systems.partyKey);
    for (const device of devices) {
      if (!key || valueOf(device, systems.partyKey) !== key) continue;
      const address = endpoint.address?.trim() ?? '';
      const asid = valueOf(device, systems.asid) ?? '';
      pairs.set(`${address}\n${asid}`, { address, asid });
    }
  }
  const [first, ...others] = pairs.values();
  if (!first) return { problem: 'no Endpoint and Device share a party key' };
  if (others.length > 0) {
    return { problem: `${pairs.size} pairs of address and ASID, none more right than the other` };
  }
  if (!first.address) return { problem: 'blank address' };
  if (!isHttpUrl(first.address)) return { problem: 'the address is no http or https address' };
  if (!first.asid) return { problem: 'blank ASID' };
  return first;
}

function valueOf(entry: Entry, system: string): string | undefined {
  const found = entry.identifier?.find((identifier) => identifier.system === system);
  return found?.value?.trim() || undefined;
}
