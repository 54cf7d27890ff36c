/** The queries of a hospital: every kind docs/profile.md has, and the query for the next part. */
import { timestamp } from '../hl7/ack.ts';
import { encodeSegment } from '../hl7/encode.ts';
import { parseMessage } from '../hl7/message.ts';
import type { Field, Repetition, Segment } from '../hl7/segment.ts';
import { type Envelope, type HospitalMessage, build, nhsIdentifier } from './hospital-messages.ts';

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

export interface QueryOptions extends Envelope {
  nhsNumber: string;
  asker: HospitalAsker;
  /** Query tag (QPD-2, QRD-4); the control id unless told. */
  tag?: string;
  datasets?: string[];
  /** `YYYYMMDD`, QBP only. */
  from?: string;
  to?: string;
  /** How many items at a time, QBP only. */
  quantity?: number;
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

/** Each kind of query, by its type and event. */
export const queryBuilders: Readonly<Record<string, (options: QueryOptions) => HospitalMessage>> = {
  'QBP^Q11': buildQbp,
  'QBP^ZGR': (options) => buildQbp(options, 'ZGR'),
  'QBP^Q21': buildDemographics,
  'QRY^A19': buildQry,
  'QRY^R02': buildResultsQuery,
  'RQC^I05': buildClinicalQuery,
  'VXQ^V01': buildVaccinationQuery,
};

/** QBP^Q11^QBP_Q11 with the QPD of docs/profile.md; ZGR is the same under another event. */
export function buildQbp(options: QueryOptions, event: 'Q11' | 'ZGR' = 'Q11'): HospitalMessage {
  const { nhsNumber, asker, quantity, tag = options.controlId, datasets = allDatasets } = options;
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
  const rcp: Field[] = [undefined, 'I'];
  if (quantity !== undefined) rcp[2] = [[String(quantity), 'RD']];
  return build(
    options,
    ['QBP', event, 'QBP_Q11'],
    [
      { name: 'QPD', fields: qpd },
      { name: 'RCP', fields: rcp },
    ],
  );
}

/** QBP^Q21, Get Person Demographics; ZAU carries the asker. */
function buildDemographics(options: QueryOptions): HospitalMessage {
  const { nhsNumber, tag = options.controlId } = options;
  const name = [['Q21', 'Get Person Demographics', 'HL7nnnn']];
  return build(
    options,
    ['QBP', 'Q21', 'QBP_Q21'],
    [
      { name: 'QPD', fields: [undefined, name, tag, nhsIdentifier(nhsNumber)] },
      { name: 'RCP', fields: [undefined, 'I'] },
      askerSegment(options),
    ],
  );
}

/** QRY^A19: QRD has no field for the asker, so ZAU carries it (user, role, organisation, consent …). */
export function buildQry(options: QueryOptions): HospitalMessage {
  return build(options, ['QRY', 'A19', 'QRY_A19'], [definition(options), askerSegment(options)]);
}

/** QRY^R02: as QRY^A19, with the QRF its structure requires. */
function buildResultsQuery(options: QueryOptions): HospitalMessage {
  const filter: Segment = { name: 'QRF', fields: [undefined, 'GPREC'] };
  const segments = [definition(options), filter, askerSegment(options)];
  return build(options, ['QRY', 'R02', 'QRY_R02'], segments);
}

/** VXQ^V01: immunisations alone. */
function buildVaccinationQuery(options: QueryOptions): HospitalMessage {
  const query = definition(options, [['VXI', 'Vaccine information', 'HL70048']]);
  return build(options, ['VXQ', 'V01', 'VXQ_V01'], [query, askerSegment(options)]);
}

/** RQC^I05: the requester stands in PRD; role, organisation and consent in ZAU. */
function buildClinicalQuery(options: QueryOptions): HospitalMessage {
  const { nhsNumber, family = 'Unknown' } = options;
  const { user } = options.asker;
  const prd: Field[] = [undefined, [['RP', 'Referring provider', 'HL70286']]];
  if (user) {
    prd[2] = [[user.family, user.given, undefined, undefined, user.prefix]];
    prd[7] = [[user.id], ...(user.localId === undefined ? [] : [[user.localId]])];
  }
  const pid: Field[] = [undefined, '1', undefined, nhsIdentifier(nhsNumber)];
  pid[5] = [[family]];
  return build(
    options,
    ['RQC', 'I05', 'RQC_I05'],
    [
      definition(options),
      { name: 'PRD', fields: prd },
      { name: 'PID', fields: pid },
      askerSegment({ ...options, asker: { ...options.asker, user: undefined } }),
    ],
  );
}

/** QRD; what is asked for are our dataset codes unless told. */
function definition(options: QueryOptions, what?: Repetition[]): Segment {
  const { nhsNumber, tag = options.controlId, datasets = allDatasets } = options;
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
  qrd[9] = what ?? datasets.map((dataset) => [dataset, undefined, 'L']);
  qrd[10] = 'GPREC';
  return { name: 'QRD', fields: qrd };
}

function askerSegment({ asker }: QueryOptions): Segment {
  return { name: 'ZAU', fields: [undefined, ...askerFields(asker)] };
}

/**
 * The query for the next part of an answer: the first query again, with the pointer of the answer.
 * @returns undefined where the answer has no pointer (DSC-1), so that it was the last part
 */
export function nextPart(
  query: Uint8Array,
  answer: Uint8Array,
  controlId: string,
): HospitalMessage | undefined {
  const pointer = parseMessage(answer).get('DSC-1');
  if (!pointer) return undefined;
  const again = parseMessage(query);
  again.set('MSH-10', controlId);
  const dsc = encodeSegment({ name: 'DSC', fields: [undefined, pointer, 'I'] }, again.delimiters);
  const whole = again.toBytes().toString('latin1');
  const kept = whole.split('\r').filter((line) => line !== '' && !line.startsWith('DSC'));
  return { bytes: Buffer.from([...kept, dsc, ''].join('\r'), 'latin1'), controlId };
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
