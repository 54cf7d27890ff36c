/**
 * What is said when a structured record is asked for: the Parameters (GP Connect 1.6, "Retrieve a
 * patient's structured record") and the token that names the asker ("Cross-organisation audit and
 * provenance").
 */
import type { Asker, RecordRequest } from './port.ts';

/** Spine interaction id of `$gpc.getstructuredrecord`. */
export const structuredRecord =
  'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1';

/** An identifier the user, role or organisation does not have: the specification's own word. */
const unknown = 'UNK';

interface Parameter {
  name: string;
  valueIdentifier?: { system: string; value: string };
  valueBoolean?: boolean;
  valueDate?: string;
  part?: Parameter[];
}

/** A FHIR STU3 Parameters resource, and the filter it puts on the record. */
export interface RecordParameters {
  parameters: { resourceType: 'Parameters'; parameter: Parameter[] };
  /** Medication was asked for only from this day; older medication will not be in the record. */
  medicationFrom?: string;
}

/**
 * One wide request for all datasets: what is filtered is filtered after the reply, by the reader.
 *
 * Only medication can be narrowed, by its date, and not together with problems: providers answer
 * that with 422 INVALID_PARAMETER ("Not permitted parameter combinations"), as they do for a day
 * that is not whole or still to come. In each of these cases the date is left out and the record
 * holds more than was asked, never less; `medicationFrom` says whether it was sent.
 * `RecordRequest.to` has no counterpart.
 * @param today `YYYY-MM-DD` in Europe/London
 */
export function recordParameters(request: RecordRequest, today: string): RecordParameters {
  const asked = new Set(request.datasets);
  const parameter: Parameter[] = [
    {
      name: 'patientNHSNumber',
      valueIdentifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: request.nhsNumber },
    },
  ];
  const { from } = request;
  const isWholeDay = from !== undefined && /^\d{4}-\d\d-\d\d$/.test(from) && from <= today;
  const medicationFrom = isWholeDay && asked.has('MED') && !asked.has('PRB') ? from : undefined;
  if (asked.has('ALL')) {
    parameter.push({
      name: 'includeAllergies',
      part: [{ name: 'includeResolvedAllergies', valueBoolean: true }],
    });
  }
  if (asked.has('MED')) {
    const part: Parameter[] = [{ name: 'includePrescriptionIssues', valueBoolean: true }];
    if (medicationFrom) part.push({ name: 'medicationSearchFromDate', valueDate: medicationFrom });
    parameter.push({ name: 'includeMedication', part });
  }
  // Valid without a part, although FHIR wants one (same page, "Important").
  if (asked.has('PRB')) parameter.push({ name: 'includeProblems' });
  return { parameters: { resourceType: 'Parameters', parameter }, medicationFrom };
}

/** Our system as the token names it. */
export interface Requester {
  /** URL of our Spine endpoint (`iss`); also the root of our own identifier systems. */
  issuer: string;
  device: { id: string; model: string; version: string };
}

/** The claims of a token; every one is mandatory. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/**
 * Who the user is to the token: the local id, else the SDS user id. A system user is never made up.
 * @returns undefined where the query names neither
 */
export function userId(asker: Asker): string | undefined {
  const { id, localId } = asker.user;
  return [localId, id].find((candidate) => candidate && candidate !== unknown);
}

/**
 * The claims for one request.
 * @param audience the provider's service root, as the directory gave it
 * @param user what `userId` gave
 * @param now milliseconds since 1970
 */
export function tokenClaims(
  requester: Requester,
  audience: string,
  asker: Asker,
  user: string,
  now: number,
): TokenClaims {
  const iat = Math.floor(now / 1000);
  const own = (path: string) => `${requester.issuer.replace(/\/+$/, '')}/Id/${path}`;
  const { family, given, prefix } = asker.user;
  return {
    iss: requester.issuer,
    sub: user,
    aud: audience,
    // Providers refuse any other lifetime (provider test suite: iat+299 and iat+301 are 400).
    exp: iat + 300,
    iat,
    reason_for_request: 'directcare',
    requested_scope: 'patient/*.read conf/N',
    requesting_device: {
      resourceType: 'Device',
      identifier: [{ system: own('device-identifier'), value: requester.device.id }],
      model: requester.device.model,
      version: requester.device.version,
    },
    requesting_organization: {
      resourceType: 'Organization',
      identifier: [
        {
          system: 'https://fhir.nhs.uk/Id/ods-organization-code',
          value: asker.organisation.ods,
        },
      ],
      name: asker.organisation.name,
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: user,
      identifier: [
        { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: asker.user.id || unknown },
        {
          system: 'https://fhir.nhs.uk/Id/sds-role-profile-id',
          value: asker.roleProfile || unknown,
        },
        { system: own('user'), value: user },
      ],
      name: [{ family, ...(given && { given: [given] }), ...(prefix && { prefix: [prefix] }) }],
    },
  };
}

/** An unsecured JWT (RFC 7519 §6.1): no signature, and the dot before it stays. */
export function unsignedToken(claims: TokenClaims): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`;
}
