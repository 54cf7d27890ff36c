/** Part two: the power goes, and what was not synced is lost or torn (`disk.c`). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { filesOf } from '../../engine/journal/database.ts';
import { addKey } from '../../engine/journal/keyring.ts';
import { type Cell, dieStarting, openCell } from './cell.ts';
import { type DiskOptions, buildDisk, diskEnvironment, restoreFromDisk } from './disk.ts';
import { type Outcome, type Part, type Random, type Trial } from './part.ts';
import { oneOf, randomFrom, tooFew, wholeBetween } from './part.ts';
import { NotStarted } from './server.ts';

export const power: Part = {
  name: 'power',
  law: 'whatever was acknowledged before a power cut is in the journal once, delivered in order of its key, and flagged wherever it may have arrived twice; with synchronous=NORMAL messages are lost',
  minutes: 8,
  suite: 'proof',
  run: powerCut,
};

const cuts = 200;
/** Cuts of one journal, and of one that runs at NORMAL. */
const cutsPerCell = 20;
const controlCuts = 4;
/** What is lost never arrives, however long it is waited for. */
const controlStillMs = 2000;
const lanes = 2;
/** Longest time for a journal to be sealed again. */
const resealingMs = 60_000;

const preload = (name: string): string => join(import.meta.dirname, 'preload', `${name}.ts`);

/** What is counted over all lanes. */
interface Tally {
  wanted: number;
  cuts: number;
  starting: number;
  resealing: number;
  acknowledgements: number;
  lost: number;
  /** Journals of which a start said that more than the last commit is missing. */
  refused: number;
  duplicates: number;
  broken: string[];
}

async function powerCut(trial: Trial): Promise<Outcome> {
  const library = buildDisk(trial.folder);
  const tally = emptyTally(trial.count(cuts));
  const control = emptyTally(controlCuts * lanes);
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      const random = randomFrom(trial.seed, `power ${lane}`);
      await controlInCell(trial, control, random, library, `${lane}-control`);
      for (let number = 0; !isOver(trial, tally); number++) {
        await cutInCell(trial, tally, random, library, `${lane}-${number}`);
        trial.tell(`${tally.cuts} cuts, ${tally.acknowledgements} acknowledgements`);
      }
    }),
  );
  const broken = [...tally.broken, ...tooFew('cuts', tally.cuts, tally.wanted)];
  // A start that refuses a journal for what is missing of it has found the same.
  if (control.lost + control.refused === 0) {
    broken.push('with synchronous=NORMAL nothing was lost: these power cuts prove nothing');
  }
  return {
    tried: {
      cuts: tally.cuts,
      'of them while it started': tally.starting,
      'of them while it was sealed again': tally.resealing,
      acknowledgements: tally.acknowledgements,
      'cuts with synchronous=NORMAL': control.cuts,
    },
    found: {
      lost: tally.lost,
      'delivered more than once': tally.duplicates,
      'lost with synchronous=NORMAL': control.lost,
      'journals refused for it': control.refused,
    },
    broken,
  };
}

function emptyTally(wanted: number): Tally {
  const counts = { cuts: 0, starting: 0, resealing: 0, acknowledgements: 0 };
  return { wanted, ...counts, lost: 0, refused: 0, duplicates: 0, broken: [] };
}

function isOver(trial: Trial, tally: Tally): boolean {
  return tally.cuts >= tally.wanted || performance.now() > trial.deadline || trial.signal.aborted;
}

/** One journal through so many cuts, and then the law. */
async function cutInCell(
  trial: Trial,
  tally: Tally,
  random: Random,
  library: string,
  name: string,
): Promise<void> {
  const { imports, signal } = trial;
  const cell = await openCell({ folder: join(trial.folder, name), random, imports, signal });
  try {
    for (let cut = 0; cut < cutsPerCell && !isOver(trial, tally); cut++) {
      // The very first start, and every fifth: nothing is acknowledged, everything is set up.
      if (cut % 5 === 0) await cutStarting(cell, tally, random, library);
      else if (cut % 10 === 7) await cutResealing(cell, tally, random, library);
      else await cutOnce(cell, tally, random, library);
    }
    await settled(cell, tally);
  } finally {
    await cell.close();
  }
}

/** One journal at synchronous=NORMAL: it loses messages, or a start finds that it lost some. */
async function controlInCell(
  trial: Trial,
  control: Tally,
  random: Random,
  library: string,
  name: string,
): Promise<void> {
  const imports = [...trial.imports, preload('relaxed')];
  const { signal } = trial;
  const cell = await openCell({ folder: join(trial.folder, name), random, imports, signal });
  try {
    for (let cut = 0; cut < controlCuts; cut++) await cutOnce(cell, control, random, library, 0);
    await settled(cell, control, controlStillMs);
  } catch (error) {
    if (!(error instanceof NotStarted && error.message.includes('GH-6010'))) throw error;
    control.refused += 1;
  } finally {
    await cell.close();
  }
}

async function settled(cell: Cell, tally: Tally, stillMs?: number): Promise<void> {
  const { broken, found } = await cell.settle(stillMs);
  tally.acknowledgements += cell.senders.acknowledged.size;
  tally.lost += found.lost;
  tally.duplicates += found.duplicates;
  tally.broken.push(...broken);
}

/** @param keeps percent of what was not synced that reaches the disk, in the place of the seed's */
async function cutOnce(
  cell: Cell,
  tally: Tally,
  random: Random,
  library: string,
  keeps?: number,
): Promise<void> {
  // Rare checkpoints leave the most to lose, frequent ones have the most moments to lose it in.
  const imports = keeps === undefined && random() < 0.5 ? [preload('often')] : [];
  const disk = {
    ...cutOf(cell, random),
    ...(keeps !== undefined && { keeps }),
    armed: cell.armed,
  };
  const ending = await cell.live({
    acknowledgements: wholeBetween(random, 50, 600),
    imports,
    env: diskEnvironment(library, disk),
    end: () => cell.arm(),
  });
  if (ending?.signal !== 'SIGKILL') {
    const how = ending ? `ended by itself (${ending.signal ?? ending.code})` : 'was not cut';
    tally.broken.push(`a life that was to be cut at ${disk.at} ${how}`);
    return;
  }
  restored(cell, disk, tally);
}

async function cutStarting(
  cell: Cell,
  tally: Tally,
  random: Random,
  library: string,
): Promise<void> {
  const at = oneOf<DiskOptions['at']>(random, ['write', 'sync', 'synced', 'removed']);
  const nth = wholeBetween(random, 1, at === 'removed' ? 6 : 24);
  const disk = { ...cutOf(cell, random), at, nth };
  const imports = [preload('often')];
  const died = await dieStarting(cell, { imports, env: diskEnvironment(library, disk) });
  // A start that writes less than that was killed once it listened: no cut, so nothing is lost.
  if (!died) return;
  restored(cell, disk, tally);
  tally.starting += 1;
}

/** While all of it is sealed again under a new key. */
async function cutResealing(
  cell: Cell,
  tally: Tally,
  random: Random,
  library: string,
): Promise<void> {
  addKey(filesOf(cell.data).key);
  const disk = { ...cutOf(cell, random), nth: wholeBetween(random, 1, 24) };
  const program = join(import.meta.dirname, '..', 'journal', 'reencrypting.ts');
  const child = spawn(process.execPath, ['--no-warnings', program, cell.data], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...diskEnvironment(library, disk) },
  });
  const late = setTimeout(() => child.kill('SIGTERM'), resealingMs);
  let isDone = false;
  child.stdout.on('data', (said: Buffer) => {
    if (!said.includes('done')) return;
    isDone = true;
    child.kill('SIGKILL');
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(late);
  // It was sealed again with fewer writes than that.
  if (isDone) return;
  if (signal !== 'SIGKILL') {
    tally.broken.push(`sealing again ended with ${signal ?? code}`);
    return;
  }
  restored(cell, disk, tally);
  tally.resealing += 1;
}

function cutOf(cell: Cell, random: Random): DiskOptions & { shadow: string } {
  return {
    data: cell.data,
    shadow: `${cell.data}-disk`,
    at: oneOf<DiskOptions['at']>(random, ['any', 'write', 'sync', 'synced']),
    nth: wholeBetween(random, 1, 12),
    keeps: oneOf(random, [0, 0, 20, 50, 90]),
    seed: wholeBetween(random, 1, 1_000_000),
  };
}

function restored(cell: Cell, { shadow }: { shadow: string }, tally: Tally): void {
  if (!restoreFromDisk(cell.data, shadow)) {
    tally.broken.push('a life was killed, but not by a cut');
    return;
  }
  mkdirSync(cell.data, { recursive: true });
  tally.cuts += 1;
}
