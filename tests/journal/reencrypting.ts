/** A process that re-encrypts a journal, and says so after each step, until it is killed. */
import { openJournal } from '../../engine/journal/sqlite.ts';

const [folder = ''] = process.argv.slice(2);
const journal = await openJournal({ folder, emit: () => {} });
for (let after = 0; ;) {
  const done = await journal.reencrypt(after);
  process.stdout.write(`${done?.resealed}\n`);
  after = done?.last ?? 0;
  if (after === 0) break;
}
process.stdout.write('done\n');
// It is killed, if not before.
setInterval(() => {}, 1000);
