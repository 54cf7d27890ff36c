/** `gatehouse store stats`: what the journal holds, and what it takes up. */
import {
  type ChannelStatistics,
  type Statistics,
  statisticsOf,
} from '../../engine/journal/statistics.ts';
import { amount } from '../../engine/watch/words.ts';
import { exits } from './exits.ts';
import { type Form, isForPeople, printListing } from './form.ts';
import { type JournalOptions, journalFolder } from './journals.ts';
import { print, printTable } from './output.ts';
import { age, time } from './times.ts';

/** Tell. Counts nothing anew, so it takes no longer with ten million messages than with ten. */
export function stats(options: JournalOptions & { output: Form }): number {
  const { keyFile, output } = options;
  const { channels, ...told } = statisticsOf(journalFolder(options), { keyFile });
  printListing(output, {
    kind: 'storeStats',
    key: 'channels',
    rows: channels.map((one) => ({
      ...one,
      oldest: one.oldest === null ? null : time(one.oldest),
      newest: one.newest === null ? null : time(one.newest),
    })),
    columns: [
      { title: 'CHANNEL', cell: ({ channel }) => channel },
      { title: 'EXCHANGES', cell: ({ exchanges }) => exchanges },
      { title: 'ANSWERED', cell: ({ states }) => states.answered ?? 0 },
      { title: 'REJECTED', cell: ({ states }) => states.rejected ?? 0 },
      { title: 'PARKED', cell: ({ states }) => states.parked ?? 0 },
      { title: 'OPEN', cell: (row) => openOf(row) },
      { title: 'STORED', cell: ({ bytes }) => amount(bytes) },
      { title: 'OLDEST', cell: ({ oldest }) => oldest },
      { title: 'NEWEST', cell: ({ newest }) => newest, wide: true },
    ],
    beside: { ...told, lagMs: told.lag / 1000, lag: undefined },
  });
  if (isForPeople(output)) tellFiles(told);
  return exits.ok;
}

/** Exchanges that are still worked on. */
function openOf({ states }: { states: ChannelStatistics['states'] }): number {
  const { received = 0, asking = 0, mapping = 0 } = states;
  return received + asking + mapping;
}

function tellFiles({
  files,
  exchanges,
  unindexed,
  lag,
  spared,
}: Omit<Statistics, 'channels'>): void {
  print('');
  printTable(
    ['FILE', 'SIZE', 'FREE IN IT', 'LOG'],
    files.map(({ file, bytes, free, log }) => [file, amount(bytes), amount(free), amount(log)]),
  );
  print('');
  print(`${exchanges} exchanges; ${spared} older than the rest were spared when that was deleted`);
  const behind = `${unindexed} entries of the last ${age(Date.now() * 1000 - lag)} not yet indexed`;
  print(unindexed === 0 ? 'the index is up to date' : behind);
}
