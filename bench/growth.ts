/**
 * `npm run bench:growth`: a journal of ten million messages, and whether it is still as quick as an
 * empty one. What is driven is the journal layer as the engine drives it, with its writer and its
 * indexer; no socket, no parser. What is measured, and how: docs/benchmarks.md.
 */
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { silent } from '../engine/events.ts';
import { bytesOf } from '../engine/journal/database.ts';
import { statisticsOf } from '../engine/journal/statistics.ts';
import { openJournal } from '../engine/journal/sqlite.ts';
import { journalFolder } from './disk.ts';
import { type Spread, spread } from './figures.ts';
import { type Lookup, measureCommand, measureEngine } from './growth-lookups.ts';
import { append } from './growth-messages.ts';
import { type GrowthResults, judgeGrowth, writtenGrowth } from './growth-report.ts';
import { describeMachine } from './machine.ts';

const { messages, lookups, data, output } = new Command('npm run bench:growth --')
  .description('Fill a journal, and measure what storing and finding cost in it then.')
  .addOption(
    new Option('--messages <n>', 'how many').default(10_000_000).argParser((text) => Number(text)),
  )
  .addOption(
    new Option('--lookups <n>', 'how many of each kind')
      .default(300)
      .argParser((text) => Number(text)),
  )
  .option('--data <folder>', 'where the journal goes; must be on a disk')
  .addOption(new Option('-o, --output <form>').choices(['table', 'json']).default('table'))
  .parse()
  .opts<{ messages: number; lookups: number; data?: string; output: 'table' | 'json' }>();

/** As they lie on the disk, index and all; with what the logs take meanwhile. */
const bytesPerMessage = 2300;
const spareBytes = 1e9;
const repetitions = 5;

if (!Number.isInteger(messages) || messages < 1000) usage('--messages takes a number from 1000');
const folder = journalFolder(data);
const clean = (): void => rmSync(folder, { recursive: true, force: true });
process.on('exit', clean);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
assertRoom();

const began = performance.now();
const machine = describeMachine(folder);
const part = Math.min(100_000, Math.ceil(messages / 20));
/**
 * A journal that has just been opened compiles its threads: what that costs must not be counted for
 * the empty one.
 */
const warmUp = Math.min(20_000, part);
const results = await measure();
const report = { machine, took: (performance.now() - began) / 1000, results };
const goals = judgeGrowth(results);
process.stdout.write(
  output === 'json'
    ? `${JSON.stringify({ kind: 'growth', version: 1, ...report, goals }, null, 2)}\n`
    : writtenGrowth({ ...report, goals }),
);

async function measure(): Promise<GrowthResults> {
  const grown = join(folder, 'grown');
  let journal = await openJournal({ folder: grown, emit: silent });
  const sample = new Map<number, number>();
  let [first, last] = [Infinity, 0];
  const keep = (number: number, exchange: number): void => {
    if (number % Math.ceil(messages / 5000) === 0) sample.set(number, exchange);
    first = Math.min(first, exchange);
    last = Math.max(last, exchange);
  };
  const before = messages - repetitions * part;
  for (let at = 0; at < before; at += part) {
    await append(journal, at, Math.min(part, before - at), messages, keep);
    tell(`${Math.min(at + part, before)} of ${messages} messages`);
  }
  await journal.stats();

  // In turn, so that a slow minute meets both.
  const pairs: { empty: Rate; full: Rate }[] = [];
  for (let round = 0; round < repetitions; round++) {
    tell(`the last ${part}, and ${part} into an empty journal (${round + 1} of ${repetitions})`);
    const other = join(folder, `empty-${round}`);
    const empty = await fillOnce(other, messages + 2 * round * part, part);
    const full = await rateOf(journal, before + round * part, part, keep);
    pairs.push({ empty, full });
  }
  const shape = { folder: grown, messages, sample, first, last };
  tell('looking up, as the engine');
  const engine: Lookup[] = await measureEngine(shape, journal, lookups);
  tell('looking up, as a command');
  const command: Lookup[] = await measureCommand(shape, lookups);
  const statistics = timed(() => statisticsOf(grown));
  await journal.close();
  const { files } = statisticsOf(grown);
  const opening = performance.now();
  journal = await openJournal({ folder: grown, emit: silent });
  const openMs = performance.now() - opening;
  await journal.close();
  const of = (value: (pair: { empty: Rate; full: Rate }) => number): Spread =>
    spread(pairs.map(value));
  return {
    messages,
    part,
    empty: of(({ empty }) => empty.acknowledged),
    full: of(({ full }) => full.acknowledged),
    share: of(({ empty, full }) => full.acknowledged / empty.acknowledged),
    indexedShare: of(({ empty, full }) => full.indexed / empty.indexed),
    lagMs: of(({ full }) => full.lagMs),
    bytesPerMessage: bytesOf(grown) / messages,
    indexBytesPerMessage: (files.find(({ file }) => file === 'keys.sqlite')?.bytes ?? 0) / messages,
    openMs,
    statisticsMs: statistics,
    peakMb: process.resourceUsage().maxRSS / 1024,
    engine,
    command,
  };
}

interface Rate {
  /** Messages acknowledged a second. */
  acknowledged: number;
  /** The same, until all of them are indexed too. */
  indexed: number;
  /** From the last acknowledgement until all is indexed. */
  lagMs: number;
}

async function rateOf(
  journal: Awaited<ReturnType<typeof openJournal>>,
  from: number,
  count: number,
  stored?: (number: number, exchange: number) => void,
): Promise<Rate> {
  const start = performance.now();
  await append(journal, from, count, messages, stored);
  const acknowledged = performance.now();
  await journal.stats();
  const indexed = performance.now();
  return {
    acknowledged: (count / (acknowledged - start)) * 1000,
    indexed: (count / (indexed - start)) * 1000,
    lagMs: indexed - acknowledged,
  };
}

/** Into a journal of its own, which holds next to nothing and is removed. */
async function fillOnce(place: string, from: number, count: number): Promise<Rate> {
  mkdirSync(place, { recursive: true });
  const journal = await openJournal({ folder: place, emit: silent });
  try {
    await append(journal, from, warmUp, messages);
    await journal.stats();
    return await rateOf(journal, from + warmUp, count);
  } finally {
    await journal.close();
    rmSync(place, { recursive: true, force: true });
  }
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function assertRoom(): void {
  const needed = messages * bytesPerMessage + spareBytes;
  const { bavail, bsize } = statfsSync(folder);
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  tell(`${messages} messages take about ${gigabytes(needed)} in ${folder}, until the end`);
  if (bavail * bsize >= needed) return;
  usage(
    `there are only ${gigabytes(bavail * bsize)} free; name another folder with --data, or fewer --messages`,
  );
}

function usage(complaint: string): never {
  process.stderr.write(`bench:growth: ${complaint}\n`);
  process.exit(64);
}

function tell(text: string): void {
  process.stderr.write(`${text} …\n`);
}
