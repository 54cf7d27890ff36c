/**
 * The answers Gatehouse gives, as message structures (docs/profile.md). The base RSP_K11 of v2.4
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
  'OBR [{NTE}] [{SPM}]',
  'RXA [RXR] [{NTE}]',
  'RF1 [{NTE}] [{PRD [{NTE}]}]',
  'PV1 [PV2] [{NTE}]',
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

/** By structure id, MSH-9.3 of the answer. RSP_ZGS is RSP_K11 under a name of its own. */
export const profileStructures: Readonly<Record<'RSP_K11' | 'RSP_ZGS' | 'ADR_A19', Structure>> = {
  RSP_K11: parseStructure('RSP_K11', record),
  RSP_ZGS: parseStructure('RSP_ZGS', record),
  ADR_A19: parseStructure('ADR_A19', patientQuery),
};
