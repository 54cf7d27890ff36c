/** `gatehouse store …` on journals of their own. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exchangeName } from '../../engine/journal/journal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { receive, temporaryFolder } from '../journal/folder.ts';
import { called, jsonOf } from './process.ts';

describe('gatehouse store stats, verify and salvage', () => {
  const { folder, remove } = temporaryFolder();
  const ids: number[] = [];
  const run = (...args: string[]) => called(['store', ...args, '--data', folder]);

  before(async () => {
    const journal = await openJournal({ folder, emit: () => {} });
    for (let n = 0; n < 12; n++) ids.push(await receive(journal, `${n} `.repeat(5000)));
    await journal.close();
  });
  after(remove);

  it('tell what is in it, as a table and as data', async () => {
    const { code, stdout } = await run('stats');
    assert.equal(code, 0);
    assert.match(stdout, /^adt-feed\t12\t0\t0\t0\t12\t/m);
    assert.match(stdout, /^journal.sqlite\t/m);
    const json = await run('stats', '-o', 'json');
    const told = jsonOf<{ channels: { states: object; oldest: string }[]; exchanges: number }>(
      json.stdout,
      'storeStats',
    );
    assert.deepEqual([told.exchanges, told.channels[0]?.states], [12, { received: 12 }]);
    assert.equal(told.channels[0]?.oldest, new Date((ids[0] ?? 0) / 1000).toISOString());
  });

  it('say of a whole journal that it is whole', async () => {
    const { code, stdout, stderr } = await run('verify');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^CHANNEL\tBLOCKS\tSTORED\nadt-feed\t12\t/);
    assert.match(stdout, /exchanges: 12 of 12 readable/);
    assert.match(stderr, /whole/);
  });

  it('say that there is no journal, or no key for it', async () => {
    const { code, stderr } = await called(['store', 'verify', '--data', join(folder, 'none')]);
    assert.equal(code, 3);
    assert.match(stderr, /--data/);
    const other = join(folder, 'other.key');
    writeFileSync(other, `${Buffer.alloc(32).toString('base64')}\n`, { mode: 0o600 });
    const wrong = await run('verify', '--key-file', other);
    assert.equal(wrong.code, 69);
    assert.match(wrong.stderr, /GH-6006/);
    rmSync(other);
  });

  it('do not say that there is none where it is another user’s, nor does the history', async () => {
    const calls = [
      ...[
        ['store', 'stats'],
        ['store', 'verify'],
      ],
      ['config', 'history'],
    ];
    const all = async () => {
      const ended = [];
      for (const call of calls) ended.push(await called([...call, '--data', folder]));
      return ended;
    };
    // Once before, for nobody else may load what they are made of.
    for (const { code } of await all()) assert.equal(code, 0);
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    else chmodSync(folder, 0);
    const refused = await all().finally(() => {
      if (isRoot) process.seteuid?.(0);
      else chmodSync(folder, 0o700);
    });
    for (const { code, stdout, stderr } of refused) {
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /belongs to another user.*\n +next: run this as the user who runs/);
    }
  });

  it('tell what is damaged, save the rest, and keep the damaged file', async () => {
    const file = join(folder, 'journal.sqlite');
    const whole = readFileSync(file);
    const cut = whole.length - 4 * 8192;
    truncateSync(file, cut);
    const { code, stdout, stderr } = await run('verify', '-o', 'json');
    assert.equal(code, 6, stderr);
    const verified = jsonOf<{ findings: { damage: string }[] }>(stdout, 'verified');
    assert.ok(verified.findings.some(({ damage }) => damage === 'structure'));
    assert.match(stderr, /next: copy the folder; then run: gatehouse store salvage --dry-run/);

    const asked = await run('salvage');
    assert.deepEqual([asked.code, asked.stdout], [2, '']);
    assert.match(asked.stderr, /--yes/);

    interface Told {
      dryRun: boolean;
      aside?: string;
      missing: { exchange: string }[];
    }
    const tried = await run('salvage', '--dry-run', '-o', 'json');
    assert.equal(tried.code, 5, tried.stderr);
    const { missing } = jsonOf<Told>(tried.stdout, 'salvaged');
    assert.ok(missing.length > 0 && missing.length < 12);
    assert.ok(!existsSync(`${file}.salvaged`));
    assert.deepEqual(readFileSync(file), whole.subarray(0, cut));

    const done = await run('salvage', '--yes', '--reason', 'disk replaced', '-o', 'json');
    assert.equal(done.code, 5, done.stderr);
    const told = jsonOf<Told>(done.stdout, 'salvaged');
    assert.deepEqual(told.missing, missing);
    assert.deepEqual(readFileSync(join(told.aside ?? '', 'journal.sqlite')).length, cut);
    const record = readFileSync(join(told.aside ?? '', 'salvaged.json'), 'utf8');
    assert.match(record, /"reason": "disk replaced"/);

    // What was saved is served from, and is whole once its index is built again.
    const journal = await openJournal({ folder, emit: () => {} });
    const listed = await journal.list();
    await journal.close();
    const lost = new Set(missing.map(({ exchange }) => exchange));
    assert.deepEqual(
      listed.map(({ id }) => id).reverse(),
      ids.filter((id) => !lost.has(exchangeName(id))),
    );
    assert.equal((await run('verify')).code, 0);
  });

  it('salvage nothing that an engine has open, and verify it all the same', async () => {
    const journal = await openJournal({ folder, emit: () => {} });
    try {
      const { code, stderr } = await run('salvage', '--yes');
      assert.equal(code, 69);
      assert.match(stderr, /GH-6007/);
      assert.equal((await run('verify')).code, 0);
    } finally {
      await journal.close();
    }
  });
});
