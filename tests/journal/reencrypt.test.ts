/** Re-encryption: every block under the current key, every patient found under it, whatever happens meanwhile. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import { filesOf } from '../../engine/journal/database.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import { forgetPractices, keyUse } from '../../engine/journal/key-use.ts';
import { addKey, readKeys, removeKey } from '../../engine/journal/keyring.ts';
import type { Rekeying } from '../../engine/journal/rekey.ts';
import { ringValue } from '../../engine/journal/seal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { verifyJournal } from '../../engine/journal/verify.ts';
import { openPatientIndex } from '../../engine/journal/listed.ts';
import { receive, recordEvents, temporaryFolder } from './folder.ts';

const patients = ['9990000018', '9990000026', '9990000034'];
const patientOf = (n: number): string => patients[n % patients.length] ?? '';

describe('re-encryption', function () {
  this.timeout(30_000);
  let folder: string;
  let remove: () => void;
  let journal: Awaited<ReturnType<typeof openJournal>>;
  const texts = new Map<number, string>();
  const open = async () => {
    journal = await openJournal({ folder, emit: recordEvents().emit });
  };
  const rotate = async (): Promise<string> => {
    const key = addKey(filesOf(folder).key);
    await journal.adoptKeys();
    return ringValue(key).toString('hex');
  };
  async function store(n: number): Promise<void> {
    const patient = patientOf(n);
    const text = `message ${n} of ${'x'.repeat(500)}`;
    const registered = { patient, practice: `A8100${n % patients.length}` };
    texts.set(await receive(journal, text, { patient, registered, state: 'answered' }), text);
  }
  async function assertAllRead(of: Journal = journal): Promise<void> {
    for (const [id, text] of texts) {
      const body = (await of.read(id))?.entries[0]?.body;
      assert.equal(Buffer.from(body ?? []).toString(), text);
    }
    const found = await Promise.all(patients.map((patient) => of.list({ patient, limit: 10_000 })));
    assert.deepEqual(
      found.flatMap((some) => some.map(({ id }) => id)).sort(),
      [...texts.keys()].sort(),
    );
    for (const [n, patient] of patients.entries()) {
      assert.equal((await of.practiceOf(patient))?.practice, `A8100${n}`);
    }
  }
  /** Blocks, by the key they lie under. */
  function blocksByKey(): Record<string, number> {
    const database = new SQLite(filesOf(folder).journal, { readonly: true });
    const rows = database
      .prepare<[], { ring: string; n: number }>(
        'select lower(hex(k.ring)) as ring, count(*) as n from block b join key k on k.id = b.key group by 1',
      )
      .all();
    database.close();
    return Object.fromEntries(rows.map(({ ring, n }) => [ring, n]));
  }
  const keyOfBlock = (): Map<number, number> => {
    const database = new SQLite(filesOf(folder).journal, { readonly: true });
    const rows = database
      .prepare<[], { id: number; key: number }>('select id, key from block')
      .all();
    database.close();
    return new Map(rows.map(({ id, key }) => [id, key]));
  };

  beforeEach(async () => {
    ({ folder, remove } = temporaryFolder());
    texts.clear();
    await open();
    for (let n = 0; n < 200; n++) await store(n);
  });
  afterEach(async () => {
    await journal.close();
    remove();
  });

  it('seals everything again while messages come in, and all is read, found and sound after', async () => {
    const before = keyOfBlock();
    const current = await rotate();
    const load = (async () => {
      for (let n = 200; n < 500; n++) await store(n);
    })();
    const resealed = await reencryptAll(journal);
    await load;
    assert.ok(resealed >= 200, `${resealed}`);
    assert.deepEqual(Object.keys(blocksByKey()), [current]);
    const after = keyOfBlock();
    for (const [id, key] of before) assert.ok((after.get(id) ?? 0) > key, 'a later session');
    await assertAllRead();
    assert.equal(await reencryptAll(journal), 0);
    await journal.close();

    const [old = Buffer.alloc(0)] = readKeys(filesOf(folder).key);
    const name = ringValue(old).toString('hex');
    const [use] = await keyUse(folder, {});
    assert.deepEqual(use, { key: name, current: false, blocks: 0, exchanges: false, practices: 0 });
    removeKey(filesOf(folder).key, old);
    assert.deepEqual(readKeys(filesOf(folder).key).map(ringOf), [current]);
    await open();
    await assertAllRead();
    await journal.close();
    const { findings } = verifyJournal(folder, {});
    assert.deepEqual(findings, []);
    await open();
  });

  it('goes on after a SIGKILL with what is left', async () => {
    const current = await rotate();
    await journal.close();
    const program = new URL('./reencrypting.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, ['--no-warnings', program, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      child.kill('SIGKILL');
    }
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    await open();
    await assertAllRead();
    const rest = await reencryptAll(journal);
    assert.ok(rest < 200, `${rest} of 200 were left`);
    assert.deepEqual(Object.keys(blocksByKey()), [current]);
    await assertAllRead();
  });

  it('is begun anew where the keys change in its middle', async () => {
    await rotate();
    const first = await journal.reencrypt(0);
    assert.ok(first && first.last > 0);
    const current = await rotate();
    assert.equal(await journal.reencrypt(first.last), undefined);
    await reencryptAll(journal);
    assert.deepEqual(Object.keys(blocksByKey()), [current]);
    await assertAllRead();
  });

  it('leaves a block that does not open under its key, and keeps the key needed', async () => {
    await journal.close();
    const database = new SQLite(filesOf(folder).journal);
    database
      .prepare('update block set tag = zeroblob(16) where id = (select min(id) from block)')
      .run();
    database.close();
    await open();
    const [before = ''] = Object.keys(blocksByKey());
    await rotate();
    let last: Awaited<ReturnType<Rekeying['reencrypt']>>;
    for (let after = 0; ; after = last.last) {
      last = await journal.reencrypt(after);
      assert.ok(last);
      if (last.last === 0) break;
    }
    assert.equal(last.damaged, 1);
    assert.equal(blocksByKey()[before], 1);
    const [use] = await keyUse(folder, {});
    assert.deepEqual([use?.blocks, use?.exchanges], [1, true]);
  });

  it('practices whose messages are gone stay known under the old key until the patient is named', async () => {
    await journal.forget('adt-feed', journal.mint());
    await rotate();
    await reencryptAll(journal);
    const [old = Buffer.alloc(0)] = readKeys(filesOf(folder).key);
    const practices = async () => (await keyUse(folder, {}))[0]?.practices;
    assert.equal(await practices(), 3);
    const [first = '', second = '', third = ''] = patients;
    assert.equal((await journal.practiceOf(first))?.practice, 'A81000');
    await receive(journal, 'A31', { registered: { patient: first, practice: 'B82001' } });
    assert.equal((await journal.practiceOf(first))?.practice, 'B82001');
    const index = openPatientIndex(folder, { room: 10 });
    index.add(second, 'B82002', Date.now() * 1000);
    assert.deepEqual([...index.write()].at(-1), 1);
    index.close();
    assert.equal(await practices(), 1);
    await forgetPractices(folder, ringOf(old), { step: async () => {} });
    assert.equal(await practices(), 0);
    assert.equal(await journal.practiceOf(third), undefined);
    await journal.close();
    removeKey(filesOf(folder).key, old);
    await open();
    assert.equal((await journal.practiceOf(first))?.practice, 'B82001');
    assert.equal((await journal.practiceOf(second))?.practice, 'B82002');
  });

  it('who was merged into another is followed across keys', async () => {
    const [first = '', second = ''] = patients;
    const merged = { patient: first, practice: '', into: second };
    await receive(journal, 'A40', { registered: merged });
    await journal.stats();
    await rotate();
    await receive(journal, 'A31', { registered: { patient: second, practice: 'B82009' } });
    // By the index, and by what is not indexed yet.
    const beside = await openJournal({ folder, readOnly: true, emit: recordEvents().emit });
    assert.equal((await beside.practiceOf(first))?.practice, 'B82009');
    await beside.close();
    assert.equal((await journal.practiceOf(first))?.practice, 'B82009');
    await journal.forget('adt-feed', journal.mint());
    assert.equal((await journal.practiceOf(first))?.practice, 'B82009');
  });

  it('a key that is taken out leaves the rest of the file as it was', () => {
    const { key } = filesOf(folder);
    const [first = Buffer.alloc(0)] = readKeys(key);
    const second = addKey(key);
    const comment = readFileSync(key, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('#'));
    removeKey(key, first);
    const left = readFileSync(key, 'utf8');
    assert.deepEqual(left.trimEnd().split('\n'), [...comment, second.toString('base64')]);
  });
});

const ringOf = (key: Buffer): string => ringValue(key).toString('hex');

/** @returns how many blocks were sealed again */
async function reencryptAll(journal: Rekeying): Promise<number> {
  let resealed = 0;
  for (let after = 0; ;) {
    const done = await journal.reencrypt(after);
    assert.ok(done);
    resealed += done.resealed;
    after = done.last;
    if (after === 0) return resealed;
  }
}
