/** That the benchmark of a grown journal runs and finds what it asks for; never how fast. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { journalFolder } from '../../bench/disk.ts';
import type { Verdict } from '../../bench/goals.ts';
import type { GrowthResults } from '../../bench/growth-report.ts';
import { root } from '../world.ts';

const run = promisify(execFile);
const bench = join(root, 'bench', 'growth.ts');

describe('npm run bench:growth', function () {
  this.timeout(60_000);

  let folder = '';
  before(() => void (folder = journalFolder()));
  after(() => rmSync(folder, { recursive: true }));

  it('fills a journal, finds its messages, judges, and leaves nothing', async () => {
    const args = ['--messages', '1000', '--lookups', '4', '-o', 'json', '--data', folder];
    const { stdout, stderr } = await run(process.execPath, [bench, ...args]).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    assert.match(stderr, /1000 messages take about/);
    const told = JSON.parse(stdout) as {
      kind: string;
      results: GrowthResults;
      goals: Verdict[];
    };
    assert.equal(told.kind, 'growth');
    const { engine, command } = told.results;
    for (const rows of [engine, command]) {
      const found = new Map(rows.map((row) => [row.what, row.found]));
      assert.equal(found.get('exchange id'), 4);
      assert.equal(found.get('control id'), 4);
      assert.equal(found.get('practice of a patient'), 4);
      assert.equal(found.get('a type that never came'), 0);
      for (const what of ['patient', 'practice', 'page of a time', 'channel', 'state']) {
        assert.ok((found.get(what) ?? 0) > 0, what);
      }
    }
    assert.equal(told.goals.length, engine.length + command.length + 3);
    assert.ok(told.goals.every(({ met }) => typeof met === 'boolean'));
    assert.deepEqual(readdirSync(folder), []);
  });

  it('says what it needs and does not begin without it', async () => {
    const { code, stderr } = (await run(process.execPath, [bench, '--messages', '1e12']).catch(
      (error: unknown) => error,
    )) as { code: number; stderr: string };
    assert.equal(code, 64);
    assert.match(stderr, /there are only .* free; name another folder with --data/);
  });
});
