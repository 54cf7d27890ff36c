/** What a shell is told, and what its own completion function then offers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import {
  type SmallSite,
  adt,
  adtChannel,
  delivered,
  smallSite,
  until,
} from '../story/small-site.ts';
import { ask, root } from '../world.ts';
import { called } from './process.ts';

const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;

const cache = join(root, 'node_modules', '.cache', 'gatehouse');

/** Calls the function that a shell was given, as the shell does when Tab is pressed. */
const harness: Readonly<Record<string, string>> = {
  bash: `source <(gatehouse completion bash)
COMP_LINE="$1"; COMP_POINT=\${#COMP_LINE}; _gatehouse; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: `compdef() { :; }; _files() { print -r -- ':files'; }
_describe() { local name=\${@[-1]}; print -rl -- \${(P)name}; }
source <(gatehouse completion zsh)
words=(\${(z)1}); [[ $1 == *' ' ]] && words+=(''); CURRENT=\${#words}; _gatehouse`,
  fish: `gatehouse completion fish | source; complete -C "$argv[1]"`,
};

describe('gatehouse completion', function () {
  this.timeout(30_000);
  let site: SmallSite;
  let ids: string[];
  const next = async (...words: string[]) => {
    const { code, stdout, stderr } = await called(['complete', '--', ...words]);
    assert.deepEqual([code, stderr], [exits.ok, '']);
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0]]));
  };

  before(async () => {
    site = smallSite({ adt: adtChannel('adt', delivered(9)), results: adtChannel('results') });
    const { ports, journal } = await site.start();
    for (const id of ['C1', 'C2']) await ask(ports.adt ?? 0, adt(id));
    await until(async () => (await journal.list()).length === 2, 'both are stored');
    ids = (await journal.list()).map(({ id }) => id.toString(36).toUpperCase());
    const bin = join(site.folder, 'bin');
    mkdirSync(bin);
    const launcher = join(root, 'bin', 'gatehouse');
    const script = `#!/bin/sh\nexec "${process.execPath}" "${launcher}" "$@"\n`;
    writeFileSync(join(bin, 'gatehouse'), script);
    chmodSync(join(bin, 'gatehouse'), 0o755);
    writeFileSync(join(site.folder, 'a message.hl7'), '');
  });
  after(() => site.close());

  it('offers commands and options with what they do', async () => {
    assert.deepEqual(await next('messag'), ['message']);
    assert.deepEqual(await next('message', 'sh'), ['show']);
    assert.deepEqual(await next('message', 'list', '--cha'), ['--channel']);
    assert.deepEqual(await next('message', 'list', '--state', 'pa'), ['parked']);
    assert.deepEqual(await next('message', 'list', '--state=pa'), ['--state=parked']);
    assert.ok((await next('')).includes('doctor'));
    assert.ok(!(await next('')).includes('complete'));
    assert.deepEqual(await next('no-such-command', 'x', ''), []);
  });

  it('offers channels, destinations, faults and the last messages', async () => {
    assert.deepEqual(await next('channel', 'show', '--site', site.folder, 'r'), ['results']);
    assert.deepEqual(await next('explain', 'gh-700'), [
      ...['GH-7001', 'GH-7002', 'GH-7003', 'GH-7004', 'GH-7005', 'GH-7006', 'GH-7007'],
      ...['GH-7008', 'GH-7009'],
    ]);
    assert.deepEqual(await next('message', 'show', '--data', site.data, ''), ids);
    const [first = ''] = ids;
    const few = await next('message', 'replay', first, '--data', site.data, first.slice(0, 9));
    assert.ok(few.includes(first));
  });

  it('offers nothing where nothing is there, and never fails', async () => {
    const nowhere = join(site.folder, 'nowhere');
    assert.deepEqual(await next('message', 'show', '--data', nowhere, ''), []);
    assert.deepEqual(await next('tap', '--site', nowhere, ''), []);
    assert.deepEqual(await next('message', 'diff', '--data', nowhere, ''), [':files']);
    assert.equal((await called(['completion', 'csh'])).code, exits.usage);
  });

  for (const [shell, script] of Object.entries(harness)) {
    it(`works in ${shell}`, function () {
      if (!has(shell)) return this.skip();
      const tab = (line: string): string[] => {
        const args = shell === 'fish' ? ['-c', script, line] : ['-c', script, shell, line];
        const PATH = [join(site.folder, 'bin'), process.env.PATH].join(delimiter);
        const { stdout, stderr } = spawnSync(shell, args, {
          cwd: site.folder,
          env: { ...process.env, PATH, HOME: site.folder, NODE_COMPILE_CACHE: cache },
          encoding: 'utf8',
        });
        assert.equal(stderr, '');
        return stdout
          .split('\n')
          .flatMap((one) => (one === '' ? [] : [one.split(/[\t:]/)[0] ?? '']));
      };
      assert.deepEqual(tab('gatehouse messa'), ['message']);
      assert.deepEqual(tab('gatehouse message show '), ids);
      assert.deepEqual(tab('gatehouse tap '), ['adt', 'results']);
      assert.deepEqual(tab('gatehouse queue show '), ['adt/epr']);
      if (shell === 'bash') {
        // It replaces what stands behind the last = alone.
        assert.deepEqual(tab('gatehouse message list --channel=r'), ['results']);
        assert.deepEqual(tab('gatehouse send a'), ['a message.hl7']);
      }
    });
  }
});
