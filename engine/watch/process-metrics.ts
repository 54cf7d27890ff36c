/** What the process itself takes, under the names that dashboards for Node know. */
import { readdirSync } from 'node:fs';
import type { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/**
 * Milliseconds between two looks at the event loop. Node records the time between them, so that this
 * is what a loop gives that keeps nobody waiting.
 */
export const loopInterval = 10;

/** @param loop delays of the event loop since it was looked at last */
export function setProcessGauges(
  registry: Registry,
  loop: ReturnType<typeof monitorEventLoopDelay>,
): void {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const set = (name: string, help: string, value: number) => {
    const known = registry.getSingleMetric(name) as Gauge | undefined;
    (known ?? new Gauge({ name, help, registers: [registry] })).set(value);
  };
  set('process_resident_memory_bytes', 'Resident memory', rss);
  set('nodejs_heap_size_used_bytes', 'Heap in use', heapUsed);
  set('process_cpu_seconds_total', 'User and system time', (user + system) / 1e6);
  set('process_start_time_seconds', 'Start of the process', started);
  const delay = (nanoseconds: number): number =>
    Math.max(0, nanoseconds / 1e9 - loopInterval / 1e3);
  set('nodejs_eventloop_lag_p50_seconds', 'Event loop delay, median', delay(loop.percentile(50)));
  set('nodejs_eventloop_lag_p99_seconds', 'Event loop delay, p99', delay(loop.percentile(99)));
  set('nodejs_eventloop_lag_max_seconds', 'Event loop delay, longest', delay(loop.max));
  const open = openFiles();
  if (open !== undefined) set('process_open_fds', 'Open file descriptors', open);
}

const started = Math.round(Date.now() / 1000 - process.uptime());

/** Only Linux tells. */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}
