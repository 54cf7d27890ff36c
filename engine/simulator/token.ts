/**
 * Checks the audit token (JWT) of a GP Connect request: GP Connect 1.6, "Cross organisation audit
 * and provenance". It is unsigned (alg none), lives exactly five minutes and names the user, the
 * organisation and the system that asks.
 */
import type { Refusal } from './outcome.ts';

export type Claims = Record<string, unknown>;

/**
 * The claims of an Authorization header, or undefined where it is no unsigned JWT: `Bearer`, two
 * base64url parts and an empty signature after the trailing dot.
 */
export function decodeToken(authorization: string): Claims | undefined {
  const match = /^Bearer ([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.$/.exec(authorization);
  const [header, claims] = [decodePart(match?.[1]), decodePart(match?.[2])];
  return header?.alg === 'none' && header.typ === 'JWT' ? claims : undefined;
}

/** What the claims are held against. */
export interface Expected {
  /** Service root of the practice, from SDS. */
  audience: string;
  /** ODS code of the organisation whose ASID sent the request. */
  organisation: string;
  /** Seconds since 1970. */
  now: number;
}

/**
 * Why these claims are refused, or undefined. Wrong claims are BAD_REQUEST; a requesting resource
 * that is not valid FHIR is INVALID_RESOURCE. An `iat` in the future is accepted, as providers do.
 */
export function checkClaims(claims: Claims, expected: Expected): Refusal | undefined {
  const bad = (why: string): Refusal => ({ code: 'BAD_REQUEST', why: `JWT ${why}` });
  for (const name of ['iss', 'sub', 'aud', 'reason_for_request', 'requested_scope']) {
    if (typeof claims[name] !== 'string' || claims[name] === '') {
      return bad(`claim ${name} is missing`);
    }
  }
  const { iat, exp } = claims;
  if (!Number.isInteger(iat)) return bad('claim iat is not whole seconds');
  if (!Number.isInteger(exp)) return bad('claim exp is not whole seconds');
  if (Number(exp) !== Number(iat) + 300) return bad('claim exp is not iat + 300');
  if (Number(exp) <= expected.now) return bad('has expired');
  if (!isUrl(claims.iss)) return bad('claim iss is not an absolute URL');
  if (withoutSlash(claims.aud) !== withoutSlash(expected.audience)) {
    return bad('claim aud is not the service root of the practice');
  }
  if (claims.reason_for_request !== 'directcare') {
    return bad('claim reason_for_request is not directcare');
  }
  if (claims.requested_scope !== 'patient/*.read conf/N' && claims.requested_scope !== readScope) {
    return bad('claim requested_scope is not patient/*.read conf/N');
  }
  return (
    checkDevice(claims.requesting_device) ??
    checkOrganisation(claims.requesting_organization, expected.organisation) ??
    checkPractitioner(claims.requesting_practitioner, claims.sub)
  );
}

const readScope = 'patient/*.read';

/** Elements a minimal resource of each kind may hold (FHIR STU3); anything else is not FHIR. */
const base = 'resourceType id meta implicitRules language text contained extension identifier';
const elements = {
  requesting_device: `${base} udi status type lotNumber manufacturer manufactureDate expirationDate model version patient owner contact location url note safety`,
  requesting_organization: `${base} active type name alias telecom address partOf contact endpoint`,
  requesting_practitioner: `${base} active name telecom address gender birthDate photo qualification communication`,
};

const resourceTypes = {
  requesting_device: 'Device',
  requesting_organization: 'Organization',
  requesting_practitioner: 'Practitioner',
};

type ResourceClaim = keyof typeof elements;

function checkDevice(device: unknown): Refusal | undefined {
  const claim = 'requesting_device';
  if (!isObject(device)) return missing(claim);
  return (
    checkResource(claim, device) ??
    (identifiers(device).length > 0 ? undefined : missing(`${claim}.identifier`)) ??
    (isText(device.model) ? undefined : missing(`${claim}.model`)) ??
    (isText(device.version) ? undefined : missing(`${claim}.version`))
  );
}

function checkOrganisation(organisation: unknown, ods: string): Refusal | undefined {
  const claim = 'requesting_organization';
  if (!isObject(organisation)) return missing(claim);
  const wrong = checkResource(claim, organisation);
  if (wrong) return wrong;
  const code = valueOf(organisation, 'https://fhir.nhs.uk/Id/ods-organization-code');
  if (code === undefined) return missing(`${claim}.identifier with the ODS code`);
  if (!isText(organisation.name)) return missing(`${claim}.name`);
  if (code === ods) return undefined;
  return {
    code: 'BAD_REQUEST',
    why: `JWT ${claim} is not the organisation Ssp-From is registered for`,
  };
}

function checkPractitioner(practitioner: unknown, sub: unknown): Refusal | undefined {
  const claim = 'requesting_practitioner';
  if (!isObject(practitioner)) return missing(claim);
  const wrong = checkResource(claim, practitioner);
  if (wrong) return wrong;
  if (!isText(practitioner.id)) return missing(`${claim}.id`);
  if (practitioner.id !== sub) {
    return { code: 'BAD_REQUEST', why: `JWT claim sub is not ${claim}.id` };
  }
  const names: unknown = practitioner.name;
  const name: unknown = Array.isArray(names) ? names[0] : undefined;
  if (!isObject(name) || !isText(name.family)) return missing(`${claim}.name.family`);
  if (!Array.isArray(name.given) || !isText(name.given[0])) return missing(`${claim}.name.given`);
  const systems = identifiers(practitioner).map(({ system }) => system);
  for (const kind of ['sds-user-id', 'sds-role-profile-id']) {
    if (systems.includes(`https://fhir.nhs.uk/Id/${kind}`)) continue;
    return missing(`${claim}.identifier ${kind} (UNK without a smartcard)`);
  }
  return systems.every((system) => String(system).startsWith('https://fhir.nhs.uk/Id/sds-'))
    ? missing(`${claim}.identifier of the local user`)
    : undefined;
}

function checkResource(
  claim: ResourceClaim,
  resource: Record<string, unknown>,
): Refusal | undefined {
  if (resource.resourceType !== resourceTypes[claim]) {
    return { code: 'BAD_REQUEST', why: `JWT ${claim} is not a ${resourceTypes[claim]}` };
  }
  const known = elements[claim].split(' ');
  const foreign = Object.keys(resource).find((name) => !known.includes(name));
  if (foreign === undefined) return undefined;
  return { code: 'INVALID_RESOURCE', why: `JWT ${claim} holds ${foreign}, which is not FHIR` };
}

function missing(what: string): Refusal {
  return { code: 'BAD_REQUEST', why: `JWT ${what} is missing` };
}

function identifiers(resource: Record<string, unknown>): Record<string, unknown>[] {
  const list: unknown = resource.identifier;
  if (!Array.isArray(list)) return [];
  return list.filter(isObject).filter(({ system, value }) => isText(system) && isText(value));
}

function valueOf(resource: Record<string, unknown>, system: string): unknown {
  return identifiers(resource).find((identifier) => identifier.system === system)?.value;
}

function decodePart(part: string | undefined): Record<string, unknown> | undefined {
  if (part === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value);
}

function withoutSlash(value: unknown): string {
  return String(value).replace(/\/$/, '');
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
