/**
 * Every error the simulated systems can answer with, in the coding system of the system that
 * answers. GP Connect providers, the Spine proxy and the Spine's own FHIR interfaces (PDS, SDS)
 * use three different ones; a consumer can tell them apart only by it, not by the HTTP status.
 */
import type { Answer } from './http.ts';

/**
 * GP Connect 1.6 error codes: HTTP status, issue.code, display.
 * `ACCESS DENIED` really holds a space.
 */
export const providerErrors = {
  INVALID_NHS_NUMBER: [400, 'value', 'Invalid NHS number'],
  INVALID_IDENTIFIER_SYSTEM: [400, 'value', 'Invalid identifier system'],
  INVALID_IDENTIFIER_VALUE: [400, 'value', 'Invalid identifier value'],
  INVALID_PATIENT_DEMOGRAPHICS: [400, 'business-rule', 'Invalid patient demographics'],
  BAD_REQUEST: [400, 'invalid', 'Bad request'],
  CONFLICTING_VALUES: [400, 'invalid', 'Conflicting values have been specified'],
  NO_PATIENT_CONSENT: [403, 'forbidden', 'Patient has not provided consent to share data'],
  NO_ORGANISATION_CONSENT: [
    403,
    'forbidden',
    'Organisation has not provided consent to share data',
  ],
  'ACCESS DENIED': [403, 'forbidden', 'Access has been denied to process this request'],
  NO_RELATIONSHIP: [403, 'forbidden', 'No legitimate relationship exists with this patient'],
  PATIENT_NOT_FOUND: [404, 'not-found', 'Patient not found'],
  ORGANISATION_NOT_FOUND: [404, 'not-found', 'Organisation not found'],
  PRACTITIONER_NOT_FOUND: [404, 'not-found', 'Practitioner not found'],
  NO_RECORD_FOUND: [404, 'not-found', 'No record found'],
  DUPLICATE_REJECTED: [409, 'duplicate', 'Create would lead to creation of a duplicate resource'],
  INVALID_RESOURCE: [422, 'invalid', 'Invalid validation of resource'],
  INVALID_PARAMETER: [422, 'invalid', 'Invalid parameter'],
  REFERENCE_NOT_FOUND: [422, 'invalid', 'Reference not found'],
  INTERNAL_SERVER_ERROR: [500, 'exception', 'Internal server error'],
  NOT_IMPLEMENTED: [501, 'not-supported', 'Not implemented'],
} as const satisfies Record<string, readonly [number, string, string]>;

export type ProviderCode = keyof typeof providerErrors;

export const providerSystem = 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1';
export const outcomeProfile =
  'https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-OperationOutcome-1';
const proxySystem = 'http://fhir.nhs.net/ValueSet/gpconnect-schedule-response-code-1-0';
const spineSystem = 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode';

/** A refusal by a check: which error, and why (diagnostics; never patient data). */
export interface Refusal {
  code: ProviderCode;
  why: string;
}

/** A provider's error (GP Connect 1.6, error handling guidance). */
export function providerError({ code, why }: Refusal): Answer {
  const [status, type, display] = providerErrors[code];
  return json(status, {
    resourceType: 'OperationOutcome',
    meta: { profile: [outcomeProfile] },
    issue: [
      {
        severity: 'error',
        code: type,
        details: { coding: [{ system: providerSystem, code, display }] },
        diagnostics: why,
      },
    ],
  });
}

/** A Spine proxy's error: the code is the HTTP status, the reason stands in display. */
export function proxyError(status: number, type: string, reason: string): Answer {
  return json(status, {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'error',
        code: type,
        details: { coding: [{ system: proxySystem, code: String(status), display: reason }] },
        diagnostics: reason,
      },
    ],
  });
}

/** The Spine proxy's 405, the one error it codes in yet another system and as fatal. */
export function proxyMethodNotAllowed(): Answer {
  const system = 'https://fhir.nhs.uk/StructureDefinition/spine-operationoutcome-1';
  return json(405, {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'fatal',
        code: 'forbidden',
        details: { coding: [{ system, code: '405', display: '405: Method Not Allowed' }] },
      },
    ],
  });
}

/** An error of PDS or SDS (FHIR R4). */
export function spineError(
  status: number,
  type: string,
  code: string,
  display: string,
  why?: string,
): Answer {
  return json(status, {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'error',
        code: type,
        details: { coding: [{ system: spineSystem, version: '1', code, display }] },
        ...(why === undefined ? {} : { diagnostics: why }),
      },
    ],
  });
}

/** A FHIR resource as an answer, never to be cached. */
export function json(status: number, resource: unknown): Answer {
  return {
    status,
    headers: {
      'content-type': 'application/fhir+json; charset=utf-8',
      'cache-control': 'no-store',
    },
    body: JSON.stringify(resource),
  };
}
