/**
 * The answer to a query, as segments: RSP^K11 for QBP^Q11 and ADR^A19 for QRY^A19. The structures
 * are those of docs/profile.md; a walker holds every answer against them in the tests.
 */
import { type Fault, faults } from '../faults.ts';
import { type Responder, msaSegment, responseHeader } from '../hl7/ack.ts';
import { errSegments } from '../hl7/err.ts';
import type { Message } from '../hl7/message.ts';
import type { Segment } from '../hl7/segment.ts';
import { versionAtLeast } from '../hl7/version.ts';
import type { MappedRecord, MappedSegment } from '../mapping/mapped.ts';
import { type Caution, cautionText } from './cautions.ts';
import type { Query } from './query.ts';

export interface ResponseParts {
  message: Message;
  query: Query;
  /** The header's facts: who we are, our MSH-10, the time. */
  us: Responder;
  /** What the query comes to: a record, or faults (the first decides the codes). */
  record?: MappedRecord;
  faults: Fault[];
  cautions: Caution[];
}

/**
 * The segments of a query's answer.
 * @returns undefined when the query has no QPD or QRD to give back, so that only an acknowledgement
 *   is possible
 */
export function responseSegments(parts: ResponseParts): Segment[] | undefined {
  const { message, query, us } = parts;
  const q11 = query.kind === 'Q11';
  if (message.count(q11 ? 'QPD' : 'QRD') === 0) return undefined;
  const type = q11
    ? { code: 'RSP', event: 'K11', structure: 'RSP_K11' }
    : { code: 'ADR', event: 'A19', structure: 'ADR_A19' };
  const fault = parts.faults[0];
  const row = fault && faults[fault.name];
  const notFound = row?.qak === 'NF';

  const segments: Segment[] = [responseHeader(message, us, type)];
  // In ADR^A19 the text of MSA-3 is the only place for "not found".
  const told = notFound && q11 ? [] : parts.faults;
  segments.push(msaSegment(message, row?.msa ?? 'AA', told));
  if (!notFound) segments.push(...errSegments(message.get('MSH-12'), parts.faults));
  segments.push(acknowledgeQuery(parts, row?.qak ?? 'OK'));
  if (q11) {
    segments.push(echo(message, 'QPD'));
    if (fault && notFound) segments.push(noteOf(1, faults[fault.name].says));
  } else {
    segments.push(echo(message, 'QRD'));
    if (message.count('QRF') > 0) segments.push(echo(message, 'QRF'));
  }
  if (parts.record)
    segments.push(...(q11 ? body(parts, parts.record) : group(parts, parts.record)));
  return segments;
}

function acknowledgeQuery(parts: ResponseParts, status: string): Segment {
  const { message, query, record } = parts;
  const segment: Segment = { name: 'QAK', fields: [undefined, undefined, status] };
  const tag = message.raw(query.kind === 'Q11' ? 'QPD-2' : 'QRD-4');
  const name = query.kind === 'Q11' ? message.raw('QPD-1') : undefined;
  segment.echo = { 1: tag, ...(name && is24(message) ? { 3: name } : {}) };
  if (record && is24(message)) {
    const items = String(record.datasets.reduce((sum, dataset) => sum + dataset.items, 0));
    segment.fields.push(undefined, items, items, '0');
  }
  return segment;
}

/** QAK-3 to QAK-6 came with 2.4. */
function is24(message: Message): boolean {
  return versionAtLeast(message.get('MSH-12'), '2.4');
}

/** RSP^K11: PID PD1 NK1 NTE, then each dataset opened by its status line. */
function body({ cautions }: ResponseParts, record: MappedRecord): MappedSegment[] {
  const last = record.patient.filter((segment) => segment.name === 'NTE').length;
  const told = cautions.map((caution, index) => noteOf(last + index + 1, cautionText(caution)));
  return [...record.patient, ...told, ...record.datasets.flatMap(({ segments }) => segments)];
}

/** ADR^A19 has one group and no NTE: PID PD1 PV1 OBX* AL1* DG1*, numbered over all datasets. */
function group({ cautions }: ResponseParts, record: MappedRecord): MappedSegment[] {
  const all = record.datasets.flatMap(({ segments }) => segments);
  const told: MappedSegment[] = cautions.map((caution) => ({
    name: 'OBX',
    fields: [
      undefined,
      undefined,
      'TX',
      [['GPREC.CAUTION', 'Caution', 'L']],
      undefined,
      cautionText(caution),
      ...Array<undefined>(5),
      'F',
    ],
  }));
  const ordered = [
    ...record.patient,
    ...told,
    ...['OBX', 'AL1', 'DG1'].flatMap((name) => all.filter((segment) => segment.name === name)),
  ];
  const counts: Record<string, number> = {};
  return ordered.map((segment) => {
    if (segment.name.startsWith('P')) return segment;
    const number = (counts[segment.name] = (counts[segment.name] ?? 0) + 1);
    return { ...segment, fields: segment.fields.with(1, String(number)) };
  });
}

function noteOf(number: number, text: string): Segment {
  return { name: 'NTE', fields: [undefined, String(number), undefined, text] };
}

/** A segment given back as it was sent. */
function echo(message: Message, name: string): Segment {
  const fields: Record<number, string | undefined> = {};
  for (let n = 1; n <= message.fields(name); n++) fields[n] = message.raw(`${name}-${n}`);
  return { name, fields: [], echo: fields };
}
