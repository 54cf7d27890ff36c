/** `gatehouse serve`: run every channel of a site until told to stop. */
import { resolve } from 'node:path';
import { loadKept } from '../../engine/config/load-kept.ts';
import { type Revisions, openRevisions } from '../../engine/config/revisions.ts';
import { assertAlone } from '../../engine/control/place.ts';
import { controlRoutes } from '../../engine/control/routes.ts';
import { startControl } from '../../engine/control/server.ts';
import { type Engine, type Left, startEngine } from '../../engine/engine.ts';
import { createEvents } from '../../engine/log.ts';
import { exits } from './exits.ts';
import { complain, say } from './output.ts';
import { whoAsks } from './person.ts';
import { siteFolder } from './site-folder.ts';
import { stopped } from './stopped.ts';
import { version } from './version.ts';

/**
 * Serve until SIGTERM or SIGINT; then take no more, answer what is in hand, and end. SIGHUP reads the
 * configuration again. @returns 5 where something was cut off unanswered
 */
export async function serve(options: {
  site?: string;
  data: string;
  keyFile?: string;
}): Promise<number> {
  const { emit } = createEvents();
  // Heard from the start to the end: without a listener a SIGHUP ends the process.
  let isAsked = false;
  let reload = (): void => void (isAsked = true);
  process.on('SIGHUP', () => reload());
  const folder = resolve(options.data);
  await assertAlone(folder);
  const revisions = openRevisions(folder);
  const load = () => loadKept(revisions, siteFolder(options.site), process.env);
  const site = load();
  const { keyFile } = options;
  const engine = await startEngine({
    ...{ site, data: folder, keyFile, emit, load, revisions, version: version() },
  });
  // Messages are taken and answered even where nobody can give orders.
  const routes = controlRoutes(engine, emit);
  const control = await startControl({ folder, routes, emit }).catch((error: Error) => {
    emit('control.failed', { file: folder, detail: error.message });
    return undefined;
  });
  // Before it is said that the engine listens: who then stops it at once is heard.
  const asked = stopped();
  record(revisions, site.revision, 'start', whoAsks());
  tellPorts(engine);
  reload = () =>
    void engine.reload().then(({ revision }) => {
      record(revisions, revision, 'reload', 'SIGHUP');
      tellPorts(engine);
    }, complain);
  // What changed while it started may have been read before.
  if (isAsked) reload();
  await asked;
  reload = () => {};
  // One bound for all of it: whoever is giving orders takes half of it at most.
  const bound = engine.settings().limits.stop;
  const began = performance.now();
  await control?.close(bound / 2);
  return tellLeft(await engine.stop(Math.max(0, bound - (performance.now() - began))));
}

/** A revision took effect that is not the last one. */
function record(revisions: Revisions, revision: string, how: 'start' | 'reload', by: string): void {
  if (revisions.last()?.revision === revision) return;
  revisions.record({ at: new Date().toISOString(), revision, how, by });
}

function tellPorts({ channels, ports, suspensions }: Engine): void {
  for (const [name, { listening }] of channels) {
    const port = ports[name];
    const suspended = suspensions.get(name);
    if (suspended) say(`${name} is ${suspended.how}: gatehouse channel start ${name}`);
    else if (port !== undefined) say(`${name} listens on ${port}`);
    else say(`${name} waits for port ${listening.port}: another process holds it`);
  }
}

function tellLeft({ unanswered, owed }: Left): number {
  if (owed > 0) say(`to be delivered after the next start: ${owed}`);
  if (unanswered === 0) return exits.ok;
  say(
    unanswered === 1
      ? '1 message was cut off unanswered: its sender has to send it again'
      : `${unanswered} messages were cut off unanswered: their senders have to send them again`,
  );
  return exits.partly;
}
