/**
 * Gatehouse as it is run: `gatehouse serve` in a process of its own, with the channels of this
 * repository on free ports, its log in a file and its journal on the disk.
 */
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { type Server, askProcess, startProcess, stopProcess } from './children.ts';
import type { LoopDelay } from './processes/loop.ts';

const root = resolve(import.meta.dirname, '..');

/** The engine and the ports of its channels. */
export interface Gatehouse extends Server {
  ports: Record<string, number>;
  /** How long its event loop kept others waiting since it was asked last; only where it is watched. */
  loop(): Promise<LoopDelay>;
}

/**
 * Start it.
 * @param folder an empty one, on a disk
 * @param gp address of the simulated GP side
 * @param change changes the site, a copy of ours, before it is served
 * @param isWatched whether its event loop is watched, which costs a waking every millisecond
 */
export async function startGatehouse(
  folder: string,
  gp: string,
  change: (site: string) => void = () => {},
  isWatched = false,
): Promise<Gatehouse> {
  const site = join(folder, 'site');
  for (const part of ['channels', 'mappings']) {
    cpSync(join(root, part), join(site, part), { recursive: true });
  }
  mkdirSync(join(site, 'fixtures'));
  for (const name of readdirSync(join(site, 'channels'))) {
    if (name.endsWith('.yaml')) listenAnywhere(join(site, 'channels', name));
  }
  change(site);
  const logFile = join(folder, 'gatehouse.log');
  const log = openSync(logFile, 'w');
  process.env['GATEHOUSE_GP'] = gp;
  const args = ['serve', '--site', site, '--data', join(folder, 'journal')];
  const imports = isWatched ? [join(import.meta.dirname, 'processes', 'loop.ts')] : [];
  const child = startProcess(join(root, 'bin', 'gatehouse'), args, log, imports);
  closeSync(log);
  const ports = await portsIn(logFile, () => child.exitCode === null);
  return {
    pid: child.pid ?? 0,
    port: ports['adt-feed'] ?? 0,
    ports,
    loop: () => askProcess<LoopDelay>(child, 'gatehouse', {}, 5000),
    stop: () => stopProcess(child),
  };
}

/** A channel file whose listener takes any free port. */
function listenAnywhere(file: string): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/^(listen:\n(?: .*\n)*? +port:) \d+/m, '$1 0'));
}

/** Wait until it says on which ports it listens. */
async function portsIn(logFile: string, running: () => boolean): Promise<Record<string, number>> {
  const deadline = Date.now() + 30_000;
  while (running() && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const said = [...readFileSync(logFile, 'utf8').matchAll(/^(\S+) listens on (\d+)$/gm)];
    const ports = Object.fromEntries(said.map(([, channel, port]) => [channel, Number(port)]));
    if (ports['adt-feed'] && ports['gp-record']) return ports;
  }
  const [first = 'it said nothing'] = readFileSync(logFile, 'utf8').trim().split('\n').slice(-1);
  throw new Error(`Gatehouse did not start: ${first}`);
}
