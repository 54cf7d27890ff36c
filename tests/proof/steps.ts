/**
 * The places in Gatehouse where the proof ends it: named here, reached by `preload/die.ts`, which is
 * loaded into the process under trial. The product has no such places of its own.
 */
import { index, write } from '../../engine/journal/sql.ts';

/** Where in the process it happens. */
export type Place =
  /** A statement of SQLite, by its text; before it runs or after. */
  | { sql: string; when: 'before' | 'after' }
  /** Bytes on a connection: from a sender (`in`) or to a receiver (`out`). */
  | { socket: 'in' | 'out'; when: 'beforeWrite' | 'afterWrite' | 'afterRead' }
  /** In C (`disk.c`): a write to the main file of a database, which only a checkpoint does. */
  | { file: 'journal.sqlite' | 'keys.sqlite'; at: 'write' }
  /** What an earlier life left in its log is in the database, and the log is gone. */
  | { file: 'journal.sqlite-wal' | 'keys.sqlite-wal'; at: 'removed' };

export interface Step {
  name: string;
  place: Place;
  /** It only comes once nothing is received. */
  quiet?: boolean;
}

export const steps: readonly Step[] = [
  { name: 'before the commit', place: { sql: write.commit, when: 'before' } },
  { name: 'in the commit', place: { sql: write.addBlock, when: 'after' } },
  { name: 'after the commit', place: { sql: write.commit, when: 'after' } },
  { name: 'before the acknowledgement', place: { socket: 'in', when: 'beforeWrite' } },
  { name: 'after the acknowledgement', place: { socket: 'in', when: 'afterWrite' } },
  { name: 'before the delivery', place: { socket: 'out', when: 'beforeWrite' } },
  { name: 'after the delivery', place: { socket: 'out', when: 'afterWrite' } },
  { name: 'after its acknowledgement', place: { socket: 'out', when: 'afterRead' } },
  { name: 'in the index', place: { sql: index.putExchange, when: 'after' }, quiet: true },
  { name: 'in the deliveries', place: { sql: index.putOutbound, when: 'after' }, quiet: true },
  { name: 'in retention', place: { sql: write.dropBlock, when: 'after' } },
  { name: 'in a checkpoint', place: { file: 'journal.sqlite', at: 'write' } },
  {
    name: "in the index's checkpoint",
    place: { file: 'keys.sqlite', at: 'write' },
    quiet: true,
  },
];

/** Those a start comes by, where an earlier life left something to do. */
export const startSteps: readonly [Step, ...Step[]] = [
  { name: 'once the log is taken up', place: { file: 'journal.sqlite-wal', at: 'removed' } },
  { name: "once the index's log is taken up", place: { file: 'keys.sqlite-wal', at: 'removed' } },
  ...steps.filter(({ name }) => /index|deliveries|checkpoint/.test(name)),
];

/** The step with a name. @throws RangeError where there is none */
export function stepNamed(name: string): Step {
  const step = steps.find((one) => one.name === name);
  if (step === undefined) throw new RangeError(`there is no step "${name}"`);
  return step;
}
