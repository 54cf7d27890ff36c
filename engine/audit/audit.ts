/**
 * The audit of one mapped record: where each leaf of the Bundle went, or why it did not. A leaf is
 * carried only where its value is found in the field its provenance names; a leaf that is not must
 * have a row of its own in the table `not-carried`, or its whole resource must be no answer.
 */
import { type MapOptions, mapRecord } from '../mapping/apply.ts';
import type { LeftClass } from '../mapping/left-behind.ts';
import type { CompiledMappings } from '../mapping/load.ts';
import { type Resource, indexRecord } from '../mapping/record.ts';
import { type Audited, type Leaf, leavesOf } from './leaves.ts';
import { createProver } from './prover.ts';
import { targetOf } from './references.ts';
import { createRows } from './rows.ts';
import { type Shown, indexShown } from './shown.ts';
import { isStandard } from './standard.ts';
import { type Standing, createStanding, sameShown } from './standing.ts';

/** What became of a leaf: it is carried, left for a reason of the table or with its resource, or neither. */
export type Fate =
  | 'carried'
  | LeftClass
  | Exclude<Standing['kind'], 'answer' | 'unknown' | 'stranger'>
  | 'empty'
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
  const { leftBehind, extensions } = compiled;
  const mapped = mapRecord(compiled, bundle, { ...options, profile: 'rsp', trace: true });
  // A view repeats what another dataset must carry: it proves nothing.
  const own = mapped.datasets.filter(({ dataset }) => !compiled.datasets.get(dataset)?.view);
  const shown = indexShown({ ...mapped, datasets: own });
  const presented = mapped.presented ?? new Set<object>();
  const record = indexRecord(bundle);
  const prove = createProver(compiled, record, shown);
  const standingOf = createStanding(compiled, record, presented, options.datasets, bundle);

  const all = leavesOf(bundle);
  const proofs = new Map<Leaf, Shown>();
  for (const audited of all) {
    for (const leaf of audited.leaves) {
      const proof = prove(audited, leaf);
      if (proof) proofs.set(leaf, proof);
    }
  }
  const rowFor = createRows(leftBehind, all, { record, shown, presented, proofs });

  /** A list that names an item which is shown under another name. */
  function namesRepeat(audited: Audited, leaf: Leaf): boolean {
    if (leaf.element !== 'List.entry.item.reference') return false;
    const target = targetOf(record, audited, leaf.value);
    return target !== undefined && standingOf(target, audited.resource).kind === 'same';
  }

  function judge(audited: Audited, leaf: Leaf, { kind, why }: Standing): Omit<Verdict, 'leaf'> {
    const proof = proofs.get(leaf);
    if (proof) return { fate: 'carried', by: `${proof.target} (${proof.rule})` };
    const row = kind === 'stranger' ? undefined : rowFor(audited, leaf);
    if (row) return { fate: row.class, by: row.where };
    const isKnown = isStandard(leaf.element, extensions);
    if (leaf.value === '' && isKnown) return { fate: 'empty', by: 'it is there and says nothing' };
    const lost = (by: string) => ({ fate: 'unaccounted', by }) as const;
    if (kind === 'stranger' || kind === 'unknown') return lost(why);
    if (kind === 'same' || namesRepeat(audited, leaf)) return { fate: 'same', by: sameShown };
    if (kind !== 'answer') {
      if (isKnown) return { fate: kind, by: why };
      return lost('neither FHIR STU3 nor this mapping knows the element');
    }
    const idle = leftBehind.get(leaf.element);
    if (!idle) return lost('it is not in the answer, and no row says why');
    return lost(`it is not in the answer, and ${idle.where} does not hold for it`);
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
