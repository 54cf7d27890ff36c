/**
 * docs/reference/segments.md: every segment and field that we send, by dataset and version, from the
 * rules of the mapping and the code that builds the rest of an answer or a push.
 */
import { type Dataset, datasets } from '../../engine/gp/port.ts';
import { definitions } from '../../engine/hl7/definitions/definitions.ts';
import { type ContentVersion, contentVersions } from '../../engine/hl7/version.ts';
import { shapes } from '../../engine/mapping/rows.ts';
import type { SegmentRule } from '../../engine/mapping/rules.ts';
import type { PartRule } from '../../engine/mapping/schema.ts';
import { allParts, datasetFiles } from './mapping-page.ts';
import { code, table, written } from './markdown.ts';

/** Who fills a field: the items of a dataset, every answer, or only what is pushed. */
type Filler = Dataset | 'all' | 'pushes';

/** Segment → field number → who fills it. */
export type Sent = Map<string, Map<number, Set<Filler>>>;

/** What stands around the record, or beside its rules: `engine/query`, `hl7/ack.ts`, `hl7/err.ts`. */
const around: Readonly<Record<string, readonly number[]>> = {
  MSH: [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 15, 16, 17, 18, 19],
  MSA: [1, 2, 3, 6],
  ERR: [1, 2, 3, 4, 5, 7, 8],
  QAK: [1, 2, 3, 4, 5, 6],
  DSC: [1, 2],
  QRI: [3],
  OBR: [1, 4],
  OBX: [1, 2, 3, 4, 5, 11],
  NTE: [1, 3],
  RXA: [1, 2, 3, 4, 5, 6, 20],
  ORC: [1],
  TQ1: [1, 6, 7, 8, 11],
};

/** What stands in pushed messages alone: `engine/push`. */
const pushed: Readonly<Record<string, readonly number[]>> = {
  EVN: [1, 2],
  PV1: [2],
  PRD: [1, 2, 4, 7],
  TXA: [1, 2, 3, 4, 6, 12, 17],
  ORC: [],
  RXE: [1, 2, 3, 5, 7, 10, 11, 12, 13],
  RXR: [1],
};

/** Fields that only some versions get, as `engine/mapping/by-version.ts` and `hl7/err.ts` have it. */
const only: Readonly<Record<string, readonly ContentVersion[]>> = {
  'ORC-7': ['2.3', '2.4'],
  'RXE-1': ['2.3', '2.4'],
  'ERR-1': ['2.3', '2.4'],
  'QRI-3': ['2.5.1'],
};

/** Segments that are the query's, given back as they came. */
const echoed = ['QPD', 'QRD', 'QRF', 'PRD'];

/** Everything we send. */
export function sentFields(): Sent {
  const sent: Sent = new Map();
  const add = (segment: string, field: number, by: Filler) => {
    const fields = sent.get(segment) ?? new Map<number, Set<Filler>>();
    sent.set(segment, fields);
    const who = fields.get(field) ?? new Set<Filler>();
    fields.set(field, who.add(by));
  };
  for (const [segment, fields] of Object.entries(around)) {
    for (const field of fields) add(segment, field, 'all');
  }
  for (const [segment, fields] of Object.entries(pushed)) {
    for (const field of fields) add(segment, field, 'pushes');
  }
  const parts = allParts();
  for (const { file } of datasetFiles()) {
    for (const item of file.items) {
      const by = item.place === 'patient' && !item.asked ? 'all' : file.dataset;
      const carrier = item.part === undefined ? item : { ...item, ...parts[item.part] };
      for (const [segment, field] of fieldsOf(carrier, parts, new Set())) add(segment, field, by);
    }
  }
  return sent;
}

type Carrier = Pick<PartRule, 'segments' | 'children'>;

/** The fields of an item and of all that may hang on it. */
function* fieldsOf(
  carrier: Carrier,
  parts: Readonly<Record<string, Carrier>>,
  seen: Set<string>,
): Generator<[string, number]> {
  yield* carrier.segments.flatMap(targetsOf);
  for (const name of carrier.children.flatMap((child) => child.parts)) {
    const part = parts[name];
    if (!part || seen.has(name)) continue;
    seen.add(name);
    yield* fieldsOf(part, parts, seen);
  }
}

function targetsOf(rule: SegmentRule): [string, number][] {
  if (rule.segments) return rule.segments.flatMap(targetsOf);
  if (rule.note || rule.terms) return [['NTE', 3]];
  if (rule.obx) return [1, 2, 3, 5, 11].map((field) => ['OBX', field]);
  const targets = Object.keys(rule.fields ?? {}).map((target): [string, number] => {
    const [segment = '', field] = target.split(/[-.]/);
    return [segment, Number(field)];
  });
  return rule.segment === 'OBX' ? [['OBX', 1], ['OBX', 2], ...targets] : targets;
}

/** Whether an answer of a version holds this field, if the record has it. */
export function isSent(sent: Sent, segment: string, field: number, version: ContentVersion) {
  if (echoed.includes(segment) || segment.startsWith('Z')) return true;
  if (!sent.get(segment)?.has(field)) return false;
  const named = only[`${segment}-${field}`];
  return named ? named.includes(version) : true;
}

/** The segments that version 2.3 can hold, in answers, of which none is RSP_K11, and in pushes. */
function inOld(segment: string): boolean {
  const kept = Object.values(shapes).flatMap(({ patient, item }) => [...patient, ...item]);
  const own = ['MSH', 'MSA', 'ERR', 'QAK', 'NTE', ...Object.keys(pushed)];
  return [...kept, ...own].includes(segment);
}

export function segmentsPage(): string {
  const sent = sentFields();
  const order = [...sent.keys()].sort((a, b) => rank(a) - rank(b));
  const parts = order.map((segment) => segmentPart(segment, sent));
  return `${written('mappings/gp-record/ and the code of the answers')}
# Segments and fields that Gatehouse sends

Every field that an answer or a [pushed message](../profile.md#what-is-pushed) of Gatehouse can hold. A
column of a version has the field's data type and usage there (R required, O optional, C conditional,
B for backward compatibility) as HL7 defines them; it is empty where nothing of that version holds the
field, or that version does not define it (it then stands there all the same, and a receiver passes
over it). Version 2.3 stands for 2.3.1, too, and 2.5.1 for 2.5. *filled by* names the datasets whose
items hold the field; *all* is every answer, *pushes* what is pushed alone.

Which answer has a place for which segment stands in [the profile](../profile.md#structures-of-the-answers),
and which pushed message [there, too](../profile.md#what-is-pushed); what has none is an OBX row there ([a19-rows](mapping-fields.md#a19-rows)). QPD, QRD, QRF and PRD are the
query's, given back as they came. Where each value comes from stands in
[mapping-fields.md](mapping-fields.md).

${parts.join('\n')}`;
}

/** Header, patient, then the segments of the items as the structure has them. */
function rank(segment: string): number {
  const known = 'MSH EVN MSA ERR QAK DSC QRI PID PD1 PV1 NK1 NTE OBX AL1 IAM ORC TQ1 RXO'.split(
    ' ',
  );
  const at = known.indexOf(segment);
  return at < 0 ? known.length + segment.charCodeAt(0) * 100 + segment.charCodeAt(1) : at;
}

function segmentPart(segment: string, sent: Sent): string {
  const fields = [...(sent.get(segment) ?? [])].sort(([a], [b]) => a - b);
  const description = definitions('2.5.1').segment(segment)?.description ?? '';
  const rows = fields.map(([field, by]) => {
    const named =
      definitions('2.5.1').field(segment, field) ?? definitions('2.4').field(segment, field);
    const cells = contentVersions.map((version) => cell(sent, segment, field, version));
    const own = datasets.filter((one) => by.has(one)).map(code);
    const who = by.has('all') ? ['all'] : [...own, ...(by.has('pushes') ? ['pushes'] : [])];
    return [`${segment}-${field}`, named?.name ?? '', ...cells, who.join(', ')];
  });
  const columns = ['field', 'name', ...contentVersions, 'filled by'];
  return `## ${segment}\n\n${description}.\n\n${table(columns, rows)}`;
}

function cell(sent: Sent, segment: string, field: number, version: ContentVersion): string {
  if (version === '2.3' && !inOld(segment)) return '';
  const defined = definitions(version).field(segment, field);
  if (!defined || !isSent(sent, segment, field, version)) return '';
  return `${defined.type === 'VARIES' ? 'OBX-2' : defined.type} ${defined.usage}`;
}
