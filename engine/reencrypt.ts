/** Re-encrypting the journal as a person says: in steps, recorded before the first. */
import { operatorEntry } from './control/operator.ts';
import type { Journal } from './journal/journal.ts';
import type { Reencrypted, Rekeying } from './journal/rekey.ts';

/** One step of it. */
export interface ReencryptStep {
  /** 0 to begin, then `last` of the step before. */
  after: number;
  /** By whom and why: with the first step. */
  begins?: { by: string; reason?: string };
}

/**
 * Take one step.
 * @returns undefined where it has to be begun anew
 * @throws FaultError of the 6xxx rows: what cannot be recorded is not done
 */
export async function reencryptStep(
  { journal, now, channel }: { journal: Journal & Rekeying; now(): number; channel: string },
  { after, begins }: ReencryptStep,
): Promise<Reencrypted | undefined> {
  if (begins) {
    const entry = operatorEntry(now(), { act: 'key-reencrypt', ...begins });
    const keys = { type: 'operator', state: 'answered' } as const;
    await journal.append(journal.mint(), channel, [entry], keys);
  }
  return journal.reencrypt(after);
}
