/**
 * The Spine Directory Service, FHIR R4: where a practice's system is (Endpoint) and which ASID it
 * has (Device). An empty search set is a success: the practice does not offer the interaction.
 */
import type { Practice, World } from './facts.ts';
import type { Answer, Request } from './http.ts';
import { json, spineError } from './outcome.ts';
import type { ScenarioName } from './scenarios.ts';

const system = {
  ods: 'https://fhir.nhs.uk/Id/ods-organization-code',
  interaction: 'https://fhir.nhs.uk/Id/nhsServiceInteractionId',
  partyKey: 'https://fhir.nhs.uk/Id/nhsMhsPartyKey',
  asid: 'https://fhir.nhs.uk/Id/nhsSpineASID',
};
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface SdsContext {
  /** The key asked for; without one SDS is open, as its sandbox is. */
  apiKey: string | undefined;
  /** What is switched on at SDS for this practice, counted per request. */
  scenarioFor: (ods: string) => ScenarioName | undefined;
  /** The service root as SDS gives it now; `moves` gives the practice a new one first. */
  addressOf: (practice: Practice, moves: boolean) => string;
  /** Base URL of this service, for `self` links. */
  base: string;
}

/** What a search asks for, once its parameters have been found right. */
interface Search {
  kind: 'Endpoint' | 'Device';
  ods: string;
  interaction: string | undefined;
  partyKey: string | undefined;
}

/**
 * Answer `GET /Endpoint?…` or `GET /Device?…`.
 * @param target path and query behind the base URL
 */
export function answerSds(
  request: Request,
  target: string,
  world: World,
  context: SdsContext,
): Answer {
  const { pathname, searchParams } = new URL(target, 'http://sds');
  if (request.method !== 'GET') return refusal(405, 'not-supported', 'Only GET is supported');
  if (context.apiKey !== undefined && request.headers.apikey !== context.apiKey) {
    return spineError(401, 'forbidden', 'ACCESS_DENIED', 'Access denied', 'The header apikey');
  }
  if (!/\*\/\*|application\/(fhir\+json|\*)/.test(request.headers.accept ?? '*/*')) {
    return refusal(406, 'not-supported', 'Only application/fhir+json can be given');
  }
  const correlationId = request.headers['x-correlation-id'];
  if (correlationId !== undefined && !uuid.test(correlationId)) {
    return refusal(400, 'value', 'The header X-Correlation-Id is not a UUID');
  }
  if (pathname !== '/Endpoint' && pathname !== '/Device') {
    return refusal(404, 'not-found', 'Only Endpoint and Device can be searched');
  }
  const search = readSearch(pathname === '/Endpoint' ? 'Endpoint' : 'Device', searchParams);
  if (typeof search === 'string') return refusal(400, 'value', search);
  const scenario = context.scenarioFor(search.ods);
  const failed = scenario && failures[scenario];
  if (failed) return failed;
  const practice = world.practices.get(search.ods);
  const offered =
    practice &&
    (search.interaction === undefined || practice.interactions.includes(search.interaction)) &&
    (search.partyKey === undefined || practice.partyKey === search.partyKey);
  const found =
    !offered || !practice
      ? []
      : search.kind === 'Endpoint'
        ? endpointsOf(practice, scenario, context)
        : devicesOf(practice, scenario);
  return json(200, searchSet(found, `${context.base}${target}`, context.base));
}

/** The search, or what is wrong with its parameters. */
function readSearch(kind: Search['kind'], query: URLSearchParams): Search | string {
  const allowed = ['organization', 'identifier'];
  const foreign = [...query.keys()].find((name) => !allowed.includes(name));
  if (foreign !== undefined) return `The parameter ${foreign} is not supported`;
  const [ods, ...others] = query.getAll('organization').map((token) => valueOf(token, system.ods));
  if (!ods || others.length > 0) return `organization must be ${system.ods}|value`;
  const search: Search = { kind, ods, interaction: undefined, partyKey: undefined };
  for (const token of query.getAll('identifier')) {
    const interaction = valueOf(token, system.interaction);
    const partyKey = valueOf(token, system.partyKey);
    if (!interaction && !partyKey) return `identifier must be ${system.interaction}|value`;
    search.interaction ??= interaction;
    search.partyKey ??= partyKey;
  }
  if (search.interaction || (kind === 'Endpoint' && search.partyKey)) return search;
  return `identifier must hold ${system.interaction}|value`;
}

function valueOf(token: string, expected: string): string | undefined {
  return token.startsWith(`${expected}|`) ? token.slice(expected.length + 1) : undefined;
}

function endpointsOf(
  practice: Practice,
  scenario: ScenarioName | undefined,
  context: SdsContext,
): unknown[] {
  if (scenario === 'noEndpoint') return [];
  const address = context.addressOf(practice, scenario === 'addressMoves');
  const endpoint = (id: string, partyKey: string): unknown => ({
    resourceType: 'Endpoint',
    id,
    extension: practice.interactions.map(interactionExtension),
    identifier: [
      { system: 'https://fhir.nhs.uk/Id/nhsMhsFQDN', value: new URL(address).hostname },
      { system: system.partyKey, value: partyKey },
      { system: 'https://fhir.nhs.uk/Id/nhsMhsCPAId', value: cpaOf(practice) },
      { system: 'https://fhir.nhs.uk/Id/nhsMHSId', value: cpaOf(practice) },
    ],
    status: 'active',
    connectionType: {
      system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type',
      code: 'hl7-fhir-msg',
      display: 'HL7 FHIR Messaging',
    },
    managingOrganization: { identifier: { system: system.ods, value: practice.ods } },
    payloadType: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/endpoint-payload-type',
            code: 'any',
            display: 'Any',
          },
        ],
      },
    ],
    ...(scenario === 'noAddress' ? {} : { address }),
  });
  const first = endpoint(`${practice.ods}-endpoint-1`, practice.partyKey);
  if (scenario !== 'twoEndpoints') return [first];
  return [first, endpoint(`${practice.ods}-endpoint-2`, `${practice.ods}-9999999`)];
}

function devicesOf(practice: Practice, scenario: ScenarioName | undefined): unknown[] {
  const second = '918999999999';
  const asids =
    scenario === 'noDevice'
      ? []
      : scenario === 'twoDevices'
        ? [...practice.devices, second].slice(0, 2)
        : practice.devices;
  return asids.map((asid, at) => ({
    resourceType: 'Device',
    id: `${practice.ods}-device-${at + 1}`,
    identifier: [
      { system: system.asid, value: asid },
      { system: system.partyKey, value: practice.partyKey },
    ],
    extension: practice.interactions.map(interactionExtension),
    owner: { identifier: { system: system.ods, value: practice.ods } },
  }));
}

/** The contract between a party and an interaction, as the Spine proxy names it in its errors. */
export function cpaOf(practice: Practice): string {
  return `S${practice.partyKey.replaceAll(/\D/g, '').padStart(12, '0')}`;
}

function interactionExtension(interaction: string): unknown {
  return {
    url: 'https://fhir.nhs.uk/StructureDefinition/Extension-SDS-NhsServiceInteractionId',
    valueReference: { identifier: { system: system.interaction, value: interaction } },
  };
}

function searchSet(found: unknown[], self: string, base: string): unknown {
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: found.length,
    link: [{ relation: 'self', url: self }],
    entry: found.map((resource) => {
      const { resourceType, id } = resource as { resourceType: string; id: string };
      return { fullUrl: `${base}/${resourceType}/${id}`, resource, search: { mode: 'match' } };
    }),
  };
}

const failures: Partial<Record<ScenarioName, Answer>> = {
  sdsError: spineError(500, 'exception', 'SERVER_ERROR', 'An unexpected error has occurred'),
  sdsUpstream: spineError(502, 'transient', 'SERVER_ERROR', 'The directory answered amiss'),
  sdsTimeout: spineError(504, 'timeout', 'SERVER_ERROR', 'The directory did not answer in time'),
};

function refusal(status: number, type: string, why: string): Answer {
  return spineError(status, type, 'BAD_REQUEST', 'Bad request', why);
}
