/** `gatehouse key`: a new key seals from now on, what older ones sealed stays readable. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { controlRoutes } from '../../engine/control/routes.ts';
import { type Control, startControl } from '../../engine/control/server.ts';
import { silent } from '../../engine/events.ts';
import { type SmallSite, adt, adtChannel, smallSite } from '../story/small-site.ts';
import { ask } from '../world.ts';
import { called, jsonOf } from './process.ts';

interface Key {
  key: string;
  state: string;
  starts: number;
  blocks?: number;
  exchanges?: boolean;
  practices?: number;
}

describe('gatehouse key', function () {
  this.timeout(30_000);
  let site: SmallSite;
  let control: Control | undefined;
  const run = (...args: string[]) => called([...args, '--data', site.data]);
  const keys = async () =>
    jsonOf<{ keys: Key[] }>((await run('key', 'list', '-o', 'json')).stdout, 'keys').keys;
  const lines = () =>
    readFileSync(join(site.data, 'journal.key'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
  const send = (id: string) => ask(site.engine.ports.adt ?? 0, adt(id));
  const found = async () => {
    const { stdout } = await run('message', 'list', '--nhs', '9990000018', '-o', 'json');
    const { exchanges } = jsonOf<{ exchanges: { controlId: string }[] }>(stdout, 'exchanges');
    return exchanges.map(({ controlId }) => controlId);
  };
  async function start(): Promise<void> {
    const engine = await site.start();
    const routes = controlRoutes(engine, silent);
    control = await startControl({ folder: site.data, routes, emit: silent });
  }
  async function stop(): Promise<void> {
    await control?.close();
    control = undefined;
    await site.engine.stop(500);
  }

  before(async () => {
    site = smallSite({ adt: adtChannel('adt') });
    await start();
    await send('OLD');
  });
  after(async () => {
    await control?.close();
    await site.close();
  });

  it('rotate has the running engine seal with a new key at once', async () => {
    const before = lines();
    assert.equal((await run('key', 'rotate')).code, exits.usage);
    assert.equal((await run('key', 'rotate', '--dry-run')).code, exits.ok);
    assert.deepEqual(lines(), before);
    const told = await run('key', 'rotate', '--yes', '--reason', 'CHG0042');
    assert.equal(told.code, exits.ok, told.stderr);
    assert.match(told.stderr, /key [0-9a-f]{16} seals from now on/);
    const [first, second, ...more] = lines();
    assert.deepEqual([first, more], [before[0], []]);
    assert.equal(statSync(join(site.data, 'journal.key')).mode & 0o777, 0o600);
    for (const secret of [first, second]) {
      assert.ok(secret && !`${told.stdout}${told.stderr}`.includes(secret), 'it shows no key');
    }
    await send('NEW');
    assert.deepEqual(await found(), ['NEW', 'OLD']);
    const list = await keys();
    assert.deepEqual(
      list.map(({ state }) => state),
      ['old', 'current'],
    );
    assert.ok(list.every(({ starts }) => starts > 0));
    const [act] = await site.engine.journal.list({ type: 'operator' });
    const { stdout } = await run('message', 'explain', act?.id.toString(36) ?? '');
    assert.match(stdout, /key-rotate to [0-9a-f]{16} by \S+: CHG0042/);
  });

  it('what both keys sealed is found and read after a restart', async () => {
    await stop();
    await start();
    await send('LATER');
    assert.deepEqual(await found(), ['LATER', 'NEW', 'OLD']);
    for (const { id } of await site.engine.journal.list({ channel: 'adt' })) {
      assert.ok(await site.engine.journal.read(id));
    }
  });

  it('rotate without an engine is for the next start', async () => {
    await stop();
    const told = await run('key', 'rotate', '--yes');
    assert.match(told.stderr, /will seal from the next start on/);
    assert.equal(lines().length, 3);
    await start();
    await send('NEXT');
    assert.equal((await keys()).at(-1)?.starts, 1);
    assert.deepEqual(await found(), ['NEXT', 'LATER', 'NEW', 'OLD']);
  });

  it('an old key is retired once nothing needs it, and not before', async () => {
    const [oldest, middle, current] = (await keys()).map(({ key }) => key);
    assert.ok(oldest && middle && current);
    const retire = (key: string, ...more: string[]) =>
      run('key', 'retire', key, '--yes', '--reason', 'CHG0043', ...more);
    const before = lines();
    const refusals = [
      [current, exits.usage, /is the current key.*\n.*key rotate --reencrypt/],
      [oldest, exits.usage, /is still needed: [1-9]\d* blocks lie under it.*\n.*key reencrypt/],
      ['0123456789abcdef', exits.notFound, /holds no key 0123456789abcdef.*\n.*key list/],
    ] as const;
    for (const [key, code, says] of refusals) {
      const refused = await retire(key);
      assert.equal(refused.code, code, refused.stderr);
      assert.match(refused.stderr, says);
    }
    const asked = await run('key', 'reencrypt');
    assert.equal(asked.code, exits.usage);
    assert.match(asked.stderr, /--yes/);
    const dry = await run('key', 'reencrypt', '--dry-run');
    assert.match(dry.stdout, /^under older keys: [1-9]\d* blocks/);
    const done = await run('key', 'reencrypt', '--yes', '--reason', 'CHG0043');
    assert.equal(done.code, exits.ok, done.stderr);
    assert.match(done.stdout, /^sealed again under the current key: [1-9]\d* blocks/);
    assert.match((await run('key', 'reencrypt')).stdout, /^nothing lies under an older key/);
    const [one] = await keys();
    assert.deepEqual(one, {
      ...{ key: oldest, state: 'old', starts: 0, blocks: 0, exchanges: false, practices: 0 },
    });
    assert.deepEqual(lines(), before);

    assert.equal((await run('key', 'retire', oldest)).code, exits.usage);
    assert.equal((await run('key', 'retire', oldest, '--dry-run')).code, exits.ok);
    assert.deepEqual(lines(), before);
    const told = await retire(oldest);
    assert.equal(told.code, exits.ok, told.stderr);
    assert.deepEqual(lines(), before.slice(1));
    await stop();
    const alone = await retire(middle);
    assert.equal(alone.code, exits.ok, alone.stderr);
    assert.deepEqual(lines(), before.slice(2));
    await start();
    await send('AFTER');
    assert.deepEqual(await found(), ['AFTER', 'NEXT', 'LATER', 'NEW', 'OLD']);
    for (const { id } of await site.engine.journal.list({ channel: 'adt' })) {
      assert.ok(await site.engine.journal.read(id));
    }
    const acts = await site.engine.journal.list({ type: 'operator' });
    const notes = await Promise.all(acts.map(({ id }) => site.engine.journal.read(id)));
    assert.deepEqual(
      notes.map((one) => {
        const { act, to, reason } = (one?.entries[0]?.note ?? {}) as Record<string, string>;
        return [act, to, reason];
      }),
      [
        ['key-retire', middle, 'CHG0043'],
        ['key-retire', oldest, 'CHG0043'],
        ['key-reencrypt', undefined, 'CHG0043'],
        ['key-rotate', middle, 'CHG0042'],
      ],
    );
  });

  it('rotate --reencrypt does both, with an engine and without one', async () => {
    const sent = Array.from({ length: 40 }, (_, n) => `LOAD${n}`);
    const load = async () => {
      for (const id of sent) assert.equal((await send(id)).get('MSA-1'), 'AA');
    };
    for (const running of [true, false]) {
      if (!running) await stop();
      const [told] = await Promise.all([
        run('key', 'rotate', '--reencrypt', '--yes', '-o', 'json'),
        running && load(),
      ]);
      assert.equal(told.code, exits.ok, told.stderr);
      assert.equal(JSON.parse(told.stdout).kind, 'keyRotated');
      assert.match(told.stderr, /sealed again under the current key: [1-9]\d* blocks/);
      if (!running) await start();
      const list = await keys();
      assert.deepEqual(
        list.slice(0, -1).map(({ blocks, exchanges }) => [blocks, exchanges]),
        list.slice(0, -1).map(() => [0, false]),
      );
    }
    const all = await found();
    assert.deepEqual(all.toSorted(), ['AFTER', 'NEXT', 'LATER', 'NEW', 'OLD', ...sent].toSorted());
  });

  it('practices that only an old key finds are forgotten where that is said', async () => {
    const patients = join(site.data, 'patients.csv');
    writeFileSync(patients, '9990000026,B82001,2026-01-02\n9990000034,B82002,2026-01-02\n');
    const imported = await run('practice', 'import', '--patients', patients, '--apply', '--yes');
    assert.equal(imported.code, exits.ok, imported.stderr);
    const rotated = await run('key', 'rotate', '--reencrypt', '--yes');
    assert.equal(rotated.code, exits.ok, rotated.stderr);
    const old = (await keys()).at(-2);
    assert.deepEqual([old?.blocks, old?.practices], [0, 2]);
    const refused = await run('key', 'retire', old?.key ?? '', '--yes');
    assert.equal(refused.code, exits.usage);
    assert.match(
      refused.stderr,
      /practices of 2 patients are known under it alone.*\n.*--forget-pr/,
    );
    const asked = await run('key', 'retire', old?.key ?? '', '--forget-practices');
    assert.equal(asked.code, exits.usage);
    assert.match(asked.stderr, /the practices of 2 patients are forgotten for good/);
    const told = await run('key', 'retire', old?.key ?? '', '--forget-practices', '--yes');
    assert.equal(told.code, exits.ok, told.stderr);
    assert.equal(await site.engine.journal.practiceOf('9990000026'), undefined);
    assert.ok((await keys()).every(({ key }) => key !== old?.key));
  });

  it('a key that is missing is told of, and the engine goes on as before', async () => {
    const file = join(site.data, 'journal.key');
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, `${lines().slice(0, -1).join('\n')}\n`);
    const told = await run('key', 'list');
    assert.equal(told.code, exits.findings);
    assert.match(told.stdout, /^[0-9a-f]{16}\tmissing\t\d/m);
    const refused = await run('key', 'rotate', '--yes');
    assert.equal(refused.code, exits.unavailable);
    assert.match(refused.stderr, /lacks the key/);
    writeFileSync(file, whole);
    await send('STILL');
    assert.equal((await found())[0], 'STILL');
  });
});
