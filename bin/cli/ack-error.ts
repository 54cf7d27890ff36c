/** `gatehouse message ack-error`: dead letters that somebody has dealt with are closed. */
import type { ClosedRow } from '../../engine/control/ack-error.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { faultNamed } from './fault-code.ts';
import { type Form, isForPeople, printListing } from './form.ts';
import { CommandError, say } from './output.ts';
import { confirm, whoAsks } from './person.ts';

interface AckOptions {
  data: string;
  output: Form;
  fault?: string;
  channel?: string;
  to?: string;
  dryRun?: boolean;
  yes?: boolean;
  reason: string;
}

interface Answer {
  rows: ClosedRow[];
  /** There is more with this cause than one call closes. */
  more: boolean;
}

/**
 * Close dead letters, by their ids or by their cause; where a person is asked, they see them first.
 * @returns 5 where some, and 1 where all of them were not closed; 6 where a dry run finds such
 */
export async function ackError(ids: string[], options: AckOptions): Promise<number> {
  const { channel, to, reason, dryRun = false, yes = false } = options;
  const fault = options.fault === undefined ? undefined : faultNamed(options.fault);
  if (ids.length > 0 && (fault ?? channel) !== undefined) {
    throw new CommandError('messages and a cause are named', 'name one or the other');
  }
  const engine = runningEngine(options);
  const ask = (dry: boolean) =>
    engine.post<Answer>('/v1/ack-error', {
      ...{ ids, fault, channel, to, reason, dryRun: dry, by: whoAsks() },
    });
  let shown = await ask(dryRun || !yes);
  const ready = shown.rows.filter(({ outcome }) => outcome === 'ready').length;
  if (!dryRun && !yes && ready > 0) {
    if (isForPeople(options.output)) tell(shown, options.output);
    await confirm(`${ready} dead letter${ready === 1 ? ' is' : 's are'} to be closed.`, yes);
    shown = await ask(false);
  }
  tell(shown, options.output);
  const good = shown.rows.filter(({ outcome }) => outcome !== 'refused').length;
  if (good > 0) say(dryRun ? `${good} would be closed` : `${good} closed`);
  if (shown.more) say('there is more with this cause: call it again');
  if (good === shown.rows.length) return exits.ok;
  if (dryRun) return exits.findings;
  return good > 0 ? exits.partly : exits.failed;
}

function tell({ rows, more }: Answer, output: Form): void {
  printListing(output, {
    kind: 'deadLettersClosed',
    key: 'rows',
    rows,
    columns: [
      { title: 'ID', cell: (row) => row.id },
      { title: 'KIND', cell: (row) => row.kind },
      { title: 'WHERE', cell: (row) => row.where },
      { title: 'FAULT', cell: (row) => row.fault },
      { title: 'OUTCOME', cell: (row) => row.outcome },
      { title: 'WHY', cell: (row) => row.why },
    ],
    beside: { more },
  });
}
