/** A stored revision is run only where it holds what it is named by. */
import assert from 'node:assert/strict';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { revisionOf } from '../../engine/config/revision.ts';
import { openRevisions } from '../../engine/config/revisions.ts';
import { adtChannel, smallSite } from '../story/small-site.ts';

describe('a stored revision', () => {
  it('that a power cut left without what its files said is stored again', async () => {
    const site = smallSite({ one: adtChannel('one') });
    const revisions = openRevisions(site.data);
    const revision = revisions.keep(site.folder);
    const file = join(revisions.folderOf(revision) ?? '', 'channels', 'one.yaml');
    const text = readFileSync(file, 'utf8');
    assert.equal(text, adtChannel('one'));
    truncateSync(file, 0);
    assert.equal(revisions.keep(site.folder), revision);
    assert.equal(readFileSync(file, 'utf8'), text);
    await site.close();
  });

  it('is no other for what an editor leaves beside a file', async () => {
    const site = smallSite({ one: adtChannel('one') });
    const before = revisionOf(site.folder);
    for (const name of ['one.yaml.bak', 'one.yaml~', '.one.yaml.swp']) {
      site.write(`channels/${name}`, 'what it was');
    }
    assert.equal(revisionOf(site.folder), before);
    site.write('channels/one.yaml', adtChannel('one', '# changed'));
    assert.notEqual(revisionOf(site.folder), before);
    await site.close();
  });
});
