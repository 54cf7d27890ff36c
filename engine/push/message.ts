/**
 * The message in which a record is pushed: a header of its own, addressed to whom the site names,
 * and the record laid out in the form the site chose.
 */
import { FaultError } from '../faults.ts';
import { timestamp } from '../hl7/ack.ts';
import { standardDelimiters } from '../hl7/delimiters.ts';
import { encodeMessage } from '../hl7/encode.ts';
import type { Message } from '../hl7/message.ts';
import type { Component, Field, Repetition, Segment } from '../hl7/segment.ts';
import { contentVersion, versionAtLeast } from '../hl7/version.ts';
import type { MappedRecord, MappedSegment } from '../mapping/mapped.ts';
import { bodyOf } from '../query/body.ts';
import type { Caution } from '../query/cautions.ts';
import { type ReadableDocument, readable, sectionText } from './document.ts';
import { type PushForm, messageTypeOf } from './forms.ts';
import { type OrderRule, ordersOf } from './orders.ts';

/** MSH-3 and MSH-4, or MSH-5 and MSH-6. */
export interface Party {
  application: string;
  facility: string;
}

/** How a document is given: line by line, a part of the record at a time, or encapsulated whole. */
export interface DocumentRule {
  /** TXA-2 */
  type: string;
  /** OBX-2 */
  as: 'TX' | 'FT' | 'ED';
}

export interface Composing {
  /** The ADT message that set the push off. */
  message: Message;
  form: PushForm;
  /** MSH-12 */
  version: string;
  record: MappedRecord;
  cautions: readonly Caution[];
  us: Party;
  receiver?: Party;
  /** MSH-10 */
  controlId: string;
  now: Date;
  /** PV1-2 */
  patientClass: string;
  document: DocumentRule;
  orders?: OrderRule;
}

/**
 * Compose the message.
 * @returns its bytes; undefined where the form has no place for a record in which nothing is recorded
 * @throws FaultError preparationFailed where RDE^O11 has no rule for its orders; formLacksPlace and
 *   mappingFailed as `ordersOf` does
 */
export function compose(given: Composing): Buffer | undefined {
  const { message, record } = given;
  // Without a patient nobody could tell whose record it is.
  if (!record.patient.some(({ name }) => name === 'PID')) {
    throw new FaultError({ name: 'mappingFailed', detail: 'no Patient in the reply' });
  }
  const segments = segmentsOf(given);
  if (!segments) return undefined;
  const options = { delimiters: standardDelimiters, charset: message.charset };
  return encodeMessage([header(given), ...segments], options).bytes;
}

/** MSH-11, 17 and 19 are those of the ADT message; MSH-15 and 16 are for the delivery to say. */
function header({ message, form, version, us, receiver, controlId, now }: Composing): Segment {
  const { code, event, structure } = messageTypeOf(form, version);
  const fields: Field[] = [];
  fields[3] = us.application;
  fields[4] = us.facility;
  fields[5] = receiver?.application ?? message.get('MSH-3');
  fields[6] = receiver?.facility ?? message.get('MSH-4');
  fields[7] = timestamp(now);
  fields[9] = [[code, event, versionAtLeast(version, '2.3.1') ? structure : undefined]];
  fields[10] = controlId;
  fields[11] = message.get('MSH-11');
  fields[12] = version;
  fields[17] = message.get('MSH-17');
  if (message.get('MSH-18')) fields[18] = message.charset;
  fields[19] = message.get('MSH-19');
  return { name: 'MSH', fields };
}

function segmentsOf(given: Composing): Segment[] | undefined {
  const { form, record, cautions, orders, now } = given;
  const version = contentVersion(given.version);
  if (form.structure === 'MDM_T02') return documentOf(given);
  if (form.structure === 'RDE_O11') {
    if (!orders) throw new FaultError({ name: 'preparationFailed', detail: 'no rule for orders' });
    return ordersOf(record, cautions, orders, version);
  }
  const { segments } = bodyOf(form.profile, record, cautions, { version, now });
  return form.structure === 'REF_I12' ? [providerOf(record), ...segments] : segments;
}

/**
 * MDM_T02: the record as one document. TXA-17 is DO: it was documented, and no authentication is
 * claimed. What the record has as documents follows the text.
 */
function documentOf(given: Composing): Segment[] {
  const { record, cautions, us, controlId, now, patientClass, document } = given;
  const time = timestamp(now);
  const text = readable(record, cautions, time);
  const txa: Field[] = [undefined, '1', document.type, document.as === 'ED' ? 'TEXT' : document.as];
  txa[4] = time;
  txa[6] = time;
  txa[12] = [[controlId, us.application]];
  txa[17] = 'DO';
  const rows = [
    ...textRows(text, document),
    ...text.attached.map(({ fields }) => ({ name: 'OBX', fields })),
  ];
  return [
    { name: 'EVN', fields: [undefined, 'T02', time] },
    ...record.patient.filter(({ name }) => name === 'PID'),
    { name: 'PV1', fields: [undefined, undefined, patientClass] },
    { name: 'TXA', fields: txa },
    ...rows.map((row, i) => ({ ...row, fields: row.fields.with(1, String(i + 1)) })),
  ];
}

function textRows({ sections }: ReadableDocument, { as }: DocumentRule): Segment[] {
  const row = (code: string, title: string, value: Field): Segment => {
    const fields: Field[] = [undefined, undefined, as, [[code, title, 'L']], undefined, value];
    fields[11] = 'F';
    return { name: 'OBX', fields };
  };
  if (as === 'ED') {
    const whole = sections.map((section) => sectionText(section).join('\n')).join('\n\n');
    const data = Buffer.from(`${whole}\n`, 'utf8').toString('base64');
    return [row('GPREC', 'GP record', [[undefined, 'TEXT', 'plain', 'Base64', data]])];
  }
  return sections.flatMap((section) => {
    const lines = sectionText(section);
    const named = (value: string) => row(section.code, section.title, value);
    return as === 'FT' ? [named(lines.join('\n'))] : lines.filter(Boolean).map(named);
  });
}

/** REF_I12 requires a provider: the patient's own, as PD1 names them. Nobody is referred by it. */
function providerOf(record: MappedRecord): Segment {
  const of = (field: string) => valueOf(record.patient, field);
  const [practice] = of('PD1-3');
  const [gp] = of('PD1-4');
  const fields: Field[] = [undefined, [['PP', 'Primary care provider', 'HL70286']]];
  // XCN is an identifier, then a name as XPN has it; its authority is component 9.
  if (gp) fields[2] = [gp.slice(1, 6)];
  if (practice) fields[4] = [[undefined, undefined, undefined, practice[0]]];
  if (gp?.[0]) fields[7] = [[gp[0], gp[8]] as Component[]];
  return { name: 'PRD', fields };
}

/** What a row says that stands for a field which the structure has no place for. */
function valueOf(rows: readonly MappedSegment[], field: string): Repetition[] {
  const found = rows.find(({ fields: [, , , identifier] }) => {
    return typeof identifier === 'object' && identifier[0]?.[0] === field;
  });
  const value = found?.fields[5];
  return typeof value === 'object' ? value : [];
}
