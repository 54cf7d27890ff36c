/**
 * The answer to a query, as segments, by the declaration of its kind. The structures are those of
 * docs/profile.md; a walker holds every answer against them in the tests.
 */
import { type Fault, type FaultDefinition, faults } from '../faults.ts';
import { type Responder, msaSegment, responseHeader } from '../hl7/ack.ts';
import { errSegments, errorCondition } from '../hl7/err.ts';
import type { Message } from '../hl7/message.ts';
import type { Segment } from '../hl7/segment.ts';
import { contentVersion, versionAtLeast } from '../hl7/version.ts';
import type { MappedRecord } from '../mapping/mapped.ts';
import { bodyOf, noteOf } from './body.ts';
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
  /** How much of the record this answer holds, where it is one part of several. */
  part?: AnswerPart;
}

/** One part of an answer that is continued. */
export interface AnswerPart {
  /** Clinical items of the whole record, in this part, and in the parts to come. */
  items: { all: number; here: number; left: number };
  /** DSC-1, by which the next part is asked for; none after the last. */
  pointer?: string;
}

/**
 * The segments of a query's answer.
 * @returns undefined when the query has no QPD or QRD to give back, so that only an acknowledgement
 *   is possible
 */
export function responseSegments(parts: ResponseParts): Segment[] | undefined {
  const { message, query, us, record } = parts;
  const { segments, answer } = query.kind;
  if (message.count(segments[0]) === 0) return undefined;
  const version = contentVersion(message.get('MSH-12'));
  const fault = parts.faults[0];
  const row: FaultDefinition | undefined = fault && faults[fault.name];
  const notFound = row?.qak === 'NF';
  const body = record && bodyOf(answer.profile, record, parts.cautions, { version, now: us.now });

  const msa = msaSegment(
    message,
    row?.msa ?? 'AA',
    notFound && answer.notFound === 'NTE' ? [] : parts.faults,
  );
  // Where there is no record, what PDS says of the patient is told beside that.
  const told = body?.told ?? parts.cautions;
  const inNotes = answer.notFound === 'NTE' && !body;
  if (!inNotes && told.length > 0) {
    msa.fields[3] = [msa.fields[3], ...told.map(cautionText)].filter(Boolean).join(' ');
  }
  // ORF_R04 of 2.3 has neither ERR nor QAK.
  const bare =
    answer.status === 'none' || (answer.status === 'after' && message.get('MSH-12') === '2.3');
  if (bare && row?.err) msa.fields[6] = [errorCondition(row.err)];
  const status = bare
    ? []
    : [
        ...(notFound ? [] : errSegments(message.get('MSH-12'), parts.faults)),
        acknowledgeQuery(parts, row?.qak ?? 'OK'),
      ];
  return [
    responseHeader(message, us, answer),
    msa,
    ...(answer.status === 'before' ? status : []),
    ...answer.echoes.flatMap((name) => echoes(message, name)),
    ...(body?.segments ?? notes(parts, inNotes ? told : [])),
    ...(answer.status === 'after' ? status : []),
    ...(parts.part?.pointer === undefined ? [] : [continuation(parts.part.pointer)]),
  ];
}

/** Why there is no record, where the structure has a place for it after the query. */
function notes({ query, faults: [fault] }: ResponseParts, told: readonly Caution[]): Segment[] {
  const row: FaultDefinition | undefined = fault && faults[fault.name];
  if (!row || query.kind.answer.notFound !== 'NTE') return [];
  const texts = [...(row.qak === 'NF' ? [row.says] : []), ...told.map(cautionText)];
  return texts.map((text, index) => noteOf(index + 1, text));
}

/** DSC: the rest is fetched by a query of its own (I, interactive continuation; v2.5 §5.6.3). */
function continuation(pointer: string): Segment {
  return { name: 'DSC', fields: [undefined, pointer, 'I'] };
}

function acknowledgeQuery(parts: ResponseParts, status: string): Segment {
  const { message, query, record } = parts;
  const segment: Segment = { name: 'QAK', fields: [undefined, undefined, status] };
  const name = query.kind.tag.startsWith('QPD') ? message.raw('QPD-1') : undefined;
  // QAK-3 to QAK-6 came with 2.4.
  const is24 = versionAtLeast(message.get('MSH-12'), '2.4');
  segment.echo = { 1: message.raw(query.kind.tag), ...(name && is24 ? { 3: name } : {}) };
  if (record && is24) segment.fields.push(undefined, ...hits(parts, record));
  return segment;
}

/** QAK-4 to QAK-6: found, in this answer, still to come. RSP^K21 counts patients, the others items. */
function hits({ query, part }: ResponseParts, record: MappedRecord): string[] {
  if (query.kind.answer.profile === 'k21') return ['1', '1', '0'];
  const all = record.datasets.reduce((sum, dataset) => sum + dataset.items, 0);
  const { items } = part ?? { items: { all, here: all, left: 0 } };
  return [items.all, items.here, items.left].map(String);
}

/** The segments of a name, given back as they were sent. */
function echoes(message: Message, name: string): Segment[] {
  return Array.from({ length: message.count(name) }, (_, i) => {
    const at = `${name}[${i + 1}]`;
    const fields: Record<number, string | undefined> = {};
    for (let n = 1; n <= message.fields(at); n++) fields[n] = message.raw(`${at}-${n}`);
    return { name, fields: [], echo: fields };
  });
}
