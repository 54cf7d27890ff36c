/**
 * Long work (import, prune, replay, export): its progress on a terminal, and a Ctrl-C that does no
 * harm.
 *
 * The work is done in steps that are each whole (one transaction, one row, one file), and awaits
 * `step` after each. On a terminal one line on standard error says how far it is; elsewhere nothing
 * is said, so that a log or a pipe holds no progress. The first Ctrl-C (or SIGTERM) lets the step in
 * hand be finished and then ends the work; the second ends the process at once.
 *
 *     await withProgress({ doing: 'pruning', unit: 'messages', total }, async (progress) => {
 *       for (const batch of batches) {
 *         prune(batch);
 *         await progress.step(batch.length);
 *       }
 *     });
 */
import type { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { exits } from './exits.ts';
import { CommandError } from './output.ts';

export interface Task {
  /** What is being done: `importing`. */
  doing: string;
  /** What is counted, in the plural: `rows`. */
  unit: string;
  /** How many there are, where that is known before. */
  total?: number;
  /** The next step after an interruption; unless told, that the same command goes on. */
  afterwards?: string;
}

export interface Progress {
  /**
   * So many more are done, and what is done is whole. Lets the process hear a Ctrl-C, so it must be
   * awaited also where the work itself never waits.
   * @throws CommandError exit 5 where the work was interrupted
   */
  step(more?: number): Promise<void>;
  /** Aborted by the first Ctrl-C, for work that waits for something else (a socket, a timer). */
  signal: AbortSignal;
}

/** Where progress is shown, and who interrupts. */
export interface Surroundings {
  stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;
  signals: Pick<EventEmitter, 'on' | 'off'>;
  /** Milliseconds, as `performance.now()`. */
  now(): number;
  /** Ends the process as a signal does. */
  kill(signal: NodeJS.Signals): void;
}

const ours: Surroundings = {
  stream: process.stderr,
  signals: process,
  now: () => performance.now(),
  kill: (signal) => void process.kill(process.pid, signal),
};

/** The line is written anew at most so often. */
const redrawMs = 100;
/** Work that never waits lets the process hear signals so often. */
const listenMs = 20;

/**
 * Do long work with its progress shown.
 * @param work awaits `progress.step` after each step
 * @returns what the work returns
 * @throws CommandError exit 5 where it was interrupted, with how much is done
 */
export async function withProgress<T>(
  task: Task,
  work: (progress: Progress) => Promise<T>,
  { stream, signals, now, kill }: Surroundings = ours,
): Promise<T> {
  const interruption = new AbortController();
  const began = now();
  let [done, drawn, listened] = [0, -Infinity, began];
  const shown = stream.isTTY;
  let width = 0;
  // Blanks and no escape sequence: whoever wants none gets none.
  const clear = () => void (shown && stream.write(`\r${' '.repeat(width)}\r`));
  const draw = () => {
    drawn = now();
    const line = lineOf(task, done, drawn - began).slice(0, (stream.columns || 80) - 1);
    stream.write(`\r${line.padEnd(width)}`);
    width = line.length;
  };
  const interrupted = (signal: NodeJS.Signals) => {
    if (interruption.signal.aborted) {
      close();
      return kill(signal);
    }
    interruption.abort();
    clear();
    if (shown) stream.write('stopping after the step in hand; once more stops at once\n');
  };
  const close = () => {
    signals.off('SIGINT', interrupted);
    signals.off('SIGTERM', interrupted);
    clear();
  };
  const step = async (more = 1): Promise<void> => {
    done += more;
    if (now() - listened >= listenMs) {
      await nextTurn();
      listened = now();
    }
    if (interruption.signal.aborted) throw endedEarly(task, done);
    if (shown && now() - drawn >= redrawMs) draw();
  };
  signals.on('SIGINT', interrupted);
  signals.on('SIGTERM', interrupted);
  if (shown) draw();
  try {
    return await work({ step, signal: interruption.signal });
  } catch (error) {
    // What waited for the signal ends with an error of its own.
    if (interruption.signal.aborted && (error as Error).name === 'AbortError') {
      throw endedEarly(task, done);
    }
    throw error;
  } finally {
    close();
  }
}

function endedEarly({ doing, unit, total, afterwards }: Task, done: number): CommandError {
  const of = total === undefined ? '' : ` of ${amount(total)}`;
  return new CommandError(
    `${doing} was interrupted: ${amount(done)}${of} ${unit} are done, and stay so`,
    afterwards ?? 'call the same command again for the rest',
    exits.partly,
  );
}

/** `importing 1,200 of 7,000 rows, 17 %, 12 s left`. */
function lineOf({ doing, unit, total }: Task, done: number, ms: number): string {
  if (total === undefined) return `${doing} ${amount(done)} ${unit}`;
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const left = Math.ceil((ms * (1 - share)) / share / 1000);
  // Of the first moments no estimate is worth anything.
  const estimate = done > 0 && done < total && ms > 1000 ? `, ${seconds(left)} left` : '';
  return `${doing} ${amount(done)} of ${amount(total)} ${unit}, ${Math.floor(share * 100)} %${estimate}`;
}

const amount = (n: number): string => n.toLocaleString('en-GB');

const seconds = (n: number): string =>
  n < 60 ? `${n} s` : n < 3600 ? `${Math.ceil(n / 60)} min` : `${(n / 3600).toFixed(1)} h`;
