/** What an earlier life left unanswered. */
import { faults } from './faults.ts';
import type { Journal } from './journal/journal.ts';

/**
 * Exchanges of an earlier life that were never answered: their senders are gone, so they are closed
 * with a fault that says so. A repeat of one is a new exchange linked to it.
 * @returns how many there were
 */
export async function closeInterrupted(journal: Journal, now: () => number): Promise<number> {
  let count = 0;
  for (const state of ['received', 'asking', 'mapping'] as const) {
    for (const { id, channel } of await journal.list({ state, limit: 10_000 })) {
      await journal.append(
        id,
        channel,
        [{ kind: 'step', at: now(), note: { event: 'interrupted' } }],
        { state: 'rejected', fault: faults.interrupted.code },
      );
      count++;
    }
  }
  return count;
}
