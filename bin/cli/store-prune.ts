/** `gatehouse store prune`: old exchanges deleted for good, by a running engine or without one. */
import { silent } from '../../engine/events.ts';
import { isHeld } from '../../engine/journal/database.ts';
import type { Forgotten } from '../../engine/journal/deletion.ts';
import { type PrunePlan, type PrunedState, planPrune } from '../../engine/journal/pruning.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { type PruneStep, pruneStep } from '../../engine/prune.ts';
import { microseconds } from '../../engine/microseconds.ts';
import { amount } from '../../engine/watch/words.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { type Form, printListing } from './form.ts';
import { type JournalOptions, journalFolder, since } from './journals.ts';
import { CommandError, say } from './output.ts';
import { confirm, whoAsks } from './person.ts';
import { withProgress } from './progress.ts';
import { time } from './times.ts';

interface PruneOptions extends JournalOptions {
  olderThan: string;
  channel?: string[];
  state?: PrunedState;
  keepErrors?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  reason?: string;
  output: Form;
}

type Take = (step: PruneStep) => Promise<Forgotten>;

/** Prune. What is parked stays unless it is asked for; what is owed to a destination always does. */
export async function prune(options: PruneOptions): Promise<number> {
  const { keyFile, state, keepErrors, dryRun = false, output, channel: channels } = options;
  const folder = journalFolder(options);
  if (keepErrors && state !== undefined && state !== 'answered') {
    throw new CommandError(
      `--keep-errors keeps what --state ${state} names`,
      'leave one of them out',
    );
  }
  const before = since(options.olderThan);
  const what = { channels, before, state, keepErrors };
  let { plans, complete } = planPrune(folder, what, { keyFile });
  if (!complete && (await isIndexed(folder, options))) {
    ({ plans, complete } = planPrune(folder, what, { keyFile }));
  }
  const unknown = channels?.filter((name) => !plans.some(({ channel }) => channel === name)) ?? [];
  if (unknown.length > 0) {
    const next = 'gatehouse store stats lists the channels of the journal';
    throw new CommandError(
      `the journal has no channel ${unknown.join(', ')}`,
      next,
      exits.notFound,
    );
  }
  const wanted = plans.filter(({ exchanges }) => exchanges > 0);
  const total = wanted.reduce((sum, { exchanges }) => sum + exchanges, 0);
  const stored = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  const summary = `${total} exchanges from before ${time(before)}, about ${amount(stored)}`;
  if (dryRun || total === 0) {
    show(output, { dryRun, before, plans });
    if (!complete) say('there are more: the journal is not indexed to its end');
    say(total === 0 ? 'nothing to delete' : `${summary}, would be deleted for good`);
    return exits.ok;
  }
  await confirm(`${summary}, are deleted for good.`, options.yes);
  const deleted = new Map<string, number>();
  const { take, close } = await wayTo(folder, options);
  try {
    await withProgress({ doing: 'pruning', unit: 'exchanges', total }, async ({ step }) => {
      for (const { channel, steps } of wanted) {
        for (const [at, until] of steps.entries()) {
          const begins = { until: before, by: whoAsks(), reason: options.reason };
          const first = at === 0 && { begins };
          const told = await take({ channel, before: until, state, keepErrors, ...first });
          deleted.set(channel, (deleted.get(channel) ?? 0) + told.exchanges);
          await step(told.exchanges);
        }
      }
    });
  } finally {
    await close();
  }
  show(output, { dryRun, before, plans: wanted, deleted });
  return exits.ok;
}

/** Have the journal indexed to its end. @returns false where that would change what may not be */
async function isIndexed(folder: string, options: PruneOptions): Promise<boolean> {
  if (isHeld(folder)) await runningEngine(options).get('/v1/status');
  else if (options.dryRun) return false;
  else await (await wayTo(folder, options)).close();
  return true;
}

/** Through the engine that runs on the journal, or by opening it. */
async function wayTo(
  folder: string,
  options: PruneOptions,
): Promise<{ take: Take; close(): Promise<void> }> {
  if (isHeld(folder)) {
    const engine = runningEngine(options);
    return { take: (step) => engine.post('/v1/store/prune', step), close: async () => {} };
  }
  const key = options.keyFile === undefined ? undefined : { file: options.keyFile };
  const journal = await openJournal({ folder, key, emit: silent });
  return {
    take: (step) => pruneStep({ journal, now: microseconds }, step),
    close: () => journal.close(),
  };
}

interface Shown {
  dryRun: boolean;
  before: number;
  plans: PrunePlan[];
  /** By channel, once it is done. */
  deleted?: ReadonlyMap<string, number>;
}

function show(output: Form, { dryRun, before, plans, deleted }: Shown): void {
  printListing(output, {
    kind: 'storePrune',
    key: 'channels',
    rows: plans.map(({ channel, exchanges, stay, bytes }) => ({
      channel,
      exchanges: deleted?.get(channel) ?? exchanges,
      stay,
      bytes,
    })),
    columns: [
      { title: 'CHANNEL', cell: ({ channel }) => channel },
      { title: deleted ? 'DELETED' : 'EXCHANGES', cell: ({ exchanges }) => exchanges },
      { title: 'STORED', cell: ({ bytes }) => amount(bytes) },
      { title: 'AS OLD AND STAY', cell: ({ stay }) => stay },
    ],
    beside: { dryRun, before: time(before) },
  });
}
