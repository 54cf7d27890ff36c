/** `gatehouse serve`: run every channel of a site until told to stop. */
import { resolve } from 'node:path';
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
  const events = createEvents();
  const engine = await startEngine({
    site,
    data: resolve(options.data),
    keyFile: options.keyFile,
    emit: events.emit,
  });
  for (const [channel, port] of Object.entries(engine.ports)) say(`${channel} listens on ${port}`);
  await stopped();
  await engine.stop();
  return exits.ok;
}
