/** Opens a port, and tries again for as long as another process (often our predecessor) holds it. */
import { type Server, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { FaultError } from '../faults.ts';

export interface BindOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Ends the trying. */
  signal: AbortSignal;
  /** Told once, when the port is found busy. */
  busy(): void;
  /** Told of the port, once it is open. */
  bound(port: number): void;
}

/** Pauses between tries, milliseconds: the second one soon, then ever less often. */
const firstPause = 100;
const longestPause = 5000;

/**
 * Listen on a port. Resolves after the first try; a port that was busy then is tried again until it
 * is open, or `signal` ends it.
 * @throws FaultError shuttingDown by `signal`; anything but a busy port (EACCES, EADDRNOTAVAIL) as
 *   the operating system says it
 */
export async function bind(server: Server, options: BindOptions): Promise<void> {
  if (await tryOnce(server, options)) return;
  options.busy();
  void tryAgain(server, options);
}

/**
 * Whether a port can be opened now: it is, and closed again at once.
 * @returns false where another process holds it
 * @throws what the operating system says of an address that cannot be used
 */
export async function canOpen(host: string, port: number): Promise<boolean> {
  const server = createServer();
  const bound = (): void => void server.close();
  return tryOnce(server, { host, port, signal: new AbortController().signal, bound });
}

async function tryAgain(server: Server, options: BindOptions): Promise<void> {
  const { signal } = options;
  for (let pause = firstPause; !signal.aborted; pause = Math.min(longestPause, pause * 2)) {
    await wait(pause, undefined, { signal }).catch(() => {});
    if (await tryOnce(server, options).catch(() => false)) return;
  }
}

/** @returns whether it is open; false where another process holds it */
async function tryOnce(
  server: Server,
  { host, port, signal, bound }: Omit<BindOptions, 'busy'>,
): Promise<boolean> {
  if (signal.aborted) throw new FaultError({ name: 'shuttingDown' });
  try {
    const opened = await listenOnce(server, host, port);
    if (signal.aborted) server.close();
    else bound(opened);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return false;
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
