/** The control socket of a running engine: HTTP on a unix socket that its owner alone may use. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Emit } from '../events.ts';
import { closeToOthers, leavePlace, takePlace } from './place.ts';
import { type Route, serveRoutes } from './router.ts';

export interface Control {
  /** The path of the socket. */
  path: string;
  /** Take no more; what is being answered is finished, within `graceMs`, and 5 s at most. */
  close(graceMs?: number): Promise<void>;
}

const longestMs = 5000;

/**
 * Serve these routes beside a journal. The caller holds the journal, so a socket that is there
 * already is of an engine that died, and makes way.
 * @throws Refusal where no socket can be made, and Node's errors where listening fails
 */
export async function startControl(options: {
  /** Folder of the journal. */
  folder: string;
  routes: readonly Route[];
  emit: Emit;
}): Promise<Control> {
  const { folder, routes, emit } = options;
  const path = takePlace(folder);
  const ending = new AbortController();
  const server = createServer(serveRoutes(routes, ending.signal));
  server.listen(path);
  await once(server, 'listening');
  closeToOthers(path);
  emit('control.listening', { file: path });
  return {
    path,
    async close(graceMs = longestMs) {
      const closed = once(server, 'close');
      server.close();
      ending.abort();
      server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), Math.min(graceMs, longestMs));
      await closed;
      clearTimeout(late);
      leavePlace(folder, path);
    },
  };
}
