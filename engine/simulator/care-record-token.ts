/**
 * Checks the token of a GP Connect 0.7 request ("Cross organisation audit and provenance"): as that of
 * the structured record, but with DSTU2 resources, older identifier systems, a fixed audience and the
 * record that is asked for.
 */
import type { Refusal } from './outcome.ts';
import { type Claims, isObject, isText } from './token.ts';

/** What the claims are held against. */
export interface Expected {
  /** NHS number of the request's Parameters. */
  nhsNumber: string;
  /** ODS code of the organisation whose ASID sent the request. */
  organisation: string;
  /** Seconds since 1970. */
  now: number;
}

/** Why these claims are refused, or undefined. */
export function checkCareRecordClaims(claims: Claims, expected: Expected): Refusal | undefined {
  const wrong = wrongClaim(claims, expected);
  return wrong === undefined ? undefined : { code: 'BAD_REQUEST', why: `JWT ${wrong}` };
}

const fixed = {
  aud: 'https://authorize.fhir.nhs.net/token',
  reason_for_request: 'directcare',
  requested_scope: 'patient/*.read',
};

function wrongClaim(claims: Claims, { nhsNumber, organisation, now }: Expected) {
  if (!isText(claims.iss) || !URL.canParse(claims.iss)) return 'claim iss is not an absolute URL';
  for (const [name, value] of Object.entries(fixed)) {
    if (claims[name] !== value) return `claim ${name} is not ${value}`;
  }
  const { iat, exp } = claims;
  if (!Number.isInteger(iat) || Number(exp) !== Number(iat) + 300) {
    return 'claim exp is not iat + 300';
  }
  if (Number(exp) <= now) return 'has expired';

  const record = resource(claims.requested_record, 'Patient');
  if (identifierOf(record, 'http://fhir.nhs.net/Id/nhs-number') !== nhsNumber) {
    return 'claim requested_record is not the patient asked for';
  }
  const device = resource(claims.requesting_device, 'Device');
  if (!device || !isText(device.id) || !isText(device.model) || !isText(device.version)) {
    return 'claim requesting_device is not a Device with id, model and version';
  }
  const asking = resource(claims.requesting_organization, 'Organization');
  if (!asking || !isText(asking.id) || !isText(asking.name)) {
    return 'claim requesting_organization is not an Organization with id and name';
  }
  if (identifierOf(asking, 'http://fhir.nhs.net/Id/ods-organization-code') !== organisation) {
    return 'claim requesting_organization is not the organisation Ssp-From is registered for';
  }
  return wrongPractitioner(resource(claims.requesting_practitioner, 'Practitioner'), claims.sub);
}

function wrongPractitioner(practitioner: Record<string, unknown> | undefined, sub: unknown) {
  const claim = 'claim requesting_practitioner';
  if (!practitioner) return `${claim} is not a Practitioner`;
  if (!isText(practitioner.id) || practitioner.id !== sub)
    return 'claim sub is not the practitioner';
  const { name } = practitioner;
  // DSTU2: one name, whose family is a list.
  if (!isObject(name) || !isList(name.family) || !isList(name.given)) {
    return `${claim}.name has no family and given, each a list`;
  }
  if (identifierOf(practitioner, 'http://fhir.nhs.net/sds-user-id') === undefined) {
    return `${claim}.identifier http://fhir.nhs.net/sds-user-id is missing (UNK without a smartcard)`;
  }
  const roles = JSON.stringify(practitioner.practitionerRole ?? '');
  return roles.includes('http://fhir.nhs.net/ValueSet/sds-job-role-name-1')
    ? undefined
    : `${claim}.practitionerRole is missing`;
}

function resource(value: unknown, type: string): Record<string, unknown> | undefined {
  return isObject(value) && value.resourceType === type ? value : undefined;
}

function identifierOf(held: Record<string, unknown> | undefined, system: string): unknown {
  const list: unknown = held?.identifier;
  const found = (Array.isArray(list) ? list : []).find(
    (one) => isObject(one) && one.system === system,
  ) as { value?: unknown } | undefined;
  return isText(found?.value) ? found.value : undefined;
}

const isList = (value: unknown) => Array.isArray(value) && isText(value[0]);
