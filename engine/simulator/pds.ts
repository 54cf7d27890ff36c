/**
 * The Personal Demographics Service, FHIR R4 (NHS England API catalogue): one patient by NHS
 * number. The rules a consumer must know are in the answers: another `id` than the one asked for
 * means the number was superseded, `meta.security` R means do not ask the practice, and a practice
 * counts only inside its period.
 */
import { currentPractice, isNhsNumber } from './facts.ts';
import type { Patient, World } from './facts.ts';
import type { Answer, Request } from './http.ts';
import { json, spineError } from './outcome.ts';
import type { ScenarioName } from './scenarios.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Answer `GET /Patient/{nhs}`.
 * @param path the path behind the base URL
 * @param context.scenario what is switched on for this patient at PDS
 * @param context.token the bearer token asked for; without one PDS is open, as its sandbox is
 * @param context.today `YYYY-MM-DD`
 */
export function answerPds(
  request: Request,
  path: string,
  world: World,
  context: { scenario: ScenarioName | undefined; token: string | undefined; today: string },
): Answer {
  const refused = refuseHeaders(request, context.token);
  const answer = refused ?? answerRead(request, path, world, context.scenario, context.today);
  return { ...answer, headers: { ...answer.headers, ...echoed(request) } };
}

function answerRead(
  request: Request,
  path: string,
  world: World,
  scenario: ScenarioName | undefined,
  today: string,
): Answer {
  const [, asked] = /^\/Patient\/([^/?]+)$/.exec(path) ?? [];
  if (request.method !== 'GET' || asked === undefined) {
    return refusal(400, 'not-supported', 'UNSUPPORTED_SERVICE', 'Only a patient can be read');
  }
  if (!isNhsNumber(asked)) {
    return refusal(400, 'value', 'INVALID_RESOURCE_ID', 'The NHS number is not valid');
  }
  const failed = scenario === undefined ? undefined : failures[scenario];
  if (failed) return failed;
  const patient = world.patients.get(asked);
  if (!patient) return notFound;
  if (patient.invalidated) return invalidated;
  const current = world.patients.get(patient.supersededBy ?? asked) ?? patient;
  return {
    ...json(200, patientResource(applyScenario(current, scenario, today), today)),
    headers: {
      'content-type': 'application/fhir+json',
      etag: 'W/"2"',
      'cache-control': 'no-store',
    },
  };
}

/** Scenarios that change what PDS knows rather than fail. */
function applyScenario(
  patient: Patient,
  scenario: ScenarioName | undefined,
  today: string,
): Patient {
  switch (scenario) {
    case 'superseded':
      return { ...patient, nhsNumber: newerNumber(patient.nhsNumber) };
    case 'restricted':
      return { ...patient, restricted: true };
    case 'deceased':
      return { ...patient, deceased: today };
    case 'noPractice':
      return { ...patient, practices: [] };
    case 'expiredPractice':
      return {
        ...patient,
        practices: patient.practices.map(({ ods, from }) => ({ ods, from, to: '2025-12-31' })),
      };
    case 'otherDemographics':
      return { ...patient, family: 'Otherwise', birthDate: '1901-01-01' };
    default:
      return patient;
  }
}

function patientResource(patient: Patient, today: string): unknown {
  const security = patient.restricted
    ? { code: 'R', display: 'restricted' }
    : { code: 'U', display: 'unrestricted' };
  return {
    resourceType: 'Patient',
    id: patient.nhsNumber,
    identifier: [
      {
        system: 'https://fhir.nhs.uk/Id/nhs-number',
        value: patient.nhsNumber,
        extension: [
          {
            url: 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus',
            valueCodeableConcept: {
              coding: [
                {
                  system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus',
                  version: '1.0.0',
                  code: '01',
                  display: 'Number present and verified',
                },
              ],
            },
          },
        ],
      },
    ],
    meta: {
      versionId: '2',
      security: [
        { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', ...security },
      ],
    },
    name: [
      {
        id: 'N1',
        use: 'usual',
        period: { start: '2000-01-01' },
        given: patient.given,
        family: patient.family,
        ...(patient.prefix === undefined ? {} : { prefix: [patient.prefix] }),
      },
    ],
    gender: patient.gender,
    birthDate: patient.birthDate,
    ...(patient.deceased === undefined
      ? {}
      : { deceasedDateTime: `${patient.deceased}T00:00:00+00:00` }),
    ...(patient.restricted ? {} : { generalPractitioner: practicesOf(patient, today) }),
  };
}

/** The current registration first, as PDS lists it; a patient may have none that is current. */
function practicesOf(patient: Patient, today: string): unknown[] | undefined {
  if (patient.practices.length === 0) return undefined;
  const current = currentPractice(patient, today);
  const shown = patient.practices.filter(({ ods }) => ods === current || current === undefined);
  return shown.map(({ ods, from, to }, at) => ({
    id: `GP${at + 1}`,
    type: 'Organization',
    identifier: {
      system: 'https://fhir.nhs.uk/Id/ods-organization-code',
      value: ods,
      period: { start: from, ...(to === undefined ? {} : { end: to }) },
    },
  }));
}

/** The next valid number after this one. */
function newerNumber(number: string): string {
  let next = Number(number) + 1;
  while (!isNhsNumber(String(next))) next++;
  return String(next);
}

function refuseHeaders(request: Request, token: string | undefined): Answer | undefined {
  const denied = token === undefined ? undefined : refuseToken(request, token);
  if (denied) return denied;
  const requestId = request.headers['x-request-id'];
  if (requestId === undefined) {
    const why = 'The header X-Request-ID is missing';
    return spineError(400, 'required', 'MISSING_VALUE', 'Required value is missing', why);
  }
  const invalid = (name: string): Answer =>
    refusal(400, 'value', 'INVALID_VALUE', 'Provided value is invalid', `The header ${name}`);
  if (!uuid.test(requestId)) return invalid('X-Request-ID');
  const correlationId = request.headers['x-correlation-id'];
  if (correlationId !== undefined && !uuid.test(correlationId)) return invalid('X-Correlation-ID');
  const role = request.headers['nhsd-session-urid'];
  return role === undefined || /^\d+$/.test(role) ? undefined : invalid('NHSD-Session-URID');
}

function refuseToken(request: Request, token: string): Answer | undefined {
  const { authorization } = request.headers;
  if (authorization === `Bearer ${token}`) return undefined;
  const why =
    authorization === undefined
      ? 'Missing Authorization header'
      : authorization === ''
        ? 'Empty Authorization header'
        : 'Invalid Access Token';
  return spineError(401, 'forbidden', 'ACCESS_DENIED', 'Access Denied - Unauthorised', why);
}

function echoed({ headers }: Request): Record<string, string> {
  const names = ['x-request-id', 'x-correlation-id'];
  return Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
}

function refusal(status: number, type: string, code: string, display: string, why = display) {
  return spineError(status, type, code, display, why);
}

const notFound = spineError(404, 'not-found', 'RESOURCE_NOT_FOUND', 'Resource not found');
const invalidated = spineError(
  404,
  'not-found',
  'INVALIDATED_RESOURCE',
  'Resource that has been marked as invalid was requested',
);

const failures: Partial<Record<ScenarioName, Answer>> = {
  notFound,
  invalidated,
  tooManyRequests: spineError(429, 'throttled', 'TOO_MANY_REQUESTS', 'Too many requests'),
  pdsError: spineError(500, 'exception', 'SERVER_ERROR', 'An unexpected error has occurred'),
  pdsTimeout: spineError(408, 'timeout', 'UNABLE_TO_CALL_SERVICE', 'Unable to call service'),
  pdsDenied: spineError(403, 'forbidden', 'ACCESS_DENIED', 'Access denied'),
};
