/** An hour at half of what it can carry: deliveries and GP queries side by side, and nothing grows. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startGpSimulator } from '../../engine/simulator/gp.ts';
import { startMllpGp } from '../../engine/simulator/mllp-gp.ts';
import { patients, qbp, root } from '../world.ts';
import { until } from './cell.ts';
import { damage } from './law.ts';
import { type Outcome, type Part, type Trial, tooFew, wholeBetween } from './part.ts';
import { adt } from './samples.ts';
import { type Server, startServer } from './server.ts';
import { channel, channels, writeSite } from './site.ts';
import { type Ledger, placeOf, startLedger } from './soak/ledger.ts';
import { lookedUp } from './soak/looked-up.ts';
import { type Paced, startPaced } from './soak/paced.ts';
import { type Steady, steadyOf } from './soak/steady.ts';

const minuteMs = 60_000;
/** How long the capacity is measured. */
const measureMs = 30_000;
/** Caches fill, code is compiled, and the first messages come to the end of their retention. */
const warmUpMs = 10 * minuteMs;
/** What counts. */
const steadyMs = 60 * minuteMs;
/** So long messages are kept: the journal reaches the size it then has to stay at. */
const keep = '5m';
const queriesPerSecond = 2;
const queries = 'gp-record';
/** Messages looked up in the journal, each minute. */
const lookUps = 50;
const sampleMs = 5000;
/** Each connection's messages are of one key. */
const build = (id: string): string => adt(id, placeOf(id)[0]);

export const soak: Part = {
  name: 'soak',
  law: 'at half of what it can carry, memory, open files, the write-ahead log, the disk and the queue stay as they are, every query is answered, and every message is delivered once, or flagged, in order',
  minutes: 75,
  suite: 'soak',
  run: soaked,
};

async function soaked(trial: Trial): Promise<Outcome> {
  const { folder, tell } = trial;
  const [site, data] = [join(folder, 'site'), join(folder, 'data')];
  const ledger = await startLedger(build);
  const gp = await startGpSimulator({ patients });
  const legacy = await startMllpGp({ patients });
  writeSite(site, { port: ledger.port, connections: 24, keep });
  addQueries(site);
  const env = { GATEHOUSE_GP: gp.url, GATEHOUSE_MLLP_GP: String(legacy.port) };
  const imports = [join(import.meta.dirname, 'preload', 'minutely.ts'), ...trial.imports];
  const server = await startServer({ site, data, imports, env }, channels + 1);
  const to = { port: server.ports[channel] ?? 0, connections: 32, build };
  try {
    const full = startPaced({ ...to, name: 'F' });
    const capacity = await measured(trial, ledger);
    await full.finish();
    tell(`it delivers ${Math.round(capacity)} messages a second; half of that from now on`);
    const wait = (): number => full.count() - ledger.count();
    const broken: string[] = [];
    // What the measurement left waiting is not part of the steady state.
    if (!(await until(() => wait() <= 0, 120_000))) broken.push('the backlog was not delivered');
    const load = startPaced({ ...to, name: 'H', rate: capacity / 2 });
    const asked = startPaced({
      port: server.ports[queries] ?? 0,
      connections: 4,
      name: 'Q',
      rate: queriesPerSecond,
      build: (id) => qbp('9465701459', { 'MSH-10': id }),
    });
    const scene: Scene = {
      ...{ trial, server, data, ledger, load, asked, broken },
      ...{ before: full.count(), looked: 0 },
    };
    const steady = steadyOf(server.pid, data, () => waiting(scene));
    const minutes = await watched(scene, steady);
    await Promise.all([load.finish(), asked.finish()]);
    if (!(await until(() => waiting(scene) === 0, 120_000))) broken.push('not all was delivered');
    server.kill('SIGTERM');
    const { code } = await server.ended;
    if (code !== 0) broken.push(`the server ended with ${code}`);
    broken.push(
      ...several(full.wrong, load.wrong, asked.wrong, ledger.wrong),
      // Within less than that everything still fills up.
      ...(trial.lasting(steadyMs) < steadyMs ? [] : steady.broken()),
      ...damage(data).map((sentence) => `the database is damaged: ${sentence}`),
      ...tooFew('minutes', minutes, Math.floor(trial.lasting(steadyMs) / minuteMs)),
    );
    if (asked.count() === 0) broken.push('no query was answered');
    return {
      tried: {
        'minutes after the warm-up': minutes,
        'messages a second': Math.round(capacity / 2),
        messages: full.count() + load.count(),
        queries: asked.count(),
      },
      found: { 'delivered more than once': new Set(ledger.again).size, ...steady.rises() },
      broken,
    };
  } finally {
    server.kill();
    await Promise.all([ledger.close(), gp.close(), legacy.close()]);
  }
}

interface Scene {
  trial: Trial;
  server: Server;
  data: string;
  ledger: Ledger;
  load: Paced;
  asked: Paced;
  /** Messages acknowledged before the load began. */
  before: number;
  /** How many arrivals that came again have been looked up. */
  looked: number;
  broken: string[];
}

const waiting = ({ before, load, ledger }: Scene): number => before + load.count() - ledger.count();

/** The queries of the shipped channel, asked of the simulator, in the site of the feed. */
function addQueries(site: string): void {
  const from = join(root, 'channels');
  const text = readFileSync(join(from, `${queries}.yaml`), 'utf8');
  const own = text.replace(/port: 2575/, 'port: 0').replace(/^keep: .*$/m, `keep: ${keep}`);
  writeFileSync(join(site, 'channels', `${queries}.yaml`), own);
  cpSync(join(from, 'practices.csv'), join(site, 'channels', 'practices.csv'));
  cpSync(join(root, 'mappings'), join(site, 'mappings'), { recursive: true });
}

/** How many messages it delivers in a second, while it is sent as many as it acknowledges. */
async function measured({ lasting }: Trial, ledger: Ledger): Promise<number> {
  const began = performance.now();
  await rest(Math.min(lasting(measureMs * 5), measureMs));
  return ledger.count() / ((performance.now() - began) / 1000);
}

/** Watch it, and tell each minute. @returns how many minutes counted */
async function watched(scene: Scene, steady: Steady): Promise<number> {
  const { trial, broken } = scene;
  const [warm, lasts] = [trial.lasting(warmUpMs), trial.lasting(warmUpMs + steadyMs)];
  const began = performance.now();
  const passed = (): number => performance.now() - began;
  const tell = teller(scene);
  let counts = false;
  let told = 0;
  while (passed() < lasts && !trial.signal.aborted) {
    await rest(Math.min(sampleMs, lasts / 60));
    if (!counts && passed() >= warm) {
      counts = true;
      steady.begin();
      trial.tell('the warm-up is over: what rises from now on counts');
    }
    const now = steady.sample(passed());
    if (passed() - told < Math.min(minuteMs, lasts / 5)) continue;
    tell(now, passed(), passed() - told);
    told = passed();
    broken.push(...(await lookedUp(scene.data, someOf(scene), newAgain(scene))));
  }
  return Math.floor((passed() - warm) / minuteMs + 0.01);
}

/** Tells how it goes. */
function teller({ trial, load, ledger, asked }: Scene) {
  let [acknowledged, delivered] = [load.count(), ledger.count()];
  return (now: Readonly<Record<string, number>>, at: number, since: number): void => {
    const rate = (count: number): string => `${Math.round((count * 1000) / since)}/s`;
    const numbers = Object.entries(now).map(([name, value]) => `${Math.round(value)} ${name}`);
    trial.tell(
      `${(at / minuteMs).toFixed(0)} min: ${rate(load.count() - acknowledged)} acknowledged, ` +
        `${rate(ledger.count() - delivered)} delivered, ${asked.count()} queries; ` +
        numbers.join(', '),
    );
    [acknowledged, delivered] = [load.count(), ledger.count()];
  };
}

/** Some messages that were delivered a moment ago. */
function someOf({ trial, ledger }: Scene): string[] {
  const all = [...ledger.arrived].filter(([of, count]) => of.startsWith('H') && count > 200);
  return Array.from({ length: all.length > 0 ? lookUps : 0 }, () => {
    const [of, count] = all[Math.floor(trial.random() * all.length)] ?? ['', 0];
    return `${of}-${count - wholeBetween(trial.random, 100, 200)}`;
  });
}

/** Those that came more than once since the last time, with how often they have come by now. */
function newAgain(scene: Scene): Map<string, number> {
  const { again } = scene.ledger;
  const since = new Set(again.slice(scene.looked));
  scene.looked = again.length;
  const all = [...since].map((id): [string, number] => [
    id,
    1 + again.filter((one) => one === id).length,
  ]);
  return new Map(all);
}

/** The first few of each kind of trouble. */
const several = (...all: (readonly string[])[]): string[] =>
  all.flatMap((each) => [
    ...each.slice(0, 5),
    ...(each.length > 5 ? [`and ${each.length - 5} more of the kind`] : []),
  ]);

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
