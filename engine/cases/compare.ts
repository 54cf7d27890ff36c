/** How what came out differs from what a case expects, by field where it is HL7. */

export interface Difference {
  /** `PID-8`, `AL1[2]-3` for the second AL1, or the line of a section that is no HL7. */
  at: string;
  expected: string;
  got: string;
  /** Where what we got comes from, where the mapping knows. */
  why?: string;
}

/** Why a field is what it is. @param index of its line among those of the section that are not empty */
export type Why = (lines: readonly string[], index: number, field: number) => string | undefined;

/** The differences of two texts of one section, line by line; HL7 lines field by field. */
export function compareSection(
  section: string,
  expected: string,
  got: string,
  why: Why = () => undefined,
): Difference[] {
  const hl7 = section === 'out' || section === 'delivered';
  const left = lines(expected);
  const right = lines(got);
  const differences: Difference[] = [];
  const seen: Record<string, number> = {};
  let index = -1;
  for (const [a, b] of aligned(left, right, hl7)) {
    if (b !== undefined) index += 1;
    const line = a ?? b ?? '';
    const segment = line.slice(0, 3);
    const count = (seen[segment] = (seen[segment] ?? 0) + 1);
    if (a === b) continue;
    const place = count > 1 ? `${segment}[${count}]` : segment;
    if (hl7 && a !== undefined && b !== undefined && isSegment(a) && isSegment(b)) {
      const at = index;
      const reason = (field: number) => why(right, at, field);
      differences.push(...compareFields(place, a, b, separatorOf(got), reason));
    } else {
      const at = hl7 && isSegment(line) ? place : line.slice(0, 40);
      differences.push({ at, expected: a ?? 'nothing', got: b ?? 'nothing' });
    }
  }
  return differences;
}

/** The other lines of a section with HL7 say what became of it. */
const isSegment = (line: string) => /^[A-Z][A-Z0-9]{2}(\W|$)/.test(line);

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

/** MSH-1: the answer uses the sender's delimiters. */
const separatorOf = (text: string) => /^MSH(.)/m.exec(text)?.[1] ?? '|';

function compareFields(
  place: string,
  a: string,
  b: string,
  separator: string,
  reason: (field: number) => string | undefined,
): Difference[] {
  const [left, right] = [a.split(separator), b.split(separator)];
  const offset = left[0] === 'MSH' ? 1 : 0;
  const differences: Difference[] = [];
  for (let i = 1; i < Math.max(left.length, right.length); i++) {
    const [expected, got] = [left[i] ?? '', right[i] ?? ''];
    if (expected === got) continue;
    const why = reason(i + offset);
    differences.push({ at: `${place}-${i + offset}`, expected, got, ...(why && { why }) });
  }
  return differences;
}

/**
 * Pairs of lines that belong together: the longest common subsequence by line (by segment name
 * where a segment changed), so that one missing segment is told as one difference.
 */
function* aligned(
  a: string[],
  b: string[],
  hl7: boolean,
): Generator<[string | undefined, string | undefined]> {
  const score = (x: string, y: string) =>
    x === y ? 3 : hl7 && x.slice(0, 3) === y.slice(0, 3) ? 1 : 0;
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const cell = (i: number, j: number) => table[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const both = score(a[i] ?? '', b[j] ?? '');
      const best = Math.max(cell(i + 1, j), cell(i, j + 1), both ? both + cell(i + 1, j + 1) : 0);
      (table[i] as number[])[j] = best;
    }
  }
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const both = i < a.length && j < b.length ? score(a[i] ?? '', b[j] ?? '') : 0;
    if (both && cell(i, j) === both + cell(i + 1, j + 1)) yield [a[i++], b[j++]];
    else if (i < a.length && cell(i, j) === cell(i + 1, j)) yield [a[i++], undefined];
    else yield [undefined, b[j++]];
  }
}
