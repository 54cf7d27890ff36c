/**
 * What a hospital sends: QBP^Q11 and QRY^A19 for a GP record, and the ADT messages of a stay (HL7
 * v2.4; HL7 UK A.3 and ITK conventions for identifiers). Written here, not taken from anybody.
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

/** Who asks; each part may be left out to see it refused. */
export interface HospitalAsker {
  /** XCN: id, family, given, then prefix; a second one is the local id. */
  user?: { id: string; family: string; given?: string; prefix?: string; localId?: string };
  roleProfile?: string;
  organisation?: { name: string; ods: string };
  consent?: string;
  reason?: string;
  department?: string;
}

/** Where a message comes from and goes to, and what makes it the same every time. */
export interface Envelope {
  controlId: string;
  now?: Date;
  sender?: { application: string; facility: string };
  receiver?: { application: string; facility: string };
}

export interface QueryOptions extends Envelope {
  nhsNumber: string;
  asker: HospitalAsker;
  /** Query tag (QPD-2, QRD-4); the control id unless told. */
  tag?: string;
  datasets?: string[];
  /** `YYYYMMDD`, QBP only. */
  from?: string;
  to?: string;
  /** For the cross-check, QBP only. */
  family?: string;
  birthDate?: string;
}

/** A doctor in the emergency department who has asked the patient. */
export const usualAsker: HospitalAsker = {
  user: { id: '10019', family: 'Smith', given: 'Jo', prefix: 'Dr', localId: 'JSMITH' },
  roleProfile: 'UNK',
  organisation: { name: 'HOSPITAL', ods: 'R0A' },
  consent: 'G',
  department: 'ED',
};

const allDatasets = ['ALL', 'MED', 'PRB'];

/** QBP^Q11^QBP_Q11 with the QPD of docs/profile.md. */
export function buildQbp(options: QueryOptions): HospitalMessage {
  const { nhsNumber, asker, tag = options.controlId, datasets = allDatasets } = options;
  const qpd: Field[] = [];
  qpd[1] = [['GPREC', 'GP Record', 'L']];
  qpd[2] = tag;
  qpd[3] = nhsIdentifier(nhsNumber);
  qpd[4] = datasets.map((dataset) => [dataset]);
  qpd[5] = options.from;
  qpd[6] = options.to;
  askerFields(asker).forEach((field, at) => (qpd[7 + at] = field));
  qpd[13] = options.family;
  qpd[14] = options.birthDate;
  return build(
    options,
    ['QBP', 'Q11', 'QBP_Q11'],
    [
      { name: 'QPD', fields: qpd },
      { name: 'RCP', fields: [undefined, 'I'] },
    ],
  );
}

/** QRY^A19: QRD has no field for the asker, so ZAU carries it (user, role, organisation, consent …). */
export function buildQry(options: QueryOptions): HospitalMessage {
  const { nhsNumber, asker, tag = options.controlId, datasets = allDatasets } = options;
  const qrd: Field[] = [];
  qrd[1] = timestamp(options.now ?? new Date());
  qrd[2] = 'R';
  qrd[3] = 'I';
  qrd[4] = tag;
  qrd[7] = [['1', 'RD']];
  const who: Repetition = [nhsNumber];
  who[8] = 'NHS';
  who[12] = 'NH';
  qrd[8] = [who];
  qrd[9] = datasets.map((dataset) => [dataset, undefined, 'L']);
  qrd[10] = 'GPREC';
  return build(
    options,
    ['QRY', 'A19', 'QRY_A19'],
    [
      { name: 'QRD', fields: qrd },
      { name: 'ZAU', fields: [undefined, ...askerFields(asker)] },
    ],
  );
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

function build(envelope: Envelope, type: string[], segments: Segment[]): HospitalMessage {
  const { controlId, sender = usualSender, receiver = usualReceiver } = envelope;
  const msh: Field[] = [];
  msh[3] = sender.application;
  msh[4] = sender.facility;
  msh[5] = receiver.application;
  msh[6] = receiver.facility;
  msh[7] = timestamp(envelope.now ?? new Date());
  msh[9] = [type];
  msh[10] = controlId;
  msh[11] = 'P';
  msh[12] = '2.4';
  msh[17] = 'GBR';
  msh[18] = 'UNICODE UTF-8';
  msh[19] = 'EN';
  const { bytes } = encodeMessage([{ name: 'MSH', fields: msh }, ...segments], {
    delimiters: standardDelimiters,
    charset: 'UNICODE UTF-8',
  });
  return { bytes, controlId };
}

function nhsIdentifier(nhsNumber: string): Repetition[] {
  return [[nhsNumber, undefined, undefined, 'NHS', 'NH']];
}

/** User, role, organisation, consent, reason, department: QPD-7 to 12, ZAU-1 to 6. */
function askerFields(asker: HospitalAsker): Field[] {
  const { user, organisation } = asker;
  const person: Repetition[] | undefined = user && [
    [user.id, user.family, user.given, undefined, undefined, user.prefix],
    ...(user.localId === undefined ? [] : [[user.localId]]),
  ];
  return [
    person,
    asker.roleProfile,
    organisation && [[organisation.name, undefined, organisation.ods]],
    asker.consent,
    asker.reason,
    asker.department,
  ];
}
