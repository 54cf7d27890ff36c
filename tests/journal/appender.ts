/** A process to be killed: appends without end and prints each message once it is stored. */
import { writeSync } from 'node:fs';
import { silent } from '../../engine/events.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';

const [folder = '', round = ''] = process.argv.slice(2);
const journal = await openJournal({ folder, emit: silent });
for (let lane = 0; lane < 16; lane++) void appendFrom(lane);

async function appendFrom(lane: number): Promise<void> {
  for (let n = 0; ; n++) {
    const id = journal.mint();
    const message = `message-${round}-${lane}-${n}`;
    const body = Buffer.from(message);
    await journal.append(id, 'adt-feed', [{ kind: 'received', at: id, body }], {
      controlId: message,
    });
    writeSync(1, `${id} ${message}\n`);
  }
}
