/**
 * Deleting what is old, while messages come in: the blocks first, then what finds them, each in
 * steps between which commits and merges get their turn. A crash anywhere leaves something to do
 * for the next time, and nothing that is found but cannot be read.
 */
import type { Forget, Places, Removal } from './forgetting.ts';
import { hourInMicroseconds } from './gather.ts';
import type { IndexerReply, IndexerRequest } from './indexer.ts';
import type { Forgotten } from './deletion.ts';
import { type Cursor, start } from './kinds.ts';
import type { Thread } from './thread.ts';
import type { WriterReply, WriterRequest } from './writer.ts';

export interface Threads {
  writer: Pick<Thread<WriterRequest, WriterReply>, 'call'>;
  indexer: Pick<Thread<IndexerRequest, IndexerReply>, 'call'>;
}

/** How many places one request to the writer names at most, in numbers: two to a place. */
const placesPerStep = 512;

/**
 * Delete exchanges of a channel.
 * @param signal ends it after the step under way
 */
export async function forget(
  { writer, indexer }: Threads,
  forget: Forget,
  signal: AbortSignal,
): Promise<Forgotten> {
  const { channel, before } = forget;
  const all: Forgotten = { exchanges: 0, parked: 0, undelivered: 0 };
  // What is parked is known by the index alone: if that cannot be brought up to date, nothing may
  // be deleted. And the blocks it came from are about to go.
  await indexer.call({ do: 'merge' });
  await indexer.call({ do: 'secure' });
  const { spare, release } = (await indexer.call({ do: 'places', forget })).places;
  for (const places of portions(release)) await writer.call({ do: 'release', channel, places });
  for (const places of portions(spare)) await writer.call({ do: 'spare', channel, places });
  while ((await writer.call({ do: 'forget', channel, before })) > 0) if (signal.aborted) return all;
  await shrinkJournal(writer, signal);
  for (let after: Cursor | undefined = start; after;) {
    const reply: IndexerReply = await indexer.call({ do: 'drop', forget, after });
    add(all, reply.dropped);
    after = reply.dropped.last;
    if (signal.aborted) return all;
  }
  await indexer.call({ do: 'account', channel, before });
  await shrinkIndex(indexer, signal);
  return all;
}

/**
 * Delete exchanges of a channel by their state, wherever they lie. A crash between the two halves of
 * a step leaves exchanges that are listed and hold nothing: the next time they are dropped.
 * @param signal ends it after the step under way
 */
export async function remove(
  { writer, indexer }: Threads,
  removal: Removal,
  signal: AbortSignal,
): Promise<Forgotten> {
  const { channel } = removal;
  const all: Forgotten = { exchanges: 0, parked: 0, undelivered: 0 };
  await indexer.call({ do: 'merge' });
  await indexer.call({ do: 'secure' });
  for (let after: Cursor = start; !signal.aborted;) {
    const { going }: IndexerReply = await indexer.call({ do: 'going', removal, after });
    const { exchanges, places, last } = going;
    if (last === undefined) break;
    const freed: number[] = [];
    for (const [hour, part] of byHour(places)) {
      freed.push(hour, await writer.call({ do: 'remove', places: part }));
    }
    const drop = { channel, exchanges, freed: new Float64Array(freed) };
    add(all, (await indexer.call({ do: 'dropThese', ...drop })).dropped);
    after = last;
  }
  await shrinkJournal(writer, signal);
  await shrinkIndex(indexer, signal);
  return all;
}

function add(all: Forgotten, { exchanges, parked, undelivered }: Forgotten): void {
  all.exchanges += exchanges;
  all.parked += parked;
  all.undelivered += undelivered;
}

const shrinkJournal = (writer: Threads['writer'], signal: AbortSignal) =>
  shrink(
    () => writer.call({ do: 'shrink' }),
    () => writer.call({ do: 'checkpoint' }),
    signal,
  );

const shrinkIndex = (indexer: Threads['indexer'], signal: AbortSignal) =>
  shrink(
    async () => (await indexer.call({ do: 'shrink' })).pages,
    () => indexer.call({ do: 'secure' }),
    signal,
  );

/** A checkpoint is what shortens the file. */
async function shrink(
  step: () => Promise<number>,
  checkpoint: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  let all = 0;
  for (let pages = 1; pages > 0 && !signal.aborted; all += pages) pages = await step();
  if (all > 0) await checkpoint();
}

/** Places in steps of the writer, none of which reaches over an hour of the blocks. */
function* byHour(places: Places): Generator<[hour: number, places: Places]> {
  let from = 0;
  for (let at = 2; at <= places.length; at += 2) {
    const hour = hourOf(places, from);
    if (at < places.length && at - from < placesPerStep && hourOf(places, at) === hour) continue;
    yield [hour, places.slice(from, at)];
    from = at;
  }
}

const hourOf = (places: Places, at: number): number =>
  Math.floor((places[at] ?? 0) / hourInMicroseconds);

function* portions(places: Places): Generator<Places> {
  for (let at = 0; at < places.length; at += placesPerStep) {
    yield places.slice(at, at + placesPerStep);
  }
}
