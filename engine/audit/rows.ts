/** Whether a row of the table `not-carried` holds for a leaf: what it claims is checked, each time. */
import { holds } from '../mapping/condition.ts';
import type { LeftBehind, LeftRow } from '../mapping/left-behind.ts';
import { type IndexedRecord, identityOf, localReference } from '../mapping/record.ts';
import type { Audited, Leaf } from './leaves.ts';
import { targetOf } from './references.ts';
import { type Shown, type ShownIndex, parentOf } from './shown.ts';

/** What has been found out about one mapped record. */
export interface Findings {
  record: IndexedRecord;
  shown: ShownIndex;
  /** Resources that are carried, and not merely named. */
  presented: ReadonlySet<object>;
  proofs: ReadonlyMap<Leaf, Shown>;
}

/** The row that holds for a leaf; undefined where none does. */
export type FindRow = (audited: Audited, leaf: Leaf) => LeftRow | undefined;

/** Finds rows for the leaves of one mapped record. */
export function createRows(
  rows: LeftBehind,
  all: readonly Audited[],
  { record, shown, presented, proofs }: Findings,
): FindRow {
  const said = sayings(all, proofs);
  const referring = referrers(all);

  /** Its target is carried, and stands in the same item of the answer. */
  function isPlaced(audited: Audited, leaf: Leaf): boolean {
    const target = targetOf(record, audited, leaf.value);
    if (!target || !presented.has(target)) return false;
    return shown.together(audited.identity, identityOf(target));
  }

  function isBeside(audited: Audited, leaf: Leaf, { of }: LeftRow): boolean {
    return audited.leaves.some(
      (one) =>
        of.includes(one.element) &&
        standsBeside(one, leaf) &&
        (proofs.has(one) || (rows.get(one.element)?.class === 'placed' && isPlaced(audited, one))),
    );
  }

  /**
   * The same value of one of these elements is carried among the segments of this resource, or of
   * one that refers to it: a plan that says what its statement says may show nothing of its own.
   */
  function isRepeated({ identity }: Audited, leaf: Leaf, { of }: LeftRow): boolean {
    const items = shown.itemsOf(identity);
    const above = referring.get(identity);
    return of.some((element) =>
      [...(said.get(sayingOf(element, leaf)) ?? [])].some(
        (item) => items.has(item) || above?.has(item),
      ),
    );
  }

  return (audited, leaf) => {
    const row = rows.get(leaf.element);
    if (!row || (row.when && !holds(row.when, [leaf.parent], { resource: [audited.resource] })))
      return undefined;
    const isTrue =
      row.class === 'placed'
        ? isPlaced(audited, leaf)
        : row.class === 'beside'
          ? isBeside(audited, leaf, row)
          : row.class !== 'repeats' || isRepeated(audited, leaf, row);
    return isTrue ? row : undefined;
  };
}

/** Which element shows which value in which items. */
function sayings(all: readonly Audited[], proofs: ReadonlyMap<Leaf, Shown>) {
  const said = new Map<string, Set<string | undefined>>();
  for (const leaf of all.flatMap(({ leaves }) => leaves)) {
    const proof = proofs.get(leaf);
    if (!proof) continue;
    const key = sayingOf(leaf.element, leaf);
    said.set(key, (said.get(key) ?? new Set()).add(proof.item));
  }
  return said;
}

/** Who refers to whom, by identity. */
function referrers(all: readonly Audited[]): Map<string, Set<string | undefined>> {
  const found = new Map<string, Set<string | undefined>>();
  for (const { identity, leaves } of all) {
    for (const { element, value } of leaves) {
      if (!element.endsWith('.reference')) continue;
      const to = localReference(String(value));
      found.set(to, (found.get(to) ?? new Set()).add(identity));
    }
  }
  return found;
}

const sayingOf = (element: string, { value }: Leaf) => `${element}=${String(value)}`;

/** In the same element, or in one that holds the other: a coding, its extensions, the text beside it. */
function standsBeside(one: Leaf, other: Leaf): boolean {
  const [a, b] = [`${parentOf(one.place)}.`, `${parentOf(other.place)}.`];
  return a.startsWith(b) || b.startsWith(a);
}
