/** `gatehouse serve`: run every channel of a site until told to stop. */
import { resolve } from 'node:path';
import { controlRoutes } from '../../engine/control/routes.ts';
import { startControl } from '../../engine/control/server.ts';
import { startEngine } from '../../engine/engine.ts';
import { createEvents } from '../../engine/events.ts';
import { exits } from './exits.ts';
import { say } from './output.ts';
import { soundSite } from './sites.ts';
import { stopped } from './stopped.ts';

/** Serve until SIGTERM or SIGINT; then take no more, answer what is in hand, and end. */
export async function serve(options: {
  site?: string;
  data: string;
  keyFile?: string;
}): Promise<number> {
  const site = soundSite(options.site);
  const { emit } = createEvents();
  const folder = resolve(options.data);
  const engine = await startEngine({ site, data: folder, keyFile: options.keyFile, emit });
  // Messages are taken and answered even where nobody can give orders.
  const routes = controlRoutes(engine, emit);
  const control = await startControl({ folder, routes, emit }).catch((error: Error) => {
    emit('control.failed', { file: folder, detail: error.message });
    return undefined;
  });
  for (const [channel, port] of Object.entries(engine.ports)) say(`${channel} listens on ${port}`);
  await stopped();
  await control?.close();
  await engine.stop();
  return exits.ok;
}
