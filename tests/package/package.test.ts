import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
    // Nothing runs as TypeScript from inside the package: only what analysts copy out of it may be.
    const sources = paths.filter((path) => path.endsWith('.ts'));
    assert.deepEqual(
      sources.filter((path) => !path.startsWith('docs/examples/')),
      [],
    );
    assert.ok(sources.length > 0);
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

    // A site of one's own, with functions of mappings that were compiled.
    await run(process.execPath, [gatehouse, 'init', 'made'], { cwd: folder });
    const made = join(folder, 'made');
    const own = await run(process.execPath, [gatehouse, 'channel', 'test'], { cwd: made });
    assert.match(own.stderr, /2 of 2 cases pass/);
    assert.doesNotMatch(own.stderr, /Warning/);

    const example = join(folder, 'node_modules', 'gatehouse', 'docs', 'examples', 'feeds');
    const inPlace = await run(process.execPath, [gatehouse, 'check', '--site', example], {
      cwd: folder,
    }).catch((error: { code: number; stdout: string }) => error);
    assert.equal((inPlace as { code?: number }).code, 78);
    assert.match(inPlace.stdout, /copy the site out of node_modules/);
    const site = join(folder, 'site');
    cpSync(example, site, { recursive: true });
    const copied = await run(process.execPath, [gatehouse, 'channel', 'test', '--site', site], {
      cwd: folder,
    });
    assert.match(copied.stderr, /(\d+) of \1 cases pass/);
  });
});
