/** Arbitrary message structures over five segment names, nested a few levels deep. */
import fc from 'fast-check';
import type { Structure, StructureNode } from '../../engine/hl7/definitions/notation.ts';

const names = ['AAA', 'BBB', 'CCC', 'DDD', 'EEE'];

const occurrence = fc.record({
  min: fc.constantFrom(0 as const, 1 as const),
  repeats: fc.boolean(),
});
const several = { minLength: 1, maxLength: 4 };

const { node } = fc.letrec<{ node: StructureNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc
      .tuple(fc.constantFrom(...names), occurrence)
      .map(([name, often]): StructureNode => ({ kind: 'segment', name, ...often })),
    fc
      .tuple(fc.constantFrom('G', 'H', undefined), fc.array(tie('node'), several), occurrence)
      .map(([name, items, often]): StructureNode => ({ kind: 'group', name, items, ...often })),
    fc
      .tuple(fc.array(tie('node'), several), occurrence)
      .map(([items, often]): StructureNode => ({ kind: 'choice', items, ...often })),
  ),
}));

export const structures: fc.Arbitrary<Structure> = fc
  .array(node, several)
  .map((items) => ({ id: 'ANY', items }));

/** Short messages of the same names. */
export const wordsOfNames = fc.array(fc.constantFrom(...names), { maxLength: 7 });

/**
 * Whether a structure describes a message, said plainly: where can each part end that begins here?
 * The oracle for the walker, which works in another way.
 */
export function describes(structure: Structure, word: string[]): boolean {
  return inTurn(structure.items, word, new Set([0])).has(word.length);
}

function inTurn(items: StructureNode[], word: string[], from: Set<number>): Set<number> {
  return items.reduce((reached, item) => ends(item, word, reached), from);
}

function ends(node: StructureNode, word: string[], from: Set<number>): Set<number> {
  const once = (starts: Set<number>): Set<number> => {
    if (node.kind === 'group') return inTurn(node.items, word, starts);
    if (node.kind === 'choice') {
      return new Set(node.items.flatMap((item) => [...ends(item, word, starts)]));
    }
    return new Set([...starts].filter((at) => word[at] === node.name).map((at) => at + 1));
  };
  let reached = once(from);
  for (let before = 0; node.repeats && reached.size > before;) {
    before = reached.size;
    reached = new Set([...reached, ...once(reached)]);
  }
  return node.min === 0 ? new Set([...reached, ...from]) : reached;
}
