/**
 * Dead letters: deliveries that failed for good, and bytes that were no message. By their cause, so
 * that fifty messages with one reason are one line; or one by one.
 */
import { faultByCode } from '../../engine/faults.ts';
import { type Journal, exchangeName } from '../../engine/journal/journal.ts';
import { exits } from './exits.ts';
import { faultNamed } from './fault-code.ts';
import { type Form, printListing } from './form.ts';
import { type JournalOptions, withJournal } from './journals.ts';
import { say } from './output.ts';
import { type SelectionOptions, filterOf } from './selection.ts';
import { age, time } from './times.ts';
import { atMost } from './values.ts';

interface ParkedOptions extends JournalOptions, SelectionOptions {
  by?: 'cause' | 'message';
  to?: string;
  limit: string;
  /** Those that were closed, too. */
  all?: boolean;
  output: Form;
}

interface DeadLetter {
  /** When it was received: the exchange. */
  exchange: number;
  kind: 'delivery' | 'frame';
  /** The destination it was for, or the channel that took the bytes. */
  where: string;
  fault: string | null;
  attempts: number | null;
  /** Somebody has dealt with it. */
  isClosed: boolean;
}

/** More than anybody parks. */
const most = 1_000_000;

/** List dead letters. */
export async function parked(options: ParkedOptions): Promise<number> {
  const { by = 'cause' } = options;
  const limit = atMost(options.limit);
  return withJournal(options, async (journal) => {
    const found = await deadLetters(journal, options);
    if (by === 'cause') showCauses(found, options.output);
    else await showEach(journal, found.slice(0, limit), options.output);
    if (found.length === 0) say('nothing is parked');
    if (by !== 'cause' && found.length > limit) say(`only the newest ${limit}; --limit gives more`);
    return exits.ok;
  });
}

/** Newest first. */
async function deadLetters(journal: Journal, options: ParkedOptions): Promise<DeadLetter[]> {
  const { to } = options;
  const filter = { ...filterOf(options), state: undefined, fault: undefined, limit: most };
  const { channel, since = 0, until = Infinity } = filter;
  const fault = options.fault === undefined ? undefined : faultNamed(options.fault);
  const states = options.all ? (['parked', 'closed'] as const) : (['parked'] as const);
  const outbound = await journal.outbound({ states, fault, to, after: since - 1, limit: most });
  const { controlId, patient, practice, sender, type } = filter;
  const isByKey = [controlId, patient, practice, sender, type].some((key) => key !== undefined);
  const wanted = isByKey ? new Set((await journal.list(filter)).map(({ id }) => id)) : undefined;
  const deliveries = outbound
    .filter((one) => channel === undefined || one.to.startsWith(`${channel}/`))
    .filter(({ exchange }) => exchange <= until && (wanted?.has(exchange) ?? true))
    .map(({ exchange, attempts, to: where, state, ...one }): DeadLetter => {
      const isClosed = state === 'closed';
      return { exchange, kind: 'delivery', where, fault: one.fault, attempts, isClosed };
    });
  const frames: DeadLetter[] = [];
  for (const state of to === undefined ? states : []) {
    for (const one of await journal.list({ ...filter, state, fault })) {
      const { id: exchange, channel: where } = one;
      const isClosed = state === 'closed';
      frames.push({ exchange, kind: 'frame', where, fault: one.fault, attempts: null, isClosed });
    }
  }
  return [...deliveries, ...frames].sort((a, b) => b.exchange - a.exchange);
}

function showCauses(found: DeadLetter[], output: Form): void {
  const groups = Map.groupBy(
    found,
    (one) => `${one.kind} ${one.where} ${one.fault} ${one.isClosed}`,
  );
  const causes = [...groups.values()].map((letters) => {
    const { kind, where, fault, isClosed } = letters[0] as DeadLetter;
    const oldest = letters.reduce((least, { exchange }) => Math.min(least, exchange), Infinity);
    const says = (fault && faultByCode(fault)?.says) ?? '';
    const next = isClosed ? '' : nextFor(letters);
    const state = isClosed ? 'closed' : 'parked';
    return { fault, kind, where, state, count: letters.length, oldest: time(oldest), says, next };
  });
  printListing(output, {
    kind: 'deadLetterCauses',
    key: 'causes',
    rows: causes,
    columns: [
      { title: 'FAULT', cell: (one) => one.fault },
      { title: 'WHERE', cell: (one) => one.where },
      { title: 'COUNT', cell: (one) => one.count },
      { title: 'OLDEST', cell: (one) => age(Date.parse(one.oldest) * 1000) },
      { title: 'STATE', cell: (one) => one.state, wide: true },
      {
        title: 'SAYS',
        cell: (one) => (one.state === 'closed' ? `(closed) ${one.says}` : one.says),
      },
      { title: 'NEXT', cell: (one) => one.next },
    ],
  });
}

/** The one command that leads on from a cause. */
function nextFor([one]: DeadLetter[]): string {
  const { kind, where, fault } = one as DeadLetter;
  const cause = fault === null ? '' : ` --fault ${fault}`;
  return kind === 'delivery'
    ? `gatehouse message replay${cause} --to ${where} --dry-run`
    : `gatehouse message list --state parked --by message --channel ${where}${cause}`;
}

async function showEach(journal: Journal, found: DeadLetter[], output: Form): Promise<void> {
  const rows = [];
  for (const { exchange, kind, where, fault, attempts, isClosed } of found) {
    const [summary] = await journal.list({ since: exchange, until: exchange, limit: 1 });
    const { type = null, controlId = null } = summary ?? {};
    const id = exchangeName(exchange);
    const state = isClosed ? 'closed' : 'parked';
    rows.push({ id, at: time(exchange), kind, where, state, type, controlId, attempts, fault });
  }
  printListing(output, {
    kind: 'deadLetters',
    key: 'deadLetters',
    rows,
    columns: [
      { title: 'ID', cell: (row) => row.id },
      { title: 'TIME', cell: (row) => row.at },
      { title: 'KIND', cell: (row) => row.kind },
      { title: 'WHERE', cell: (row) => row.where },
      { title: 'STATE', cell: (row) => row.state, wide: true },
      { title: 'TYPE', cell: (row) => row.type },
      { title: 'ATTEMPTS', cell: (row) => row.attempts },
      {
        title: 'FAULT',
        cell: ({ fault }) => fault && `${fault} ${faultByCode(fault)?.name ?? ''}`,
      },
    ],
  });
}
