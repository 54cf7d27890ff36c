/** Part one: the process dies under load, at random moments and at every named step. */
import { join } from 'node:path';
import { type Cell, dieStarting, openCell } from './cell.ts';
import { buildDisk, diskEnvironment } from './disk.ts';
import { type Outcome, type Part, type Random, type Trial } from './part.ts';
import { oneOf, randomFrom, tooFew, wholeBetween } from './part.ts';
import { type Step, startSteps, steps } from './steps.ts';

export const kill: Part = {
  name: 'kill',
  law: 'whatever was acknowledged before a SIGKILL is in the journal once, delivered in order of its key, and flagged wherever it may have arrived twice',
  minutes: 13,
  suite: 'proof',
  run: killed,
};

const kills = 500;
/** Acknowledgements in each life, at least. */
const perLife = 1000;
/** Lives of one journal. */
const livesPerCell = 25;
/** Journals at a time: a Gatehouse that starts keeps one core busy, not two. */
const lanes = 2;

/** Beside the steps: whatever it does just then. */
const anywhere = ['at random', 'while it stops'] as const;
const places = [...anywhere, ...steps];
/** Within this a stop comes by all it does; some end before they are killed. */
const stopsWithinMs = 500;
/** So many lives are reloaded. */
const reloads = 0.2;

const preload = (name: string): string => join(import.meta.dirname, 'preload', `${name}.ts`);

/** What is counted over all lanes. */
interface Tally {
  wanted: number;
  kills: number;
  starting: number;
  /** Kills of lives in which the configuration was changed under load. */
  reloaded: number;
  /** Lives that were told to stop and ended before they were killed. */
  stopped: number;
  acknowledgements: number;
  lost: number;
  duplicates: number;
  byStep: Map<string, number>;
  broken: string[];
}

async function killed(trial: Trial): Promise<Outcome> {
  const library = buildDisk(trial.folder);
  const tally: Tally = {
    wanted: trial.count(kills),
    kills: 0,
    starting: 0,
    reloaded: 0,
    stopped: 0,
    acknowledgements: 0,
    lost: 0,
    duplicates: 0,
    byStep: new Map([...anywhere, ...steps.map(({ name }) => name)].map((name) => [name, 0])),
    broken: [],
  };
  await Promise.all(
    Array.from({ length: lanes }, (_, lane) => killInLane(trial, tally, lane, library)),
  );
  const never = [...tally.byStep].filter(([, times]) => times === 0).map(([name]) => name);
  if (tally.kills >= tally.byStep.size * lanes && never.length > 0) {
    tally.broken.push(`never killed ${never.join(', ')}`);
  }
  return {
    tried: {
      kills: tally.kills,
      'of them after a reload under load': tally.reloaded,
      'more while it started': tally.starting,
      'stops before a kill': tally.stopped,
      'places to die': tally.byStep.size,
      acknowledgements: tally.acknowledgements,
    },
    found: { lost: tally.lost, 'delivered more than once': tally.duplicates },
    broken: [...tally.broken, ...tooFew('kills', tally.kills, tally.wanted)],
  };
}

/** One journal after the other, until there were enough kills or the time is over. */
async function killInLane(
  trial: Trial,
  tally: Tally,
  lane: number,
  library: string,
): Promise<void> {
  const random = randomFrom(trial.seed, `kill ${lane}`);
  const over = () => tally.kills >= tally.wanted || performance.now() > trial.deadline;
  // Lanes begin at other steps, so that a short run meets all of them.
  let turn = lane * Math.ceil(places.length / lanes);
  for (let number = 0; !over() && !trial.signal.aborted; number++) {
    const folder = join(trial.folder, `${lane}-${number}`);
    const imports = [preload('often'), ...trial.imports];
    const cell = await openCell({ folder, random, imports, signal: trial.signal });
    try {
      for (let lives = 0; lives < livesPerCell && !over(); lives++) {
        const place = places[turn++ % places.length] ?? 'at random';
        await killOnce(cell, place, tally, random, library);
        if (lives % 4 === 3) await killStarting(cell, tally, random, library);
      }
      const { broken, found } = await cell.settle();
      tally.acknowledgements += cell.senders.acknowledged.size;
      tally.lost += found.lost;
      tally.duplicates += found.duplicates;
      tally.broken.push(...broken);
      trial.tell(`${tally.kills} kills, ${tally.acknowledgements} acknowledgements`);
    } finally {
      await cell.close();
    }
  }
}

async function killOnce(
  cell: Cell,
  place: (typeof places)[number],
  tally: Tally,
  random: Random,
  library: string,
): Promise<void> {
  const step = typeof place === 'string' ? undefined : place;
  const isStopped = place === 'while it stops';
  const name = typeof place === 'string' ? place : place.name;
  const acknowledgements = perLife + wholeBetween(random, 0, 200);
  const isReloaded = random() < reloads;
  const afterMs = wholeBetween(random, 0, stopsWithinMs);
  const ending = await cell.live({
    acknowledgements,
    quiet: step?.quiet,
    halfway: isReloaded ? cell.reload : undefined,
    end(server) {
      if (step) return cell.arm();
      if (isStopped) server.kill('SIGTERM');
      if (isStopped) setTimeout(() => server.kill(), afterMs);
      else server.kill();
    },
    ...(step && dying(step, cell, library, wholeBetween(random, 1, 6), cell.armed)),
  });
  if (isStopped && ending?.code === 0) {
    tally.stopped += 1;
    return;
  }
  if (ending?.signal !== 'SIGKILL') {
    const how = ending ? `ended by itself (${ending.signal ?? ending.code})` : 'did not get there';
    tally.broken.push(`a life that was to die ${name} ${how}`);
    return;
  }
  tally.kills += 1;
  if (isReloaded) tally.reloaded += 1;
  tally.byStep.set(name, (tally.byStep.get(name) ?? 0) + 1);
}

/** While it starts, and what the life before left is taken up. */
async function killStarting(
  cell: Cell,
  tally: Tally,
  random: Random,
  library: string,
): Promise<void> {
  const step = random() < 0.6 ? oneOf(random, startSteps) : undefined;
  // A log is taken up once; the others come often.
  const most = step && 'file' in step.place && step.place.at === 'removed' ? 1 : 60;
  const life = step
    ? dying(step, cell, library, wholeBetween(random, 1, most))
    : { signal: AbortSignal.timeout(wholeBetween(random, 200, 1500)) };
  if (await dieStarting(cell, life)) tally.starting += 1;
}

/** What a life is started with so that it dies at a step. */
function dying(step: Step, cell: Cell, library: string, nth: number, armed?: string) {
  if ('file' in step.place) {
    const disk = { ...step.place, data: cell.data, nth, armed };
    return { env: diskEnvironment(library, disk) };
  }
  return {
    imports: [preload('die')],
    env: {
      GATEHOUSE_PROOF_STEP: step.name,
      GATEHOUSE_PROOF_NTH: String(nth),
      GATEHOUSE_PROOF_ARMED: armed ?? '',
    },
  };
}
