/**
 * The Spine Secure Proxy: `/ssp/https://provider/…`. It knows nothing of patients; it lets a
 * request through only where both ASIDs, the interaction and the target address agree with the
 * directory and every header is there. Its errors are coded by HTTP status in a system of its own;
 * texts the specification gives no example for name the header at fault.
 */
import { careRecordInteraction } from './care-record.ts';
import type { Consumer, Practice, World } from './facts.ts';
import type { Answer, Request } from './http.ts';
import { proxyError, proxyMethodNotAllowed } from './outcome.ts';
import type { ScenarioName } from './scenarios.ts';
import { cpaOf } from './sds.ts';
import { decodeToken } from './token.ts';
import type { Claims } from './token.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const fhirJson = /^application\/fhir\+json(\s*;\s*charset="?utf-8"?)?$/i;
const dstu2Json = /^application\/json\+fhir(\s*;\s*charset="?utf-8"?)?$/i;

/** What the proxy found out of a request it lets through. */
export interface Passed {
  consumer: Consumer;
  practice: Practice;
  claims: Claims;
  interaction: string;
  /** The path below the practice's service root, percent-decoded. */
  path: string;
}

/**
 * Check a request as the proxy does.
 * @param target what stands behind `/ssp/`: the absolute URL at the provider, as sent
 * @param addressOf the service root of a practice as SDS gives it now
 */
export function passProxy(
  request: Request,
  target: string,
  world: World,
  addressOf: (practice: Practice) => string,
): Passed | Answer {
  const { headers } = request;
  const interaction = headers['ssp-interactionid'] ?? '';
  // An operation is a POST, a search or read a GET.
  const method = interaction.includes(':fhir:rest:') ? 'GET' : 'POST';
  if (request.method !== method) return proxyMethodNotAllowed();
  const required = ['Ssp-TraceID', 'Ssp-From', 'Ssp-To', 'Ssp-InteractionID', 'Authorization'];
  const absent = required.find((name) => !headers[name.toLowerCase()]);
  if (absent) return proxyError(400, 'invalid', `MISSING_HEADER_${absent}`);
  if (!uuid.test(headers['ssp-traceid'] ?? '')) {
    return proxyError(400, 'invalid', 'INVALID_HEADER_Ssp-TraceID');
  }
  const mediaType = interaction === careRecordInteraction ? dstu2Json : fhirJson;
  const accepts = (headers.accept ?? '').split(',').some((type) => mediaType.test(type.trim()));
  if (!mediaType.test(headers['content-type'] ?? '') || !accepts) {
    return proxyError(415, 'not-supported', 'Unsupported_Media_Type');
  }
  const claims = decodeToken(headers.authorization ?? '');
  if (!claims) return proxyError(400, 'invalid', 'INVALID_HEADER_Authorization');
  const from = headers['ssp-from'];
  const consumer = world.consumers.find(({ asid }) => asid === from);
  if (!consumer) {
    return proxyError(403, 'forbidden', `ASID_CHECK_FAILED_MESSAGESENDER_${from}`);
  }
  const to = headers['ssp-to'] ?? '';
  const practice = [...world.practices.values()].find(({ devices }) => devices.includes(to));
  if (!practice?.interactions.includes(interaction)) {
    const reason = `PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_${to}`;
    return proxyError(403, 'forbidden', reason);
  }
  const root = addressOf(practice).replace(/\/$/, '');
  const path = target.startsWith(`${root}/`) ? target.slice(root.length + 1) : undefined;
  if (path === undefined) {
    const reason = `ENDPOINT_${root}_CPAID_${cpaOf(practice)}_VARIES_FROM_TARGETURL_${target}`;
    return proxyError(400, 'invalid', reason);
  }
  return { consumer, practice, claims, interaction, path: path.replaceAll('%24', '$') };
}

/** The proxy's own error for a scenario that happens there; undefined for those of the wire. */
export function proxyFailure(
  scenario: ScenarioName,
  passed: Passed,
  target: string,
): Answer | undefined {
  const { consumer, practice } = passed;
  const to = practice.devices[0] ?? '';
  switch (scenario) {
    case 'senderNotRegistered':
      return proxyError(403, 'forbidden', `ASID_CHECK_FAILED_MESSAGESENDER_${consumer.asid}`);
    case 'receiverNotRegistered':
      return proxyError(
        403,
        'forbidden',
        `PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_${to}`,
      );
    case 'notFirstOfType': {
      const pair = `MESSAGESENDER_${consumer.asid}_MESSAGERECEIVER_${to}`;
      return proxyError(403, 'forbidden', `FOT_CHECK_FAILED_${pair}`);
    }
    case 'addressVaries': {
      const pair = `${practice.address}_CPAID_${cpaOf(practice)}_VARIES_FROM_TARGETURL_${target}`;
      return proxyError(400, 'invalid', `ENDPOINT_${pair}`);
    }
    case 'methodNotAllowed':
      return proxyMethodNotAllowed();
    case 'unsupportedMediaType':
      return proxyError(415, 'not-supported', 'Unsupported_Media_Type');
    case 'proxyTimeout':
      return proxyError(504, 'transient', `TIMEOUT_ENDPOINT_URL_${target}`);
    case 'noCertificate':
      return { status: 496, headers: { 'content-type': 'text/html' }, body: certificatePage };
    case 'unreachable':
      return proxyError(502, 'transient', `ERROR_COMMUNICATING_TO_ENDPOINT_URL_${target}`);
  }
}

const certificatePage = '<html><body><h1>No required SSL certificate was sent</h1></body></html>';
