/** The thread that fuzzes: it may hang or run out of memory, and whoever watches it then knows at what. */
import { parentPort, workerData } from 'node:worker_threads';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readSeeds } from './seeds.ts';
import { chanceOf, targets } from './targets.ts';

/** What the thread is told. */
export interface FuzzWork {
  seed: number;
  /** Of a million inputs, how many are tried. */
  share: number;
  /** This thread tries every `step`th input, from `first` on. */
  first: number;
  step: number;
  /** Two numbers: the place of the target, and the input that is being tried. */
  shared: SharedArrayBuffer;
  /** When to stop, milliseconds since 1970. */
  until: number;
}

/** What it tells at its end. */
export interface FuzzDone {
  tried: Record<string, number>;
  broken: string[];
  /** Bytes of the heap after the first half and at the end, with nothing left to collect. */
  heap: [number, number];
}

const { seed, share, first, step, shared, until } = workerData as FuzzWork;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const place = new Int32Array(shared);
const seeds = readSeeds();
const done: FuzzDone = { tried: {}, broken: [], heap: [0, 0] };
/** Of one target, so many failures are told; the rest are mostly the same. */
const mostTold = 3;

const size = (target: (typeof targets)[number]) => Math.max(1, Math.round(target.share * share));
for (const half of [0, 1] as const) {
  for (const [index, target] of targets.entries()) {
    const all = size(target);
    const middle = Math.floor(all / 2);
    runTarget(index, half === 0 ? 0 : middle, half === 0 ? middle : all);
  }
  collect();
  done.heap[half] = process.memoryUsage().heapUsed;
}
parentPort?.postMessage(done);

function runTarget(index: number, from: number, to: number): void {
  const target = targets[index];
  if (target === undefined) return;
  let told = done.broken.filter((one) => one.startsWith(target.name)).length;
  let tried = done.tried[target.name] ?? 0;
  Atomics.store(place, 0, index);
  for (let number = from; number < to && Date.now() < until; number++) {
    if (number % step !== first) continue;
    Atomics.store(place, 1, number);
    tried += 1;
    try {
      target.tryOne(chanceOf(seed, target.name, number), seeds);
    } catch (error) {
      if (told++ < mostTold) done.broken.push(`${target.name}: input ${number}: ${inShort(error)}`);
    }
  }
  done.tried[target.name] = tried;
}

function inShort(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [says = ''] = error.message.split('\n');
  const where = /at .*?(\w+\/\w[\w-]*\.ts:\d+)/.exec(error.stack ?? '')?.[1] ?? '';
  return `${error.name} ${says.slice(0, 200)} ${where}`.trim();
}
