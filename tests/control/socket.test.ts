/** The control socket: where it is, who may use it, and what is said where nobody answers. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { engineIn } from '../../engine/control/client.ts';
import { assertAlone } from '../../engine/control/place.ts';
import { Refusal } from '../../engine/control/refusal.ts';
import { route } from '../../engine/control/router.ts';
import { startControl } from '../../engine/control/server.ts';
import { silent } from '../../engine/events.ts';
import { FaultError } from '../../engine/faults.ts';

const routes = (name = 'first') => [
  route('GET', '/v1/name', z.strictObject({ of: z.string().optional() }), ({ of }) => ({
    body: { name: of ?? name },
  })),
  route('GET', '/v1/text', z.strictObject({}), () => ({ body: 'lines\n' })),
  route('POST', '/v1/double', z.strictObject({ n: z.number() }), ({ n }) => ({
    body: { n: n * 2 },
  })),
  route('POST', '/v1/refuse', z.strictObject({}), () => {
    throw new Refusal(409, 'not now', 'gatehouse queue list');
  }),
  route('POST', '/v1/full', z.strictObject({}), () => {
    throw new FaultError({ name: 'journalFull' });
  }),
  route('POST', '/v1/break', z.strictObject({}), () => {
    throw new TypeError('Wierzba');
  }),
];

describe('the control socket', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'gatehouse-control-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps a second engine from the folder, though somebody removed the lock file', async () => {
    await assertAlone(folder);
    const control = await startControl({ folder, routes: routes(), emit: silent });
    await assert.rejects(
      assertAlone(folder),
      (error) => error instanceof FaultError && error.fault.name === 'journalHeld',
    );
    await control.close();
    await assertAlone(folder);
  });
  const start = (name?: string) => startControl({ folder, routes: routes(name), emit: silent });

  it('answers what is declared, and is its owner\u2019s alone', async () => {
    const control = await start();
    assert.equal(control.path, join(folder, 'control.sock'));
    assert.equal(statSync(control.path).mode & 0o777, 0o600);
    const engine = engineIn(folder);
    assert.deepEqual(await engine.get('/v1/name'), { name: 'first' });
    assert.deepEqual(await engine.get('/v1/name', { of: 'a b&c' }), { name: 'a b&c' });
    assert.deepEqual(await engine.post('/v1/double', { n: 21 }), { n: 42 });
    assert.equal(await engine.text('/v1/text'), 'lines\n');
    await control.close();
    assert.ok(!existsSync(control.path));
  });

  it('says what is wrong, and never what an error of ours quotes', async () => {
    const control = await start();
    const engine = engineIn(folder);
    const refused = async (asked: Promise<unknown>) =>
      asked.then(
        () => assert.fail('it was not refused'),
        (error: Refusal) => [error.status, error.message, error.next],
      );
    assert.deepEqual(await refused(engine.post('/v1/refuse', {})), [
      409,
      'not now',
      'gatehouse queue list',
    ]);
    const [status, says] = await refused(engine.post('/v1/full', {}));
    assert.equal(status, 503);
    assert.match(String(says), /GH-6002 .*the disk is full/);
    const broken = await refused(engine.post('/v1/break', {}));
    assert.equal(broken[0], 500);
    assert.match(String(broken[1]), /TypeError/);
    assert.doesNotMatch(broken.join(), /Wierzba/);
    assert.equal((await refused(engine.post('/v1/double', { n: 'x' })))[0], 400);
    const [unknown, version] = await refused(engine.get('/v1/other'));
    assert.equal(unknown, 501);
    assert.match(String(version), /another version/);
    const bare = await new Promise<number | undefined>((resolve) => {
      const asking = request({ socketPath: control.path, method: 'POST', path: '/v1/double' });
      asking.on('response', ({ statusCode }) => resolve(statusCode));
      asking.end('{');
    });
    assert.equal(bare, 400);
    await control.close();
  });

  it('takes the place of one whose engine died', async () => {
    const left = await start('left behind');
    const control = await start('alive');
    assert.deepEqual(await engineIn(folder).get('/v1/name'), { name: 'alive' });
    await control.close();
    await left.close();
  });

  it('is made elsewhere where the path of the folder is too long for it, and found there', async () => {
    const long = join(folder, 'a'.repeat(60), 'b'.repeat(60));
    mkdirSync(long, { recursive: true });
    const before = process.env.XDG_RUNTIME_DIR;
    process.env.XDG_RUNTIME_DIR = folder;
    try {
      const open = (name: string) =>
        startControl({ folder: long, routes: routes(name), emit: silent });
      await assert.rejects(engineIn(long).get('/v1/name'), /no engine runs/);
      const left = await open('left behind');
      const control = await open('alive');
      assert.ok(!existsSync(left.path));
      // Whoever asks need not have the same environment.
      delete process.env.XDG_RUNTIME_DIR;
      assert.equal(readFileSync(join(long, 'control.path'), 'utf8').trim(), control.path);
      assert.equal(statSync(control.path).mode & 0o777, 0o600);
      assert.equal(statSync(join(control.path, '..')).mode & 0o777, 0o700);
      assert.deepEqual(await engineIn(long).get('/v1/name'), { name: 'alive' });
      await control.close();
      assert.ok(!existsSync(join(control.path, '..')));
      assert.ok(!existsSync(join(long, 'control.path')));
      process.env.XDG_RUNTIME_DIR = long;
      await assert.rejects(open('nowhere'), /no place for the control socket: .* longer than/);
      await left.close();
    } finally {
      if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
      else process.env.XDG_RUNTIME_DIR = before;
    }
  });

  it('leaves alone what is no socket', async () => {
    writeFileSync(join(folder, 'control.sock'), 'a file of somebody');
    await assert.rejects(start(), /is no socket/);
    assert.ok(existsSync(join(folder, 'control.sock')));
  });
});
