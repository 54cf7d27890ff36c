/**
 * What an error of the Clinical Data Gateway means (NHSDigital/clinical-data-gateway-api,
 * gateway_api/common/error.py). It looks up PDS and SDS and asks the provider itself, and of all that
 * can go wrong there it tells a status and a sentence, in `diagnostics`. The sentences may hold the NHS
 * number, so none is ever repeated. A refusal of the provider arrives as 502 with no more than the name
 * of its HTTP status: why it refused is lost, and is not guessed here.
 */
import { STATUS_CODES } from 'node:http';
import type { Fault, FaultName } from '../faults.ts';
import { type Verdict, verdict } from './gpconnect-errors.ts';
import { codingsOf } from './outcome.ts';
import type { OutcomeEvent } from './port.ts';

/** Who failed, where a sentence says so, and what is reported of the reason after it. */
const upstream: [RegExp, (status: number | undefined) => [FaultName, OutcomeEvent?]][] = [
  [
    /^PDS FHIR API request failed: (.*)/,
    (status) => [refuses(status) ? 'lookupRejected' : 'traceUnavailable'],
  ],
  [
    /^SDS FHIR API request failed: (.*)/,
    (status) => [refuses(status) ? 'lookupRejected' : 'directoryUnavailable'],
  ],
  [
    /^Provider request failed: (.*)/,
    (status) => [refuses(status) ? 'gatewayRefusedUpstream' : 'gpUnavailable'],
  ],
];

const lookups: [RegExp, FaultName, OutcomeEvent?][] = [
  [/^PDS patient \S* ?did not contain a current provider ODS code/, 'practiceUnknown', 'notFound'],
  [/^No SDS org found for provider /, 'practiceNotEnabled', 'notEnabled'],
  [/^SDS result for provider .* did not contain a current /, 'practiceNotEnabled', 'notEnabled'],
  [/^(No SDS org found|SDS result) for consumer /, 'spineRefused'],
];

/**
 * @param status HTTP status, 200 included
 * @param json the reply; undefined where it was not JSON
 */
export function gatewayVerdict(status: number, json: unknown): Verdict {
  // A provider's own OperationOutcome is coded; the gateway's never is.
  if (status === 200 || codingsOf(json)?.length) return verdict(status, json);
  const said = diagnosticsOf(json) ?? '';
  for (const [sentence, name, event] of lookups) {
    if (sentence.test(said)) return { event, fault: { name, detail: `HTTP ${status}` } };
  }
  for (const [sentence, meaning] of upstream) {
    const [, reason] = sentence.exec(said) ?? [];
    if (reason === undefined) continue;
    const theirs = statusNamed(reason);
    const [name, event] = meaning(theirs);
    const detail = [`HTTP ${status}`, theirs && `upstream ${theirs}`].filter(Boolean).join(', ');
    return { event, fault: { name, detail } };
  }
  return { fault: faultOfStatus(status) };
}

function faultOfStatus(status: number): Fault {
  const detail = `HTTP ${status}`;
  if (status === 401 || status === 403) return { name: 'gatewayAccessRefused', detail };
  const passing = status < 400 || status >= 500 || status === 408 || status === 429;
  return { name: passing ? 'gpUnavailable' : 'gpRejectedRequest', detail };
}

/** `NOT FOUND` → 404; undefined where the reason is no name of a status. */
function statusNamed(reason: string): number | undefined {
  const wanted = reason.trim().toLowerCase();
  const found = Object.entries(STATUS_CODES).find(([, name]) => name?.toLowerCase() === wanted);
  return found && Number(found[0]);
}

/** A refusal, rather than a failure that may pass. */
const refuses = (status: number | undefined) =>
  status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;

function diagnosticsOf(json: unknown): string | undefined {
  const { issue } = (json ?? {}) as { issue?: unknown };
  const [first] = Array.isArray(issue) ? (issue as { diagnostics?: unknown }[]) : [];
  return typeof first?.diagnostics === 'string' ? first.diagnostics : undefined;
}
