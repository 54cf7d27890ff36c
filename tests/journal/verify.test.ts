/** A journal looked over: what is whole is called whole, and damage of each kind is found. */
import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import { filesOf } from '../../engine/journal/database.ts';
import type { Retention } from '../../engine/journal/deletion.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { type Damage, type Verified, verifyJournal } from '../../engine/journal/verify.ts';
import { receive, temporaryFolder } from './folder.ts';

const nhs = '9434765919';

/** The kinds of damage that were found. */
const kinds = ({ counts }: Verified): Partial<Record<Damage, number>> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

async function fill(
  journal: Journal & Retention,
  count: number,
  settled = false,
): Promise<number[]> {
  const ids: number[] = [];
  for (let n = 0; n < count; n++) {
    const id = await receive(journal, `message ${n}`, {
      controlId: `C${n}`,
      patient: nhs,
      practice: `A8100${n % 3}`,
    });
    await journal.append(id, 'adt-feed', [{ kind: 'answer', at: id + 7 }], { state: 'answered' });
    if (settled) journal.settle(id, 'delivered');
    ids.push(id);
  }
  return ids;
}

describe('verifying a journal', () => {
  const base = temporaryFolder();
  const copies: string[] = [];
  let ids: number[] = [];

  before(async () => {
    const journal = await openJournal({ folder: base.folder, emit: () => {} });
    await fill(journal, 10, true);
    const [parked = 0] = await fill(journal, 1);
    await journal.append(parked, 'adt-feed', [], { state: 'parked' });
    ids = await fill(journal, 30);
    // What retention took away, and what it spared, is no damage.
    const { exchanges } = await journal.forget('adt-feed', ids[5] ?? 0);
    assert.equal(exchanges, 15);
    await journal.close();
  });
  after(() => {
    base.remove();
    for (const folder of copies) rmSync(folder, { recursive: true, force: true });
  });
  const copy = (change: (database: SQLite.Database) => void, of: 'journal' | 'keys'): string => {
    const { folder } = temporaryFolder();
    cpSync(base.folder, folder, { recursive: true });
    copies.push(folder);
    const database = new SQLite(filesOf(folder)[of]);
    change(database);
    database.close();
    return folder;
  };

  it('finds a whole one whole, and counts what is in it', () => {
    const verified = verifyJournal(base.folder);
    assert.deepEqual(kinds(verified), {});
    assert.deepEqual([verified.exchanges, verified.readable, verified.beside], [26, 26, false]);
    assert.equal(verified.channels[0]?.channel, 'adt-feed');
    assert.ok(verified.blocks >= 26 && verified.bytes > 1000);
  });

  it('works beside a running engine, with what is not yet indexed', async () => {
    const folder = copy(() => {}, 'keys');
    const journal = await openJournal({ folder, emit: () => {} });
    await fill(journal, 5, true);
    const verified = verifyJournal(folder);
    await journal.close();
    assert.deepEqual(kinds(verified), {});
    assert.deepEqual([verified.exchanges, verified.readable, verified.beside], [31, 31, true]);
  });

  it('names the exchanges whose block was changed or is gone', async () => {
    const changed = copy((database) => {
      const body = database
        .prepare<[number], Buffer>('select body from block where id > ? order by id limit 1')
        .pluck()
        .get(ids[10] ?? 0) as Buffer;
      body[body.length - 1] = (body[body.length - 1] ?? 0) ^ 1;
      database
        .prepare('update block set body = ? where id = (select min(id) from block where id > ?)')
        .run(body, ids[10]);
    }, 'journal');
    const verified = verifyJournal(changed);
    assert.deepEqual(kinds(verified), { block: 1, exchange: 1 });
    const [, exchange] = verified.findings;
    assert.deepEqual([exchange?.exchange, exchange?.channel], [ids[10], 'adt-feed']);
    assert.deepEqual([verified.exchanges, verified.readable], [26, 25]);
    const journal = await openJournal({ folder: changed, readOnly: true, emit: () => {} });
    await assert.rejects(journal.read(ids[10] ?? 0));
    await journal.close();

    const gone = copy((database) => {
      database
        .prepare('delete from block where id = (select min(id) from block where id > ?)')
        .run(ids[12]);
    }, 'journal');
    assert.deepEqual(
      verifyJournal(gone).findings.map(({ exchange, damage }) => [exchange, damage]),
      [[ids[12], 'exchange']],
    );
  });

  it('finds an index that leaves something out', () => {
    const row = (sql: string) =>
      copy((database) => void database.prepare(sql).run({ id: ids[20] }), 'keys');
    const left = kinds(verifyJournal(row('delete from exchange where id = @id')));
    // Its practice still names it.
    assert.deepEqual(left, { index: 3 });
    for (const table of ['by_control', 'by_patient', 'by_practice']) {
      const folder = row(`delete from ${table} where exchange = @id`);
      assert.deepEqual(kinds(verifyJournal(folder)), { index: 1 });
    }
    const folder = row('update exchange set last_block = first_block where id = @id');
    assert.deepEqual(kinds(verifyJournal(folder)), { index: 1 });
    const other = row("update by_practice set practice = 'A81099' where exchange = @id");
    assert.deepEqual(
      verifyJournal(other).findings.map(({ says }) => says.replace(/[0-9A-Z]{9,}/, 'it')),
      ['does not find it by its practice', 'finds it by a practice or a state that is not its own'],
    );
  });

  it('finds the end of the journal missing', () => {
    const folder = copy((database) => {
      database.prepare('delete from block where id > ?').run(ids[27]);
      database.exec('update channel set cleared = 0');
    }, 'journal');
    const { counts, findings } = verifyJournal(folder);
    assert.equal(counts.exchange, 4);
    assert.match(findings.map(({ says }) => says).join('\n'), /its end is missing/);
  });

  it('finds files that are gone or no database at all', () => {
    const { journal, keys } = filesOf(copy(() => {}, 'keys'));
    const folder = copies[copies.length - 1] ?? '';
    writeFileSync(keys, 'no database at all, but a text'.repeat(1000));
    const { readable, counts } = verifyJournal(folder);
    assert.deepEqual([readable, counts.structure], [26, 1]);
    rmSync(keys);
    assert.deepEqual(kinds(verifyJournal(folder)), { index: 1 });
    writeFileSync(keys, '');
    assert.deepEqual(kinds(verifyJournal(folder)), { index: 1 });
    writeFileSync(journal, 'no database at all, but a text'.repeat(1000));
    assert.deepEqual(Object.keys(kinds(verifyJournal(folder))), ['files', 'structure', 'index']);
    rmSync(journal);
    assert.deepEqual(kinds(verifyJournal(folder)), { files: 1 });
  });
});
