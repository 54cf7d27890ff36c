/**
 * Every way a hospital can ask for a record, each declared once: where number, datasets and asker
 * stand in the query, and what its answer is made of. Reading (`query.ts`), answering
 * (`response.ts`), the channel's `accepts`, `gatehouse check` and docs/profile.md follow from it.
 */
import { type Dataset, datasets } from '../gp/port.ts';
import { type ContentVersion, versionAtLeast } from '../hl7/version.ts';
import type { Profile } from '../mapping/mapped.ts';

/** Where a message carries user, role, organisation and consent. */
export interface AskerPlaces {
  /** XCN; or an identifier alone, where `name` says where the name stands. */
  user: string;
  /** XPN: the user's name, where the field of `user` has no place for it (PRD-2). */
  name?: string;
  role: string;
  organisation: string;
  consent: string;
  reason?: string;
  department?: string;
}

/** Where a query says what the hospital believes of the patient. */
export interface ClaimPlaces {
  family: string;
  given?: string;
  /** Table 0001, or the NHS codes 1, 2 and 9. */
  gender?: string;
  birthDate?: string;
}

export interface QueryKind {
  /** MSH-9.1 and MSH-9.2, as a channel's `accepts` names it. */
  type: string;
  /** MSH-9.3 */
  structure: string;
  /** What it is for, in a few words. */
  says: string;
  /** The oldest version that has it. */
  since: ContentVersion;
  /** Segments it must hold besides MSH; the first one is the query itself. */
  segments: readonly [definition: string, ...more: string[]];
  /** QPD-1.1, where it is checked. */
  name?: string;
  /** Query tag, given back in QAK-1. */
  tag: string;
  /** Fields the NHS number is looked for in. */
  patient: readonly [string, ...string[]];
  /** The field that names datasets; without one, all of `offers` are meant. */
  datasets?: string;
  /** The datasets its answer has a place for. */
  offers: readonly Dataset[];
  from?: string;
  to?: string;
  /** Where the asker stands; undefined where the channel has to say it. */
  asker?: AskerPlaces;
  /** What the hospital believes of the patient, for the cross-check. */
  claimed?: ClaimPlaces;
  /** How many items it wants at a time (CQ); only these kinds are continued. */
  quantity?: string;
  answer: AnswerForm;
}

export interface AnswerForm {
  code: string;
  event: string;
  structure: string;
  /** How the record is laid out after what is given back of the query. */
  profile: Profile;
  /** MSH-12 of the answer, where it is not the query's. */
  version?: string;
  /** Segments given back as they came, where the query has them. */
  echoes: readonly string[];
  /**
   * Where ERR and QAK stand. `none`: the structure has neither, so that MSA carries the code too
   * (MSA-6); `after`: at the end, from version 2.3.1 on, and in 2.3 not at all.
   */
  status: 'before' | 'after' | 'none';
  /** Where "no record available" is said in words. */
  notFound: 'NTE' | 'MSA';
}

/** QBP^Q11 and QBP^ZGR name the asker in QPD-7 to QPD-12. */
const record = {
  structure: 'QBP_Q11',
  since: '2.4',
  segments: ['QPD', 'RCP'],
  name: 'GPREC',
  tag: 'QPD-2',
  patient: ['QPD-3'],
  datasets: 'QPD-4',
  offers: datasets,
  from: 'QPD-5',
  to: 'QPD-6',
  asker: {
    user: 'QPD-7',
    role: 'QPD-8',
    organisation: 'QPD-9',
    consent: 'QPD-10',
    reason: 'QPD-11',
    department: 'QPD-12',
  },
  claimed: {
    family: 'QPD-13.1',
    given: 'QPD-13.2',
    gender: 'QPD-15',
    birthDate: 'QPD-14',
  },
  quantity: 'RCP-2',
} as const;

const recordAnswer = {
  code: 'RSP',
  profile: 'rsp',
  echoes: ['QPD'],
  status: 'before',
  notFound: 'NTE',
} as const;

/** Queries of the original mode (QRD, QRF) have no field for who asks. */
const original = {
  since: '2.3',
  segments: ['QRD'],
  tag: 'QRD-4',
  patient: ['QRD-8'],
  datasets: 'QRD-9',
  offers: datasets,
  claimed: { family: 'QRD-8.2', given: 'QRD-8.3' },
} as const;

/** The kinds of query, the one to choose first. */
export const queryKinds: readonly QueryKind[] = [
  {
    type: 'QBP^Q11',
    says: 'the GP record',
    ...record,
    answer: { event: 'K11', structure: 'RSP_K11', ...recordAnswer },
  },
  {
    type: 'QBP^ZGR',
    says: 'the same, for parsers that want a structure name of its own',
    ...record,
    answer: { event: 'ZGS', structure: 'RSP_ZGS', ...recordAnswer },
  },
  {
    type: 'QBP^Q21',
    structure: 'QBP_Q21',
    says: 'who the patient is (Get Person Demographics)',
    since: '2.4',
    segments: ['QPD', 'RCP'],
    tag: 'QPD-2',
    patient: ['QPD-3'],
    offers: ['PAT'],
    answer: {
      code: 'RSP',
      event: 'K21',
      structure: 'RSP_K21',
      profile: 'k21',
      echoes: ['QPD'],
      status: 'before',
      notFound: 'MSA',
    },
  },
  {
    type: 'QRY^A19',
    structure: 'QRY_A19',
    says: 'the GP record, for hosts that know nothing newer',
    ...original,
    answer: {
      code: 'ADR',
      event: 'A19',
      structure: 'ADR_A19',
      profile: 'a19',
      echoes: ['QRD', 'QRF'],
      status: 'before',
      notFound: 'MSA',
    },
  },
  {
    type: 'RQC^I05',
    structure: 'RQC_I05',
    says: 'the GP record, for hosts that ask as for a referral',
    ...original,
    segments: ['QRD', 'PRD'],
    patient: ['QRD-8', 'PID-3'],
    claimed: { family: 'PID-5.1', given: 'PID-5.2', gender: 'PID-8', birthDate: 'PID-7' },
    answer: {
      code: 'RCI',
      event: 'I05',
      structure: 'RCI_I05',
      profile: 'i05',
      echoes: ['QRD', 'QRF', 'PRD'],
      status: 'none',
      notFound: 'MSA',
    },
  },
  {
    type: 'QRY^R02',
    structure: 'QRY_R02',
    says: 'the GP record, for hosts that ask as for results',
    ...original,
    answer: {
      code: 'ORF',
      event: 'R04',
      structure: 'ORF_R04',
      profile: 'r04',
      echoes: ['QRD', 'QRF'],
      status: 'after',
      notFound: 'MSA',
    },
  },
  {
    type: 'VXQ^V01',
    structure: 'VXQ_V01',
    says: 'immunisations alone',
    ...original,
    offers: ['PAT', 'IMM'],
    answer: {
      code: 'VXR',
      event: 'V03',
      structure: 'VXR_V03',
      profile: 'v03',
      echoes: ['QRD', 'QRF'],
      status: 'none',
      notFound: 'MSA',
    },
  },
];

/**
 * Codes of HL7 table 0048 that hosts put into QRD-9, and the datasets they mean here. PRB is the
 * same in both.
 */
export const standardSubjects: ReadonlyMap<string, readonly Dataset[]> = new Map([
  ['DEM', ['PAT']],
  ['RES', ['OBS', 'INV']],
  ['PRO', ['PROC']],
  ['VXI', ['IMM']],
]);

/** The kind of query a message type is (`QBP^Q11`), or undefined when it is none. */
export function queryKind(type: string): QueryKind | undefined {
  return queryKinds.find((kind) => kind.type === type);
}

/** Whether a version has this kind of query. */
export function hasKind(version: string | undefined, kind: QueryKind): boolean {
  return versionAtLeast(version, kind.since);
}
