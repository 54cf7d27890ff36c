/** Whether what a process holds stays as it is: sampled over a long time, told every minute. */
import { statSync } from 'node:fs';
import { bytesOf, filesOf } from '../../../engine/journal/database.ts';
import { openFiles, residentMemory } from '../resident.ts';
import { type Sample, mean, rise } from './slope.ts';

const mega = 1024 ** 2;

/** What is sampled. */
export const figures = [
  'MB resident',
  'open files',
  'MB write-ahead log',
  'MB on disk',
  'messages waiting',
] as const;
export type Figure = (typeof figures)[number];

/** By how much the line through the samples of one hour may rise. */
const bounds: Record<Figure, number> = {
  'MB resident': 64,
  'open files': 8,
  'MB write-ahead log': 16,
  'MB on disk': 256,
  'messages waiting': 100,
};

export interface Steady {
  /** Sample now. @param at milliseconds since the load began */
  sample(at: number): Record<Figure, number>;
  /** What was sampled before is warm-up, and does not count. */
  begin(): void;
  /** By how much each figure rose. */
  rises(): Record<string, number>;
  /** Those that rose by more than they may. */
  broken(): string[];
}

/** @param waiting how many messages are acknowledged and not delivered */
export function steadyOf(pid: number, data: string, waiting: () => number): Steady {
  let samples = empty();
  const log = `${filesOf(data).journal}-wal`;
  return {
    sample(at) {
      const now: Record<Figure, number> = {
        'MB resident': residentMemory(pid) / mega,
        'open files': openFiles(pid),
        'MB write-ahead log': (statSync(log, { throwIfNoEntry: false })?.size ?? 0) / mega,
        'MB on disk': bytesOf(data) / mega,
        'messages waiting': waiting(),
      };
      for (const name of figures) samples[name].push({ at, value: now[name] });
      return now;
    },
    begin: () => void (samples = empty()),
    rises: () =>
      Object.fromEntries(
        figures.flatMap((name) => [
          [name, Math.round(mean(samples[name].map(({ value }) => value)))],
          // Added to 0, for a little less is not -0.
          [`${name} more at the end`, 0 + Math.round(rise(samples[name]))],
        ]),
      ),
    broken: () =>
      figures
        .filter((name) => rise(samples[name]) > bounds[name])
        .map((name) => {
          const more = Math.round(rise(samples[name]));
          return `${more} ${name} more at the end; ${bounds[name]} may be`;
        }),
  };
}

const empty = (): Record<Figure, Sample[]> => ({
  'MB resident': [],
  'open files': [],
  'MB write-ahead log': [],
  'MB on disk': [],
  'messages waiting': [],
});
