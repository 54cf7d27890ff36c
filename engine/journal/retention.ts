/**
 * Deleting what is old, while messages come in: the blocks first, then what finds them, each in
 * steps between which commits and merges get their turn. A crash anywhere leaves something to do
 * for the next time, and nothing that is found but cannot be read.
 */
import type { Forget, Places } from './forgetting.ts';
import type { IndexerReply, IndexerRequest } from './indexer.ts';
import type { Forgotten } from './journal.ts';
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
  await shrink(
    () => writer.call({ do: 'shrink' }),
    () => writer.call({ do: 'checkpoint' }),
  );
  for (let after = 0; ;) {
    const { dropped } = await indexer.call({ do: 'drop', forget, after });
    all.exchanges += dropped.exchanges;
    all.parked += dropped.parked;
    all.undelivered += dropped.undelivered;
    after = dropped.last;
    if (after === 0) break;
    if (signal.aborted) return all;
  }
  await indexer.call({ do: 'account', channel, before });
  await shrink(
    async () => (await indexer.call({ do: 'shrink' })).pages,
    () => indexer.call({ do: 'secure' }),
  );
  return all;

  /** A checkpoint is what shortens the file. */
  async function shrink(step: () => Promise<number>, checkpoint: () => Promise<unknown>) {
    let all = 0;
    for (let pages = 1; pages > 0 && !signal.aborted; all += pages) pages = await step();
    if (all > 0) await checkpoint();
  }
}

function* portions(places: Places): Generator<Places> {
  for (let at = 0; at < places.length; at += placesPerStep) {
    yield places.slice(at, at + placesPerStep);
  }
}
