/**
 * GP Connect Access Document (FHIR STU3, 1.6): the documents in a patient's GP record. The patient is
 * found first, then their documents, and each document itself only where the channel wants it.
 */
import { bundleType, resourcesOf } from './bundle.ts';
import { tokenClaims } from './gpconnect-request.ts';
import type { Http } from './http.ts';
import { failed } from './outcome.ts';
import { outsideOf, periodOf } from './period.ts';
import type { AskDocuments, Asker, Attempt, Hop, Outcome } from './port.ts';
import {
  type Provider,
  type ProviderOptions,
  createProviders,
  stu3,
  unreadable,
  whyOtherPatient,
} from './provider.ts';

/** Spine interaction ids; the service is in the directory under the search for documents. */
export const documentInteractions = {
  patient: 'urn:nhs:names:services:gpconnect:documents:fhir:rest:search:patient-1',
  search: 'urn:nhs:names:services:gpconnect:documents:fhir:rest:search:documentreference-1',
  binary: 'urn:nhs:names:services:gpconnect:documents:fhir:rest:read:binary-1',
} as const;

export interface DocumentOptions extends ProviderOptions {
  /** Fetch each document, too; otherwise an answer holds where it is. */
  content: boolean;
}

/** Code of the List this reply is given: GP Connect has none for documents. */
export const documentList = 'documents';

/** Longest document a provider gives ("Documents guidance"), and how much of them one answer takes. */
const longestDocument = 5 * 1024 ** 2;
const longestAnswer = 20 * 1024 ** 2;

/** What every search must ask for beside the documents ("Search for a patient's documents"). */
const includes = [
  ['_include', 'DocumentReference:subject:Patient'],
  ['_include', 'DocumentReference:custodian:Organization'],
  ['_include', 'DocumentReference:author:Organization'],
  ['_include', 'DocumentReference:author:Practitioner'],
  ['_revinclude:recurse', 'PractitionerRole:practitioner'],
];

type Json = Record<string, unknown>;

interface Call {
  provider: Provider;
  address: string;
  asker: Asker;
  attempt: Attempt;
  hops: Hop[];
}

/**
 * Asks for the documents of a patient, with what they are made by and where they are. Outcomes as of
 * the structured record; `notFound` also where the service does not know the patient. A document that
 * cannot be fetched is still listed, and the list says so.
 */
export function createDocuments(options: DocumentOptions, http: Http): AskDocuments {
  const now = options.now ?? Date.now;
  const providers = createProviders(options, http);

  return async (request, endpoint, asker, attempt) => {
    const provider = providers(endpoint, asker);
    if ('fault' in provider) return failed(provider.fault, []);
    const hops: Hop[] = [];
    const call: Call = { provider, address: endpoint.address, asker, attempt, hops };

    const number = `https://fhir.nhs.uk/Id/nhs-number|${request.nhsNumber}`;
    const found = await get(
      call,
      'patient',
      `Patient?${new URLSearchParams({ identifier: number })}`,
    );
    if (found.ended) return found.ended;
    const patient = patientIn(found.json, request.nhsNumber);
    if ('name' in patient) {
      return failed(patient, hops, patient.name === 'patientNotFound' ? 'notFound' : undefined);
    }

    const period = periodOf(request);
    const query = new URLSearchParams();
    for (const [name = '', value = ''] of includes) query.append(name, value);
    if (period.start) query.append('created', `ge${period.start}`);
    if (period.end) query.append('created', `le${period.end}`);
    const reply = await get(call, 'search', `Patient/${patient.id}/DocumentReference?${query}`);
    if (reply.ended) return reply.ended;
    if (bundleType(reply.json) !== 'searchset') {
      return failed(unreadable('not a searchset Bundle'), hops);
    }
    const wrong = whyOtherPatient(reply.json, request.nhsNumber);
    if (wrong?.name === 'wrongPatient') return failed(wrong, hops);

    const said = notesOf(reply.json);
    const { length, missing } = options.content
      ? await fetchAll(call, reply.json)
      : { length: 0, missing: [] };
    if (hasNextPage(reply.json)) missing.push('The GP system holds more documents than it listed');
    const bundle = listed(reply.json, [...said, confidentiality], missing);
    const outside = outsideOf(period);
    const limit = outside && `Documents made ${outside} were not asked for`;
    return { event: 'reply', value: { bundle, length, limit }, hops };
  };

  function get(
    { provider, address, asker, attempt, hops }: Call,
    what: keyof typeof documentInteractions,
    path: string,
  ) {
    return provider.ask(
      {
        interaction: documentInteractions[what],
        method: 'GET',
        path,
        mediaType: stu3,
        claims: tokenClaims(options, address, asker, provider.user, now()),
        wanted: what === 'binary' ? 'Binary' : 'Bundle',
      },
      attempt,
      hops,
    );
  }

  /**
   * Put each document into its attachment.
   * @returns how long they are together, and what could not be fetched, in words
   */
  async function fetchAll(
    call: Call,
    bundle: unknown,
  ): Promise<{ length: number; missing: string[] }> {
    const missing: string[] = [];
    let length = 0;
    for (const reference of resourcesOf(bundle, 'DocumentReference')) {
      for (const attachment of attachmentsOf(reference)) {
        const { url, size } = attachment;
        // Without an address there is none to fetch; the reference says why (title).
        if (typeof url !== 'string') continue;
        const told = (why: string) =>
          missing.push(`Document ${String(reference.id)} is listed and not fetched: ${why}`);
        const [, id] = /\/Binary\/([A-Za-z0-9.-]{1,64})$/.exec(url) ?? [];
        if (id === undefined) told('its address is not that of a document');
        else if (typeof size === 'number' && size > longestDocument) told('it is over 5 MB');
        else if (length >= longestAnswer) told('the answer holds 20 MB of documents already');
        else {
          const { json, ended } = await get(call, 'binary', `Binary/${id}`);
          const content = (json as Json | undefined)?.content;
          if (ended) told(whyOf(ended));
          else if (typeof content !== 'string') told('what came holds no document');
          else if (content.length > (longestDocument / 3) * 4 + 4) told('it is over 5 MB');
          else {
            attachment.data = content;
            length += content.length;
          }
        }
      }
    }
    return { length, missing };
  }
}

/** The one patient a search found, by an id that can stand in an address. */
function patientIn(bundle: unknown, nhsNumber: string) {
  if (bundleType(bundle) !== 'searchset') return unreadable('not a searchset Bundle');
  const patients = resourcesOf(bundle, 'Patient');
  if (patients.length === 0) return { name: 'patientNotFound' as const, detail: 'no Patient' };
  const wrong = whyOtherPatient(bundle, nhsNumber);
  if (wrong) return wrong;
  const ids = new Set(patients.map(({ id }) => id));
  const [id] = ids;
  const usable = ids.size === 1 && typeof id === 'string' && /^[A-Za-z0-9.-]{1,64}$/.test(id);
  return usable ? { id } : unreadable('no Patient id that can be asked for');
}

/** GP Connect gives no sign of documents it holds back ("Documents guidance", confidentiality). */
const confidentiality =
  'GP systems do not share documents that have a confidentiality policy, and do not say whether there are any.';

/** What the GP system says of a search besides its result. */
function notesOf(bundle: unknown): string[] {
  return resourcesOf(bundle, 'OperationOutcome').flatMap(({ issue }) =>
    (Array.isArray(issue) ? (issue as Json[]) : []).flatMap((one) => {
      const text = (one.details as Json | undefined)?.text ?? one.diagnostics;
      return typeof text === 'string' ? [text] : [];
    }),
  );
}

/** GP Connect does not page its replies; one that did would not hold every document. */
function hasNextPage(bundle: unknown): boolean {
  const { link } = bundle as { link?: unknown };
  return Array.isArray(link) && (link as Json[]).some(({ relation }) => relation === 'next');
}

/** The reply with a List that names its documents, as every other area of the record has one. */
function listed(bundle: unknown, notes: string[], missing: string[]): Json {
  const resources = ((bundle as { entry?: unknown }).entry ?? []) as Json[];
  const documents = resourcesOf(bundle, 'DocumentReference');
  const list = {
    resourceType: 'List',
    code: { coding: [{ code: documentList }] },
    note: notes.map((text) => ({ text })),
    entry: [
      ...documents.map(({ id }) => ({ item: { reference: `DocumentReference/${String(id)}` } })),
      // An entry without a reference is something listed that is not supplied.
      ...missing.map((display) => ({ item: { display } })),
    ],
    ...(documents.length === 0 && {
      emptyReason: { coding: [{ code: 'no-content-recorded' }] },
    }),
  };
  const kept = resources.filter(
    ({ resource }) => (resource as Json | undefined)?.resourceType !== 'OperationOutcome',
  );
  return { resourceType: 'Bundle', type: 'collection', entry: [...kept, { resource: list }] };
}

function attachmentsOf({ content }: Json): Json[] {
  return (Array.isArray(content) ? (content as Json[]) : []).flatMap(({ attachment }) =>
    typeof attachment === 'object' && attachment !== null ? [attachment as Json] : [],
  );
}

/** The status and code of a failure: plain codes, nothing else from outside. */
function whyOf({ fault }: Outcome<never>): string {
  return `the GP system did not give it (${fault?.detail ?? fault?.name})`;
}
