/**
 * The messages and records that are measured: written here, of invented people. NHS numbers begin
 * with 999, which is never given to anybody.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** A message whose marked places are overwritten for each sending, so that no two are the same. */
export interface Template {
  /** One MLLP frame. */
  frame: Buffer;
  /** Where MSH-10 stands in the frame, and how long it is. */
  controlId: { at: number; length: number };
  /** Digits that change with each message besides, so that patients differ. */
  patient?: { at: number; length: number };
  /** What the right answer holds besides `MSA|AA|` and the control id. */
  expects?: string;
}

const idMark = '################';
const patientMark = '@@@@@@';

const adt = [
  `MSH|^~\\&|MILLENNIUM|R0A|GATEHOUSE|RECGW|20260604101500+0000||ADT^A01^ADT_A01|${idMark}|P|2.4|||||GBR|UNICODE UTF-8|EN`,
  'EVN|A01|20260604101500+0000|||JSMITH^Smith^Jo^^^Dr',
  `PID|1||9990${patientMark}^^^NHS^NH~7${patientMark}^^^R0A^MR||Example^Robin^Alex^^Mx^^L~Sample^Robin^^^^^A||19800101|9|||Flat 2&17 Orchard View^^Examplethorpe^Anyshire^ZZ99 1AB^GBR^H||01632960123^PRN^PH~07700900123^PRN^CP|01632960456^WPN^PH|EN|M|C22|||||A|||||||N||NSTS01`,
  'PD1|||Willowbeck Surgery^^Z99901|G0000001^Osei^Abena^^^Dr',
  'NK1|1|Example^Jordan^^^Mr|SPO|Flat 2&17 Orchard View^^Examplethorpe^Anyshire^ZZ99 1AB^GBR^H|01632960789^PRN^PH||N',
  `PV1|1|I|WARD 4^BAY 2^BED 3^R0A^^^^EAST WING|21|||C0000001^Tolliver^Martin^^^Mr|G0000001^Osei^Abena^^^Dr|C0000002^Marlow^Jamie^^^Dr|180||||19|||C0000001^Tolliver^Martin^^^Mr|IP|V${patientMark}^^^R0A^VISIT|||||||||||||||||||||||||20260604100000+0000`,
  'PV2||^^^^^^NHS|^Shortness of breath, cause to be found||||||20260606',
  'AL1|1|DA|^Penicillin V|MO|Rash',
  '',
].join('\r');

const query = [
  `MSH|^~\\&|MILLENNIUM|R0A|GPREC|RECGW|20260604101500+0000||QBP^Q11^QBP_Q11|${idMark}|P|2.4|||||GBR|UNICODE UTF-8|EN`,
  'QPD|GPREC^GP Record^L|Q1|9465701459^^^NHS^NH|ALL~MED~PRB|||10019^Smith^Jo^^^Dr~JSMITH|UNK|HOSPITAL^^R0A|G||ED|Nel|19990225',
  'RCP|I',
  '',
].join('\r');

/** The patient whose record is large, in the benchmark of small queries beside large ones. */
export const largePatient = '9990000077';

export type Kind = 'adt' | 'query' | 'large';

const messages: Record<Kind, string> = {
  adt,
  query,
  // All that is known of the patient, whoever that is to the asker.
  large: query
    .replace('9465701459', largePatient)
    .replace('|ALL~MED~PRB|', '||')
    .replace('|Nel|19990225', ''),
};

/**
 * ADT^A01 of about 1 KB, the query for three parts of the fixture patient's record, or the query
 * for the whole of a large one.
 */
export function template(kind: Kind): Template {
  const frame = Buffer.from(`\x0b${messages[kind]}\x1c\r`, 'latin1');
  const controlId = { at: frame.indexOf(idMark), length: idMark.length };
  return kind === 'adt'
    ? { frame, controlId, patient: { at: frame.indexOf(patientMark), length: patientMark.length } }
    : { frame, controlId, expects: '\rQAK|Q1|OK' };
}

/** The ADT as bytes without a frame, with a control id and a patient of its own. */
export function adtMessage(number: number): Buffer {
  const patient = String(number % 1_000_000).padStart(patientMark.length, '0');
  const controlId = `B${String(number).padStart(idMark.length - 1, '0')}`;
  return Buffer.from(adt.replaceAll(patientMark, patient).replace(idMark, controlId), 'latin1');
}

interface Resource {
  resourceType: string;
  id?: string;
  entry?: object[];
}
interface Bundle {
  entry: { resource: Resource }[];
}

/** Not repeated: one patient, one practice and its people have many records. */
const people = new Set(['Patient', 'Organization', 'Practitioner', 'PractitionerRole', 'Location']);

/**
 * A GP record of some size: the fixture patient's, its clinical resources repeated under new ids
 * and entered into the same lists.
 * @param bytes of JSON without white space, at least
 * @param listed beyond so many bytes nothing is entered into the lists any more: in published records
 *   most of a large one is context
 */
export function largeRecord(bytes: number, listed = bytes): string {
  const file = join(root, 'fixtures', 'patients', '9465701459.json');
  const bundle = JSON.parse(readFileSync(file, 'utf8')) as Bundle;
  const clinical = bundle.entry.filter(({ resource }) => !people.has(resource.resourceType));
  const text = JSON.stringify(clinical);
  const ids = clinical.flatMap(({ resource }) => resource.id ?? []);
  let length = JSON.stringify(bundle).length;
  for (let copy = 1; length < bytes; copy++) {
    const renamed = ids.reduce(
      (all, id) => all.replaceAll(id, `${id.slice(0, 28)}-copy${copy}`),
      text,
    );
    const copies = JSON.parse(renamed) as Bundle['entry'];
    copies.forEach(({ resource }, at) => {
      const original = clinical[at]?.resource;
      if (resource.resourceType !== 'List') bundle.entry.push({ resource });
      else if (length < listed) original?.entry?.push(...(resource.entry ?? []));
    });
    length = JSON.stringify(bundle).length;
  }
  return JSON.stringify(bundle);
}
