import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import SQLite from 'better-sqlite3';
import { createGroupCommit } from '../../engine/journal/commit.ts';
import { filesOf } from '../../engine/journal/database.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import { readKeys } from '../../engine/journal/keyring.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { ThreadGone, createThread, threadFile } from '../../engine/journal/thread.ts';
import type { WriterData, WriterReply, WriterRequest } from '../../engine/journal/writer.ts';
import { faultOf, receive, recordEvents, temporaryFolder } from './folder.ts';

describe('when the journal cannot store', () => {
  it('a full disk is journalFull for all of that commit, and passes when there is room', async () => {
    const { folder, remove } = temporaryFolder();
    const { emit, told } = recordEvents();
    let journal = await openJournal({ folder, maxBytes: 1_000_000, emit });
    const text = randomBytes(30_000).toString('hex');
    const stored: number[] = [];
    const refused: number[] = [];
    for (let round = 0; refused.length === 0; round++) {
      const ids = Array.from({ length: 4 }, () => journal.mint());
      const faults = await Promise.all(
        ids.map((id) =>
          faultOf(
            journal.append(
              id,
              'adt-feed',
              [{ kind: 'received', at: id, body: Buffer.from(text) }],
              {
                state: 'answered',
              },
            ),
          ),
        ),
      );
      assert.equal(new Set(faults).size, 1, 'stored together or not at all');
      (faults[0] === 'none' ? stored : refused).push(...ids);
      if (faults[0] !== 'none') assert.equal(faults[0], 'journalFull');
      assert.ok(round < 20);
    }
    assert.ok(
      told.some(({ name, fields }) => name === 'journal.fault' && fields.code === 'GH-6002'),
    );
    assert.deepEqual(
      (await journal.list()).map(({ id }) => id),
      stored.toReversed(),
    );
    for (const id of refused) assert.equal(await journal.read(id), undefined);

    // Retention mends it, also where it is so full that the engine was stopped.
    await journal.close();
    journal = await openJournal({ folder, maxBytes: 1_000_000, emit });
    const { exchanges } = await journal.forget('adt-feed', journal.mint());
    assert.equal(exchanges, stored.length);
    const id = await receive(journal, text);
    assert.ok(await journal.read(id));
    await journal.close();
    remove();
  });

  it('a lock of another connection is journalLocked, and passes when it is released', async () => {
    const { folder, remove } = temporaryFolder();
    const journal = await openJournal({ folder, busyMs: 50, emit: recordEvents().emit });
    const other = new SQLite(filesOf(folder).journal);
    other.exec('begin exclusive');
    const keys = { controlId: 'C1', fingerprint: 'print' };
    assert.equal(await faultOf(receive(journal, 'refused', keys)), 'journalLocked');
    const answered = journal.mint();
    journal.settle(answered, 'delivered');
    assert.equal(await faultOf(receive(journal, 'refused too')), 'journalLocked');
    other.exec('rollback');
    other.close();
    assert.deepEqual(await journal.repeats({ controlId: 'C1', fingerprint: 'print' }, 0), []);
    await journal.append(answered, 'adt-feed', [{ kind: 'answer', at: answered }]);
    assert.deepEqual(
      (await journal.list()).map(({ id, delivery }) => [id, delivery]),
      [[answered, 'delivered']],
    );
    // The mark that could not be stored went with the commit that could.
    assert.deepEqual(
      (await journal.read(answered))?.entries.map(({ kind }) => kind),
      ['answer', 'delivered'],
    );
    await journal.close();
    remove();
  });

  it('a writer that dies: what was said to be stored is, what was refused is not', async () => {
    const { folder, remove } = temporaryFolder();
    const { emit } = recordEvents();
    await (await openJournal({ folder, emit })).close();
    const data: WriterData = { folder, keys: readKeys(filesOf(folder).key), busyMs: 100 };
    const writer = createThread<WriterRequest, WriterReply>(threadFile('writer'), data, () => {});
    const reader = new SQLite(filesOf(folder).journal, { readonly: true });
    const block = reader.prepare('select id from block where id = ?');
    let last = Date.now() * 1000;
    let call: typeof writer.call = (request) => writer.call(request);
    const commit = createGroupCommit({
      writer: { call: (request) => call(request) },
      next: () => ++last,
      channels: new Map([['', 0]]),
      isStored: (id) => block.get(id) !== undefined,
      committed: () => {},
      emit,
    });
    const said = new Map<number, string>();
    async function append(): Promise<string> {
      const id = ++last;
      const entries = [{ kind: 'received', at: id, body: randomBytes(20_000) }] as const;
      const fault = await faultOf(commit.append(id, 'adt-feed', entries, undefined));
      said.set(id, fault);
      return fault;
    }

    for (const pause of [0, 1, 3]) {
      assert.equal(await append(), 'none', 'it was started again');
      const lanes = Array.from({ length: 40 }, async () => {
        for (let turn = 0; turn < 3; turn++) await append();
      });
      await new Promise((resolve) => setTimeout(resolve, pause));
      await writer.stop();
      await Promise.all(lanes);
    }
    call = () => Promise.reject(new ThreadGone('before it committed'));
    assert.equal(await append(), 'journalUnavailable');
    call = async (request) => {
      await writer.call(request);
      throw new ThreadGone('after it committed');
    };
    assert.equal(await append(), 'none');
    reader.close();
    await writer.stop();

    const journal = await openJournal({ folder, emit });
    for (const [id, fault] of said) {
      assert.equal((await journal.read(id)) !== undefined, fault === 'none', fault);
    }
    await journal.close();
    remove();
  });

  it('a thread that ends by itself is told of, and the next request starts another', async () => {
    const deaths: string[] = [];
    const file = new URL('./mortal.ts', import.meta.url);
    const thread = createThread<string, string>(file, undefined, (detail) => deaths.push(detail));
    assert.equal(await thread.call('hello'), 'hello');
    const last = ['die', 'unheard'].map((word) => thread.call(word));
    for (const call of last) await assert.rejects(call, { message: 'ended' });
    assert.deepEqual(deaths, ['mortal.ts: ended']);
    assert.equal(await thread.call('again'), 'again');
    await thread.stop();
  });
});

describe('who may open a journal', () => {
  const { folder, remove } = temporaryFolder();
  const { emit } = recordEvents();
  let journal: Journal;
  before(async () => {
    journal = await openJournal({ folder, emit });
  });
  after(remove);

  it('one writer', async () => {
    assert.equal(await faultOf(openJournal({ folder, emit })), 'journalHeld');
  });
  it('readers, who cannot write', async () => {
    const reader = await openJournal({ folder, readOnly: true, emit });
    assert.equal(await faultOf(reader.append(1, 'adt-feed', [])), 'journalUnavailable');
    assert.throws(() => reader.settle(1, 'delivered'));
    await reader.close();
  });
  it('nobody where there is none to read', async () => {
    const nowhere = { folder: `${folder}/none`, readOnly: true, emit };
    assert.equal(await faultOf(openJournal(nowhere)), 'journalUnavailable');
  });
  it('no older code than wrote it', async () => {
    await journal.close();
    const database = new SQLite(filesOf(folder).journal);
    database.pragma('user_version = 99');
    database.close();
    assert.equal(await faultOf(openJournal({ folder, emit })), 'journalVersion');
    assert.equal(await faultOf(openJournal({ folder, readOnly: true, emit })), 'journalVersion');
  });
});
