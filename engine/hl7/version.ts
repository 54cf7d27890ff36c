/** HL7 v2 versions (MSH-12), compared by number: `2.3` < `2.3.1` < `2.10`. */

/**
 * Is `version` at least `other`?
 * @param version MSH-12.1 as sent; what is no version counts as 2.4, the base of the UK messages
 */
export function versionAtLeast(version: string | undefined, other: string): boolean {
  const pair = `${version} ${other}`;
  const known = compared.get(pair);
  if (known !== undefined) return known;
  if (compared.size > 1000) compared.clear();
  const result = compare(version, other);
  compared.set(pair, result);
  return result;
}

/**
 * The versions content is written in. What differs between them for the record (TQ1, SPM, fields
 * that are required) changed at these.
 */
export const contentVersions = ['2.3', '2.4', '2.5.1'] as const;
export type ContentVersion = (typeof contentVersions)[number];

/**
 * The version whose content serves a sender: 2.3 to 2.3.1, 2.5.1 from 2.5 on, else 2.4.
 * @param version MSH-12.1 as sent; what is no version counts as 2.4
 */
export function contentVersion(version: string | undefined): ContentVersion {
  if (versionAtLeast(version, '2.5')) return '2.5.1';
  return versionAtLeast(version, '2.4') ? '2.4' : '2.3';
}

/** Asked several times for every message, about the same few versions. */
const compared = new Map<string, boolean>();

function compare(version: string | undefined, other: string): boolean {
  const left = numbers(version ?? '') ?? [2, 4];
  const right = numbers(other) ?? [];
  for (let at = 0; at < 3; at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbers(version: string): number[] | undefined {
  const match = /^\s*(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?/.exec(version);
  return match?.slice(1).map((part) => Number(part ?? 0));
}
