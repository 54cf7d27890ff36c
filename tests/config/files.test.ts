/** The files a channel depends on: an edit of another one does not touch it. */
import assert from 'node:assert/strict';
import { cpSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { mappingFilesOf } from '../../engine/config/files.ts';
import { loadSite } from '../../engine/config/site.ts';
import { root } from '../world.ts';

describe('the files of a channel', function () {
  this.timeout(30_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-files-'));
    for (const name of ['channels', 'mappings'])
      cpSync(join(root, name), join(folder, name), { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('are its rules, its functions and the tables that these ask: none that nobody names', () => {
    const shipped = globSync('mappings/**/*.*', { cwd: folder }).sort();
    writeFileSync(join(folder, 'mappings', 'tables', 'nobody.csv'), 'code,value\nA,B\n');
    const { channels } = loadSite(folder, {});
    const of = (name: string) => {
      const loaded = channels.find(({ channel }) => channel.channel === name);
      assert.ok(loaded, name);
      return mappingFilesOf(loaded).map((file) => relative(folder, file));
    };
    // Every table that is shipped is asked by the mapping that is.
    assert.deepEqual(of('gp-record').sort(), shipped);
    assert.deepEqual(of('adt-feed'), []);
  });
});
