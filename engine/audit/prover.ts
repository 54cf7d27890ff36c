/** Where in the answer a leaf is found, proved on the text that stands there. */
import { member, textOf } from '../mapping/evaluate.ts';
import type { CompiledMappings } from '../mapping/load.ts';
import { type IndexedRecord, type Resource, identityOf } from '../mapping/record.ts';
import type { Audited, Leaf } from './leaves.ts';
import { holdsWhole, proves } from './proof.ts';
import { type Shown, type ShownIndex, conceptOf, parentOf } from './shown.ts';

/** The place in the answer where a leaf stands; undefined where it stands in none. */
export type Prove = (audited: Audited, leaf: Leaf) => Shown | undefined;

/** A prover for one mapped record. */
export function createProver(
  { tables, coded }: CompiledMappings,
  record: IndexedRecord,
  shown: ShownIndex,
): Prove {
  const systems = tables.get(coded.systems);

  /** A value stands in one of these fields. */
  function found(leaf: Leaf, candidates: readonly Shown[]): Shown | undefined {
    const value = String(leaf.value);
    const isSystem = leaf.element.endsWith('.system');
    return candidates.find((one) => {
      const table =
        one.table === undefined ? (isSystem ? systems : undefined) : tables.get(one.table);
      return proves(value, one.texts, table);
    });
  }

  /** A reference is carried by its words, by what was shown of its target, or by a name. */
  function byReference(audited: Audited, leaf: Leaf, candidates: readonly Shown[]) {
    const parent = parentOf(leaf.place);
    const followed = shown.followed(audited.identity, parent);
    if (followed) return followed;
    const target = record.resolve(String(leaf.value), audited.holder ?? audited.resource);
    const id = String(leaf.value).split('/').at(-1) ?? '';
    const byId = candidates.find(({ texts }) =>
      texts.some((one) => one === id || holdsWhole(one, id)),
    );
    if (byId) return byId;
    if (!target) return undefined;
    if (listEntry.test(leaf.place) && audited.resource.resourceType === 'List') {
      return shown.item(identityOf(target));
    }
    const names = nameOf(target);
    return candidates.find(({ texts }) =>
      texts.some((text) => names.length > 0 && names.every((one) => holdsWhole(text, one))),
    );
  }

  return (audited, leaf) => {
    const { identity } = audited;
    const exact = shown.at(identity, leaf.place);
    const own = found(leaf, exact);
    if (own) return own;
    const around: Shown[] = [...exact];
    for (let place = leaf.place; place !== '';) {
      place = above(place);
      around.push(...shown.at(identity, place));
    }
    const concept = conceptOf(leaf.place);
    if (concept !== undefined) around.push(...shown.ofConcept(identity, concept));
    const near = found(leaf, around);
    if (near) return near;
    return leaf.element.endsWith('.reference') ? byReference(audited, leaf, around) : undefined;
  };
}

/** The place that holds this one: `coding` entry by entry, then its list, then its parent. */
function above(place: string): string {
  return place.endsWith(']') ? place.slice(0, place.lastIndexOf('[')) : parentOf(place);
}

const listEntry = /^entry(\[\d+\])?\.item\.reference$/;

/** The family name of a person, or the name of anything else. */
function nameOf(target: Resource): string[] {
  const names = member([target], 'name');
  const found = names.map((one) => textOf(one) ?? textOf(member([one], 'family')[0]));
  return found.slice(0, 1).filter((one) => one !== undefined);
}
