/** Runs the proof against bugs planted on purpose: each must be caught. */
import { kill } from './kill.ts';
import { type Bug, bugs } from './planted/bugs.ts';
import type { Plan, Result } from './trial.ts';
import { runParts } from './trial.ts';

/** How much of all its kills a bug survives at most; the time for them is generous. */
const share = 0.03;
const minutes = 60;

/** @returns one result a bug, which holds where the law was found broken by it, and as expected */
export async function plantedBugs(plan: Plan): Promise<Result[]> {
  const results: Result[] = [];
  for (const bug of bugs) {
    plan.tell(`planted: ${bug.name}`);
    const imports = [moduleOf(bug)];
    const [result] = await runParts({ ...plan, parts: [{ ...kill, minutes }], share, imports });
    if (result) results.push(judged(bug, result));
  }
  return results;
}

/** Each bug is a module of its own: the address says which. */
function moduleOf({ name }: Bug): string {
  const url = new URL('./preload/planted.ts', import.meta.url);
  url.searchParams.set('bug', name);
  return url.href;
}

function judged(bug: Bug, { tried, seconds, broken }: Result): Result {
  const sentence = broken.find((one) => bug.shows.test(one));
  const law = `an engine that ${bug.name} is found out`;
  const result = { part: 'planted', law, seconds, tried };
  if (sentence !== undefined)
    return { ...result, holds: true, found: { '': sentence }, broken: [] };
  const instead = broken.length === 0 ? 'nothing was found' : `found instead: ${broken.join('; ')}`;
  return { ...result, holds: false, found: {}, broken: [instead] };
}
