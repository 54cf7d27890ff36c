/**
 * The Clinical Data Gateway API (NHSDigital/clinical-data-gateway-api): finds the practice, its
 * endpoint and the caller's ASID, names the asker to the practice and passes its record on. Its
 * errors are sentences without codes, and a refusal of the practice becomes 502 with the name of its
 * HTTP status and nothing else.
 */
import { STATUS_CODES } from 'node:http';
import { londonDate } from '../gp/london-date.ts';
import { currentPractice, structuredInteraction } from './facts.ts';
import type { World } from './facts.ts';
import type { Answer, Request } from './http.ts';
import { json } from './outcome.ts';
import { answerProvider } from './provider.ts';
import type { Scenario, ScenarioName } from './scenarios.ts';

export interface GatewayContext {
  world: World;
  /** The access token asked for; without one the gateway is open. */
  token: string | undefined;
  /** What is switched on for this patient at the gateway, and at the practice behind it. */
  scenario: Scenario | undefined;
  atProvider: Scenario | undefined;
  now: Date;
}

/**
 * Answer `POST /patient/$gpc.getstructuredrecord`.
 * @param path the path behind the base address
 */
export function answerGateway(request: Request, path: string, context: GatewayContext): Answer {
  const { headers } = request;
  const traceId = headers['ssp-traceid'];
  const answer = answerFor(request, path, context);
  if (!traceId) return answer;
  return { ...answer, headers: { ...answer.headers, 'ssp-traceid': traceId } };
}

function answerFor(request: Request, path: string, context: GatewayContext): Answer {
  const { headers, method } = request;
  const { world, token, scenario, now } = context;
  if (path.replaceAll('%24', '$') !== '/patient/$gpc.getstructuredrecord') {
    return said(404, 'exception', 'Not Found');
  }
  if (method !== 'POST') return said(405, 'exception', 'Method Not Allowed');
  const denied = token !== undefined && headers.authorization !== `Bearer ${token}`;
  if (denied || scenario?.name === 'gatewayDenied') return said(401, 'forbidden', 'Access Denied');
  if (!/^application\/fhir\+json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    return said(415, 'invalid', 'Unsupported Media Type');
  }
  const body = parametersIn(request.body);
  if (!body) return said(400, 'invalid', 'Invalid JSON body sent in request');
  for (const name of ['Ssp-TraceID', 'ODS-from']) {
    if (headers[name.toLowerCase()]?.trim()) continue;
    return said(400, 'exception', `Missing or empty required header "${name}"`);
  }
  const failure = scenario && failures[scenario.name];
  if (failure) return failure;

  const patient = world.patients.get(body.nhsNumber);
  if (!patient) return said(502, 'exception', 'PDS FHIR API request failed: Not Found');
  const ods = patient.restricted ? undefined : currentPractice(patient, londonDate(now.getTime()));
  if (ods === undefined) return noProvider(body.nhsNumber);
  const practice = world.practices.get(ods);
  if (!practice?.interactions.includes(structuredInteraction)) {
    return said(404, 'exception', `No SDS org found for provider ODS code ${ods}`);
  }
  if (practice.devices.length === 0) return noAsid(ods);
  const from = headers['ods-from']?.trim();
  const consumer = world.consumers.find((one) => one.ods === from);
  if (!consumer) {
    return said(404, 'exception', `No SDS org found for consumer ODS code ${from}`);
  }
  const claims = claimsOf(body.identity, practice.address, consumer.ods, now);
  if (!claims) return said(500, 'exception', 'Internal Server Error');

  const forwarded = {
    ...request,
    headers: { ...headers, 'ssp-interactionid': structuredInteraction },
    body: Buffer.from(JSON.stringify(body.forwarded)),
  };
  const given = answerProvider(forwarded, 'Patient/$gpc.getstructuredrecord', {
    world,
    practice,
    address: practice.address,
    consumer,
    claims,
    scenario: context.atProvider,
    now,
  });
  if (given.status === 200) return given;
  return said(502, 'exception', `Provider request failed: ${STATUS_CODES[given.status]}`);
}

const noProvider = (nhsNumber: string) =>
  said(404, 'exception', `PDS patient ${nhsNumber} did not contain a current provider ODS code`);
const noAsid = (ods: string) =>
  said(404, 'exception', `SDS result for provider ODS code ${ods} did not contain a current ASID`);

const failures: Partial<Record<ScenarioName, Answer>> = {
  gatewayNoProvider: noProvider('9999999999'),
  gatewayNoAsid: noAsid('A99999'),
  gatewayNoEndpoint: said(
    404,
    'exception',
    'SDS result for provider ODS code A99999 did not contain a current endpoint',
  ),
  gatewayPdsFails: said(502, 'exception', 'PDS FHIR API request failed: Service Unavailable'),
  gatewaySdsFails: said(502, 'exception', 'SDS FHIR API request failed: Gateway Timeout'),
};

/** An error as the gateway tells it: no coding, one sentence. */
function said(status: number, code: string, diagnostics: string): Answer {
  return json(status, {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code, diagnostics }],
  });
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The NHS number stands in the first parameter; `identity` is not passed on. */
function parametersIn(body: Buffer) {
  let resource: unknown;
  try {
    resource = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(resource) || !Array.isArray(resource.parameter)) return undefined;
  const parameters = resource.parameter.filter(isObject);
  const identifier = parameters[0]?.valueIdentifier;
  if (!isObject(identifier) || typeof identifier.value !== 'string') return undefined;
  const parameter = parameters.filter(({ name }) => name !== 'identity');
  return {
    nhsNumber: identifier.value,
    identity: parameters.find(({ name }) => name === 'identity'),
    forwarded: { ...resource, parameter },
  };
}

/** The token the gateway mints for the practice; undefined where it is not told who asks. */
function claimsOf(
  identity: Json | undefined,
  audience: string,
  ods: string,
  now: Date,
): Json | undefined {
  const parts = Array.isArray(identity?.part) ? identity.part.filter(isObject) : [];
  const part = (name: string) => parts.find((one) => one.name === name);
  const device = part('requestingDevice')?.resource;
  const practitioner = part('requestingPractitioner')?.resource;
  const issuer = part('issuer')?.value;
  if (!isObject(device) || !isObject(practitioner) || typeof issuer !== 'string') return undefined;
  const iat = Math.floor(now.getTime() / 1000);
  return {
    iss: issuer,
    sub: practitioner.id,
    aud: audience,
    iat,
    exp: iat + 300,
    reason_for_request: 'directcare',
    requested_scope: 'patient/*.read',
    requesting_device: device,
    requesting_organization: {
      resourceType: 'Organization',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: ods }],
      name: part('requestingOrgName')?.value ?? ods,
    },
    requesting_practitioner: practitioner,
  };
}
