/**
 * What a hospital sends, its header and the ADT messages of a stay (HL7 UK A.3 and ITK conventions
 * for identifiers). Written here, not taken from anybody. Its queries are in `hospital-queries.ts`.
 */
import { timestamp } from '../hl7/ack.ts';
import { standardDelimiters } from '../hl7/delimiters.ts';
import { encodeMessage } from '../hl7/encode.ts';
import type { Field, Repetition, Segment } from '../hl7/segment.ts';

/** A message ready to send, and the MSH-10 its answer must name in MSA-2. */
export interface HospitalMessage {
  bytes: Buffer;
  controlId: string;
}

/** Where a message comes from and goes to, and what makes it the same every time. */
export interface Envelope {
  controlId: string;
  now?: Date;
  sender?: { application: string; facility: string };
  receiver?: { application: string; facility: string };
  /** MSH-12; 2.4 unless told. */
  version?: string;
}

export interface AdtPatient {
  nhsNumber: string;
  /** Hospital number, with the hospital's ODS code as its authority. */
  mrn: string;
  family: string;
  given: string;
  prefix?: string;
  /** `YYYYMMDD` */
  birthDate: string;
  sex: '1' | '2' | '9' | '0';
  practice: { name: string; ods: string };
}

/** The first of the synthetic patients, as the hospital knows him. */
export const morrisNel: AdtPatient = {
  nhsNumber: '9465701459',
  mrn: '633481',
  family: 'Nel',
  given: 'Morris',
  prefix: 'Mr',
  birthDate: '19990225',
  sex: '1',
  practice: { name: 'Willowbeck Surgery', ods: 'Z99901' },
};

/** ADT with EVN, PID, PD1 and PV1; A40 with MRG in place of PV1. */
export function buildAdt(
  event: 'A01' | 'A04' | 'A05' | 'A08' | 'A28' | 'A31' | 'A40',
  patient: AdtPatient,
  options: Envelope & { mergedMrn?: string },
): HospitalMessage {
  const facility = options.sender?.facility ?? usualSender.facility;
  const local = (mrn: string): Repetition => [mrn, undefined, undefined, facility, 'MR'];
  const pid: Field[] = [];
  pid[1] = '1';
  pid[3] = [...nhsIdentifier(patient.nhsNumber), local(patient.mrn)];
  pid[5] = [[patient.family, patient.given, undefined, undefined, patient.prefix, undefined, 'L']];
  pid[7] = patient.birthDate;
  pid[8] = patient.sex;
  pid[32] = 'NSTS01';
  const pd1: Field[] = [];
  pd1[3] = [[patient.practice.name, undefined, patient.practice.ods]];
  const person = event === 'A28' || event === 'A31';
  const last: Segment =
    event === 'A40'
      ? { name: 'MRG', fields: [undefined, [local(options.mergedMrn ?? '')]] }
      : {
          name: 'PV1',
          fields: [undefined, '1', person ? 'N' : 'E', person ? '' : [['ED', 'BAY 4']]],
        };
  const structures: Partial<Record<typeof event, string>> = {
    A04: 'ADT_A01',
    A08: 'ADT_A01',
    A28: 'ADT_A05',
    A31: 'ADT_A05',
    A40: 'ADT_A39',
  };
  return build(
    options,
    ['ADT', event, structures[event] ?? `ADT_${event}`],
    [
      { name: 'EVN', fields: [undefined, undefined, timestamp(options.now ?? new Date())] },
      { name: 'PID', fields: pid },
      { name: 'PD1', fields: pd1 },
      last,
    ],
  );
}

const usualSender = { application: 'MILLENNIUM', facility: 'R0A' };
const usualReceiver = { application: 'GPREC', facility: 'RECGW' };

/** A message with its header; MSH-9 as the version has it. */
export function build(
  envelope: Envelope,
  [code, event, structure]: string[],
  segments: Segment[],
): HospitalMessage {
  const { controlId, sender = usualSender, receiver = usualReceiver, version = '2.4' } = envelope;
  const msh: Field[] = [];
  msh[3] = sender.application;
  msh[4] = sender.facility;
  msh[5] = receiver.application;
  msh[6] = receiver.facility;
  msh[7] = timestamp(envelope.now ?? new Date());
  msh[9] = [[code, event, version === '2.3' ? undefined : structure]];
  msh[10] = controlId;
  msh[11] = 'P';
  msh[12] = version;
  msh[17] = 'GBR';
  msh[18] = 'UNICODE UTF-8';
  msh[19] = 'EN';
  const { bytes } = encodeMessage([{ name: 'MSH', fields: msh }, ...segments], {
    delimiters: standardDelimiters,
    charset: 'UNICODE UTF-8',
  });
  return { bytes, controlId };
}

/** An NHS number with its authority, as CX. */
export function nhsIdentifier(nhsNumber: string): Repetition[] {
  return [[nhsNumber, undefined, undefined, 'NHS', 'NH']];
}
