/** `gatehouse top`: how busy the running engine is, again and again on a terminal. */
import { setTimeout as pause } from 'node:timers/promises';
import { age } from '../../engine/watch/words.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { type Form, isForPeople, printOne } from './form.ts';
import { CommandError, print, printTable, style } from './output.ts';
import { type Sample, type Top, beginning, between, sample } from './samples.ts';

interface TopOptions {
  data: string;
  once?: boolean;
  every: string;
  output: Form;
}

/** What is told on a terminal is of the last minute at most. */
const windowMs = 60_000;
/** Drawn no more than twice a second. */
const leastMs = 500;

/** Tell of the engine: once since its start, or on a terminal of the last minute until Ctrl-C. */
export async function top(options: TopOptions): Promise<number> {
  const every = Number(options.every) * 1000;
  if (!(every >= leastMs)) {
    throw new CommandError(`"${options.every}" is no number of seconds, 0.5 or more`);
  }
  const engine = runningEngine(options);
  const first = await sample(engine);
  if (options.once || !process.stdout.isTTY || !isForPeople(options.output)) {
    const told = between(beginning(first), first);
    printOne(options.output, 'top', told, () => tables(told));
    return exits.ok;
  }
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  process.once('SIGTERM', () => stopping.abort());
  const samples: Sample[] = [beginning(first), first];
  // The other screen, without the cursor: what stood on the terminal comes back.
  process.stdout.write('\u001b[?1049h\u001b[?25l');
  try {
    while (!stopping.signal.aborted) {
      const [before, after] = [samples[0] as Sample, samples.at(-1) as Sample];
      process.stdout.write('\u001b[H\u001b[2J');
      tables(between(before, after), Math.max(3, Math.floor((process.stdout.rows - 8) / 3)));
      await pause(every, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) break;
      samples.push(await sample(engine));
      const since = Date.now() - windowMs;
      while (samples.length > 2 && (samples[1] as Sample).at <= since) samples.shift();
      // Since the start is told until there is something newer.
      if (samples.length > 3 && (samples[0] as Sample).metrics.length === 0) samples.shift();
    }
  } finally {
    process.stdout.write('\u001b[?25h\u001b[?1049l');
  }
  return exits.ok;
}

const perSecond = (n: number) => (n === 0 ? '0' : n < 0.1 ? n.toFixed(3) : n.toFixed(1));
const lasting = (s: number | null) =>
  s === null ? '' : s < 1 ? `${(s * 1000).toFixed(0)} ms` : `${s.toFixed(1)} s`;

/** @param most rows of each table */
function tables({ at, seconds, alerts, ...of }: Top, most = Infinity): void {
  const holding = alerts === 1 ? '1 condition holds' : `${alerts} conditions hold`;
  const state = alerts === 0 ? 'all is well' : style('red', `${holding}: gatehouse status`);
  print(`${at.slice(11, 19)}  over the last ${age(seconds * 1000)}  ${state}\n\n`);
  printTable(
    ['CHANNEL', 'IN/S', 'REJECTED/S', 'P50', 'P99', 'CONNECTIONS'],
    of.channels
      .slice(0, most)
      .map((one) => [
        ...[one.channel, perSecond(one.received), perSecond(one.rejected)],
        ...[lasting(one.p50), lasting(one.p99), one.connections],
      ]),
  );
  if (of.destinations.length > 0) {
    print('\n');
    printTable(
      ['DESTINATION', 'STATE', 'OUT/S', 'FAILED/S', 'WAITING', 'OLDEST', 'PARKED'],
      of.destinations
        .slice(0, most)
        .map((one) => [
          ...[one.destination, one.state, perSecond(one.delivered), perSecond(one.failed)],
          ...[`${one.depth}${one.more ? '+' : ''}`],
          ...[one.oldest === null ? '' : age(one.oldest * 1000), one.parked],
        ]),
    );
  }
  if (of.endpoints.length > 0) {
    print('\n');
    printTable(
      ['SLOWEST ENDPOINTS', 'ASKED/S', 'FAILED/S', 'P50', 'P99'],
      of.endpoints
        .slice(0, most)
        .map((one) => [
          ...[one.endpoint, perSecond(one.asked), perSecond(one.failed)],
          ...[lasting(one.p50), lasting(one.p99)],
        ]),
    );
  }
}
