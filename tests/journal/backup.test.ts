/** Copying a journal in steps, while it is written to. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { backUp, bytesToCopy } from '../../engine/journal/backup.ts';
import { filesOf } from '../../engine/journal/database.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { verifyJournal } from '../../engine/journal/verify.ts';
import { receive, temporaryFolder } from './folder.ts';

describe('a backup', () => {
  it('is of one moment, whatever is stored and deleted between its steps', async () => {
    const { folder, remove } = temporaryFolder();
    const journal = await openJournal({ folder, emit: () => {} });
    const text = randomBytes(1_000_000).toString('hex');
    const ids: number[] = [];
    for (let n = 0; n < 20; n++) ids.push(await receive(journal, text, { controlId: `C${n}` }));
    assert.ok((await journal.stats()).exchanges === 20);
    const target = join(folder, 'backup');
    const total = bytesToCopy(folder);
    let [steps, bytes] = [0, 0];
    const { at, files } = await backUp(folder, target, {
      async step(more) {
        bytes += more;
        steps += 1;
        ids.push(await receive(journal, `meanwhile ${steps}`));
        if (steps === 4) await journal.forget('adt-feed', ids[10] ?? 0);
      },
    });
    assert.ok(steps > 4);
    assert.equal(
      files.reduce((sum, file) => sum + file.bytes, 0),
      bytes,
    );
    assert.ok(bytes <= total * 1.2);
    const copied = { folder: target, key: { file: filesOf(folder).key } };
    assert.deepEqual(verifyJournal(target, { keyFile: copied.key.file }).findings, []);
    const copy = await openJournal({ ...copied, emit: () => {} });
    const listed = (await copy.list({ limit: 1000 })).map(({ id }) => id);
    await copy.close();
    await journal.close();
    const before = ids.filter((id) => id < at);
    const missing = before.filter((id) => !listed.includes(id));
    assert.deepEqual(missing, [], 'also what was deleted meanwhile');
    remove();
  });

  it('that is broken off leaves nothing', async () => {
    const { folder, remove } = temporaryFolder();
    const journal = await openJournal({ folder, emit: () => {} });
    await receive(journal, randomBytes(3_000_000).toString('hex'));
    const step = async () => {
      throw new Error('interrupted');
    };
    await assert.rejects(backUp(folder, join(folder, 'backup'), { step }), /interrupted/);
    assert.ok(!existsSync(join(folder, 'backup')));
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('partial')),
      [],
    );
    await receive(journal, 'the journal goes on');
    await journal.close();
    remove();
  });
});
