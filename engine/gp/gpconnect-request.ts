/**
 * How a structured record is asked for: the interaction, and the token that names the asker (GP
 * Connect 1.6, "Cross-organisation audit and provenance").
 */
import type { Asker } from './port.ts';

/** Spine interaction id of `$gpc.getstructuredrecord`. */
export const structuredRecord =
  'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1';

/** An identifier the user, role or organisation does not have: the specification's own word. */
const unknown = 'UNK';

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
