import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import SQLite from 'better-sqlite3';
import { assertDurable, filesOf, openForWriting } from '../../engine/journal/database.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { faultOf, receive, recordEvents, temporaryFolder } from './folder.ts';

describe('a commit reaches the disk', () => {
  it('runs at synchronous=FULL when made and when opened again', () => {
    const { folder, remove } = temporaryFolder();
    const file = filesOf(folder).journal;
    for (const table of ['made', 'opened_again']) {
      const database = openForWriting(file, { busyMs: 100 });
      database.exec(`create table ${table} (a)`);
      assert.equal(database.pragma('synchronous', { simple: true }), 2);
      assert.equal(database.pragma('journal_mode', { simple: true }), 'wal');
      assert.equal(database.pragma('wal_autocheckpoint', { simple: true }), 8000);
      database.close();
    }
    // The trap this guards against: opened plainly, the same file runs at NORMAL.
    const plain = new SQLite(file);
    plain.prepare('select * from made').all();
    assert.equal(plain.pragma('synchronous', { simple: true }), 1);
    assert.throws(() => assertDurable(plain, file), /GH-6001/);
    plain.close();
    remove();
  });

  it('stores what is appended together in one commit', async () => {
    const { folder, remove } = temporaryFolder();
    const journal = await openJournal({ folder, emit: recordEvents().emit });
    await receive(journal, 'first');
    await Promise.all(Array.from({ length: 500 }, (_, n) => receive(journal, `message ${n}`)));
    const reader = new SQLite(filesOf(folder).journal, { readonly: true });
    const blocks = reader.prepare('select appends from block').pluck().all();
    assert.deepEqual(blocks, [1, 500]);
    reader.close();
    await journal.close();
    remove();
  });
});

describe('a process that is killed', () => {
  it('has stored every append it said was stored, and nobody has to tidy up after it', async () => {
    const { folder, remove } = temporaryFolder();
    const stored = new Map<number, string>();
    for (const [round, after] of [40, 400, 151].entries()) {
      const program = new URL('./appender.ts', import.meta.url).pathname;
      const child = spawn(process.execPath, ['--no-warnings', program, folder, `${round}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(child, 'exit');
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        const [id = '', message = ''] = line.split(' ');
        stored.set(Number(id), message);
        if (lines++ === 1) {
          const { emit } = recordEvents();
          assert.equal(await faultOf(openJournal({ folder, emit })), 'journalHeld');
        }
        if (lines === after) child.kill('SIGKILL');
      }
      assert.deepEqual(await ended, [null, 'SIGKILL']);
    }

    const journal = await openJournal({ folder, emit: recordEvents().emit });
    assert.ok(stored.size >= 591);
    for (const [id, message] of stored) {
      const exchange = await journal.read(id);
      assert.equal(Buffer.from(exchange?.entries[0]?.body ?? []).toString(), message);
    }
    const listed = await journal.list({ limit: 100_000 });
    assert.ok([...stored.keys()].every((id) => listed.some((one) => one.id === id)));
    await journal.close();
    remove();
  });
});
