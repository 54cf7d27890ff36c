/** The rules of a practice's system about the operation asked for and the token that names who asks. */
import { type Change, type Claims, ask, goodClaims, harbour, willowbeck } from '../caller.ts';
import { type Part, type Row, systems } from './row.ts';

type Spoil = (claims: Claims) => unknown;

const device = (change: object): Spoil => {
  return (claims) => ({
    ...claims,
    requesting_device: { ...claims.requesting_device, ...change },
  });
};
const organisation = (change: object): Spoil => {
  return (claims) => ({
    ...claims,
    requesting_organization: { ...claims.requesting_organization, ...change },
  });
};
const practitioner = (change: object): Spoil => {
  return (claims) => ({
    ...claims,
    requesting_practitioner: { ...claims.requesting_practitioner, ...change },
  });
};
const claim = (change: (claims: Claims) => object): Spoil => {
  return (claims) => ({ ...claims, ...change(claims) });
};

const spoiled: [string, Spoil, number?][] = [
  ...Object.keys(goodClaims('')).map((name): [string, Spoil] => [
    `no ${name}`,
    claim(() => ({ [name]: undefined })),
  ]),
  ['exp one second early', claim(({ iat }) => ({ exp: iat + 299 }))],
  ['exp one second late', claim(({ iat }) => ({ exp: iat + 301 }))],
  ['a token that has expired', claim(({ iat, exp }) => ({ iat: iat - 301, exp: exp - 301 }))],
  ['exp as text', claim(({ exp }) => ({ exp: String(exp) }))],
  ['iat as a fraction', claim(({ iat, exp }) => ({ iat: iat + 0.5, exp: exp + 0.5 }))],
  ['iss that is no URL', claim(() => ({ iss: 'hospital' }))],
  ['aud of another practice', claim(() => ({ aud: harbour.address }))],
  ['another reason_for_request', claim(() => ({ reason_for_request: 'research' }))],
  ['a scope to write', claim(() => ({ requested_scope: 'patient/*.write' }))],
  ['a scope for sensitive items', claim(() => ({ requested_scope: 'patient/*.read conf/R' }))],
  ['a scope for organisations', claim(() => ({ requested_scope: 'organization/*.read' }))],
  ['a device of another type', device({ resourceType: 'Thing' })],
  ['a device without identifier', device({ identifier: [] })],
  ['a device without model', device({ model: undefined })],
  ['a device without version', device({ version: undefined })],
  ['a device that is not FHIR', device({ colour: 'red' }), 422],
  ['an organisation of another type', organisation({ resourceType: 'Thing' })],
  ['an organisation without ODS code', organisation({ identifier: [] })],
  ['an organisation without name', organisation({ name: '' })],
  ['an organisation that is not FHIR', organisation({ colour: 'red' }), 422],
  [
    'an organisation that is not the one Ssp-From is registered for',
    organisation({
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'RXX' }],
    }),
  ],
  ['a practitioner of another type', practitioner({ resourceType: 'Thing' })],
  ['a practitioner that is not sub', practitioner({ id: '10020' })],
  ['a practitioner without id', practitioner({ id: undefined })],
  ['a practitioner without name', practitioner({ name: [] })],
  ['a practitioner without family name', practitioner({ name: [{ given: ['Jo'] }] })],
  ['a practitioner without given name', practitioner({ name: [{ family: 'Smith' }] })],
  ['a practitioner that is not FHIR', practitioner({ colour: 'red' }), 422],
  ...['SDS user id', 'SDS role profile id', 'local identifier'].map((name, at): [string, Spoil] => [
    `a practitioner without ${name}`,
    (claims) => {
      const { identifier } = claims.requesting_practitioner;
      return practitioner({ identifier: identifier.filter((_, i) => i !== at) })(claims);
    },
  ]),
];

const accepted = (sent: string, change: Change): Row => ({
  sent,
  ask: (sim) => ask(sim, change),
  status: 200,
  code: '',
});

export const claims: Part = {
  title: 'Practice: operation and token',
  clause:
    'GP Connect 1.6, "Cross-organisation audit and provenance"; the provider test suite for iat and exp',
  system: systems.provider,
  rows: [
    accepted('iat in the future', {
      claims: () => goodClaims(willowbeck.address, Math.floor(Date.now() / 1000) + 200),
    }),
    accepted('a scope without confidentiality', {
      claims: claim(() => ({ requested_scope: 'patient/*.read' })),
    }),
    accepted('$ percent-encoded', {
      target: `${willowbeck.address}/Patient/%24gpc.getstructuredrecord`,
    }),
    {
      sent: 'an operation it does not have',
      ask: (sim) => ask(sim, { target: `${willowbeck.address}/Patient/$gpc.migrate` }),
      status: 501,
      code: 'NOT_IMPLEMENTED',
    },
    ...spoiled.map(([sent, change, status = 400]): Row => ({
      sent,
      ask: (sim) => ask(sim, { claims: change }),
      status,
      code: status === 422 ? 'INVALID_RESOURCE' : 'BAD_REQUEST',
      says: /^JWT /,
    })),
  ],
};
