/**
 * What is said when a practice is asked for its own view of a record: GP Connect Access Record HTML
 * 0.7 (FHIR DSTU2). Its Parameters ("Retrieve a care record section") and its token, whose resources,
 * identifier systems and audience are older than those of the structured record ("Cross-organisation
 * audit and provenance").
 */
import type { Period } from './period.ts';
import type { Asker, Dataset } from './port.ts';
import { type Requester, type TokenClaims, tokenClaims } from './gpconnect-request.ts';

/** Spine interaction id of `$gpc.getcarerecord`. */
export const careRecord = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord';

export const dstu2 = 'application/json+fhir';

/** A section of the care record. */
export interface Section {
  code: string;
  title: string;
  /** The dataset it is shown under. */
  dataset: Dataset;
  /**
   * It is limited to the dates asked for. Not those whose time frame is fixed (SUM, ALL, IMM: a
   * provider refuses dates for them), nor those in which what began before may still hold.
   */
  dated?: true;
}

/**
 * Every section, and the dataset each is shown under. Clinical and administrative items are to this
 * view what uncategorised data is to the structured record; ADM is not "admissions". Datasets that
 * are named nowhere (investigations among them) have no section.
 */
export const sections: readonly Section[] = [
  { code: 'SUM', title: 'Summary', dataset: 'PAT' },
  { code: 'ALL', title: 'Allergies and adverse reactions', dataset: 'ALL' },
  { code: 'MED', title: 'Medications', dataset: 'MED' },
  { code: 'PRB', title: 'Problems and issues', dataset: 'PRB' },
  { code: 'IMM', title: 'Immunisations', dataset: 'IMM' },
  { code: 'OBS', title: 'Observations', dataset: 'OBS', dated: true },
  { code: 'CLI', title: 'Clinical items', dataset: 'OBS', dated: true },
  { code: 'ADM', title: 'Administrative items', dataset: 'OBS', dated: true },
  { code: 'ENC', title: 'Encounters', dataset: 'ENC', dated: true },
  { code: 'REF', title: 'Referrals', dataset: 'REF', dated: true },
];

/** The body of one request: one section each. */
export function sectionParameters(nhsNumber: string, section: Section, period: Period): object {
  const timePeriod = { name: 'timePeriod', valuePeriod: period };
  return {
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'patientNHSNumber',
        valueIdentifier: { system: 'http://fhir.nhs.net/Id/nhs-number', value: nhsNumber },
      },
      {
        name: 'recordSection',
        valueCodeableConcept: {
          coding: [
            {
              system: 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1',
              code: section.code,
            },
          ],
        },
      },
      ...(section.dated && (period.start || period.end) ? [timePeriod] : []),
    ],
  };
}

/**
 * The claims for one request, from those of the structured record.
 * @param user what `userId` gave
 * @param now milliseconds since 1970
 */
export function careRecordClaims(
  requester: Requester,
  nhsNumber: string,
  asker: Asker,
  user: string,
  now: number,
): TokenClaims {
  const claims = tokenClaims(requester, 'https://authorize.fhir.nhs.net/token', asker, user, now);
  const { family, given, prefix } = asker.user;
  const { ods, name } = asker.organisation;
  const local = `${requester.issuer.replace(/\/+$/, '')}/Id/user`;
  return {
    ...claims,
    requested_scope: 'patient/*.read',
    requested_record: {
      resourceType: 'Patient',
      identifier: [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: nhsNumber }],
    },
    requesting_device: { ...(claims.requesting_device as object), id: requester.device.id },
    requesting_organization: {
      resourceType: 'Organization',
      id: ods,
      identifier: [{ system: 'http://fhir.nhs.net/Id/ods-organization-code', value: ods }],
      name,
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: user,
      identifier: [
        // Without "/Id": what providers were assured against ("requesting_practitioner claim").
        { system: 'http://fhir.nhs.net/sds-user-id', value: asker.user.id || 'UNK' },
        { system: local, value: user },
      ],
      name: {
        family: [family],
        ...(given && { given: [given] }),
        ...(prefix && { prefix: [prefix] }),
      },
      // The query names a role profile, not the job role (R8000) this claim wants.
      practitionerRole: [
        {
          role: {
            coding: [{ system: 'http://fhir.nhs.net/ValueSet/sds-job-role-name-1', code: 'UNK' }],
          },
        },
      ],
    },
  };
}
