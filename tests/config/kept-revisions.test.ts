/** A stored revision is run only where it holds what it is named by. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { revisionOf } from '../../engine/config/revision.ts';
import type { ConfigError } from '../../engine/config/findings.ts';
import { loadKept } from '../../engine/config/load-kept.ts';
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

  it('is still told of where a line before it was cut short', async () => {
    const site = smallSite({ one: adtChannel('one') });
    const revisions = openRevisions(site.data);
    const told = { at: '2026-06-04T10:15:00.000Z', how: 'start', by: 'a.smith' } as const;
    revisions.record({ ...told, revision: 'a' });
    appendFileSync(join(site.data, 'revisions', 'history.ndjson'), '{"at":"2026-06-04T1');
    revisions.record({ ...told, revision: 'b' });
    revisions.record({ ...told, revision: 'c' });
    const names = revisions.history().map(({ revision }) => revision);
    assert.deepEqual(names, ['a', 'b', 'c']);
    await site.close();
  });

  it('is not run where a secret is not to be had that is read at the start; a token may come later', async () => {
    const destinations = [
      'destinations:',
      '  pds: { kind: pds, url: "http://127.0.0.1:1/", apikey: "${env:PDS_KEY}" }',
      '  gateway:',
      '    kind: cdg',
      '    url: http://127.0.0.1:1/',
      '    issuer: https://gatehouse.example/',
      '    device: { id: one, model: Gatehouse, version: "1" }',
      '    accessToken: ${file:/none/token}',
    ];
    const site = smallSite({ one: adtChannel('one', `${destinations.join('\n')}\n`) });
    const revisions = openRevisions(site.data);
    const load = (env: Record<string, string>) => loadKept(revisions, site.folder, env);
    assert.throws(
      () => load({}),
      ({ findings: [only, ...more] }: ConfigError) =>
        /channels\/one\.yaml:\d+:\d+$/.test(only?.where ?? '') &&
        only?.says === '"apikey": the environment variable PDS_KEY is not set' &&
        more.length === 0,
    );
    assert.equal(revisions.stored().length, 0);
    assert.equal(load({ PDS_KEY: 'x' }).channels.length, 1);
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
