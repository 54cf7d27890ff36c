/** A patient as PDS shows them (FHIR R4 Patient, UK Core), and what scenarios change about them. */
import { isCurrent, isNhsNumber } from './facts.ts';
import type { Patient } from './facts.ts';
import type { ScenarioName } from './scenarios.ts';

/** The patient as a scenario changes what PDS knows, rather than making it fail. */
export function changed(
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
    case 'futurePractice':
      return {
        ...patient,
        practices: patient.practices.map(({ ods }) => ({ ods, from: '9999-01-01' })),
      };
    case 'openPractices':
      return { ...patient, practices: patient.practices.map(({ ods, from }) => ({ ods, from })) };
    case 'deathNotice':
      return { ...patient, deathNotice: '2' };
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

/** The resource PDS answers with. @param today `YYYY-MM-DD` */
export function patientResource(patient: Patient, today: string): unknown {
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
    ...(patient.family === undefined ? {} : { name: [nameOf(patient)] }),
    gender: patient.gender,
    birthDate: patient.birthDate,
    ...(patient.deceased === undefined
      ? {}
      : { deceasedDateTime: `${patient.deceased}T00:00:00+00:00` }),
    ...(patient.deathNotice === undefined ? {} : { extension: [notified(patient.deathNotice)] }),
    ...(patient.restricted ? {} : { generalPractitioner: practicesOf(patient, today) }),
  };
}

function nameOf({ family, given, prefix }: Patient): unknown {
  const name = { id: 'N1', use: 'usual', period: { start: '2000-01-01' }, given, family };
  return prefix === undefined ? name : { ...name, prefix: [prefix] };
}

/** How PDS tells of a death: its notice, which may come before its date. */
function notified(code: string): unknown {
  const system = 'https://fhir.hl7.org.uk/CodeSystem/UKCore-DeathNotificationStatus';
  return {
    url: 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeathNotificationStatus',
    extension: [
      {
        url: 'deathNotificationStatus',
        valueCodeableConcept: { coding: [{ system, version: '1.0.0', code }] },
      },
    ],
  };
}

/** The registrations current today; where there is none, those there were or will be. */
function practicesOf(patient: Patient, today: string): unknown[] | undefined {
  if (patient.practices.length === 0) return undefined;
  const current = patient.practices.filter((practice) => isCurrent(practice, today));
  const shown = current.length > 0 ? current : patient.practices;
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
