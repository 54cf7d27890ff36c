/**
 * The echo with our journal and nothing else: the bytes of each message are committed, sealed and
 * indexed before the same fixed acknowledgement. What an engine on this journal cannot pass.
 */
import { silent } from '../../engine/events.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { acknowledgeAll } from './acknowledging.ts';

const [folder = ''] = process.argv.slice(2);
const journal = await openJournal({ folder, emit: silent });

acknowledgeAll((body, controlId) => {
  const id = journal.mint();
  return journal.append(id, 'echo', [{ kind: 'received', at: id, body }], { controlId });
});
