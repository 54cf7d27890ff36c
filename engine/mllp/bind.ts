/** Opens a port, and tries again while another process (often our predecessor) holds it. */
import type { Server } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { FaultError } from '../faults.ts';

export interface BindOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** How long a busy port is tried again. */
  timeoutMs: number;
  /** Ends the trying. */
  signal: AbortSignal;
  /** Told of each attempt that found the port busy. */
  busy(attempt: number): void;
}

/**
 * Listen on a port.
 * @returns the port
 * @throws FaultError portBusy after `timeoutMs`, shuttingDown by `signal`; anything else the
 *   operating system says (EACCES, EADDRNOTAVAIL) at once, as it says it
 */
export async function bind(server: Server, options: BindOptions): Promise<number> {
  const { host, port, timeoutMs, signal } = options;
  const pauseMs = Math.max(20, Math.min(500, timeoutMs / 10));
  const until = performance.now() + timeoutMs;
  for (let attempt = 1; ; attempt++) {
    if (signal.aborted) throw new FaultError({ name: 'shuttingDown' });
    try {
      const bound = await listenOnce(server, host, port);
      if (!signal.aborted) return bound;
      server.close();
      continue;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      options.busy(attempt);
      if (performance.now() + pauseMs > until) {
        throw new FaultError({ name: 'portBusy', detail: `${host}:${port}` }, { cause: error });
      }
    }
    // Ended early, the next turn of the loop says why.
    await wait(pauseMs, undefined, { signal }).catch(() => {});
  }
}

function listenOnce(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
