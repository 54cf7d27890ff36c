/**
 * Loaded into a Gatehouse that is measured (`--import`): for how long a turn of its event loop keeps
 * everybody else waiting. It answers with that, and begins anew.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import { answerRequests } from './requests.ts';

/** Milliseconds. */
export interface LoopDelay {
  p99: number;
  longest: number;
}

const intervalMs = 1;

if (isMainThread) {
  const delays = monitorEventLoopDelay({ resolution: intervalMs });
  delays.enable();
  answerRequests((): LoopDelay => {
    // What is recorded is the time between two wakings, which is the interval where nothing waits.
    const of = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - intervalMs);
    const told = { p99: of(delays.percentile(99)), longest: of(delays.max) };
    delays.reset();
    return told;
  });
  process.channel?.unref();
}
