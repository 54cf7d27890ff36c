/**
 * The audit of one mapped record: where each leaf of the Bundle went, or why it did not. A leaf is
 * carried only where its value is found in the field its provenance names; a leaf that is not must
 * have a row of its own in the table `not-carried`, or its whole resource must be no answer.
 */
import { type MapOptions, mapRecord } from '../mapping/apply.ts';
import { holds } from '../mapping/condition.ts';
import type { LeftClass, LeftRow } from '../mapping/left-behind.ts';
import type { CompiledMappings } from '../mapping/load.ts';
import { type Resource, indexRecord } from '../mapping/record.ts';
import { type Audited, type Leaf, leavesOf } from './leaves.ts';
import { createProver } from './prover.ts';
import { type Shown, indexShown, parentOf } from './shown.ts';
import { isStandard } from './standard.ts';
import { type Standing, createStanding, sameShown } from './standing.ts';

/** What became of a leaf: it is carried, left for a reason of the table or with its resource, or neither. */
export type Fate =
  | 'carried'
  | LeftClass
  | Exclude<Standing['kind'], 'answer' | 'unknown' | 'stranger'>
  | 'unaccounted';

export interface Verdict {
  leaf: Leaf;
  fate: Fate;
  /** The field and its rule, the row of the table, or in words why. */
  by: string;
}

export interface Audit {
  resources: { at: string; resource: Resource; verdicts: Verdict[] }[];
  /** How many leaves had each fate. */
  counts: ReadonlyMap<Fate, number>;
  total: number;
}

/**
 * Map a Bundle and account for every leaf of it.
 * @param bundle a parsed STU3 Bundle
 * @throws FaultError where the Bundle cannot be mapped; nothing else
 */
export function auditBundle(
  compiled: CompiledMappings,
  bundle: Resource,
  options: Omit<MapOptions, 'profile' | 'trace'>,
): Audit {
  const mapped = mapRecord(compiled, bundle, { ...options, profile: 'rsp', trace: true });
  // A view repeats what another dataset must carry: it proves nothing.
  const own = mapped.datasets.filter(({ dataset }) => !compiled.datasets.get(dataset)?.view);
  const shown = indexShown({ ...mapped, datasets: own });
  const record = indexRecord(bundle);
  const prove = createProver(compiled, record, shown);
  const standingOf = createStanding(compiled, record, shown, options.datasets, bundle);

  const all = leavesOf(bundle);
  const proofs = new Map<Leaf, Shown>();
  /** Items in which an element shows a value. */
  const said = new Map<string, Set<string | undefined>>();
  for (const audited of all) {
    for (const leaf of audited.leaves) {
      const proof = prove(audited, leaf);
      if (!proof) continue;
      proofs.set(leaf, proof);
      const key = sayingOf(leaf.element, leaf);
      said.set(key, (said.get(key) ?? new Set()).add(proof.item));
    }
  }

  /** Whether a row of the table holds for this very leaf. */
  function applies(row: LeftRow, { identity, leaves }: Audited, leaf: Leaf): boolean {
    if (row.when && !holds(row.when, [leaf.parent], {})) return false;
    if (row.class === 'beside') {
      const beside = leaves.filter(
        (one) => row.of.includes(one.element) && standsBeside(one, leaf),
      );
      return beside.some((one) => proofs.has(one));
    }
    if (row.class !== 'repeats') return true;
    const items = shown.itemsOf(identity);
    return row.of.some((element) =>
      [...(said.get(sayingOf(element, leaf)) ?? [])].some((item) => items.has(item)),
    );
  }

  /** A list that names an item which is shown under another name. */
  function namesRepeat({ resource }: Audited, leaf: Leaf): boolean {
    if (leaf.element !== 'List.entry.item.reference') return false;
    const target = record.resolve(String(leaf.value), resource);
    return target !== undefined && standingOf(target, resource).kind === 'same';
  }

  function judge(audited: Audited, leaf: Leaf, standing: Standing): Omit<Verdict, 'leaf'> {
    const { kind, why } = standing;
    const proof = proofs.get(leaf);
    if (proof) return { fate: 'carried', by: `${proof.target} (${proof.rule})` };
    const row = compiled.leftBehind.get(leaf.element);
    if (kind !== 'stranger' && row && applies(row, audited, leaf)) {
      return { fate: row.class, by: row.where };
    }
    if (kind === 'stranger' || kind === 'unknown') return { fate: 'unaccounted', by: why };
    if (kind === 'same' || namesRepeat(audited, leaf)) return { fate: 'same', by: sameShown };
    if (kind !== 'answer') {
      if (isStandard(leaf.element, compiled.extensions)) return { fate: kind, by: why };
      return { fate: 'unaccounted', by: 'neither FHIR STU3 nor this mapping knows the element' };
    }
    if (!row) return { fate: 'unaccounted', by: 'it is not in the answer, and no row says why' };
    return { fate: 'unaccounted', by: `it is not in the answer; ${row.where} does not hold here` };
  }

  const counts = new Map<Fate, number>();
  const resources = all.map((audited) => {
    const standing = standingOf(audited.resource, audited.holder);
    const verdicts = audited.leaves.map((leaf): Verdict => {
      const verdict = { leaf, ...judge(audited, leaf, standing) };
      counts.set(verdict.fate, (counts.get(verdict.fate) ?? 0) + 1);
      return verdict;
    });
    return { at: audited.at, resource: audited.resource, verdicts };
  });
  return { resources, counts, total: [...counts.values()].reduce((sum, n) => sum + n, 0) };
}

/** In the same element, or in one that holds the other: a coding, its extensions, the text beside it. */
function standsBeside(one: Leaf, other: Leaf): boolean {
  const [a, b] = [`${parentOf(one.place)}.`, `${parentOf(other.place)}.`];
  return a.startsWith(b) || b.startsWith(a);
}

const sayingOf = (element: string, { value }: Leaf) => `${element}=${String(value)}`;
