/** Exchanges of every kind, as the engine leaves them in a journal, and all that a journal says of them. */
import { appendsIn } from '../../engine/journal/block.ts';
import { filesOf, openForReading } from '../../engine/journal/database.ts';
import type { Retention } from '../../engine/journal/deletion.ts';
import type { Entry, Journal, Keys } from '../../engine/journal/journal.ts';
import { readKeys } from '../../engine/journal/keyring.ts';
import { createOpener } from '../../engine/journal/seal.ts';
import type { SealedBlock, Session } from '../../engine/journal/seal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { recordEvents } from './folder.ts';

/** What becomes of an exchange. */
export const kinds = [
  'answered',
  'rejected',
  'parked',
  'owed',
  'dead',
  'delivered',
  'asking',
] as const;
export type Kind = (typeof kinds)[number];
/** Why retention spares it. */
export const spared: Partial<Record<Kind, 'parked' | 'undelivered'>> = {
  parked: 'parked',
  dead: 'parked',
  owed: 'undelivered',
  asking: 'undelivered',
};
const states: Partial<Record<Kind, Keys['state']>> = {
  rejected: 'rejected',
  parked: 'parked',
  asking: 'asking',
};
export const to = 'adt-feed/lab';

/** An exchange as one of these kinds leaves it, in two appends. */
export async function leave(journal: Journal, id: number, kind: Kind, size: number): Promise<void> {
  const at = id;
  const body = Buffer.alloc(size, `${id} `);
  await journal.append(id, 'adt-feed', [{ kind: 'received', at, body }], { controlId: `C${id}` });
  const entries: Entry[] = [{ kind: 'answer', at: at + 1, body: Buffer.from('MSA') }];
  const outbound = { owed: 'failed', dead: 'parked', delivered: 'delivered' } as const;
  if (kind in outbound) {
    const state = outbound[kind as keyof typeof outbound];
    entries.push({ kind: 'outbound', at: at + 2, note: { to, state, attempt: 1 } });
  }
  await journal.append(id, 'adt-feed', entries, { state: states[kind] ?? 'answered' });
  journal.settle(id, 'delivered');
}

export const open = (folder: string): Promise<Journal & Retention> =>
  openJournal({ folder, emit: recordEvents().emit });

export async function contents(journal: Journal, ids: number[]): Promise<unknown> {
  return {
    listed: await journal.list({ limit: 1000 }),
    open: await journal.outbound({ states: ['failed', 'parked'] }),
    read: await Promise.all(ids.map((id) => journal.read(id))),
    received: await Promise.all(ids.map((id) => journal.received(id))),
    found: await Promise.all(ids.map((id) => journal.list({ controlId: `C${id}` }))),
  };
}

/** Every exchange that has bytes in the blocks before a time, opened or not. */
export function exchangesOnDisk(folder: string, before = Infinity): Set<number> {
  const database = openForReading(filesOf(folder).journal, 1000);
  const session = database.prepare<[number], Session>('select ring, salt from key where id = ?');
  const opener = createOpener(readKeys(filesOf(folder).key), (id) => session.get(id));
  const found = new Set<number>();
  for (const block of database.prepare<[], SealedBlock>('select * from block').iterate()) {
    if (block.id >= before) continue;
    for (const { exchange } of appendsIn(opener.open(block))) found.add(exchange);
  }
  database.close();
  return found;
}
