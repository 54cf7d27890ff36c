/**
 * What is not carried on purpose: the table `not-carried`, one row for each element, reviewed by a
 * clinician. There is no other place to say so and no wildcard: an element that no rule carries and
 * no row names is a warning of the mapping and a finding of `gatehouse mapping audit`.
 */
import type { Finding } from '../config/yaml.ts';
import type { Table } from './tables.ts';

/** Why an element is left behind; the table's column `value`. */
export const leftClasses = {
  technical: 'how the reply was made or addressed; nothing about the patient',
  structural: 'ties resources together; said by where the item stands in the answer',
  context: 'about the practice or its staff; not part of the patient record',
  repeats: 'says again what the element named in `of` says in the same item, word for word',
  implied: 'another field says it in other words, or it is what the element always says; only for the values in `only`',
  unlisted: 'a resource of this type that no list asked for names is no answer; it is left whole',
} as const;
export type LeftClass = keyof typeof leftClasses;

export interface LeftRow {
  class: LeftClass;
  /** For `repeats`: the elements of which one must hold the same value. */
  of: readonly string[];
  /** For `implied`: the values it holds for. */
  only: readonly string[];
  reason: string;
  /** `tables/not-carried.csv:12`. */
  where: string;
}

/** Rows by element, `AllergyIntolerance.meta.profile`; `unlisted` rows by resource type. */
export type LeftBehind = ReadonlyMap<string, LeftRow>;

/** Read the table; what is wrong with a row is added to `findings`. */
export function readLeftBehind(table: Table, findings: Finding[]): LeftBehind {
  const rows = new Map<string, LeftRow>();
  for (const [element, row] of table.rows) {
    const { value = '', of = '', only = '', reason = '' } = row;
    const where = table.where(element);
    const report = (says: string, next?: string) =>
      findings.push({ severity: 'error', where: `mappings/${where}:1`, says, next });
    if (!isClass(value)) {
      report(`"${value}" is no reason to leave an element`, `one of ${Object.keys(leftClasses).join(', ')}`);
      continue;
    }
    if (reason.length < 5) report(`${element} is left without a reason`);
    if (/[*]/.test(element)) report(`${element}: a row names one element, without wildcards`);
    if (element.includes('.') === (value === 'unlisted')) {
      report(`${element}: "unlisted" is for whole resource types, every other reason for an element`);
    }
    if ((value === 'repeats') !== (of !== '')) report(`${element}: "of" is for "repeats", which needs it`);
    if ((value === 'implied') !== (only !== '')) {
      report(`${element}: "only" is for "implied", which needs it`);
    }
    rows.set(element, { class: value, of: partsOf(of), only: partsOf(only), reason, where });
  }
  return rows;
}

const partsOf = (cell: string) => (cell === '' ? [] : cell.split(' | '));

const isClass = (value: string): value is LeftClass => Object.hasOwn(leftClasses, value);
