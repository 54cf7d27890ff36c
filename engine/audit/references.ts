/**
 * References: a reference is carried where its own words stand, where what it leads to was shown
 * because of it, or where the answer names what it leads to.
 */
import { member, textOf } from '../mapping/evaluate.ts';
import { type IndexedRecord, type Resource, identityOf, isNamed } from '../mapping/record.ts';
import type { Audited, Leaf } from './leaves.ts';
import { holdsWhole } from './proof.ts';
import { type Shown, type ShownIndex, parentOf } from './shown.ts';

/** What a reference leads to; `audited` is the resource it stands in. */
export function targetOf(
  record: IndexedRecord,
  { resource, holder }: Audited,
  reference: unknown,
): Resource | undefined {
  const to = textOf(reference);
  if (to === undefined) return undefined;
  return record.resolve(to, resource) ?? record.resolve(to, holder);
}

/**
 * Where a reference, or the display beside one, is shown.
 * @param candidates fields that were made from the element the reference stands in
 */
export function provesReference(
  audited: Audited,
  leaf: Leaf,
  candidates: readonly Shown[],
  { record, shown }: { record: IndexedRecord; shown: ShownIndex },
): Shown | undefined {
  const { reference } = leaf.parent as { reference?: unknown };
  const target = targetOf(record, audited, reference);
  const followed = shown.followed(audited.identity, parentOf(leaf.place));
  if (leaf.element.endsWith('.display')) {
    if (!target || !isNamed(target, String(leaf.value))) return undefined;
    return followed ?? shown.item(identityOf(target));
  }
  if (followed) return followed;
  const id = String(leaf.value).split('/').at(-1) ?? '';
  const named = candidates.find(({ texts }) =>
    texts.some((one) => one === id || holdsWhole(one, id)),
  );
  if (named || !target) return named;
  if (leaf.element === 'List.entry.item.reference') return shown.item(identityOf(target));
  const name = nameOf(target);
  return candidates.find(({ texts }) =>
    texts.some((text) => name !== undefined && (text === name || holdsWhole(text, name))),
  );
}

/** The family name of a person, or the name of anything else. */
function nameOf(target: Resource): string | undefined {
  const [name] = member([target], 'name');
  return textOf(name) ?? textOf(member([name], 'family')[0]) ?? textOf(member([name], 'text')[0]);
}
