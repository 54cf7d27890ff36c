/**
 * Does a list of segments fit a message structure? A structure (HL7 v2.5 §2.12) is a regular
 * expression over segment names, so it is turned once into its position automaton (Glushkov):
 * every segment of the structure is a position, and each position knows which may follow. Reading
 * keeps the set of positions possible so far, so nothing is ever guessed and taken back, and the
 * time is linear in the number of segments even where a structure is ambiguous (HL7's often are:
 * in 2.4 ORU_R01 an NTE may belong to OBR or to an OBSERVATION without OBX).
 */
import type { Structure, StructureNode } from './definitions/notation.ts';

/** One place where a message leaves its structure. */
export interface Mismatch {
  /**
   * unexpected: the structure has no such segment; misplaced: it has, but not here;
   * missing: a required segment does not stand before the one at `index`.
   */
  kind: 'unexpected' | 'misplaced' | 'missing';
  segment: string;
  /** 1-based occurrence of this segment name in the message (of the next one, if missing). */
  occurrence: number;
  /** Index in the list of names; the list's length if something is missing at the end. */
  index: number;
  /** The last segment before it that had a place, if any. */
  after?: string;
  /** Group of the missing segment, outermost first: `PATIENT_RESULT.ORDER_OBSERVATION`. */
  group?: string;
  /** Segment names that could have stood here, in the order of the structure. */
  expected: string[];
}

interface Position {
  name: string;
  group: string | undefined;
  /** Index of a position that may follow → whether it follows without a group starting again. */
  follow: Map<number, boolean>;
}

interface Automaton {
  /** The first position stands before the message, the last one after it; both are named `end`. */
  positions: Position[];
  known: Set<string>;
}

const end = '(end)';

const automata = new WeakMap<Structure, Automaton>();

/**
 * Walk a message's segment names through a structure. Z-segments are tolerated anywhere, and ADD
 * (continuation of the segment before it, §2.10.2) too.
 * @param names segment names in message order, MSH first
 * @param limit mismatches after which reading stops
 * @returns mismatches in message order; none = the message fits. The first is certain; the later
 *   ones suppose the smallest repair of those before (one segment left out, or some supplied). The
 *   same stray segment again after the same one is not repeated.
 */
export function matchStructure(structure: Structure, names: string[], limit = 50): Mismatch[] {
  let automaton = automata.get(structure);
  if (!automaton) automata.set(structure, (automaton = compile(structure)));
  const { positions, known } = automaton;
  const mismatches: Mismatch[] = [];
  const seen = new Map<string, number>();
  let current = [0];
  let after: string | undefined;

  for (let index = 0; index <= names.length && mismatches.length < limit; index++) {
    const name = names[index] ?? end;
    if (tolerated(name)) continue;
    const occurrence = (seen.get(name) ?? 0) + 1;
    let next = step(positions, current, name);
    if (next.length === 0) {
      const expected = expectedAfter(positions, current);
      const repair = supply(positions, current, name);
      const strays = repair && fitsBetter(positions, current, repair.to, names, index + 1);
      if (!repair || strays) {
        const kind = known.has(name) ? 'misplaced' : 'unexpected';
        const last = mismatches.at(-1);
        const again = last?.kind === kind && last.segment === name && last.after === after;
        if (!again) mismatches.push({ kind, segment: name, occurrence, index, after, expected });
        seen.set(name, occurrence);
        continue;
      }
      for (const { name: segment, group } of repair.supplied) {
        const number = (seen.get(segment) ?? 0) + 1;
        const kind = 'missing';
        mismatches.push({ kind, segment, occurrence: number, index, after, group, expected });
      }
      next = [repair.to];
    }
    seen.set(name, occurrence);
    current = next;
    after = name;
  }
  return mismatches;
}

function tolerated(name: string): boolean {
  return name.startsWith('Z') || name === 'ADD';
}

/** The positions named `name` that may follow any of `current`. */
function step(positions: Position[], current: number[], name: string): number[] {
  const next = new Set<number>();
  for (const at of current) {
    for (const to of follow(positions, at).keys()) {
      if (positions[to]?.name === name) next.add(to);
    }
  }
  return [...next];
}

function expectedAfter(positions: Position[], current: number[]): string[] {
  const following = new Set(current.flatMap((at) => [...follow(positions, at).keys()]));
  const inOrder = [...following].sort((a, b) => a - b).map((at) => positions[at]?.name ?? end);
  return [...new Set(inOrder)].filter((name) => name !== end);
}

/**
 * The fewest segments to supply after `current` so that `name` may stand, found breadth first. No
 * group may start again on the way: else a segment that is merely late would make a whole new
 * repetition of its group look missing.
 */
function supply(
  positions: Position[],
  current: number[],
  name: string,
): { supplied: Position[]; to: number } | undefined {
  const from = new Map<number, number>(current.map((at) => [at, -1]));
  for (const at of from.keys()) {
    for (const [to, forward] of follow(positions, at)) {
      if (!forward || from.has(to)) continue;
      from.set(to, at);
      if (positions[to]?.name !== name) continue;
      const supplied: Position[] = [];
      for (let back = at; from.get(back) !== -1; back = from.get(back) ?? -1) {
        const position = positions[back];
        if (position) supplied.unshift(position);
      }
      return { supplied, to };
    }
  }
  return undefined;
}

/** Whether the segment after a stray one fits where reading stood, and not after the repair. */
function fitsBetter(
  positions: Position[],
  current: number[],
  repaired: number,
  names: string[],
  from: number,
): boolean {
  let index = from;
  while (index < names.length && tolerated(names[index] ?? end)) index++;
  const next = names[index];
  if (next === undefined) return false;
  return (
    step(positions, current, next).length > 0 && step(positions, [repaired], next).length === 0
  );
}

function follow(positions: Position[], at: number): Map<number, boolean> {
  return positions[at]?.follow ?? new Map<number, boolean>();
}

/** What a part of a structure can begin and end with, as positions. */
interface Part {
  nullable: boolean;
  first: number[];
  last: number[];
}

function compile(structure: Structure): Automaton {
  const positions: Position[] = [];
  const sequence = (items: (() => Part)[]): Part => {
    const whole: Part = { nullable: true, first: [], last: [] };
    for (const item of items) {
      const part = item();
      connect(whole.last, part.first, true);
      if (whole.nullable) whole.first.push(...part.first);
      whole.last = part.nullable ? [...whole.last, ...part.last] : part.last;
      whole.nullable &&= part.nullable;
    }
    return whole;
  };
  sequence([
    () => place(end, undefined),
    ...structure.items.map((item) => () => build(item, undefined)),
    () => place(end, undefined),
  ]);
  return { positions, known: new Set(positions.map((position) => position.name)) };

  function place(name: string, group: string | undefined): Part {
    const at = positions.push({ name, group, follow: new Map() }) - 1;
    return { nullable: false, first: [at], last: [at] };
  }

  function build(node: StructureNode, group: string | undefined): Part {
    let part: Part;
    if (node.kind === 'segment') part = place(node.name, group);
    else if (node.kind === 'group') {
      const inner = node.name ? (group ? `${group}.${node.name}` : node.name) : group;
      part = sequence(node.items.map((item) => () => build(item, inner)));
    } else {
      const parts = node.items.map((item) => build(item, group));
      part = {
        nullable: parts.some((one) => one.nullable),
        first: parts.flatMap((one) => one.first),
        last: parts.flatMap((one) => one.last),
      };
    }
    if (node.repeats) connect(part.last, part.first, false);
    return node.min === 0 ? { ...part, nullable: true } : part;
  }

  function connect(from: number[], to: number[], forward: boolean): void {
    for (const at of from) {
      const following = positions[at]?.follow;
      for (const next of to) following?.set(next, forward || following.get(next) === true);
    }
  }
}
