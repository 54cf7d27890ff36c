/**
 * The Personal Demographics Service, FHIR R4: `GET /Patient/{NHS number}` says who the patient is
 * and which practice they are registered with today.
 */
import { z } from 'zod';
import { nhsNumberValid } from '../hl7/nhs-number.ts';
import type { Http } from './http.ts';
import { isWithin, londonDate } from './london-date.ts';
import { type LookupOptions, createLookup } from './lookup.ts';
import { type Coding, codingsOf, failed, lookupFault, statusAndCode } from './outcome.ts';
import type { Hop, Outcome, Trace, TracePatient } from './port.ts';

export interface PdsOptions extends LookupOptions {
  /** Base address, for example `https://sandbox.api.service.nhs.uk/personal-demographics/FHIR/R4`. */
  url: string;
  /** Milliseconds since 1970; `Date.now` unless told. */
  now?: () => number;
}

const odsSystem = 'https://fhir.nhs.uk/Id/ods-organization-code';

/** Ten digits and nothing else: this goes into an address. */
const isNhsNumber = (text: string) => /^\d{10}$/.test(text) && nhsNumberValid(text);

const text = z.string().optional();
const patientSchema = z.object({
  resourceType: z.literal('Patient'),
  id: z.string(),
  meta: z.object({ security: z.array(z.object({ code: z.string() })).optional() }).optional(),
  name: z
    .array(z.object({ use: text, family: text, given: z.array(z.string().nullable()).optional() }))
    .optional(),
  gender: text,
  birthDate: text,
  deceasedDateTime: text,
  deceasedBoolean: z.unknown().optional(),
  extension: z.array(z.object({ url: text, extension: z.unknown().optional() })).optional(),
  generalPractitioner: z
    .array(
      z.object({
        identifier: z
          .object({
            system: text,
            value: text,
            period: z.object({ start: text, end: text }).optional(),
          })
          .optional(),
      }),
    )
    .optional(),
});
type Patient = z.output<typeof patientSchema>;

/**
 * A trace by PDS. Outcomes: `found` (with no practice where none is current today), `notFound`,
 * `restricted` (then nothing else is told, least of all a practice), `permanent` (a wrong NHS
 * number, our credentials, our request), `transient` and `timeout`.
 */
export function createPds(options: PdsOptions, http: Http): TracePatient {
  const now = options.now ?? Date.now;
  const look = createLookup(options, http, 'traceUnavailable');
  return async (nhsNumber, asker, attempt) => {
    if (!isNhsNumber(nhsNumber)) return failed({ name: 'nhsNumberInvalid' }, []);
    const looked = await look(
      {
        interaction: 'PDS read',
        method: 'GET',
        url: `${options.url.replace(/\/+$/, '')}/Patient/${nhsNumber}`,
        headers: {
          Accept: 'application/fhir+json',
          'X-Request-ID': attempt.requestId,
          'X-Correlation-ID': attempt.correlationId,
          'NHSD-End-User-Organisation-ODS': asker.organisation.ods,
          // PDS takes digits only here, and refuses the request for anything else.
          ...(/^\d+$/.test(asker.roleProfile) && { 'NHSD-Session-URID': asker.roleProfile }),
        },
      },
      attempt,
    );
    if (looked.failed) return looked.failed;
    const { status, json, hops } = looked;
    if (status !== 200) return refused(status, codingsOf(json), hops);
    const read = patientSchema.safeParse(json);
    if (!read.success) {
      return failed({ name: 'traceUnavailable', detail: 'HTTP 200, not a Patient' }, hops);
    }
    return traced(read.data, nhsNumber, londonDate(now()), hops);
  };
}

function traced(patient: Patient, asked: string, today: string, hops: Hop[]): Outcome<Trace> {
  // U unrestricted; R (and V) restricted: PDS then leaves out whatever tells where the patient is,
  // and the GP must not be asked. A code PDS may add later is not taken for "unrestricted".
  if (patient.meta?.security?.some(({ code }) => code !== 'U')) {
    return failed({ name: 'patientRestricted' }, hops, 'restricted');
  }
  if (!isNhsNumber(patient.id)) return failed({ name: 'nhsNumberSuperseded' }, hops);
  const name = patient.name?.find(({ use }) => use === 'usual') ?? patient.name?.[0];
  const value: Trace = {
    nhsNumber: patient.id,
    superseded: patient.id !== asked,
    practice: currentPractice(patient, today),
    deceased: isDeceased(patient),
    family: name?.family,
    given: name?.given?.filter((given) => given !== null),
    gender: patient.gender,
    birthDate: patient.birthDate,
    source: 'pds',
  };
  return { event: 'found', value, hops };
}

/**
 * The practice whose period holds today; PDS also lists those whose period has ended. Where
 * several hold it, the one that began last; none where two began together, since a record must not
 * be asked for where the patient may not be registered.
 */
function currentPractice(patient: Patient, today: string): string | undefined {
  const current = (patient.generalPractitioner ?? [])
    .flatMap(({ identifier }) => identifier ?? [])
    .filter(({ system, value, period }) => {
      return system === odsSystem && value?.trim() && isWithin(today, period);
    })
    .map(({ value, period }) => ({
      ods: value?.trim().toUpperCase(),
      start: period?.start ?? '',
    }))
    .sort((a, b) => b.start.localeCompare(a.start));
  const [first] = current;
  const latest = current.filter(({ start }) => start === first?.start);
  return new Set(latest.map(({ ods }) => ods)).size === 1 ? first?.ods : undefined;
}

const deathSchema = z.array(
  z.object({
    valueCodeableConcept: z
      .object({ coding: z.array(z.object({ code: z.string() })).optional() })
      .optional(),
  }),
);

/**
 * Whether a death is recorded: by its date, or without one by the status of its notification
 * (UK Core DeathNotificationStatus: 1 informal, 2 formal, U removed).
 */
function isDeceased(patient: Patient): boolean {
  if (patient.deceasedDateTime !== undefined || patient.deceasedBoolean === true) return true;
  return (patient.extension ?? [])
    .filter(({ url }) => url?.endsWith('-DeathNotificationStatus'))
    .flatMap(({ extension }) => deathSchema.safeParse(extension).data ?? [])
    .flatMap(({ valueCodeableConcept }) => valueCodeableConcept?.coding ?? [])
    .some(({ code }) => code === '1' || code === '2');
}

/**
 * PDS's error table (PDS FHIR R4, "Get patient details"). "Not found" is taken only from PDS's own
 * code: a 404 from anything on the way must not become "this patient has no record".
 */
function refused(status: number, codings: Coding[] | undefined, hops: Hop[]): Outcome<Trace> {
  const code = codings?.[0]?.code;
  const detail = statusAndCode(status, codings?.[0]);
  if (status === 404 && (code === 'RESOURCE_NOT_FOUND' || code === 'INVALIDATED_RESOURCE')) {
    return failed({ name: 'patientNotFound', detail }, hops, 'notFound');
  }
  if (code === 'INVALID_RESOURCE_ID') return failed({ name: 'nhsNumberInvalid', detail }, hops);
  return failed({ name: lookupFault(status, 'traceUnavailable'), detail }, hops);
}
