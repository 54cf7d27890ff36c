/** Deleting what a person says: in steps, each recorded before it is begun, each whole. */
import { operatorEntry } from './control/operator.ts';
import type { Forgotten, Retention } from './journal/deletion.ts';
import type { Journal } from './journal/journal.ts';
import { type PrunedState, isRemovable, limitsOf } from './journal/pruning.ts';

/** One step of a deletion. */
export interface PruneStep {
  channel: string;
  /** Microseconds since 1970, exclusive. */
  before: number;
  state?: PrunedState;
  keepErrors?: boolean;
  /** The first step of a channel records it: what is wanted in the end, by whom and why. */
  begins?: { until: number; by: string; reason?: string };
}

/**
 * Take one step.
 * @throws FaultError of the 6xxx rows: what cannot be recorded is not done
 */
export async function pruneStep(
  { journal, now }: { journal: Journal & Retention; now(): number },
  step: PruneStep,
): Promise<Forgotten> {
  const { channel, before, state, keepErrors, begins } = step;
  if (begins) {
    const { until, by, reason } = begins;
    const what = [
      state ?? 'all',
      `before ${new Date(until / 1000).toISOString()}`,
      ...(keepErrors ? ['but errors'] : []),
    ];
    const exchange = journal.mint();
    const entry = operatorEntry(now(), { act: 'prune', by, reason, what: what.join(' ') });
    const keys = { type: 'operator', state: 'answered' } as const;
    await journal.append(exchange, channel, [entry], keys);
  }
  return isRemovable(state)
    ? journal.remove(channel, before, state)
    : journal.forget(channel, before, limitsOf({ state, keepErrors }));
}
