/** What the journal says of some of the messages of a soak, while it serves and deletes. */
import { silent } from '../../../engine/events.ts';
import { outboundStates } from '../../../engine/journal/journal.ts';
import { openJournal } from '../../../engine/journal/sqlite.ts';
import { flagged } from '../law.ts';
import { channel, delivery } from '../site.ts';

/**
 * Look messages up that were delivered a moment ago.
 * @param ids each delivered once
 * @param again each delivered so often
 * @returns what the journal says otherwise
 */
export async function lookedUp(
  data: string,
  ids: readonly string[],
  again: ReadonlyMap<string, number>,
): Promise<string[]> {
  const wrong: string[] = [];
  const journal = await openJournal({ folder: data, readOnly: true, emit: silent });
  try {
    for (const id of new Set([...ids, ...again.keys()])) {
      const found = await journal.list({ channel, controlId: id, limit: 10 });
      const [first, more] = found.filter((one) => one.repeatOf === null);
      if (first === undefined || more !== undefined) {
        wrong.push(`${id} is in the journal ${first ? 'more than once' : 'no more'}`);
        continue;
      }
      const states = outboundStates;
      const [one] = await journal.outbound({ to: delivery, exchange: first.id, states });
      if (one?.state !== 'delivered') wrong.push(`${id} is ${one?.state ?? 'not delivered'}`);
      const arrivals = again.get(id);
      if (arrivals !== undefined && !(await flagged(journal, first.id, delivery, arrivals))) {
        wrong.push(`${id} came ${arrivals} times without being flagged`);
      }
    }
  } finally {
    await journal.close();
  }
  return wrong;
}
