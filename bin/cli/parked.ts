/**
 * Dead letters: deliveries that failed for good, and bytes that were no message. By their cause, so
 * that fifty messages with one reason are one line; or one by one.
 */
import { readFileSync } from 'node:fs';
import { faultByCode } from '../../engine/faults.ts';
import { type Journal, exchangeName } from '../../engine/journal/journal.ts';
import { exits } from './exits.ts';
import { type JournalOptions, since, withJournal } from './journals.ts';
import { type Form, printListing } from './form.ts';
import { say } from './output.ts';
import { age, time } from './times.ts';
import { whole } from './values.ts';

interface ParkedOptions extends JournalOptions {
  by?: 'cause' | 'message';
  channel?: string;
  to?: string;
  fault?: string;
  controlId?: string;
  nhs?: string;
  since?: string;
  limit: string;
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
}

/** More than anybody parks. */
const all = 1_000_000;

/** List dead letters. */
export async function parked(options: ParkedOptions): Promise<number> {
  const { by = 'cause' } = options;
  return withJournal(options, async (journal) => {
    const found = await deadLetters(journal, options);
    if (by === 'cause') showCauses(found, options.output);
    else await showEach(journal, found.slice(0, whole(options.limit)), options.output);
    if (found.length === 0) say('nothing is parked');
    return exits.ok;
  });
}

/** Newest first. */
async function deadLetters(journal: Journal, options: ParkedOptions): Promise<DeadLetter[]> {
  const { channel, to, controlId } = options;
  const fault = options.fault?.toUpperCase();
  const from = options.since === undefined ? undefined : since(options.since);
  // A number given as "-" comes from stdin, so that it stays out of the shell's history.
  const patient = options.nhs === '-' ? readFileSync(0, 'utf8').trim() : options.nhs;
  const filter = { channel, controlId, patient, since: from, limit: all };
  const outbound = await journal.outbound({ states: ['parked'], fault, to, limit: all });
  const wanted =
    controlId === undefined && patient === undefined
      ? undefined
      : new Set((await journal.list(filter)).map(({ id }) => id));
  const deliveries = outbound
    .filter((one) => channel === undefined || one.to.startsWith(`${channel}/`))
    .filter(({ exchange }) => exchange >= (from ?? 0) && (wanted?.has(exchange) ?? true))
    .map((one): DeadLetter => {
      const { exchange, attempts } = one;
      return { exchange, kind: 'delivery', where: one.to, fault: one.fault, attempts };
    });
  const broken = to === undefined ? await journal.list({ ...filter, state: 'parked', fault }) : [];
  const frames = broken.map((one): DeadLetter => {
    return {
      exchange: one.id,
      kind: 'frame',
      where: one.channel,
      fault: one.fault,
      attempts: null,
    };
  });
  return [...deliveries, ...frames].sort((a, b) => b.exchange - a.exchange);
}

function showCauses(found: DeadLetter[], output: Form): void {
  const groups = Map.groupBy(found, ({ kind, where, fault }) => `${kind} ${where} ${fault}`);
  const causes = [...groups.values()].map((letters) => {
    const { kind, where, fault } = letters[0] as DeadLetter;
    const oldest = time(
      letters.reduce((least, { exchange }) => Math.min(least, exchange), Infinity),
    );
    const says = (fault && faultByCode(fault)?.says) ?? '';
    return { fault, kind, where, count: letters.length, oldest, says, next: nextFor(letters) };
  });
  printListing(output, {
    kind: 'deadLetterCauses',
    key: 'causes',
    rows: causes,
    columns: [
      { title: 'FAULT', cell: ({ fault }) => fault },
      { title: 'WHERE', cell: ({ where }) => where },
      { title: 'COUNT', cell: ({ count }) => count },
      { title: 'OLDEST', cell: ({ oldest }) => age(Date.parse(oldest) * 1000) },
      { title: 'SAYS', cell: ({ says }) => says },
      { title: 'NEXT', cell: ({ next }) => next },
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

const named = (fault: string): string => `${fault} ${faultByCode(fault)?.name ?? ''}`;

async function showEach(journal: Journal, found: DeadLetter[], output: Form): Promise<void> {
  const rows = [];
  for (const { exchange, kind, where, fault, attempts } of found) {
    const [summary] = await journal.list({ since: exchange, until: exchange, limit: 1 });
    const { type = null, controlId = null } = summary ?? {};
    const id = exchangeName(exchange);
    rows.push({ id, at: time(exchange), kind, where, type, controlId, attempts, fault });
  }
  printListing(output, {
    kind: 'deadLetters',
    key: 'deadLetters',
    rows,
    columns: [
      { title: 'ID', cell: ({ id }) => id },
      { title: 'TIME', cell: ({ at }) => at },
      { title: 'KIND', cell: ({ kind }) => kind },
      { title: 'WHERE', cell: ({ where }) => where },
      { title: 'TYPE', cell: ({ type }) => type },
      { title: 'ATTEMPTS', cell: ({ attempts }) => attempts },
      { title: 'FAULT', cell: ({ fault }) => fault && named(fault) },
      { title: 'CONTROL ID', cell: ({ controlId }) => controlId, wide: true },
    ],
  });
}
