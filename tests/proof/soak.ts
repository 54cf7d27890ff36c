/** An hour at half of what it can carry: deliveries and GP queries side by side, and nothing grows. */
import { cpSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesOf } from '../../engine/journal/database.ts';
import { startGpSimulator } from '../../engine/simulator/gp.ts';
import { startMllpGp } from '../../engine/simulator/mllp-gp.ts';
import { patients, qbp, root } from '../world.ts';
import { until } from './cell.ts';
import { judge } from './law.ts';
import type { Outcome, Part, Trial } from './part.ts';
import { startReceiver } from './receiver.ts';
import { openFiles, residentMemory } from './resident.ts';
import { adt } from './samples.ts';
import { startServer } from './server.ts';
import { channel, channels, delivery, writeSite } from './site.ts';
import { startPaced } from './soak/paced.ts';
import { type Sample, rise } from './soak/slope.ts';

const minutes = 65;
const measureMs = 30_000;
/** Caches fill and code is compiled; what grows then is not counted. */
const settleShare = 0.1;
const queriesPerSecond = 2;
const queries = 'gp-record';
const mega = 1024 ** 2;

/** What may not grow, and by how much its line may rise over the whole time. */
const bounds = {
  'MB resident': 64,
  'open files': 8,
  'MB write-ahead log': 16,
  'messages waiting': 100,
};
type Figure = keyof typeof bounds;

export const soak: Part = {
  name: 'soak',
  law: 'at half of what it can carry, memory, open files, the write-ahead log and the queue stay as they are, every query is answered and every message delivered',
  minutes,
  suite: 'soak',
  run: soaked,
};

async function soaked(trial: Trial): Promise<Outcome> {
  const { folder, imports, tell } = trial;
  const [site, data] = [join(folder, 'site'), join(folder, 'data')];
  const receiver = await startReceiver();
  const gp = await startGpSimulator({ patients });
  const legacy = await startMllpGp({ patients });
  writeSite(site, { port: receiver.port, connections: 24 });
  addQueries(site);
  const env = { GATEHOUSE_GP: gp.url, GATEHOUSE_MLLP_GP: String(legacy.port) };
  const server = await startServer({ site, data, imports, env }, channels + 1);
  const to = { port: server.ports[channel] ?? 0, connections: 32, build: adt };
  try {
    const began = performance.now();
    const full = startPaced({ ...to, name: 'F' });
    await rest(Math.min(trial.lasting(measureMs * 4), measureMs));
    const seconds = (performance.now() - began) / 1000;
    const capacity = receiver.accepted.size / seconds;
    await full.finish();
    const load = startPaced({ ...to, name: 'H', rate: capacity / 2 });
    const asked = startPaced({
      port: server.ports[queries] ?? 0,
      connections: 4,
      name: 'Q',
      rate: queriesPerSecond,
      build: (id) => qbp('9465701459', { 'MSH-10': id }),
    });
    tell(`capacity ${Math.round(capacity)} a second`);
    const waiting = (): number =>
      full.acknowledged.size + load.acknowledged.size - receiver.accepted.size;
    // What the measurement left waiting is not part of the steady state.
    await until(() => waiting() < capacity, 60_000);
    const samples = await watched(trial, server.pid, data, waiting);
    await Promise.all([load.finish(), asked.finish()]);
    const empty = await until(() => waiting() === 0, 120_000);
    server.kill('SIGTERM');
    const { code } = await server.ended;
    const acknowledged = new Set([...full.acknowledged, ...load.acknowledged]);
    const wrong = [...full.wrong, ...load.wrong, ...asked.wrong];
    const senders = { acknowledged, wrong };
    const judged = await judge({ senders, receiver, build: adt, data, channel, delivery });
    const broken = [...judged.broken, ...growth(samples)];
    if (!empty) broken.push('not everything was delivered');
    if (code !== 0) broken.push(`the server ended with ${code}`);
    if (asked.acknowledged.size === 0) broken.push('no query was answered');
    return {
      tried: {
        'messages a second': Math.round(capacity / 2),
        messages: acknowledged.size,
        queries: asked.acknowledged.size,
      },
      found: { ...judged.found, ...rises(samples) },
      broken,
    };
  } finally {
    server.kill();
    await Promise.all([receiver.close(), gp.close(), legacy.close()]);
  }
}

/** The queries of the shipped channel, asked of the simulator, in the site of the feed. */
function addQueries(site: string): void {
  const from = join(root, 'channels');
  const text = readFileSync(join(from, `${queries}.yaml`), 'utf8');
  writeFileSync(join(site, 'channels', `${queries}.yaml`), text.replace(/port: 2575/, 'port: 0'));
  cpSync(join(from, 'practices.csv'), join(site, 'channels', 'practices.csv'));
  cpSync(join(root, 'mappings'), join(site, 'mappings'), { recursive: true });
}

async function watched(
  trial: Trial,
  pid: number,
  data: string,
  waiting: () => number,
): Promise<Record<Figure, Sample[]>> {
  const samples: Record<Figure, Sample[]> = {
    'MB resident': [],
    'open files': [],
    'MB write-ahead log': [],
    'messages waiting': [],
  };
  const { journal } = filesOf(data);
  const began = performance.now();
  // Time for what comes after: the queue empties and the law is held.
  const lasts = (trial.deadline - began) * 0.93;
  const every = Math.min(5000, lasts / 50);
  while (performance.now() - began < lasts && !trial.signal.aborted) {
    await rest(every);
    const at = performance.now() - began;
    if (at < lasts * settleShare) continue;
    samples['MB resident'].push({ at, value: residentMemory(pid) / mega });
    samples['open files'].push({ at, value: openFiles(pid) });
    samples['MB write-ahead log'].push({ at, value: sizeOf(`${journal}-wal`) / mega });
    samples['messages waiting'].push({ at, value: waiting() });
  }
  return samples;
}

function rises(samples: Record<Figure, Sample[]>): Record<string, number> {
  const all = Object.entries(samples).map(([name, one]) => [`${name} more`, Math.round(rise(one))]);
  return Object.fromEntries(all) as Record<string, number>;
}

function growth(samples: Record<Figure, Sample[]>): string[] {
  return (Object.keys(bounds) as Figure[])
    .filter((name) => rise(samples[name]) > bounds[name])
    .map(
      (name) =>
        `${Math.round(rise(samples[name]))} ${name} more at the end; ${bounds[name]} may be`,
    );
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
