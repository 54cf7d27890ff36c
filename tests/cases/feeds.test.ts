/** The example site that feeds an EPR: sound, and its cases true. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { readCase } from '../../engine/cases/case.ts';
import { playCases } from '../../engine/cases/play.ts';
import { loadSite } from '../../engine/config/site.ts';
import { root } from '../world.ts';

const folder = join(root, 'docs', 'examples', 'feeds');

describe('the example of a feed', () => {
  it('is sound', () => {
    assert.deepEqual(loadSite(folder, {}).findings, []);
  });

  it('does what its cases say, to each destination', async () => {
    const files = globSync('fixtures/*.case', { cwd: folder }).sort();
    assert.ok(files.length >= 8);
    const stories = files.map((file) => readCase(join(folder, file)));
    for (const { file, exchanges } of stories) {
      assert.ok(
        exchanges.every(({ out }) => out),
        file,
      );
    }
    const played = await playCases(stories, loadSite(folder, {}).channels, join(folder, 'none'));
    assert.deepEqual(
      played.flatMap(({ story, differences }) => differences.map((one) => [story.title, one])),
      [],
    );
  });
});
