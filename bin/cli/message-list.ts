/** `gatehouse message list`: exchanges, newest first. */
import { faultByCode } from '../../engine/faults.ts';
import { type ExchangeSummary, exchangeName } from '../../engine/journal/journal.ts';
import { exits } from './exits.ts';
import { type Column, type Form, printListing } from './form.ts';
import { type JournalOptions, withJournal } from './journals.ts';
import { say } from './output.ts';
import { type SelectionOptions, filterOf } from './selection.ts';
import { time } from './times.ts';
import { atMost } from './values.ts';

export interface ListOptions extends JournalOptions, SelectionOptions {
  limit: string;
  output: Form;
}

/** List exchanges. */
export async function list(options: ListOptions): Promise<number> {
  const most = atMost(options.limit);
  const filter = { ...filterOf(options), limit: most + 1 };
  const more = await withJournal(options, (journal) => journal.list(filter));
  const found = more.slice(0, most);
  printListing(options.output, {
    kind: 'exchanges',
    key: 'exchanges',
    rows: found.map(summary),
    columns,
  });
  if (found.length === 0) say('no exchange fits');
  if (more.length > most) say(`only the newest ${most}; --limit gives more`);
  return exits.ok;
}

/** An exchange as machines are told of it. Field by field: what is stored of it holds patient data. */
export function summary(e: ExchangeSummary) {
  const { channel, state, delivery, sender, controlId, type, practice, fault } = e;
  return {
    id: exchangeName(e.id),
    at: time(e.id),
    ...{ channel, state, delivery, sender, controlId, type, practice, fault },
    repeatOf: e.repeatOf === null ? null : exchangeName(e.repeatOf),
    tookMs: e.took / 1000,
  };
}

const columns: Column<ReturnType<typeof summary>>[] = [
  { title: 'ID', cell: (e) => e.id },
  { title: 'TIME', cell: (e) => e.at },
  { title: 'CHANNEL', cell: (e) => e.channel },
  { title: 'TYPE', cell: (e) => e.type },
  { title: 'STATE', cell: (e) => e.state },
  { title: 'DELIVERY', cell: (e) => e.delivery },
  { title: 'MS', cell: (e) => e.tookMs.toFixed(1) },
  { title: 'FAULT', cell: (e) => e.fault && `${e.fault} ${faultByCode(e.fault)?.name ?? ''}` },
  { title: 'SENDER', cell: (e) => e.sender, wide: true },
  { title: 'CONTROL ID', cell: (e) => e.controlId, wide: true },
  { title: 'PRACTICE', cell: (e) => e.practice, wide: true },
  { title: 'REPEAT OF', cell: (e) => e.repeatOf, wide: true },
];
