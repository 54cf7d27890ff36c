/** `gatehouse store backup`: taken under load, restored, and served from. */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRevisions } from '../../engine/config/revisions.ts';
import { startEngine } from '../../engine/engine.ts';
import { silent } from '../../engine/events.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { type SmallSite, adt, adtChannel, smallSite } from '../story/small-site.ts';
import { ask } from '../world.ts';
import { called, jsonOf } from './process.ts';

describe('gatehouse store backup', function () {
  this.timeout(30_000);
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-backup-'));
  let site: SmallSite;
  before(async () => {
    site = smallSite({ adt: adtChannel('adt') });
    await site.start();
  });
  after(async () => {
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const backup = (to: string, ...more: string[]) =>
    called(['store', 'backup', join(folder, to), '--data', site.data, ...more]);
  const port = () => site.engine.ports.adt ?? 0;

  it('holds every message that was acknowledged before it began, and is served from', async () => {
    const acknowledged: string[] = [];
    let ending = false;
    const senders = Array.from({ length: 8 }, async (_, sender) => {
      for (let n = 0; !ending; n++) {
        const id = `S${sender}N${n}`;
        const answer = await ask(port(), adt(id));
        if (answer.get('MSA-1') === 'AA') acknowledged.push(id);
      }
    });
    while (acknowledged.length < 100) await new Promise((resolve) => setTimeout(resolve, 5));
    const before = acknowledged.length;
    writeFileSync(join(site.data, 'held.json'), '{"version":1,"held":{}}');
    writeFileSync(join(site.data, 'journal.key.before'), 'an older key');
    const revisions = openRevisions(site.data);
    const revision = revisions.keep(site.folder);
    revisions.record({ at: new Date().toISOString(), revision, how: 'start', by: 'a.smith' });
    const { code, stdout, stderr } = await backup('loaded', '-o', 'json');
    const after = acknowledged.length;
    ending = true;
    await Promise.all(senders);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /the key is not in it/);
    const told = jsonOf<{ exchanges: number; files: { file: string }[] }>(stdout, 'storeBackup');
    assert.ok(told.exchanges >= before);
    assert.ok(after > before, 'messages were acknowledged meanwhile');
    const names = ['held.json', 'journal.sqlite', 'keys.sqlite', 'revisions'];
    assert.deepEqual(told.files.map(({ file }) => file).sort(), names);
    assert.deepEqual(readdirSync(join(folder, 'loaded')).sort(), names);
    const copied = openRevisions(join(folder, 'loaded'));
    assert.deepEqual([copied.last()?.by, copied.keep(site.folder)], ['a.smith', revision]);
    assert.equal(statSync(join(folder, 'loaded')).mode & 0o777, 0o700);
    for (const name of ['journal.sqlite', 'keys.sqlite']) {
      assert.equal(statSync(join(folder, 'loaded', name)).mode & 0o777, 0o600);
    }

    const restored = join(folder, 'restored');
    cpSync(join(folder, 'loaded'), restored, { recursive: true });
    cpSync(join(site.data, 'journal.key'), join(restored, 'journal.key'));
    const load = () => site.load();
    const engine = await startEngine({ site: load(), data: restored, emit: silent, load });
    try {
      for (const controlId of acknowledged.slice(0, before)) {
        const [found] = await engine.journal.list({ controlId });
        const stored = found && (await engine.journal.read(found.id));
        assert.ok(
          stored?.entries.some(({ kind, body }) => kind === 'answer' && body),
          controlId,
        );
      }
      const again = await ask(engine.ports.adt ?? 0, adt('AFTERWARDS'));
      assert.equal(again.get('MSA-1'), 'AA');
    } finally {
      await engine.stop(500);
    }
    assert.equal((await called(['store', 'verify', '--data', restored])).code, 0);
  });

  it('takes the key only where it is asked to, and then is complete', async () => {
    const { code, stderr } = await backup('with-key', '--with-key');
    assert.equal(code, 0, stderr);
    const copy = join(folder, 'with-key');
    assert.equal(statSync(join(copy, 'journal.key')).mode & 0o777, 0o600);
    const journal = await openJournal({ folder: copy, readOnly: true, emit: silent });
    assert.ok((await journal.list()).length > 0);
    await journal.close();
  });

  it('overwrites nothing, and leaves nothing half done', async () => {
    mkdirSync(join(folder, 'full'));
    writeFileSync(join(folder, 'full', 'file'), 'mine');
    const refused = await backup('full');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /nothing is overwritten/);
    assert.deepEqual(readdirSync(join(folder, 'full')), ['file']);

    mkdirSync(join(folder, 'empty'));
    assert.equal((await backup('empty')).code, 0, 'an empty folder may be there');

    const key = join(folder, 'wrong.key');
    writeFileSync(key, 'no key\n', { mode: 0o600 });
    const closed = await backup('closed', '--key-file', key);
    assert.deepEqual([closed.code, existsSync(join(folder, 'closed'))], [69, false]);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('partial')),
      [],
    );
  });
});
