/** Where in the answer a leaf is found, proved on the text that stands there. */
import type { CompiledMappings } from '../mapping/load.ts';
import type { IndexedRecord } from '../mapping/record.ts';
import type { Audited, Leaf } from './leaves.ts';
import { holdsWhole, proves } from './proof.ts';
import { provesReference } from './references.ts';
import { type Shown, type ShownIndex, conceptOf, parentOf } from './shown.ts';
import { isStandard } from './standard.ts';

/** The place in the answer where a leaf stands; undefined where it stands in none. */
export type Prove = (audited: Audited, leaf: Leaf) => Shown | undefined;

/** A prover for one mapped record. */
export function createProver(
  { tables, coded, extensions }: CompiledMappings,
  record: IndexedRecord,
  shown: ShownIndex,
): Prove {
  const systems = tables.get(coded.systems);

  /** The first of these fields in which the value stands. */
  function found({ element, value }: Leaf, candidates: readonly Shown[]): Shown | undefined {
    const named = element.endsWith('.system') ? systems : undefined;
    return candidates.find(({ texts, table }) =>
      proves(String(value), texts, table === undefined ? named : tables.get(table)),
    );
  }

  return (audited, leaf) => {
    const { identity } = audited;
    const exact = shown.at(identity, leaf.place);
    const own = found(leaf, exact);
    if (own) return own;
    const around: Shown[] = [...exact];
    for (let place = above(leaf.place); place !== ''; place = above(place)) {
      around.push(...shown.at(identity, place));
    }
    // What FHIR does not know can be in no field by the way: only where it is shown as it came.
    if (!isStandard(leaf.element, extensions)) {
      const name = leaf.place.split('.').at(-1) ?? '';
      const asItCame = JSON.stringify({ [name]: leaf.value }).slice(1, -1);
      return around.find(({ texts }) => texts.some((text) => text.includes(asItCame)));
    }
    const concept = conceptOf(leaf.place);
    if (concept !== undefined) around.push(...shown.ofConcept(identity, concept));
    const near = found(leaf, around);
    if (near) return near;
    const whole = shown.at(identity, '').find(({ texts }) => says(texts, String(leaf.value)));
    if (whole) return whole;
    if (!/\.(reference|display)$/.test(leaf.element)) return undefined;
    return provesReference(audited, leaf, around, { record, shown });
  };
}

/** The place that holds this one: `coding[1]`, then `coding`, then `code`; '' at the top. */
function above(place: string): string {
  return place.endsWith(']') ? place.slice(0, place.lastIndexOf('[')) : parentOf(place);
}

/** Whether one of these texts is the value, or words of ours with the value after a colon. */
function says(texts: readonly string[], value: string): boolean {
  return texts.some(
    (text) => text === value || (text.includes(`: ${value}`) && holdsWhole(text, value)),
  );
}
