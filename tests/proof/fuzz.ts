/**
 * A million inputs that nobody sends on purpose, through everything that reads what others send.
 * It runs in threads, so that an input on which the reading never ends is found and named.
 */
import { Worker } from 'node:worker_threads';
import { type Outcome, type Part, type Trial, tooFew } from './part.ts';
import type { FuzzDone, FuzzWork } from './fuzz/thread.ts';
import { targets } from './fuzz/targets.ts';

const threads = 2;
const fullCount = 1_000_000;
/** One input may take so long; the slowest takes some milliseconds. */
const hangMs = 15_000;
/** The heap may grow so much from the middle of the run to its end. */
const growthBytes = 24 * 1024 * 1024;

export const fuzz: Part = {
  name: 'fuzz',
  law: 'whatever bytes come as a frame, a message, a batch or a GP record, reading them ends, in a result or a fault, and keeps nothing',
  minutes: 3,
  suite: 'proof',
  async run(trial) {
    const shares = targets.reduce((sum, { share }) => sum + share, 0);
    const share = trial.count(fullCount) / shares;
    const all = await Promise.all(
      Array.from({ length: threads }, (_, first) => runThread(trial, share, first)),
    );
    const tried: Record<string, number> = {};
    for (const one of all) {
      for (const [name, count] of Object.entries(one.tried))
        tried[name] = (tried[name] ?? 0) + count;
    }
    const total = Object.values(tried).reduce((sum, count) => sum + count, 0);
    const grown = Math.max(0, ...all.map(({ heap: [middle, end] }) => end - middle));
    const outcome: Outcome = {
      tried: { ...tried },
      found: { 'MB the heap grew in the second half': Math.round(grown / 1024 ** 2) },
      broken: all.flatMap(({ broken }) => broken),
    };
    // A short run rounds what each target is given.
    const slack = trial.count(fullCount) < fullCount ? targets.length : 0;
    outcome.broken.push(...tooFew('inputs', total + slack, trial.count(fullCount)));
    if (grown > growthBytes) {
      outcome.broken.push(
        `the heap grew by ${Math.round(grown / 1024 ** 2)} MB in the second half`,
      );
    }
    return outcome;
  },
};

/** Try every second input. A thread that hangs or dies is told as broken, with the input. */
function runThread(trial: Trial, share: number, first: number): Promise<FuzzDone> {
  const shared = new SharedArrayBuffer(8);
  const place = new Int32Array(shared);
  const until = Date.now() + (trial.deadline - performance.now());
  const work: FuzzWork = { seed: trial.seed, share, first, step: threads, shared, until };
  const worker = new Worker(new URL('./fuzz/thread.ts', import.meta.url), { workerData: work });
  return new Promise((resolve) => {
    let last = '';
    let since = Date.now();
    const watch = setInterval(() => {
      const now = place.join();
      if (now !== last) [last, since] = [now, Date.now()];
      // It loads the mappings before its first input.
      if (Date.now() - since > hangMs * (now === '0,0' ? 4 : 1)) ended('it never came to an end');
    }, 500);
    const ended = (why: string): void => {
      const at = `${targets[place[0] ?? 0]?.name}: input ${place[1]}`;
      finish({ tried: {}, broken: [`${at}: ${why}`], heap: [0, 0] });
    };
    const finish = (done: FuzzDone): void => {
      clearInterval(watch);
      trial.signal.removeEventListener('abort', stop);
      void worker.terminate();
      resolve(done);
    };
    const stop = (): void => ended('the time was over');
    trial.signal.addEventListener('abort', stop, { once: true });
    worker.once('message', finish);
    worker.once('error', (error) => ended(`the thread died: ${String(error)}`));
  });
}
