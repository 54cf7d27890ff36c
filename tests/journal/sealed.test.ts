import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { filesOf } from '../../engine/journal/database.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { faultOf, receive, recordEvents, temporaryFolder } from './folder.ts';

const patient = '9434765919';

describe('what lies on the disk', () => {
  it('holds nothing of a message and no NHS number, also while it is open', async () => {
    const { folder, remove } = temporaryFolder();
    const journal = await openJournal({ folder, emit: recordEvents().emit });
    const id = journal.mint();
    const body = Buffer.from('PID|1||9434765919^^^NHS^NH||CHISLETT^Horatio');
    const entries = [{ kind: 'received', at: id, note: { said: 'CHISLETT' }, body }] as const;
    const registered = { patient, practice: 'A81001' };
    await journal.append(id, 'adt-feed', [...entries], { patient, registered, controlId: 'C1' });
    assert.equal((await journal.list({ patient })).length, 1);

    // From another process: opening SQLite's files here would drop the locks held on them.
    const files = [filesOf(folder).journal, filesOf(folder).keys];
    const search = `let bytes = 0;
      for (const file of process.argv.slice(1)) {
        const text = require('node:fs').readFileSync(file, 'latin1');
        bytes += text.length;
        for (const secret of ['CHISLETT', 'Horatio', '9434765919', 'PID|'])
          if (text.includes(secret)) console.log(file, secret);
      }
      console.log(bytes > 10000 && 'all searched');`;
    const all = files.flatMap((file) => [file, `${file}-wal`]);
    const found = execFileSync(process.execPath, ['-e', search, ...all], { encoding: 'utf8' });
    assert.equal(found, 'all searched\n');
    for (const file of [...all, filesOf(folder).key]) assert.equal(statSync(file).mode & 0o77, 0);
    await journal.close();
    remove();
  });

  it('cannot be changed unnoticed, and one damaged block hides no other', async () => {
    const { folder, remove } = temporaryFolder();
    const { emit, told } = recordEvents();
    let journal = await openJournal({ folder, emit });
    const damaged = await receive(journal, 'to be damaged', { controlId: 'C1' });
    const whole = await receive(journal, 'left alone', { controlId: 'C2' });
    await journal.close();
    const database = new SQLite(filesOf(folder).journal);
    database.exec('update block set channel = 0 where id = (select min(id) from block)');
    database.close();

    journal = await openJournal({ folder, emit });
    assert.equal(await faultOf(journal.read(damaged)), 'journalDamaged');
    assert.ok(await journal.read(whole));
    await journal.close();

    // Beside a fresh index the block is passed over and reported.
    renameSync(filesOf(folder).keys, join(folder, 'old-keys'));
    journal = await openJournal({ folder, emit });
    assert.deepEqual(
      (await journal.list()).map(({ id }) => id),
      [whole],
    );
    assert.ok(
      told.some(({ name, fields }) => name === 'journal.fault' && fields.code === 'GH-6009'),
    );
    await journal.close();
    remove();
  });
});

describe('the key file', () => {
  const { folder, remove } = temporaryFolder();
  const { emit, told } = recordEvents();
  const key = filesOf(folder).key;
  let id = 0;
  const open = () => openJournal({ folder, emit });
  const readOnly = () => openJournal({ folder, readOnly: true, emit });
  after(remove);

  it('is made on the first start, for its owner alone, and said so', async () => {
    const journal = await open();
    id = await receive(journal, 'under the first key', { patient });
    await journal.close();
    assert.equal(statSync(key).mode & 0o777, 0o600);
    assert.deepEqual(
      told.filter(({ name }) => name === 'journal.keyCreated').map(({ fields }) => fields.file),
      [key],
    );
  });
  it('is refused when others may read it', async () => {
    chmodSync(key, 0o640);
    assert.equal(await faultOf(open()), 'journalKeyExposed');
    assert.equal(await faultOf(readOnly()), 'journalKeyExposed');
    chmodSync(key, 0o600);
  });
  it('is not made anew beside a journal that has one', async () => {
    renameSync(key, `${key}.away`);
    assert.equal(await faultOf(open()), 'journalKeyUnreadable');
    assert.equal(await faultOf(readOnly()), 'journalKeyUnreadable');
    renameSync(`${key}.away`, key);
  });
  it('is refused when it is no key or another one', async () => {
    const right = readFileSync(key, 'utf8');
    writeFileSync(key, `# a comment\n${Buffer.alloc(16).toString('base64')}\n`);
    assert.equal(await faultOf(open()), 'journalKeyUnreadable');
    writeFileSync(key, '# only a comment\n');
    assert.equal(await faultOf(open()), 'journalKeyUnreadable');
    writeFileSync(key, `${Buffer.alloc(32, 1).toString('base64')}\n`);
    assert.equal(await faultOf(open()), 'journalKeyWrong');
    assert.equal(await faultOf(readOnly()), 'journalKeyWrong');
    writeFileSync(key, right);
  });
  it('takes a new key below the old one: both are read, the new one seals', async () => {
    appendFileSync(key, `${Buffer.alloc(32, 2).toString('base64')}\n`);
    const journal = await open();
    const later = await receive(journal, 'under the second key', { patient });
    for (const [which, text] of [
      [id, 'under the first key'],
      [later, 'under the second key'],
    ] as const) {
      const body = (await journal.read(which))?.entries[0]?.body;
      assert.equal(Buffer.from(body ?? []).toString(), text);
    }
    const found = await journal.list({ patient });
    assert.deepEqual(
      found.map((one) => one.id),
      [later, id],
    );
    await journal.close();
    writeFileSync(key, `${Buffer.alloc(32, 2).toString('base64')}\n`);
    assert.equal(await faultOf(open()), 'journalKeyWrong');
  });
  it('can lie elsewhere, and then must be there', async () => {
    const other = temporaryFolder();
    const elsewhere = {
      folder: other.folder,
      key: { file: join(other.folder, 'elsewhere') },
      emit,
    };
    assert.equal(await faultOf(openJournal(elsewhere)), 'journalKeyUnreadable');
    writeFileSync(elsewhere.key.file, Buffer.alloc(32, 3).toString('base64'), { mode: 0o600 });
    await (await openJournal(elsewhere)).close();
    other.remove();
  });
});
