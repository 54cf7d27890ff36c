import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../world.ts';

const run = promisify(execFile);
const npm = process.env.npm_execpath;

describe('the packed tarball', function () {
  this.timeout(100_000);
  let folder: string;
  before(function () {
    if (!npm) {
      console.log('      skipped: run by "npm test", which says where npm is');
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-package-'));
  });
  after(() => folder && rmSync(folder, { recursive: true, force: true }));

  it('installs elsewhere and runs from compiled JavaScript', async () => {
    const pack = await run(
      process.execPath,
      [npm ?? '', 'pack', '--json', '--pack-destination', folder],
      {
        cwd: root,
      },
    );
    const [{ filename, files }] = JSON.parse(pack.stdout.slice(pack.stdout.indexOf('['))) as [
      { filename: string; files: { path: string }[] },
    ];
    const paths = files.map(({ path }) => path);
    assert.deepEqual(
      paths.filter((path) => path.endsWith('.ts')),
      [],
    );
    assert.ok(paths.includes('LICENSE') && paths.includes('dist/engine/engine.js'));

    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const install = [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      join(folder, filename),
    ];
    await run(process.execPath, [npm ?? '', ...install], { cwd: folder });
    const gatehouse = join(folder, 'node_modules', 'gatehouse', 'bin', 'gatehouse');
    assert.ok(existsSync(gatehouse));
    assert.ok(!existsSync(join(folder, 'node_modules', 'gatehouse', 'engine')));

    const demo = await run(process.execPath, [gatehouse, 'demo', '--once'], { cwd: folder });
    assert.match(demo.stdout, /MSA\|AA\|/);
    assert.match(demo.stdout, /Warfarin allergy/);
    const test = await run(process.execPath, [gatehouse, 'channel', 'test'], { cwd: folder });
    assert.match(test.stderr, /(\d+) of \1 cases pass/);
  });
});
