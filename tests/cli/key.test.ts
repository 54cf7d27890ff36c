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

  it('a key that is missing is told of, and the engine goes on as before', async () => {
    const file = join(site.data, 'journal.key');
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, `${lines().slice(1).join('\n')}\n`);
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
