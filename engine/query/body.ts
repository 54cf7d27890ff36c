/**
 * The record in its answer, or in what is pushed: the segments that follow the header, and what is
 * given back of a query.
 */
import { timestamp } from '../hl7/ack.ts';
import type { Segment } from '../hl7/segment.ts';
import type { ContentVersion } from '../hl7/version.ts';
import type { MappedGroup, MappedRecord, MappedSegment, Profile } from '../mapping/mapped.ts';
import { type Caution, cautionText } from './cautions.ts';

export interface Body {
  segments: MappedSegment[];
  /** Cautions the structure has no place for; they go into MSA-3. */
  told: Caution[];
}

interface Facts {
  version: ContentVersion;
  /** The time of the answer. */
  now: Date;
}

/** Lay a record out in an answer. */
export function bodyOf(
  profile: Profile,
  record: MappedRecord,
  cautions: readonly Caution[],
  facts: Facts,
): Body {
  switch (profile) {
    case 'rsp':
      return { segments: wholeRecord(record, cautions), told: [] };
    case 'k21':
      return person(record, cautions, facts);
    case 'a19':
      return { segments: oneGroup(record, cautions), told: [] };
    case 'i05':
      return { segments: underReports(record, cautions, ['DG1', 'AL1']), told: [] };
    case 'r04':
    case 'text':
      return { segments: underReports(record, cautions, []), told: [] };
    case 'v03':
      return { segments: underVaccinations(record, cautions, facts), told: [] };
    case 'ppr':
      return { segments: underProblems(record, cautions, facts), told: [] };
  }
}

/** RSP_K11: PID PD1 NK1 NTE, then each dataset opened by its status line. */
function wholeRecord(record: MappedRecord, cautions: readonly Caution[]): MappedSegment[] {
  const last = record.patient.filter((segment) => segment.name === 'NTE').length;
  const told = cautions.map((caution, index) => noteOf(last + index + 1, cautionText(caution)));
  return [...record.patient, ...told, ...record.datasets.flatMap(({ segments }) => segments)];
}

/**
 * RSP_K21: PID PD1, from 2.5 on NK1 and QRI too, and nothing else. What else the GP record says of
 * the patient is not carried, and the answer says so.
 */
function person(record: MappedRecord, cautions: readonly Caution[], { version }: Facts): Body {
  const later = version === '2.5.1';
  const place = later ? ['PID', 'PD1', 'NK1'] : ['PID', 'PD1'];
  const segments = record.patient.filter(({ name }) => place.includes(name));
  const groups = record.datasets.flatMap((dataset) => dataset.groups);
  const more =
    record.patient.length > segments.length ||
    groups.some(({ lines, items }) => lines.length > 1 || items.length > 0);
  // Nobody was guessed: the patient was found by the NHS number.
  const found = [['NHSNUMBER', 'Found by NHS number', 'L']];
  if (later) segments.push({ name: 'QRI', fields: [undefined, undefined, undefined, found] });
  return { segments, told: more ? [...cautions, 'moreOfPatient'] : [...cautions] };
}

/** ADR_A19 has one group and no NTE: PID PD1 PV1 OBX* AL1* DG1*, numbered over all datasets. */
function oneGroup(record: MappedRecord, cautions: readonly Caution[]): MappedSegment[] {
  const all = [
    ...record.patient,
    ...cautions.map(cautionRow),
    ...record.datasets.flatMap(({ segments }) => segments),
  ];
  const order = ['PID', 'PD1', 'PV1', 'OBX', 'AL1', 'DG1'];
  return numbered(order.flatMap((name) => all.filter((segment) => segment.name === name)));
}

/**
 * RCI_I05 and ORF_R04: OBX stands under an OBR. A report has its own; everything else stands under
 * one that names its dataset.
 * @param before segments of items that stand before the first OBR
 */
function underReports(
  record: MappedRecord,
  cautions: readonly Caution[],
  before: readonly string[],
): MappedSegment[] {
  const opener = ({ code, title }: Named): MappedSegment[] => [
    {
      name: 'OBR',
      fields: [undefined, undefined, undefined, undefined, [[code, title, 'L']]],
    },
  ];
  const segments = grouped(record, cautions, opener, 'OBR');
  const first = ['PID', ...before];
  return numbered([
    ...first.flatMap((name) => segments.filter((segment) => segment.name === name)),
    ...segments.filter(({ name }) => !first.includes(name)),
  ]);
}

/**
 * VXR_V03: OBX stands under an RXA. What belongs to no immunisation stands under one that says that
 * nothing was administered (CVX 998, table 0322 NA). From 2.5 on each RXA has an ORC.
 */
function underVaccinations(
  record: MappedRecord,
  cautions: readonly Caution[],
  { version, now }: Facts,
): MappedSegment[] {
  const opener = (): MappedSegment[] => {
    const fields: MappedSegment['fields'] = [undefined, '0', '0', timestamp(now), timestamp(now)];
    fields[5] = [['998', 'No vaccine administered', 'CVX']];
    fields[6] = '999';
    fields[20] = 'NA';
    return [{ name: 'RXA', fields }];
  };
  const segments = numbered(grouped(record, cautions, opener, 'RXA'));
  if (version !== '2.5.1') return segments;
  const order: MappedSegment = { name: 'ORC', fields: [undefined, 'RE'] };
  return segments.flatMap((segment) => (segment.name === 'RXA' ? [order, segment] : [segment]));
}

/**
 * PPR_PC1: OBX stands under a PRB. What belongs to no problem stands under one whose action is UC
 * (table 0287): it names a place in the record, and says that nothing changes there.
 */
function underProblems(
  record: MappedRecord,
  cautions: readonly Caution[],
  { now }: Facts,
): MappedSegment[] {
  const opener = ({ code, title }: Named): MappedSegment[] => {
    const name = code === 'GPREC' ? code : `GPREC.${code}`;
    const about = [[name, `No problem: about ${title}`, 'L']];
    return [{ name: 'PRB', fields: [undefined, 'UC', timestamp(now), about, name] }];
  };
  return numbered(grouped(record, cautions, opener, 'PRB'));
}

type Named = Pick<MappedGroup, 'code' | 'title'>;

/** Patient, cautions and datasets, each row under a segment that opens it. */
function grouped(
  record: MappedRecord,
  cautions: readonly Caution[],
  opener: (group: Named) => MappedSegment[],
  opens: string,
): MappedSegment[] {
  const patient = record.patient.filter(({ name }) => name !== 'OBX');
  const rows = [...cautions.map(cautionRow), ...record.patient.filter((s) => s.name === 'OBX')];
  const out = [...patient];
  if (rows.length > 0) out.push(...opener({ code: 'GPREC', title: 'GP record' }), ...rows);
  for (const group of record.datasets.flatMap(({ groups }) => groups)) {
    out.push(...opener(group), ...group.lines);
    let under = true;
    for (const item of group.items) {
      // What follows a report must not read as part of it.
      if (item[0]?.name !== opens && !under) out.push(...opener(group));
      out.push(...item);
      under = !item.some(({ name }) => name === opens);
    }
  }
  return out;
}

/** Set ids over the whole answer; notes have their own beneath each segment. */
function numbered(segments: readonly MappedSegment[]): MappedSegment[] {
  const counts: Record<string, number> = {};
  return segments.map((segment) => {
    if (!['OBR', 'OBX', 'AL1', 'DG1'].includes(segment.name)) return segment;
    const number = (counts[segment.name] = (counts[segment.name] ?? 0) + 1);
    return { ...segment, fields: segment.fields.with(1, String(number)) };
  });
}

function cautionRow(caution: Caution): MappedSegment {
  const fields: MappedSegment['fields'] = [undefined, undefined, 'TX'];
  fields[3] = [['GPREC.CAUTION', 'Caution', 'L']];
  fields[5] = cautionText(caution);
  fields[11] = 'F';
  return { name: 'OBX', fields };
}

/** NTE with its set id. */
export function noteOf(number: number, text: string): Segment {
  return { name: 'NTE', fields: [undefined, String(number), undefined, text] };
}
