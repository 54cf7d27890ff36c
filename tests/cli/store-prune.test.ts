/** `gatehouse store prune`: told before it is done, done by the engine or without it, and recorded. */
import assert from 'node:assert/strict';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { receive, temporaryFolder } from '../journal/folder.ts';
import { type SmallSite, adt, adtChannel, smallSite } from '../story/small-site.ts';
import { startControl } from '../../engine/control/server.ts';
import { controlRoutes } from '../../engine/control/routes.ts';
import { silent } from '../../engine/events.ts';
import { ask } from '../world.ts';
import { called, jsonOf } from './process.ts';

interface Told {
  channels: { channel: string; exchanges: number; stay: number; bytes: number }[];
}

const soon = () => new Date(Date.now() + 1000).toISOString();
const later = async () => new Promise((resolve) => setTimeout(resolve, 5));

describe('gatehouse store prune', () => {
  const { folder, remove } = temporaryFolder();
  const run = (...args: string[]) => called(['store', 'prune', ...args, '--data', folder]);
  const left = async () => {
    const journal = await openJournal({ folder, readOnly: true, emit: silent });
    const listed = await journal.list({ limit: 100 });
    await journal.close();
    return listed;
  };

  before(async () => {
    const journal = await openJournal({ folder, emit: silent });
    for (let n = 0; n < 6; n++) {
      await receive(journal, `answered ${n}`, { state: 'answered' });
      await receive(journal, `rejected ${n}`, { state: 'rejected', fault: 'GH-4002' });
    }
    await receive(journal, 'no message', { state: 'parked', fault: 'GH-1001' });
    await journal.close();
    await later();
  });
  after(remove);

  it('tells what would go, and asks before it does', async () => {
    const when = new Date().toISOString();
    const tried = await run('--older-than', when, '--keep-errors', '--dry-run', '-o', 'json');
    assert.equal(tried.code, 0, tried.stderr);
    const [of] = jsonOf<Told>(tried.stdout, 'storePrune').channels;
    assert.deepEqual([of?.channel, of?.exchanges, of?.stay], ['adt-feed', 6, 7]);
    assert.ok((of?.bytes ?? 0) > 300);
    assert.equal((await left()).length, 13);
    const asked = await run('--older-than', when);
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /12 exchanges from before .*--dry-run/s);
    assert.equal((await left()).length, 13);
  });

  it('is refused where it is asked wrongly', async () => {
    for (const [args, code, says] of [
      [['--older-than', 'soon'], 2, /no time/],
      [['--older-than', '1d', '--channel', 'adt'], 3, /no channel adt/],
      [['--older-than', '1d', '--state', 'parked', '--keep-errors'], 2, /leave one of them out/],
      [['--older-than', '1d', '--state', 'asking'], 2, /Allowed choices/],
    ] as const) {
      const { code: ended, stderr } = await run(...args);
      assert.equal(ended, code, stderr);
      assert.match(stderr, says);
    }
    const nothing = await run('--older-than', '1d');
    assert.deepEqual([nothing.code, nothing.stderr], [0, 'nothing to delete\n']);
  });

  it('deletes without an engine, and records who did and why', async () => {
    const when = new Date().toISOString();
    const reason = ['--yes', '--reason', 'CHG0042'];
    const done = await run('--older-than', when, '--keep-errors', ...reason, '-o', 'json');
    assert.equal(done.code, 0, done.stderr);
    assert.equal(jsonOf<Told>(done.stdout, 'storePrune').channels[0]?.exchanges, 6);
    const states = (await left()).map(({ state, type }) => type ?? state);
    assert.equal(states.filter((state) => state === 'answered').length, 0);
    assert.equal(states.filter((state) => state === 'rejected').length, 6);
    const [recorded] = await left();
    assert.equal(recorded?.type, 'operator');
    const { stdout } = await called([
      ...['message', 'explain', recorded.id.toString(36).toUpperCase(), '--data', folder],
    ]);
    assert.match(stdout, /prune all before \S+Z but errors by \S+.*: CHG0042/);

    const parked = await run('--older-than', when, '--state', 'parked', ...reason);
    assert.equal(parked.code, 0, parked.stderr);
    assert.equal((await left()).filter(({ state }) => state === 'parked').length, 0);
    assert.equal((await left()).filter(({ state }) => state === 'rejected').length, 6);
    assert.equal((await called(['store', 'verify', '--data', folder])).code, 0);
  });

  describe('through a running engine', () => {
    let site: SmallSite;
    before(async () => {
      site = smallSite({ adt: adtChannel('adt') });
      await site.start();
    });
    after(() => site.close());

    it('deletes while it serves, and takes no time that is still to come', async () => {
      const { engine, data } = site;
      const control = await startControl({
        folder: data,
        routes: controlRoutes(engine, silent),
        emit: silent,
      });
      try {
        for (let n = 0; n < 5; n++) await ask(engine.ports.adt ?? 0, adt(`M${n}`));
        await later();
        const prune = (when: string) =>
          called(['store', 'prune', '--older-than', when, '--yes', '--data', data, '-o', 'json']);
        const future = await prune(soon());
        assert.equal(future.code, 2, future.stdout);
        assert.match(future.stderr, /still to come/);
        const { code, stdout, stderr } = await prune(new Date().toISOString());
        assert.equal(code, 0, stderr);
        assert.equal(jsonOf<Told>(stdout, 'storePrune').channels[0]?.exchanges, 5);
        assert.deepEqual(
          (await engine.journal.list()).map(({ type }) => type),
          ['operator'],
        );
        assert.equal((await ask(engine.ports.adt ?? 0, adt('M9'))).get('MSA-1'), 'AA');
      } finally {
        await control.close();
      }
    });
  });
});
