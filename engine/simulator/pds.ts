/**
 * The Personal Demographics Service, FHIR R4 (NHS England API catalogue): one patient by NHS
 * number. The rules a consumer must know are in the answers: another `id` than the one asked for
 * means the number was superseded, `meta.security` R means do not ask the practice, and a practice
 * counts only inside its period.
 */
import { isNhsNumber } from './facts.ts';
import type { World } from './facts.ts';
import type { Answer, Request } from './http.ts';
import { json, spineError } from './outcome.ts';
import { changed, patientResource } from './pds-patient.ts';
import type { Scenario, ScenarioName } from './scenarios.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Answer `GET /Patient/{nhs}`.
 * @param path the path behind the base URL
 * @param context.scenario what is switched on for this patient at PDS
 * @param context.admits whether a token is good; without it PDS is open to everybody
 * @param context.today `YYYY-MM-DD`
 */
export function answerPds(
  request: Request,
  path: string,
  world: World,
  context: {
    scenario: Scenario | undefined;
    admits: ((authorization: string | undefined) => boolean) | undefined;
    today: string;
  },
): Answer {
  const refused = refuseHeaders(request, context.admits);
  const answer = refused ?? answerRead(request, path, world, context.scenario, context.today);
  return { ...answer, headers: { ...answer.headers, ...echoed(request) } };
}

function answerRead(
  request: Request,
  path: string,
  world: World,
  scenario: Scenario | undefined,
  today: string,
): Answer {
  const [, asked] = /^\/Patient\/([^/?]+)$/.exec(path) ?? [];
  if (request.method !== 'GET' || asked === undefined) {
    return refusal(400, 'not-supported', 'UNSUPPORTED_SERVICE', 'Only a patient can be read');
  }
  if (!isNhsNumber(asked)) {
    return refusal(400, 'value', 'INVALID_RESOURCE_ID', 'The NHS number is not valid');
  }
  const failed = scenario && failures[scenario.name];
  if (failed) return { ...failed, headers: { ...failed.headers, ...waiting(scenario) } };
  const patient = world.patients.get(asked);
  if (!patient) return notFound;
  if (patient.invalidated) return invalidated;
  const current = world.patients.get(patient.supersededBy ?? asked) ?? patient;
  return {
    ...json(200, patientResource(changed(current, scenario?.name, today), today)),
    headers: {
      'content-type': 'application/fhir+json',
      etag: 'W/"2"',
      'cache-control': 'no-store',
    },
  };
}

function refuseHeaders(
  request: Request,
  admits: ((authorization: string | undefined) => boolean) | undefined,
): Answer | undefined {
  const { authorization } = request.headers;
  const denied = !admits || admits(authorization) ? undefined : refuseToken(authorization);
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

function refuseToken(authorization: string | undefined): Answer {
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

/** How long a caller is asked to wait, where the scenario says it. */
function waiting({ name, ms }: Scenario): Record<string, string> {
  if (name !== 'tooManyRequests' || ms === undefined) return {};
  return { 'retry-after': String(Math.ceil(ms / 1000)) };
}

const failures: Partial<Record<ScenarioName, Answer>> = {
  notFound,
  invalidated,
  tooManyRequests: spineError(429, 'throttled', 'TOO_MANY_REQUESTS', 'Too many requests'),
  pdsError: spineError(500, 'exception', 'SERVER_ERROR', 'An unexpected error has occurred'),
  pdsTimeout: spineError(408, 'timeout', 'UNABLE_TO_CALL_SERVICE', 'Unable to call service'),
  tokenRefused: spineError(
    401,
    'forbidden',
    'ACCESS_DENIED',
    'Access Denied - Unauthorised',
    'Access Token expired',
  ),
  pdsDenied: spineError(403, 'forbidden', 'ACCESS_DENIED', 'Access denied'),
};
