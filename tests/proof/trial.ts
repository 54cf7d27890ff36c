/** Runs parts one after the other, each with a folder, a seed and a time of its own. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { journalFolder } from '../../bench/disk.ts';
import { type Outcome, type Part, type Trial, randomFrom } from './part.ts';

/** What is to be run. */
export interface Plan {
  parts: readonly Part[];
  seed: number;
  /** How much of a full run: from 0 to 1. */
  share: number;
  /** A folder on a disk. */
  folder: string;
  imports: readonly string[];
  tell(text: string): void;
}

/** What came of one part. */
export interface Result extends Outcome {
  part: string;
  law: string;
  holds: boolean;
  seconds: number;
}

/** A new folder on a disk, removed when the process ends. @param chosen where to make it */
export function proofFolder(chosen?: string): string {
  const folder = journalFolder(chosen);
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  return folder;
}

/** Run the parts of a plan, in their order. */
export async function runParts(plan: Plan): Promise<Result[]> {
  const results: Result[] = [];
  let deadline = performance.now();
  for (const part of plan.parts) {
    plan.tell(`${part.name} …`);
    const ms = part.minutes * plan.share * 60_000;
    // What a part leaves of its time, the next ones may have.
    deadline = Math.max(deadline + ms, performance.now() + ms);
    const result = await runPart(part, plan, deadline);
    for (const sentence of result.broken) plan.tell(`  BROKEN: ${sentence}`);
    results.push(result);
  }
  return results;
}

async function runPart(part: Part, plan: Plan, deadline: number): Promise<Result> {
  const { seed, share, imports } = plan;
  const began = performance.now();
  const ms = deadline - began;
  const folder = join(plan.folder, part.name);
  mkdirSync(folder, { recursive: true });
  const ending = new AbortController();
  const trial: Trial = {
    seed,
    random: randomFrom(seed, part.name),
    count: (full) => Math.max(1, Math.round(full * share)),
    lasting: (fullMs) => fullMs * share,
    deadline,
    signal: ending.signal,
    folder,
    imports,
    tell: (text) => plan.tell(`  ${text}`),
  };
  const outcome = await endedBy(part.run(trial), ms * 1.2 + 30_000, ending);
  rmSync(folder, { recursive: true, force: true });
  const seconds = (performance.now() - began) / 1000;
  const { name, law } = part;
  return { part: name, law, holds: outcome.broken.length === 0, seconds, ...outcome };
}

/** What a part comes to; one that throws, or does not end in time, broke its law. */
async function endedBy(
  running: Promise<Outcome>,
  ms: number,
  ending: AbortController,
): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it did not end in the time it had')), ms);
  });
  try {
    return await Promise.race([running, late]);
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { tried: {}, found: {}, broken: [`it could not be tried to its end: ${why}`] };
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}
