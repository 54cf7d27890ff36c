/**
 * The answers Gatehouse gives, and what it pushes, as message structures (docs/profile.md). The base RSP_K11 of v2.4
 * ends after QPD and leaves the rest to the conformance statement of the query (HL7 v2.5 §5.5);
 * this is ours. ADR_A19 is the structure of the standard for hosts that know nothing newer.
 */
import { parseStructure } from './notation.ts';
import type { Structure } from './notation.ts';

/**
 * What a dataset may hold after its data-status line. OBX is an item too: it follows PRB, RXO and
 * the others with what they have no field for, and is all there is of uncategorised data.
 */
const items = [
  'OBX [{NTE}]',
  'AL1 [{NTE}]',
  'IAM [{NTE}]',
  'PRB [{NTE}]',
  'DG1 [{NTE}]',
  'PR1 [{NTE}]',
  'ORC [{TQ1}] <RXO [{NTE}] [{RXR}] | RXE [{NTE}] {RXR} | OBR [{NTE}]>',
  'OBR [{NTE}]',
  'SPM [{NTE}]',
  'RXA [RXR] [{NTE}]',
  'RF1 [{NTE}] [{PRD [{NTE}]}]',
  'PV1 [{NTE}] [PV2 [{NTE}]]',
  'TXA [{NTE}]',
];

/**
 * The NTE after QPD says why nothing was found; PID and all that follows are then absent. Clinical
 * data never stands without the PID it belongs to.
 */
const record = `MSH MSA [ERR] QAK QPD [{NTE}]
  [RECORD: PID [PD1] [{NK1}] [{NTE}]
    [{DATASET: {STATUS: OBX [{NTE}]} [{ITEM: <${items.join(' | ')}>}]}]]
  [DSC]`;

/** As in v2.4, but with no QUERY_RESPONSE where nothing was found (a declared deviation). */
const patientQuery = `MSH MSA [ERR] [QAK] QRD [QRF]
  [{QUERY_RESPONSE: [EVN] PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}]
    [DRG] [{PROCEDURE: PR1 [{ROL}]}] [{GT1}] [{INSURANCE: IN1 [IN2] [{IN3}] [{ROL}]}]
    [ACC] [UB1] [UB2]}]
  [DSC]`;

/** As in v2.5, where QRI is required; v2.4 has neither NK1 nor QRI. */
const person = `MSH MSA [ERR] QAK QPD [QUERY_RESPONSE: PID [PD1] [{NK1}] [QRI]] [DSC]`;

/**
 * The structures of the standard as far as they are used, but with no patient where nothing was
 * found (a declared deviation): what stands under a PID is always from the GP record.
 */
const clinicalInformation = `MSH MSA QRD [QRF] [{PROVIDER: PRD}]
  [RECORD: PID [{DG1}] [{AL1}] [{OBSERVATION: OBR [{NTE}] [{RESULTS: OBX [{NTE}]}]}]]`;
const results = `MSH MSA QRD [QRF]
  [QUERY_RESPONSE: PID [{ORDER: OBR [{NTE}] [{OBSERVATION: OBX [{NTE}]}]}]]
  [{ERR}] [QAK] [DSC]`;
const vaccinations = `MSH MSA QRD [QRF]
  [RECORD: PID [PD1] [{NK1}] [{ORDER: [ORC] RXA [RXR] [{OBSERVATION: OBX [{NTE}]}]}]]`;

const notations = {
  RSP_K11: record,
  RSP_ZGS: record,
  RSP_K21: person,
  ADR_A19: patientQuery,
  RCI_I05: clinicalInformation,
  ORF_R04: results,
  VXR_V03: vaccinations,
};

/**
 * What is pushed: the structures of the standard as far as they are used, and always with a patient.
 * 2.3 has RDE_O01 for RDE_O11.
 */
const orders = `MSH PID [PD1] [{NTE}] {ORDER: ORC RXE [TQ1] RXR [{OBSERVATION: OBX [{NTE}]}]}`;
const pushNotations = {
  ORU_R01: `MSH PID {ORDER_OBSERVATION: OBR [{NTE}] [{OBSERVATION: OBX [{NTE}]}]}`,
  MDM_T02: `MSH EVN PID PV1 TXA {OBX}`,
  REF_I12: `MSH PRD PID [{DG1}] [{AL1}] {OBSERVATION: OBR [{NTE}] [{RESULTS: OBX [{NTE}]}]}`,
  PPR_PC1: `MSH PID {PROBLEM: PRB [{NTE}] [{PROBLEM_OBSERVATION: OBX [{NTE}]}]}`,
  VXU_V04: `MSH PID [PD1] [{NK1}] {ORDER: [ORC] RXA [RXR] [{OBSERVATION: OBX [{NTE}]}]}`,
  RDE_O11: orders,
  RDE_O01: orders,
};

/** By structure id, MSH-9.3 of the answer. RSP_ZGS is RSP_K11 under a name of its own. */
export const profileStructures = parsed(notations);

/** By structure id, MSH-9.3 of what is pushed. */
export const pushStructures = parsed(pushNotations);

function parsed<Id extends string>(of: Record<Id, string>): Readonly<Record<Id, Structure>> {
  const all = Object.entries<string>(of).map(([id, text]) => [id, parseStructure(id, text)]);
  return Object.fromEntries(all) as Record<Id, Structure>;
}
