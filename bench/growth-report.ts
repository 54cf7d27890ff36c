/** What was measured of a grown journal, held against the goals, for people. */
import type { Spread } from './figures.ts';
import type { Verdict } from './goals.ts';
import type { Lookup } from './growth-lookups.ts';
import type { Machine } from './machine.ts';

export interface GrowthResults {
  messages: number;
  /** Messages of one repetition. */
  part: number;
  /** Acknowledged a second, into an empty journal and into the full one. */
  empty: Spread;
  full: Spread;
  /** Of the empty journal's rate in the same repetition. */
  share: Spread;
  /** The same until all is indexed. */
  indexedShare: Spread;
  /** From the last acknowledgement until all is indexed. */
  lagMs: Spread;
  bytesPerMessage: number;
  indexBytesPerMessage: number;
  /** Opening the full journal, as the engine does when it starts. */
  openMs: number;
  statisticsMs: number;
  /** MB resident at most. */
  peakMb: number;
  engine: Lookup[];
  command: Lookup[];
}

const leastShare = 0.8;
const mostMs = 10;
const mostCombinedMs = 100;

/** Every goal, with its verdict. */
export function judgeGrowth(results: GrowthResults): Verdict[] {
  const { share, indexedShare, statisticsMs } = results;
  const least = (goal: string, measured: number): Verdict => {
    return { goal, measured, bound: `≥ ${leastShare}`, met: measured >= leastShare };
  };
  const most = (goal: string, measured: number, bound: number): Verdict => {
    return { goal, measured, bound: `≤ ${bound}`, met: measured <= bound };
  };
  const looked = (who: string, rows: Lookup[]): Verdict[] =>
    rows.map(({ what, p99, combined }) =>
      most(`${who} by ${what}: ms at p99`, p99, combined ? mostCombinedMs : mostMs),
    );
  return [
    least('acknowledged, of the rate of an empty journal', share.median),
    least('the same until indexed', indexedShare.median),
    ...looked('the engine finds', results.engine),
    ...looked('a command finds', results.command),
    most('store stats: ms', statisticsMs, mostCombinedMs),
  ];
}

/** The report as text. */
export function writtenGrowth(report: {
  machine: Machine;
  took: number;
  results: GrowthResults;
  goals: Verdict[];
}): string {
  const { machine, took, results, goals } = report;
  const { processor, cores, memory, system, node, disk, load } = machine;
  const { messages, part, empty, full, share, indexedShare, lagMs } = results;
  const of = ({ median, min, max }: Spread, digits: number): string =>
    `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
  const quiet =
    load > 0.5
      ? `NOT A QUIET MACHINE: ${load.toFixed(1)} processes wanted to run before we began. Take no figure for more than a test.\n`
      : '';
  const width = Math.max(...goals.map(({ goal }) => goal.length));
  return [
    `${processor}, ${cores} cores, ${memory} GB; ${system}; Node ${node}; journal on ${disk}\n${quiet}`,
    `${messages} messages; then ${part} at a time, in turn into an empty journal and into this one; ${took.toFixed(0)} s in all`,
    `acknowledged a second: empty ${of(empty, 0)}, full ${of(full, 0)}, share ${of(share, 2)}; until indexed ${of(indexedShare, 2)}`,
    `index behind by ${of(lagMs, 0)} ms after the last acknowledgement`,
    `${results.bytesPerMessage.toFixed(0)} bytes a message on the disk, ${results.indexBytesPerMessage.toFixed(0)} of them index; ` +
      `opened in ${results.openMs.toFixed(0)} ms; at most ${results.peakMb.toFixed(0)} MB resident\n`,
    lookupTable('As the engine, its journal open', results.engine),
    lookupTable('As a command, opening the journal each time', results.command),
    ...goals.map(({ goal, measured = 0, bound, met }) => {
      const verdict = met ? 'met' : 'MISSED';
      return `${goal.padEnd(width)}  ${measured.toFixed(2).padStart(9)}  ${bound.padEnd(6)}  ${verdict}`;
    }),
    '',
  ].join('\n');
}

function lookupTable(title: string, rows: Lookup[]): string {
  const width = Math.max(...rows.map(({ what }) => what.length));
  const cells = rows.map(({ what, p50, p99, max, found }) => {
    const ms = [p50, p99, max].map((one) => one.toFixed(2).padStart(9)).join('');
    return `${what.padEnd(width)}${ms}${String(found).padStart(8)}`;
  });
  const head = `${''.padEnd(width)}${['p50 ms', 'p99 ms', 'max ms'].map((one) => one.padStart(9)).join('')}   found`;
  return `${title}\n${head}\n${cells.join('\n')}\n`;
}
