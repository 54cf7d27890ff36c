/**
 * What is not carried on purpose: the table `not-carried`, one row for each element, reviewed by a
 * clinician. There is no other place to say so and no wildcard: an element that no rule carries and
 * no row names is a warning of the mapping and a finding of `gatehouse mapping audit`.
 */
import type { Finding } from '../config/yaml.ts';
import { type Path, compilePath } from './condition.ts';
import type { Table } from './tables.ts';

/** Why an element is left behind; the table's column `value`. */
export const leftClasses = {
  technical: 'how the reply was made or addressed; nothing about the patient',
  structural: 'ties resources together; said by where the item stands in the answer',
  context: 'about the practice or its staff; not part of the patient record',
  placed: 'refers to what stands with it in one item of the answer: below it, or above',
  repeats: 'says again, word for word, what an element named in `of` says in the same item',
  beside: 'names or describes what the element named in `of` says beside it, which is carried',
  implied: 'another field says it in other words, or it says nothing; only where `when` holds',
  unlisted: 'a resource of this type that nothing asked for names is no answer; it is left whole',
} as const;
export type LeftClass = keyof typeof leftClasses;

export interface LeftRow {
  class: LeftClass;
  /** For `repeats` and `beside`: the elements of which one must be carried. */
  of: readonly string[];
  /**
   * FHIRPath over what holds the element (its parent), with `%resource` for all of it: the row is for
   * these alone.
   */
  when?: Path;
  reason: string;
  /** `tables/not-carried.csv:12`. */
  where: string;
}

/** Rows by element, `AllergyIntolerance.meta.profile`; `unlisted` rows by resource type. */
export type LeftBehind = ReadonlyMap<string, LeftRow>;

/** Read the table; what is wrong with a row is added to `findings`. */
export function readLeftBehind(table: Table | undefined, findings: Finding[]): LeftBehind {
  const rows = new Map<string, LeftRow>();
  for (const [element, row] of table?.rows ?? []) {
    const where = table?.where(element) ?? '';
    const report = (says: string, next?: string) => {
      findings.push({ severity: 'error', where: `mappings/${where}:1`, says, next });
    };
    const { value = '', of = '', when = '', reason = '' } = row;
    if (!isClass(value)) {
      const known = Object.keys(leftClasses).join(', ');
      report(`"${value}" is no reason to leave an element`, `one of ${known}`);
      continue;
    }
    if (reason === '') report(`${element} is left without a reason`);
    if (element.includes('*')) report(`${element}: a row names one element, without wildcards`);
    if (element.includes('.') === (value === 'unlisted')) {
      report(`${element}: "unlisted" is for a resource type, every other reason for an element`);
    }
    if ((value === 'repeats' || value === 'beside') !== (of !== '')) {
      report(`${element}: "of" is for "repeats" and "beside", which need it`);
    }
    if (value === 'implied' && when === '') report(`${element}: "implied" needs "when"`);
    const left: LeftRow = { class: value, of: of === '' ? [] : of.split(' | '), reason, where };
    try {
      if (when !== '') left.when = compilePath(when, where, ['resource']);
    } catch {
      report(`${element}: "${when}" is not FHIRPath`);
    }
    rows.set(element, left);
  }
  return rows;
}

const isClass = (value: string): value is LeftClass => Object.hasOwn(leftClasses, value);

/** Names of the extensions in the rows. */
export function extensionsIn(rows: LeftBehind): string[] {
  return [...rows.keys()].flatMap((element) =>
    [...element.matchAll(/[eE]xt\(([^)]*)\)/g)].map(([, name = '']) => name),
  );
}
