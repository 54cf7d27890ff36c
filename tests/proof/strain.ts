/** Part four: what Gatehouse stands on gives way, and comes back. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cell, openCell } from './cell.ts';
import { buildDisk } from './disk.ts';
import { type Figures, type Outcome, type Part, type Trial } from './part.ts';
import { randomFrom, tooFew } from './part.ts';
import { strains } from './strains.ts';

export const strain: Part = {
  name: 'strain',
  law: 'on a full or failing disk, with a locked journal, a clock that is set, no file descriptors left or a slow receiver a message is refused or waits and nothing is acknowledged that is not safe; everything recovers without help',
  minutes: 2,
  suite: 'proof',
  run: strained,
};

async function strained(trial: Trial): Promise<Outcome> {
  const library = buildDisk(trial.folder);
  const found: Record<string, number> = { lost: 0, 'delivered more than once': 0 };
  const broken: string[] = [];
  let acknowledgements = 0;
  let tried = 0;
  for (const { name, act } of strains) {
    if (trial.signal.aborted) break;
    const { seed, imports, signal } = trial;
    const folder = join(trial.folder, name.replaceAll(' ', '-'));
    const random = randomFrom(seed, `strain ${name}`);
    const cell = await openCell({ folder, random, imports, signal });
    try {
      const complaints = await act({ cell, random, library, ...aSwitch(folder) });
      const judged = await cell.settle();
      broken.push(...[...complaints, ...judged.broken].map((sentence) => `${name}: ${sentence}`));
      found.lost = (found.lost ?? 0) + judged.found.lost;
      found['delivered more than once'] =
        (found['delivered more than once'] ?? 0) + judged.found.duplicates;
      acknowledgements += cell.senders.acknowledged.size;
      tried += 1;
      trial.tell(`${name}: ${cell.senders.acknowledged.size} acknowledgements, ${refusals(cell)}`);
    } finally {
      await cell.close();
    }
  }
  const figures: Figures = { strains: tried, acknowledgements };
  broken.push(...tooFew('strains', tried, strains.length));
  return { tried: figures, found, broken };
}

/** A file that is there while something is out of order. */
function aSwitch(folder: string) {
  const file = join(folder, 'switch');
  return {
    file,
    on: () => writeFileSync(file, ''),
    off: () => rmSync(file, { force: true }),
  };
}

function refusals({ senders }: Cell): string {
  const all = [...senders.refused].map(([code, times]) => `${times} ${code}`);
  return all.length === 0 ? 'none refused' : `refused with ${all.join(', ')}`;
}
