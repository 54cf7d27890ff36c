import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { filesOf } from '../../engine/journal/database.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { receive, recordEvents, temporaryFolder } from './folder.ts';

describe('retention', () => {
  it('deletes what is older, of that channel only, and gives the space back', async () => {
    const { folder, remove } = temporaryFolder();
    const { emit } = recordEvents();
    let journal = await openJournal({ folder, emit });
    const old: number[] = [];
    const patient = '9434765919';
    for (let n = 0; n < 300; n += 10) {
      const text = randomBytes(10_000).toString('hex');
      const keys = {
        patient,
        state: 'answered',
        registered: { patient, practice: 'A81001' },
      } as const;
      old.push(
        ...(await Promise.all(Array.from({ length: 10 }, () => receive(journal, text, keys)))),
      );
    }
    for (const id of old) journal.settle(id, 'undelivered');
    const kept = journal.mint();
    await journal.append(kept, 'gp-record', [{ kind: 'received', at: kept }]);
    const begun = journal.mint();
    await journal.append(begun, 'adt-feed', [{ kind: 'received', at: begun }]);
    const before = journal.mint();
    await journal.append(begun, 'adt-feed', [{ kind: 'answer', at: before }], {
      state: 'answered',
    });
    const young = await receive(journal, 'young');
    const full = (await journal.stats()).bytes;
    const fileSize = () => statSync(filesOf(folder).journal).size;
    const beside = new SQLite(filesOf(folder).journal);
    beside.pragma('wal_checkpoint');
    const length = fileSize();
    assert.ok(length > 6_000_000);

    const forgotten = async (channel: string) => (await journal.forget(channel, before)).exchanges;
    assert.equal(await forgotten('none such'), 0);
    assert.equal(await forgotten('adt-feed'), 301);
    assert.equal(await forgotten('adt-feed'), 0);
    assert.ok(fileSize() < length / 4, 'the file is shorter while the journal is open');
    beside.close();
    const left = [young, kept];
    const listed = async () => (await journal.list()).map(({ id }) => id);
    assert.deepEqual(await listed(), left);
    for (const id of [...old.slice(0, 3), begun]) assert.equal(await journal.read(id), undefined);
    assert.equal((await journal.stats()).exchanges, 2);
    assert.deepEqual(await journal.list({ patient }), []);
    await journal.close();

    for (const name of readdirSync(folder)) {
      if (name.startsWith('keys.sqlite')) rmSync(join(folder, name));
    }
    journal = await openJournal({ folder, emit });
    assert.deepEqual(await listed(), left, 'nor does a rebuilt index bring it back');
    assert.ok((await journal.stats()).bytes < full / 4);
    await journal.close();
    const database = new SQLite(filesOf(folder).journal);
    assert.equal(database.pragma('integrity_check', { simple: true }), 'ok');
    database.close();
    remove();
  });

  it('keeps who is registered where, after the message that said so is gone', async () => {
    const { folder, remove } = temporaryFolder();
    const journal = await openJournal({ folder, emit: recordEvents().emit });
    const registered = { patient: '9434765919', practice: 'A81001' };
    await receive(journal, 'A08', { registered, state: 'answered' });
    const { exchanges } = await journal.forget('adt-feed', Number.MAX_SAFE_INTEGER);
    assert.equal(exchanges, 1);
    assert.equal((await journal.practiceOf('9434765919'))?.practice, 'A81001');
    // Deleting up to now must not delete what comes from now on.
    const id = await receive(journal, 'after');
    assert.ok(await journal.read(id));
    await journal.close();
    remove();
  });
});
