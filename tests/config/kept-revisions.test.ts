/** A stored revision is run only where it holds what it is named by. */
import assert from 'node:assert/strict';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
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
});
