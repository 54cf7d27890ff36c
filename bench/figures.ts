/** Figures over repetitions: the median, and how far the repetitions lie apart. */
import type { Beside } from './beside.ts';
import type { Chain } from './chain.ts';

export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** @param values at least one */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/** Spread of what each repetition gives; undefined where one of them gives nothing. */
export function spreadOf<Repetition>(
  repetitions: readonly Repetition[],
  value: (repetition: Repetition) => number | undefined,
): Spread | undefined {
  const values = repetitions.map(value);
  const known = values.filter((one) => one !== undefined);
  return known.length === values.length && known.length > 0 ? spread(known) : undefined;
}

/** One kind of server at one number of connections. */
export interface ServerRow {
  /** Name of the subject, as `--only` and goals know it. */
  subject: string;
  title: string;
  connections: number;
  /** Why there are no figures: what the server did wrong. */
  failure?: string;
  perSecond?: Spread;
  /** Of the bare echo's in the same repetition. */
  share?: Spread;
  /** Milliseconds. */
  p50?: Spread;
  p99?: Spread;
  /** Of the bare echo's p99 in the same repetition. */
  p99Times?: Spread;
  /** CPU time of the server per message, microseconds, all threads. */
  cpu?: Spread;
  cpuTimes?: Spread;
  /** MB resident at most, the highest of all repetitions. */
  peak?: number;
  /** Of the disk's syncs a second in the same repetition. */
  syncShare?: Spread;
}

/** What one thread of a library does a second. */
export interface EditRow {
  library: string;
  perSecond: Spread;
  peak: number;
}

/** One record: how long it takes to parse as JSON, and to map. */
export interface MappingRow {
  record: string;
  part: 'four' | 'everything';
  kilobytes: number;
  /** Segments that come out. */
  segments: number;
  /** Milliseconds. */
  parse: Spread;
  map: Spread;
  /** Mapping time of parsing time, in the same repetition. */
  times: Spread;
}

/** All that was measured in one run. */
export interface Results {
  servers: ServerRow[];
  edits: EditRow[];
  mappings: MappingRow[];
  beside?: Beside;
  chain?: Chain;
  /** 4 KB appends with fdatasync a second. */
  syncs?: Spread;
}
