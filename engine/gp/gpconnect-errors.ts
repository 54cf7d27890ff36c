/**
 * What an error from GP Connect means: the Spine secure proxy's and the practice system's errors
 * come over the same connection, and only `coding.system` tells them apart (GP Connect 1.6, "Error
 * handling").
 */
import type { Fault, FaultName } from '../faults.ts';
import { type Coding, codingsOf, plainCode, statusAndCode } from './outcome.ts';
import type { OutcomeEvent } from './port.ts';

/** The outcome an error stands for; without an event it is the class of the fault. */
export interface Verdict {
  event?: OutcomeEvent;
  fault: Fault;
}

/** Codes of the practice system, by their name with underscores. */
const providerCodes: Readonly<Record<string, [FaultName, OutcomeEvent?]>> = {
  // 404: also for inactive, deceased, sensitive and unverified patients.
  PATIENT_NOT_FOUND: ['patientNotFound', 'notFound'],
  NO_RECORD_FOUND: ['patientNotFound', 'notFound'],
  // 403: decisions of the patient or the practice; their text goes to the hospital word for word.
  NO_PATIENT_CONSENT: ['gpNoPatientConsent', 'refused'],
  NO_ORGANISATION_CONSENT: ['gpNoOrganisationConsent', 'refused'],
  ACCESS_DENIED: ['gpAccessDenied', 'refused'],
  NO_RELATIONSHIP: ['gpNoRelationship', 'refused'],
  // 400, 404, 409, 422, 501: our request.
  INVALID_NHS_NUMBER: ['nhsNumberInvalid'],
  INVALID_IDENTIFIER_SYSTEM: ['gpRejectedRequest'],
  INVALID_IDENTIFIER_VALUE: ['gpRejectedRequest'],
  INVALID_PATIENT_DEMOGRAPHICS: ['gpRejectedRequest'],
  BAD_REQUEST: ['gpRejectedRequest'],
  CONFLICTING_VALUES: ['gpRejectedRequest'],
  ORGANISATION_NOT_FOUND: ['gpRejectedRequest'],
  PRACTITIONER_NOT_FOUND: ['gpRejectedRequest'],
  DUPLICATE_REJECTED: ['gpRejectedRequest'],
  INVALID_RESOURCE: ['gpRejectedRequest'],
  INVALID_PARAMETER: ['gpRejectedRequest'],
  REFERENCE_NOT_FOUND: ['gpRejectedRequest'],
  // The practice's system does not have this interaction.
  NOT_IMPLEMENTED: ['gpRejectedRequest', 'notEnabled'],
  INTERNAL_SERVER_ERROR: ['gpUnavailable'],
};

/** The two systems under which the proxy speaks; its code is an HTTP status, its text a display. */
const isProxy = (system: string | undefined) =>
  /gpconnect-schedule-response-code-1-0$|spine-operationoutcome-1$/.test(system ?? '');

/**
 * @param status HTTP status, 200 included: some systems send an OperationOutcome with it
 * @param json the reply; undefined where it was not JSON
 */
export function verdict(status: number, json: unknown): Verdict {
  const codings = codingsOf(json);
  for (const coding of codings ?? []) {
    if (isProxy(coding.system)) return proxyVerdict(status, coding);
    const known = providerCodes[coding.code?.trim().replaceAll(' ', '_').toUpperCase() ?? ''];
    if (!known) continue;
    const [name, event] = known;
    const fault: Fault = { name, detail: statusAndCode(status, coding) };
    if (event === 'refused' && coding.display) fault.verbatim = coding.display;
    return { event, fault };
  }
  return {
    fault: { name: faultOfStatus(status), detail: statusAndCode(status, codings?.[0]) },
  };
}

function proxyVerdict(status: number, coding: Coding): Verdict {
  const said = /^\d{3}$/.test(coding.code ?? '') ? Number(coding.code) : status;
  const name = isPassing(said) ? 'gpUnavailable' : 'spineRefused';
  const reason = plainCode(coding.display);
  const detail = [`Spine proxy ${said}`, reason].filter(Boolean).join(' ');
  // The practice is not registered for this interaction; it may be for another one.
  if (reason === 'PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER') {
    return { event: 'notEnabled', fault: { name, detail } };
  }
  return { fault: { name, detail } };
}

/** Where no code is known the status decides, and "not found" is never concluded from it. */
function faultOfStatus(status: number): FaultName {
  // 495 and 496 (client certificate wrong, missing) come from in front of the proxy, as HTML.
  if (status === 495 || status === 496) return 'spineRefused';
  if (isPassing(status)) return 'gpUnavailable';
  // A refusal is not mended by asking again, whoever words it and in whatever form.
  return status >= 400 ? 'gpRejectedRequest' : 'gpReplyUnreadable';
}

const isPassing = (status: number) =>
  status === 408 || status === 429 || (status >= 500 && status !== 501);
