/** `gatehouse init` and `gatehouse channel add`: a site of one's own that works at once. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { loadSite } from '../../engine/config/site.ts';
import { startEngine } from '../../engine/engine.ts';
import { silent } from '../../engine/events.ts';
import { startGpSimulator } from '../../engine/simulator/gp.ts';
import { ask, patients, segments } from '../world.ts';
import { called, jsonOf } from './process.ts';

describe('a new site', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-init-'));
  const site = join(folder, 'site');
  const file = (name: string) => join(site, name);
  const text = (name: string) => readFileSync(file(name), 'utf8');
  const onSite = (...args: string[]) => called([...args, '--site', site]);

  before(async () => {
    const dry = await called(['init', site, '--dry-run']);
    assert.match(dry.stdout, /would create channels\/gp-record\.yaml/, dry.stderr);
    assert.ok(!existsSync(site));
    const made = await called(['init', site]);
    assert.equal(made.code, exits.ok, made.stderr);
    assert.match(made.stderr, /next: cd .*site && gatehouse channel test\n$/);
    const isThere = (process.env.PATH ?? '')
      .split(':')
      .some((one) => existsSync(join(one, 'gatehouse')));
    const hint = /not on your PATH: export PATH="\S+\/bin:\S+:\$PATH"/;
    assert.equal(hint.test(made.stderr), !isThere);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is sound, and its cases pass', async () => {
    const check = await onSite('check');
    assert.equal(check.code, exits.ok, check.stdout);
    const test = await onSite('channel', 'test');
    assert.equal(test.code, exits.ok, test.stdout);
    assert.match(test.stderr, /2 of 2 cases pass/);
  });

  it('answers a first query from the record', async () => {
    const gp = await startGpSimulator({ patients });
    const env = { GATEHOUSE_GP: gp.url };
    const loaded = loadSite(site, env);
    for (const { channel } of loaded.channels) channel.listen.port = 0;
    const data = join(folder, 'data');
    const engine = await startEngine({ site: loaded, data, emit: silent, env });
    try {
      const query = text('fixtures/gp-record/allergies.hl7');
      const answer = await ask(engine.ports['gp-record'] ?? 0, query);
      assert.equal(answer.get('MSA-1'), 'AA');
      assert.match(segments(answer, 'AL1').join('\n'), /Warfarin allergy/);
    } finally {
      await engine.stop(500);
      await gp.close();
    }
  });

  it('tells editors where the schemas are, and git what to leave out', () => {
    const first = text('channels/gp-record.yaml').split('\n').slice(0, 2);
    assert.deepEqual(first, [
      '# yaml-language-server: $schema=../schemas/channel.schema.json',
      '# $schema: ../schemas/channel.schema.json',
    ]);
    const settings = JSON.parse(text('.vscode/settings.json')) as Record<string, object>;
    for (const schema of Object.keys(settings['yaml.schemas'] ?? {})) {
      const read = JSON.parse(text(schema)) as { properties?: object; then?: object };
      assert.ok(read.properties ?? read.then, schema);
    }
    assert.match(text('.gitignore'), /^data\/$/m);
  });

  it('has a systemd unit that leaves little exposed', function () {
    const unit = text('gatehouse.service');
    assert.match(unit, /^Type=exec$/m);
    assert.match(unit, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
    assert.match(unit, /^LoadCredential=/m);
    assert.ok(unit.includes(`serve --site ${site} --data /var/lib/gatehouse`));
    let told = '';
    try {
      const args = ['security', '--offline=true', file('gatehouse.service')];
      told = execFileSync('systemd-analyze', args, { encoding: 'utf8', stdio: 'pipe' });
    } catch {
      // This machine has no systemd that can judge a file.
      this.skip();
    }
    const [, level] = /Overall exposure level for gatehouse\.service: ([\d.]+)/.exec(told) ?? [];
    assert.ok(Number(level) <= 2.4, `exposure ${level}`);
  });

  it('is not made where one is already', async () => {
    const before = readdirSync(site, { recursive: true }).length;
    const again = await called(['init', site]);
    assert.equal(again.code, exits.failed);
    assert.match(again.stderr, /has site\.yaml, .* already; nothing was written/);
    assert.equal(readdirSync(site, { recursive: true }).length, before);
    writeFileSync(file('schemas/site.schema.json'), '{}');
    assert.equal((await called(['init', site, '--schemas'])).code, exits.ok);
    assert.match(text('schemas/site.schema.json'), /webhook/);
  });

  it('is made without channels, too', async () => {
    const empty = join(folder, 'empty');
    const made = await called(['init', empty, '--empty', '-o', 'json']);
    const { created } = jsonOf<{ created: string[] }>(made.stdout, 'site');
    assert.ok(!created.some((name) => name.startsWith('fixtures')));
    assert.equal((await called(['check', '--site', empty])).code, exits.ok);
    const added = await called(['channel', 'add', 'one', '--template', 'push', '--site', empty]);
    assert.equal(added.code, exits.ok, added.stderr);
    const test = await called(['channel', 'test', '--site', empty]);
    assert.equal(test.code, exits.ok, test.stdout);
  });

  it('gets channels that pass at once, each on a port of its own', async () => {
    const add = (...args: string[]) => onSite('channel', 'add', ...args);
    const taken = await add('rxx-adt', '--template', 'adt-feed', '--listen', '2575');
    assert.equal(taken.code, exits.failed);
    assert.match(
      taken.stderr,
      /channel "gp-record" listens on port 2575\n +next: .*--listen 2578\n/,
    );
    assert.ok(!existsSync(file('channels/rxx-adt.yaml')));

    const wanted = ['rxx-adt', '--template', 'adt-feed', '--listen', '6661', '--sender', 'PAS|RXX'];
    const added = await add(...wanted, '--to', '127.0.0.1:7001');
    assert.equal(added.code, exits.ok, added.stderr);
    assert.match(added.stdout, /created .*channels\/rxx-adt\.yaml\n.*admission\.hl7\n.*\.case\n/);
    assert.equal(
      added.stderr,
      'nothing to deliver to yet? gatehouse sim receiver --port 7001\n' +
        'next: gatehouse channel test rxx-adt\n',
    );
    assert.match(
      text('channels/rxx-adt.yaml'),
      /senders: \[\{ application: PAS, facility: RXX \}\]/,
    );
    assert.match(text('fixtures/rxx-adt/admission.hl7'), /^MSH\|\^~\\&\|PAS\|RXX\|/);
    assert.match(text('fixtures/rxx-adt/admission.case'), /== delivered\nepr delivered\nMSH/);
    const test = await onSite('channel', 'test', 'rxx-adt');
    assert.equal(test.code, exits.ok, test.stdout);

    const again = await add(...wanted);
    assert.equal(again.code, exits.failed);
    assert.match(again.stderr, /there already: channels\/rxx-adt\.yaml, .*nothing was written/);
    const next = await add('ryy', '--template', 'gp-record', '-o', 'json');
    // 2576 is where the simulated GP system listens that the first channel asks.
    assert.equal(jsonOf<{ port: number }>(next.stdout, 'channelAdded').port, 2578);
    for (const [name, port] of Object.entries({ rzz: 2579, rww: 2581 })) {
      const push = await add(name, '--template', 'push', '-o', 'json');
      assert.equal(jsonOf<{ port: number }>(push.stdout, 'channelAdded').port, port);
    }
  });

  it('shows its channels, whether an engine runs or not', async () => {
    const none = join(folder, 'none');
    const list = await onSite('channel', 'list', '--data', none, '-o', 'csv');
    assert.match(list.stdout, /^channel,listen,.*\nadt-feed,127\.0\.0\.1:2577,/);
    const show = await onSite('channel', 'show', 'gp-record', '--data', none);
    assert.match(show.stdout, /^gp-record {2}no engine runs\n/);
    assert.match(show.stdout, /asks +pds \(pds\) http/);
    process.env.GATEHOUSE_GP = 'http://me:hunter2@127.0.0.1:1';
    const covered = await onSite('channel', 'show', 'gp-record', '--data', none);
    delete process.env.GATEHOUSE_GP;
    assert.match(covered.stdout, /asks +pds \(pds\) \(a secret, not shown\)/);
    assert.ok(!covered.stdout.includes('hunter2'));
    const wrong = await onSite('channel', 'show', 'gp-recrod', '--data', none);
    assert.equal(wrong.code, exits.notFound);
    assert.match(wrong.stderr, /did you mean "gp-record"\?/);
    const stop = await called(['channel', 'stop', 'gp-record', '--yes', '--data', none]);
    assert.equal(stop.code, exits.unavailable);
  });

  it('is refused a name, a sender or a template that cannot be', async () => {
    const wrong: [string[], RegExp][] = [
      [['RXX', '--template', 'push'], /lower-case letters/],
      [['rxx', '--template', 'push', '--sender', 'a|b|c'], /names no sender/],
      [['rxx', '--template', 'pusch'], /Allowed choices are gp-record, adt-feed, push/],
      [['rxx'], /--template <name>/],
      [['rxx', '--template', 'push', '--listen', '70000'], /"70000" is no TCP port/],
      [['rxx', '--template', 'push', '--listen', 'x'], /next: gatehouse channel add --help: /],
    ];
    for (const [args, says] of wrong) {
      const { code, stderr } = await onSite('channel', 'add', ...args);
      assert.equal(code, exits.usage, args.join(' '));
      assert.match(stderr, says);
    }
  });
});
