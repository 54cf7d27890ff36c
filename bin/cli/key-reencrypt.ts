/** `gatehouse key reencrypt`: what lies under older keys, sealed again under the current one. */
import { silent } from '../../engine/events.ts';
import { isHeld } from '../../engine/journal/database.ts';
import { type KeyUse, keyUse } from '../../engine/journal/key-use.ts';
import type { Reencrypted } from '../../engine/journal/rekey.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { microseconds } from '../../engine/microseconds.ts';
import { type ReencryptStep, reencryptStep } from '../../engine/reencrypt.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { printOne } from './form.ts';
import { journalFolder } from './journals.ts';
import type { ChangeOptions } from './key-options.ts';
import { CommandError, print, say } from './output.ts';
import { confirm, whoAsks } from './person.ts';
import { withProgress } from './progress.ts';

/** Re-encrypt the journal; on the next call it goes on where it was interrupted. */
export async function reencrypt(options: ChangeOptions): Promise<number> {
  const folder = journalFolder(options);
  const uses = await usesOf(folder, options);
  const toDo = blocksToDo(uses);
  const needed = uses.some(({ current, exchanges }) => !current && exchanges);
  if (toDo === 0 && !needed) {
    printOne(options.output, 'reencrypted', { dryRun: false, blocks: 0, left: 0 }, () =>
      print('nothing lies under an older key'),
    );
    return exits.ok;
  }
  if (options.dryRun) {
    printOne(options.output, 'reencrypted', { dryRun: true, blocks: 0, left: toDo }, () =>
      print(`under older keys: ${amount(toDo)} blocks`),
    );
    say('nothing was changed; without --dry-run they are sealed again, while messages come in');
    return exits.ok;
  }
  await confirm(
    `${amount(toDo)} blocks are to be sealed again under the current key.`,
    options.yes,
  );
  return reencryptAll(folder, uses, options, (done) =>
    printOne(options.output, 'reencrypted', { dryRun: false, ...done }, () =>
      print(resealed(done.blocks)),
    ),
  );
}

export const resealed = (blocks: number): string =>
  `sealed again under the current key: ${amount(blocks)} blocks`;

/** Count what needs each key, with progress. */
export const usesOf = (folder: string, { keyFile }: Pick<ChangeOptions, 'keyFile'>) =>
  withProgress({ doing: 'counting', unit: 'blocks', afterwards: 'call it again' }, ({ step }) =>
    keyUse(folder, { keyFile, step }),
  );

const blocksToDo = (uses: readonly KeyUse[]): number =>
  uses.reduce((sum, { current, blocks }) => sum + (current ? 0 : blocks), 0);

/**
 * Seal again all that lies under older keys.
 * @param uses what `usesOf` counted
 * @param tell called once it is done, with how many blocks were, and how many could not be
 */
export async function reencryptAll(
  folder: string,
  uses: readonly KeyUse[],
  options: ChangeOptions,
  tell: (done: { blocks: number; left: number }) => void,
): Promise<number> {
  const total = uses.reduce((sum, { blocks }) => sum + blocks, 0);
  const { take, close } = await wayTo(folder, options);
  let blocks = 0;
  let damaged = 0;
  try {
    const task = {
      doing: 're-encrypting',
      unit: 'blocks',
      total,
      afterwards: 'gatehouse key reencrypt goes on where it ended',
    };
    await withProgress(task, async ({ step }) => {
      const person = { by: whoAsks(), reason: options.reason };
      for (let after = 0, begins: ReencryptStep['begins'] | undefined = person; ;) {
        const done = await take({ after, begins });
        blocks += done.resealed;
        damaged = done.damaged;
        after = done.last;
        begins = undefined;
        if (after === 0) return;
        await step(done.blocks);
      }
    });
  } finally {
    await close();
  }
  tell({ blocks, left: damaged });
  if (damaged === 0) {
    say('"gatehouse key list" says whether something still needs an older key');
    return exits.ok;
  }
  throw new CommandError(
    `${amount(damaged)} blocks do not open and stay under an older key, which must be kept`,
    'gatehouse store verify',
    exits.partly,
  );
}

type Take = (step: ReencryptStep) => Promise<Reencrypted>;

/** Through the engine that runs on the journal, or by opening it. */
async function wayTo(
  folder: string,
  options: ChangeOptions,
): Promise<{ take: Take; close(): Promise<void> }> {
  if (isHeld(folder)) {
    const engine = runningEngine(options);
    return { take: (step) => engine.post('/v1/key/reencrypt', step), close: async () => {} };
  }
  const key = options.keyFile === undefined ? undefined : { file: options.keyFile };
  const journal = await openJournal({ folder, key, emit: silent });
  const [first] = await journal.stored();
  return {
    async take(step) {
      const on = { journal, now: microseconds, channel: first?.channel ?? '' };
      const done = await reencryptStep(on, step);
      if (done) return done;
      throw new CommandError('the keys were changed meanwhile', 'gatehouse key reencrypt');
    },
    close: () => journal.close(),
  };
}

const amount = (n: number): string => n.toLocaleString('en-GB');
