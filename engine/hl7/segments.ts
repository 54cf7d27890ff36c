/** The segments of one message: found by name and occurrence, replaced without touching the rest. */
import { longestName, segmentName } from './path.ts';
import { splitSegments } from './split.ts';

/** Segments are numbered from 0 in the order in which they stand. */
export interface Segments {
  /** The name of each; `''` for a line that begins with no segment name. */
  names(): string[];
  count(name: string): number;
  /** The number of the segment of this name and 1-based occurrence. */
  find(name: string, occurrence: number): number | undefined;
  /** Byte text without terminator. */
  text(number: number): string;
  replace(number: number, text: string): void;
  /** The whole message as it is now. */
  joined(): string;
  /** What the way the segments are separated has to be told about. */
  oddities: { lineFeeds: boolean; blankLines: boolean; unterminated: boolean };
}

/**
 * @param body byte text, starting with `MSH`
 * @param separator MSH-1
 */
export function createSegments(body: string, separator: string): Segments {
  const split = splitSegments(body, separator);
  const { starts, ends } = split;
  const edits = new Map<number, string>();
  let byName: Map<string, number[]> | undefined;

  const original = (number: number): string => body.slice(starts[number], ends[number]);
  const nameAt = (number: number): string => {
    const start = starts[number] ?? 0;
    const head = body.slice(start, Math.min(ends[number] ?? 0, start + longestName + 1));
    const separated = head.indexOf(separator);
    const name = separated < 0 ? head : head.slice(0, separated);
    return segmentName.test(name) ? name : '';
  };
  const numbers = (name: string): number[] => {
    if (!byName) {
      byName = new Map();
      for (let number = 0; number < starts.length; number++) {
        const key = nameAt(number);
        const same = byName.get(key);
        if (same) same.push(number);
        else byName.set(key, [number]);
      }
    }
    return byName.get(name) ?? [];
  };
  const first = (name: string): number | undefined => {
    for (let number = 0; number < starts.length; number++) {
      const start = starts[number] ?? 0;
      if (!body.startsWith(name, start)) continue;
      const end = start + name.length;
      if (end === ends[number] || body.startsWith(separator, end)) return number;
    }
    return undefined;
  };

  return {
    names: () => starts.map((_, number) => nameAt(number)),
    count: (name) => numbers(name).length,
    find: (name, occurrence) => (occurrence === 1 ? first(name) : numbers(name)[occurrence - 1]),
    text: (number) => edits.get(number) ?? original(number),
    replace: (number, text) => void edits.set(number, text),
    joined() {
      let text = '';
      let done = 0;
      for (const [number, edited] of [...edits].sort(([a], [b]) => a - b)) {
        text += body.slice(done, starts[number]) + edited;
        done = ends[number] ?? done;
      }
      return text + body.slice(done);
    },
    oddities: split,
  };
}
