/** `gatehouse config` against a running engine: render, diff, apply, history, rollback. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import type { Change } from '../../engine/config/difference.ts';
import { startReceiver } from '../outbound/receiver.ts';
import {
  type SmallSite,
  adt,
  adtChannel,
  delivered,
  smallSite,
  until,
} from '../story/small-site.ts';
import { ask } from '../world.ts';
import { called, jsonOf, says, start } from './process.ts';

const secretReference = '${env:HOOK_TOKEN}';

describe('gatehouse config', function () {
  this.timeout(60_000);
  let site: SmallSite;
  let engine: ChildProcess | undefined;
  let port = 0;
  const path = (name: string) => join(site.folder, name);
  const text = (name: string) => readFileSync(path(name), 'utf8');
  const edit = (name: string, from: string, to: string) => {
    assert.ok(text(name).includes(from));
    site.write(name, text(name).replace(from, to));
  };
  const config = (...args: string[]) => called(['config', ...args, '--data', site.data]);
  const good = async (...args: string[]) => {
    const ended = await config(...args);
    assert.equal(ended.code, exits.ok, ended.stderr + ended.stdout);
    return ended;
  };
  const changes = async (...args: string[]) => {
    const { stdout } = await good('diff', ...args, '-o', 'json');
    return jsonOf<{ changes: Change[] }>(stdout, 'configDiff').changes;
  };
  const runs = async () => {
    const { stdout } = await good('history', '-o', 'json');
    const { revisions } = jsonOf<{ revisions: { revision: string; running: boolean }[] }>(
      stdout,
      'configHistory',
    );
    return revisions.find(({ running }) => running)?.revision ?? '';
  };
  /** What comes out is what is expected. */
  const writeDown = () => called(['channel', 'test', '--update', '--site', site.folder]);
  async function serve(): Promise<void> {
    engine = start(['serve', '--site', site.folder, '--data', site.data], {
      env: { HOOK_TOKEN: 'hunter2' },
    });
    port = Number((await says(engine, /one listens on (\d+)\n/))[1]);
  }
  async function end(): Promise<void> {
    if (!engine || engine.exitCode !== null || engine.signalCode !== null) return;
    const ended = once(engine, 'exit');
    engine.kill('SIGTERM');
    await ended;
  }

  beforeEach(async () => {
    site = smallSite({ one: adtChannel('one') });
    mkdirSync(path('fixtures'));
    mkdirSync(join(site.folder, 'mappings', 'tables'), { recursive: true });
    site.write('mappings/tables/class.csv', 'code,value\nIN,I\nOUT,O\n');
    site.write('fixtures/one.case', story);
    await writeDown();
    await serve();
  });
  afterEach(async () => {
    await end();
    await site.close();
  });

  it('apply says who is in the way where a port is held, and that nothing was changed', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port: held } = other.address() as AddressInfo;
    const before = await runs();
    site.write('channels/two.yaml', adtChannel('two', '', `{ port: ${held} }`));
    const { code, stderr } = await config('apply', '--yes');
    other.close();
    assert.equal(code, exits.failed, stderr);
    assert.match(stderr, /another process holds 127\.0\.0\.1:\d+; nothing was changed\n/);
    assert.match(stderr, /next: gatehouse doctor names it/);
    assert.equal(await runs(), before);
  });

  it('tells in its own words how the files differ from what runs', async () => {
    assert.deepEqual(await changes(), []);
    edit('channels/one.yaml', 'keep: 90d', 'keep: 30d\nlimits: { idle: 5m }');
    site.write('channels/two.yaml', adtChannel('two'));
    site.write('mappings/tables/class.csv', 'code,value\nIN,E\nDC,O\n');
    assert.deepEqual(
      (await changes()).map(({ of, key, change, before, after }) => [
        of,
        key,
        change,
        before,
        after,
      ]),
      [
        ['one', 'keep', 'changed', '90d', '30d'],
        ['one', 'limits.idle', 'added', null, '5m'],
        ['two', '', 'added', null, null],
        ['table class', 'IN', 'changed', 'I', 'E'],
        ['table class', 'OUT', 'removed', 'O', null],
        ['table class', 'DC', 'added', null, 'O'],
      ],
    );
    const { stdout, stderr } = await good('diff');
    assert.match(stdout, /^one keep {2}90d → 30d\n/);
    assert.match(stderr, /^6 changes from revision [0-9a-f]{12} to [0-9a-f]{12}\n$/);
  });

  it('applies what its cases allow, once a person has said yes, and remembers who and why', async () => {
    const before = await runs();
    edit('channels/one.yaml', ', ADT^A08', '');
    const failing = await config('apply', '--yes');
    assert.equal(failing.code, exits.findings);
    assert.match(failing.stdout, /^differs {2}.*one\.case .*\n {4}out MSA-1 expected AA, got AR/);
    assert.match(failing.stderr, /0 of 1 cases pass; nothing was changed\n/);
    await writeDown();
    const dry = await good('apply', '--dry-run');
    assert.match(dry.stdout, /one accepts {2}\[ADT\^A01, ADT\^A08\] → \[ADT\^A01\]/);
    const unasked = await config('apply');
    assert.equal(unasked.code, exits.usage);
    assert.match(unasked.stderr, /Nobody can be asked here\n +next: add --yes/);
    assert.equal(await runs(), before);
    assert.equal((await ask(port, adt('M1'))).get('MSA-1'), 'AA');

    const applied = await good('apply', '--yes', '--reason', 'CHG0042');
    assert.match(
      applied.stderr,
      /^1 of 1 cases pass\nrevision \w+ in the place of \w+\nchanged: one\n/,
    );
    assert.equal((await ask(port, adt('M2'))).get('MSA-1'), 'AR');
    const { stdout } = await good('history', '-o', 'ndjson');
    const [newest, first] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    const by = (newest as { by: string }).by;
    assert.partialDeepStrictEqual(newest, { how: 'apply', reason: 'CHG0042', running: true, by });
    assert.partialDeepStrictEqual(first, { how: 'start', revision: before, running: false });

    const listed = await called(['message', 'list', '--data', site.data, '-o', 'json']);
    const { exchanges } = jsonOf<{ exchanges: { id: string }[] }>(listed.stdout, 'exchanges');
    const explained = await called([
      'message',
      'explain',
      exchanges[0]?.id ?? '',
      '--data',
      site.data,
    ]);
    assert.match(explained.stdout, new RegExp(`under revision ${await runs()} `));
  });

  it('does without its cases only for a reason', async () => {
    edit('channels/one.yaml', ', ADT^A08', '');
    assert.equal((await config('apply', '--yes', '--skip-cases')).code, exits.usage);
    await good('apply', '--yes', '--skip-cases', '--reason', 'the ward is waiting');
    assert.equal((await ask(port, adt('M1'))).get('MSA-1'), 'AR');
  });

  it('rolls back with one command, and loses no edit', async () => {
    const first = await runs();
    edit('channels/one.yaml', 'keep: 90d', 'keep: 30d');
    site.write('channels/two.yaml', adtChannel('two'));
    await good('apply', '--yes');
    edit('channels/one.yaml', 'keep: 30d', 'keep: 7d');
    const asked = await config('rollback');
    assert.equal(asked.code, exits.usage);
    assert.match(text('channels/one.yaml'), /keep: 7d/);

    const back = await good('rollback', '--yes', '--reason', 'too short');
    const [, aside = ''] = /kept as revision (\w+)/.exec(back.stderr) ?? [];
    assert.match(text('channels/one.yaml'), /keep: 90d/);
    assert.ok(!existsSync(path('channels/two.yaml')));
    assert.equal(await runs(), first);
    assert.deepEqual(await changes(), []);
    // The edits never ran, so they are brought back as files alone.
    const again = await good('rollback', aside.slice(0, 6), '--yes');
    assert.match(again.stderr, /which never ran\nnext: gatehouse config apply\n$/);
    assert.match(text('channels/one.yaml'), /keep: 7d/);
    assert.ok(existsSync(path('channels/two.yaml')));
    assert.equal(await runs(), first);
    const wrong = await config('rollback', 'ffff', '--yes');
    assert.equal(wrong.code, exits.notFound);
    assert.match(
      wrong.stderr,
      /no revision "ffff" is stored here\n +next: gatehouse config history/,
    );
  });

  it('takes the cases of a change back with it, and leaves those that were edited since', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port: held } = other.address() as AddressInfo;
    other.close();
    await once(other, 'close');
    const [case1, case2, bug] = ['one', 'two', 'bug'].map((name) => `fixtures/${name}.case`);
    assert.ok(case1 && case2 && bug);
    const before = text(case1);
    site.write('channels/two.yaml', adtChannel('two', '', `{ port: ${held} }`));
    site.write(case2, before.replace('channel: one', 'channel: two'));
    edit(case1, '# An update', '# An update, told otherwise');
    await good('apply', '--yes');
    const changed = await runs();
    // Found later: what a rollback is for.
    site.write(bug, before.replace('# An update', '# What went wrong'));
    const files = () => [text(case1) === before, existsSync(path(case2)), existsSync(path(bug))];

    const dry = await good('rollback', '--dry-run');
    assert.match(
      dry.stderr,
      /^fixtures\/one\.case would be put back.*\nfixtures\/two\.case would be removed/,
    );
    assert.deepEqual(files(), [false, true, true]);
    const back = await good('rollback', '--yes');
    assert.match(
      back.stderr,
      /^fixtures\/one\.case is put back.*\nfixtures\/two\.case is removed, /,
    );
    assert.deepEqual(files(), [true, false, true]);
    edit('channels/one.yaml', 'keep: 90d', 'keep: 30d');
    assert.match((await good('apply', '--yes')).stderr, /^2 of 2 cases pass\n/);

    // It cannot be taken over: then the cases, too, are as they were.
    other.listen(held, '127.0.0.1');
    await once(other, 'listening');
    const refused = await config('rollback', changed, '--yes');
    other.close();
    assert.equal(refused.code, exits.failed, refused.stderr);
    assert.deepEqual(
      [...files(), existsSync(path('channels/two.yaml'))],
      [true, false, true, false],
    );

    // The later case came with the later revision by now, and comes back with it.
    const forth = await good('rollback', changed, '--yes');
    assert.match(forth.stderr, /fixtures\/two\.case is brought back, /);
    assert.deepEqual(files(), [false, true, false]);
    edit(case2, '# An update', '# An update that matters');
    const kept = await good('rollback', '--yes');
    assert.match(kept.stderr, /fixtures\/two\.case was edited since, and stays as it is\n/);
    assert.deepEqual(files(), [true, true, true]);
    const left = readdirSync(site.folder, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      left.filter((name) => /\.(new|next)/.test(name)),
      [],
    );
  });

  it('rolls back the files where no engine runs, for it may be they that keep it from starting', async () => {
    const first = text('channels/one.yaml');
    await end();
    site.write('channels/one.yaml', 'nonsense');
    const back = await called([
      ...['config', 'rollback', 'running', '--yes', '--data', site.data, '--site', site.folder],
    ]);
    assert.equal(back.code, exits.ok, back.stderr);
    assert.match(back.stderr, /no engine runs\nnext: gatehouse serve\n$/);
    assert.equal(text('channels/one.yaml'), first);
    await serve();
  });

  it('keeps no key or certificate in a revision, and rolls none back', async () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n';
    const before = await runs();
    writeFileSync(path('channels/server.key'), pem);
    assert.deepEqual(await changes(), []);
    edit('channels/one.yaml', 'keep: 90d', 'keep: 30d');
    await good('apply', '--yes');
    assert.ok(!existsSync(join(site.data, 'revisions', await runs(), 'channels', 'server.key')));
    await good('rollback', before, '--yes');
    assert.equal(text('channels/server.key'), pem);
  });

  it('runs the functions of its revision: what is edited takes effect when it is applied', async () => {
    const receiver = await startReceiver();
    const sent = async (id: string) => {
      await ask(port, adt(id));
      await until(() => receiver.messages.some((one) => one.get('MSH-10') === id), id);
      return receiver.messages.find((one) => one.get('MSH-10') === id)?.get('MSH-5');
    };
    const nameOf = (name: string) =>
      site.write('mappings/feeds/epr.ts', `export const name = (): string => '${name}';\n`);
    try {
      mkdirSync(path('mappings/feeds'));
      nameOf('FIRST');
      const rule = '  - set: MSH-5\n    from: MSH-5\n    call: ./epr.ts#name\n';
      site.write('mappings/feeds/epr.yaml', `feed: epr\nrules:\n${rule}`);
      const mapped = delivered(receiver.port).replace('{ to: epr }', '{ to: epr, map: epr }');
      site.write('channels/one.yaml', adtChannel('one', mapped));
      await good('apply', '--yes');
      assert.equal(await sent('M1'), 'FIRST');
      nameOf('SECOND');
      assert.equal(await sent('M2'), 'FIRST');
      await good('apply', '--yes');
      assert.equal(await sent('M3'), 'SECOND');
      await good('rollback', '--yes');
      assert.equal(await sent('M4'), 'FIRST');
    } finally {
      await receiver.close();
    }
  });

  it('names and touches only the channels that a table, a route or a mapping is of', async () => {
    const receiver = await startReceiver();
    mkdirSync(path('mappings/feeds'));
    for (const [name, table] of [
      ['epr', 'class'],
      ['lab', 'ward'],
    ]) {
      site.write(
        `mappings/feeds/${name}.yaml`,
        `feed: ${name}\nrules:\n  - set: PV1-2\n    from: PV1-2\n    table: ${table}\n    unknown: pass\n`,
      );
      site.write(`mappings/tables/${table}.csv`, 'code,value\nE,I\n');
      const mapped = delivered(receiver.port).replace('{ to: epr }', `{ to: epr, map: ${name} }`);
      site.write(`channels/${name}.yaml`, adtChannel(name ?? '', mapped));
    }
    const said = async (...args: string[]) => {
      const { stderr } = await good('apply', '--yes', ...args);
      return stderr.replace(/^[^]*in the place of \w+\n/, '');
    };
    try {
      assert.equal(await said(), 'added: epr, lab\n');
      site.write('mappings/tables/class.csv', 'code,value\nE,O\n');
      assert.equal(await said(), 'changed: epr\n');
      site.write('mappings/tables/none.csv', 'code,value\nE,O\n');
      assert.equal(await said(), 'no channel runs otherwise\n');
      edit('mappings/feeds/lab.yaml', 'PV1-2', 'PV1-2 ');
      assert.equal(await said(), 'changed: lab\n');
      site.write('channels/routes/other.yaml', text('channels/routes/adt.yaml'));
      assert.equal(await said(), 'no channel runs otherwise\n');
      edit('channels/one.yaml', 'route: adt', 'route: other');
      assert.equal(await said(), 'changed: one\n');
      // One function may call another, wherever it stands.
      site.write('mappings/words.ts', 'export const word = "x";\n');
      assert.equal(await said(), 'changed: epr, lab\n');
      // What was left alone is what runs: the table as it was edited.
      const show = ['channel', 'show', 'epr', '--site', site.folder, '--data', site.data];
      const { stdout } = await called([...show, '-o', 'json']);
      const { running } = jsonOf<{ running: { port: number } }>(stdout, 'channel');
      await ask(running.port, adt('M1'));
      await until(() => receiver.messages.length > 0, 'it is delivered');
      assert.equal(receiver.messages[0]?.get('PV1-2'), 'O');
      // What runs is listed, also where its file cannot be read.
      site.write('channels/epr.yaml', 'channel: epr\nlisten: { port: "${env:NOT_SET_HERE}" }\n');
      const list = ['channel', 'list', '--site', site.folder, '--data', site.data];
      const listed = await called([...list, '-o', 'json']);
      assert.equal(listed.code, exits.badConfig);
      type Listed = { channels: { channel: string; state: string; listen: string }[] };
      const { channels } = jsonOf<Listed>(listed.stdout, 'channels');
      const epr = channels.find(({ channel }) => channel === 'epr');
      assert.deepEqual([epr?.state, epr?.listen], ['listening', `127.0.0.1:${running.port}`]);
    } finally {
      await receiver.close();
    }
  });

  it('renders what a channel comes to, with secrets as their reference', async () => {
    site.write(
      'site.yaml',
      `alerts: { webhook: { url: "http://x/", authorization: "${secretReference}" } }\n`,
    );
    site.write(
      'channels/defaults.yaml',
      'us: { application: WE, facility: R0A }\nlimits: { idle: 5m }\n',
    );
    const pds = `destinations:\n  pds: { kind: pds, url: "http://x/", apikey: "${secretReference}" }\n`;
    site.write('channels/one.yaml', `extends: defaults.yaml\n${adtChannel('one', pds)}`);
    const onSite = (...args: string[]) =>
      called(['config', 'render', ...args, '--site', site.folder]);
    const { stdout, code } = await onSite('one');
    assert.equal(code, exits.ok);
    assert.match(
      stdout,
      /^us:\n {2}application: GATEHOUSE\n {2}facility: RECGW\nlimits:\n {2}idle: 5m\n/,
    );
    assert.match(stdout, /apikey: \$\{env:HOOK_TOKEN\}\n/);
    const origins = await onSite('one', '--origins', '-o', 'csv');
    assert.match(origins.stdout, /^limits\.idle,5m,.*defaults\.yaml:2:17$/m);
    edit('channels/one.yaml', secretReference, 'hunter2');
    const literal = await onSite('one');
    assert.ok(!literal.stdout.includes('hunter2') && !literal.stderr.includes('hunter2'));
    const wrong = await onSite('onw');
    assert.equal(wrong.code, exits.notFound);
    rmSync(path('site.yaml'));
  });
});

/** An update comes in; what is answered is what came out when the case was written. */
const story = `# An update
channel: one
at: 2026-06-04T10:15:00Z

== in
MSH|^~\\&|MILLENNIUM|R0A|GATEHOUSE|RECGW|20260604101500||ADT^A08^ADT_A01|M1|P|2.4
EVN||20260604101500
PID|1||9990000018^^^NHS^NH||Wierzba^Tomasz
PV1|1|E

== out
`;
