/**
 * RDE^O11: each medication and each issue as an encoded order. RXE requires an amount, a unit and a
 * route, and the dose of a GP record is free text: what stands there is the site's own rule, the
 * same for every order, and each order says so. Nothing is ever read out of the dose.
 */
import { type Fault, FaultError } from '../faults.ts';
import type { Field, Segment } from '../hl7/segment.ts';
import type { ContentVersion } from '../hl7/version.ts';
import type { MappedRecord, MappedSegment } from '../mapping/mapped.ts';
import { noteOf } from '../query/body.ts';
import { type Caution, cautionText } from '../query/cautions.ts';
import { statusLines } from './document.ts';

/** What stands where HL7 requires a value and the GP record states none. */
export interface OrderRule {
  /** RXE-1.8, from 2.5 on TQ1-11: the timing in words, where the record has none. */
  timing: string;
  /** RXE-2, where the record has no code and no name for the medication: `code^text^system`. */
  code: string;
  /** RXE-3: a number. */
  amount: string;
  /** RXE-5: `code^text^system`. */
  units: string;
  /** RXR-1: `code^text^system`. */
  route: string;
}

/** RXO field → the field of RXE that means the same (HL7 v2.5 §4.14.1, §4.14.4). */
const encoded: Readonly<Record<number, number>> = { 1: 2, 7: 7, 11: 10, 12: 11, 13: 12 };

/**
 * The segments after MSH. What belongs to no order (data status, notes, cautions) is NTE after the
 * patient.
 * @param record laid out in the profile `rsp`
 * @throws FaultError formLacksPlace where there is no order and more to say than that nothing is
 *   recorded; mappingFailed where an order has a field that RXE has no place for
 * @returns undefined where nothing is recorded: the structure requires an order, and none is made up
 */
export function ordersOf(
  record: MappedRecord,
  cautions: readonly Caution[],
  rule: OrderRule,
  version: ContentVersion,
): Segment[] | undefined {
  const groups = record.datasets.flatMap((dataset) => dataset.groups);
  const orders = groups.flatMap(({ items }) => items.flatMap(splitOrders));
  const alone = orders.filter(([first]) => first?.name !== 'ORC');
  const patient = record.patient.filter(({ name }) => name === 'PID' || name === 'PD1');
  const texts = [
    ...record.patient.filter(({ name }) => name === 'NTE').map(({ fields }) => fields[3]),
    ...cautions.map(cautionText),
    ...groups.flatMap((group) =>
      statusLines(group).map((line) => `${group.title} (${group.code}): ${line}`),
    ),
    ...alone.flatMap((lines) => statusLines({ code: '', lines })),
  ];
  if (alone.length === orders.length) {
    const statuses = record.datasets.flatMap(({ status }) => status.map((one) => one.status));
    if (alone.length === 0 && statuses.every((status) => status === 'E' || status === 'C')) return;
    const fault: Fault = { name: 'formLacksPlace', detail: `data status ${statuses.join(', ')}` };
    throw new FaultError(fault);
  }
  return [
    ...patient,
    ...texts.map((text, i) => noteOf(i + 1, typeof text === 'string' ? text : '')),
    ...orders
      .filter(([first]) => first?.name === 'ORC')
      .flatMap((order) => encodedOrder(order, rule, version)),
  ];
}

/** A medication with its issues, parted before each ORC. */
function splitOrders(item: readonly MappedSegment[]): MappedSegment[][] {
  const parts: MappedSegment[][] = [];
  for (const segment of item) {
    const current = parts.at(-1);
    if (segment.name === 'ORC' || !current) parts.push([segment]);
    else current.push(segment);
  }
  return parts;
}

function encodedOrder(
  order: readonly MappedSegment[],
  rule: OrderRule,
  version: ContentVersion,
): Segment[] {
  const [control, ...others] = order;
  const asked = others.find(({ name }) => name === 'RXO');
  const timing = others.find(({ name }) => name === 'TQ1');
  if (!control || !asked) throw new FaultError({ name: 'mappingFailed' });
  const fields: Field[] = [];
  for (const [number, field] of asked.fields.entries()) {
    if (field === undefined || field === '') continue;
    const to = encoded[number];
    if (to === undefined) throw new FaultError({ name: 'mappingFailed', detail: `RXO-${number}` });
    fields[to] = field;
  }
  const ruled = ['RXE-3', 'RXE-5', 'RXR-1'];
  if (fields[2] === undefined) {
    fields[2] = coded(rule.code);
    ruled.unshift('RXE-2');
  }
  fields[3] = rule.amount;
  fields[5] = coded(rule.units);
  let times: Segment[] = [];
  if (version === '2.5.1') {
    times = [timing ?? { name: 'TQ1', fields: at(11, rule.timing, '1') }];
    if (!timing) ruled.unshift('TQ1-11');
  } else {
    fields[1] = control.fields[7] ?? [at(7, rule.timing)];
    if (control.fields[7] === undefined) ruled.unshift('RXE-1');
  }
  return [
    control,
    { name: 'RXE', fields },
    ...times,
    { name: 'RXR', fields: [undefined, coded(rule.route)] },
    ...rowsOf(others, ruled),
  ];
}

/**
 * OBX in their order, numbered; a note of the order itself is one too, for RXE has none up to 2.4.
 * @param ruled the fields that the site's rule filled
 */
function rowsOf(segments: readonly MappedSegment[], ruled: readonly string[]): Segment[] {
  const rows: Segment[] = [];
  let count = 0;
  let isUnderRow = false;
  const add = (fields: Field[]) =>
    void rows.push({ name: 'OBX', fields: fields.with(1, String(++count)) });
  add(ownRow('GPREC.SITERULE', siteRule, 'ST', ruled.join(', ')));
  for (const { name, fields } of segments) {
    if (name === 'OBX') {
      add(fields);
      isUnderRow = true;
    } else if (name === 'NTE') {
      if (isUnderRow) rows.push({ name, fields });
      else add(ownRow('NTE-3', 'Note', 'TX', fields[3]));
    } else if (name !== 'RXO' && name !== 'TQ1') {
      throw new FaultError({ name: 'mappingFailed', detail: name });
    }
  }
  return rows;
}

const siteRule = 'Required by HL7 and set by a rule of this site; no part of the GP record';

function ownRow(code: string, name: string, type: string, value: Field): Field[] {
  const fields: Field[] = [undefined, undefined, type, [[code, name, 'L']], undefined, value];
  fields[11] = 'F';
  return fields;
}

const coded = (text: string): Field => [text.split('^')];

/** A list with one value at a place, and another in front. */
function at(place: number, value: string, first?: string): (string | undefined)[] {
  const list: (string | undefined)[] = [];
  list[place] = value;
  if (first !== undefined) list[1] = first;
  return list;
}
