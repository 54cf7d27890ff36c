/** Messages compared, exported and searched, read beside a running engine. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { splitBatch } from '../../engine/hl7/batch.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { type World, ask, qbp, startWorld } from '../world.ts';
import { called, ended, gatehouse, jsonOf, start } from './process.ts';
import { assertNothingOf, patient } from './secrets.ts';

interface Difference {
  at: string;
  name: string | null;
  a: string | null;
  b: string | null;
}

describe('gatehouse message diff, export and list --text', function () {
  this.timeout(30_000);
  let world: World;
  const query = qbp(patient, { 'MSH-10': 'FIRST', 'QPD-13': 'Wierzba', 'QPD-14': '19581201' });
  const other = qbp('9465701458', { 'MSH-10': 'DIGIT' });
  const reason = ['--reveal', '--reason', 'CHG0042'];
  const message = (verb: string, ...args: string[]) =>
    called(['message', verb, ...args, '--data', world.data]);
  const idOf = async (controlId: string) => {
    const { stdout } = await message('list', '--control-id', controlId, '-o', 'json');
    const { exchanges } = jsonOf<{ exchanges: { id: string }[] }>(stdout, 'exchanges');
    return exchanges[0]?.id ?? assert.fail(`there is no ${controlId}`);
  };
  const differences = async (...args: string[]) => {
    const { stdout } = await message('diff', ...args, '-o', 'json');
    return jsonOf<{ differences: Difference[] }>(stdout, 'messageDifferences').differences;
  };
  const reveals = () => readFileSync(join(world.data, 'reveals.ndjson'), 'utf8').trim().split('\n');

  before(async () => {
    world = await startWorld();
    const port = world.engine.ports['gp-record'] ?? 0;
    await ask(port, query);
    await ask(port, other);
    await ask(world.engine.ports['adt-feed'] ?? 0, 'MSH|no message at all\r');
  });
  after(() => world.close());

  it('diff names the fields in which two messages differ, and covers what they hold', async () => {
    const [a, b] = [await idOf('FIRST'), await idOf('DIGIT')];
    const told = await message('diff', a, b);
    assert.equal(told.code, exits.findings);
    assertNothingOf(told.stdout, 'message diff');
    assert.match(told.stdout, /^MSH-10\tMessage Control ID\tFIRST\tDIGIT$/m);
    const found = await differences(a, b);
    const nhs = found.find(({ at }) => at === 'QPD-3');
    assert.deepEqual([nhs?.a?.replaceAll('•', ''), nhs?.b?.replaceAll('•', '')], ['^^^^', '^^^^']);
    assert.equal((await message('diff', a, a)).code, exits.ok);
  });

  it('diff compares the parts of an exchange, and a file', async () => {
    const id = await idOf('FIRST');
    const parts = await differences(`${id}:received`, `${id}:answer`);
    assert.ok(parts.some(({ at, a, b }) => at === 'QAK' && a === null && b !== null));
    const file = join(world.data, 'changed.hl7');
    writeFileSync(file, query.replace('MSH|^~\\&|MILLENNIUM', 'MSH|^~\\&|OTHER'));
    assert.deepEqual(await differences(file, id), [
      { at: 'MSH-3', name: 'Sending Application', a: 'OTHER', b: 'MILLENNIUM' },
    ]);
    const none = await message('diff', `${id}:sent`, id);
    assert.deepEqual([none.code, none.stdout], [exits.notFound, '']);
    assert.equal((await message('diff', 'no-such.hl7', id)).code, exits.notFound);
  });

  it('diff shows the patient only to somebody who says why, and records it', async () => {
    const [a, b] = [await idOf('FIRST'), await idOf('DIGIT')];
    const bare = await message('diff', a, b, '--reveal');
    assert.deepEqual([bare.code, bare.stdout], [exits.usage, '']);
    const shown = await message('diff', a, b, ...reason);
    assert.match(shown.stdout, new RegExp(`QPD-3\\t.*\\t${patient}`));
    assert.deepEqual(
      reveals().map((line) => (JSON.parse(line) as { exchange: string }).exchange),
      [a, b],
    );
  });

  it('exports a batch that our own reader takes back, byte for byte', async () => {
    const file = join(world.data, 'out.hl7');
    const { code, stdout, stderr } = await message('export', '-O', file, ...reason);
    assert.deepEqual([code, stdout], [exits.ok, '']);
    assert.match(stderr, /2 messages exported to .*out\.hl7\n1 left out: they hold no message/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const read = splitBatch(readFileSync(file));
    assert.deepEqual([read.problems, read.warnings], [[], []]);
    const [batch] = read.batches;
    assert.deepEqual(batch?.messages.map(String), [query, other]);
    const last = JSON.parse(reveals().at(-1) ?? '') as Record<string, unknown>;
    assert.deepEqual([last.exchange, last.count, last.reason], ['export', 3, 'CHG0042']);
  });

  it('covers what it exports unless told, and keeps it readable', async () => {
    const answers = await message('export', '--part', 'answer');
    assert.equal(answers.code, exits.ok);
    assertNothingOf(answers.stdout, 'message export');
    const { batches, problems } = splitBatch(Buffer.from(answers.stdout));
    assert.deepEqual(problems, []);
    const [first] = batches[0]?.messages ?? [];
    const read = parseMessage(first ?? assert.fail('there is no answer'));
    assert.match(read.raw('PID-3') ?? '', /^\*{10}\^\^\^\*{3}\^\*{2}$/);
    assert.equal(read.get('MSA-1'), 'AA');
  });

  it('does not take the place of a file, and leaves nothing half done', async () => {
    const file = join(world.data, 'kept.csv');
    writeFileSync(file, 'mine');
    const args = ['--format', 'csv', '-O', file];
    const refused = await message('export', ...args);
    assert.equal(refused.code, exits.failed);
    assert.match(refused.stderr, /is there already\n +next: .*--force/);
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    assert.equal((await message('export', ...args, '--force')).code, exits.ok);
    assert.match(readFileSync(file, 'utf8'), /^id,at,channel,state.*\n\w+,/);
    rmSync(file);
    assert.ok(!readdirSync(world.data).some((name) => name.includes('partial')));
    assert.equal((await message('export', '--since', '2099-01-01')).code, exits.notFound);
    for (const wrong of [['--reveal'], ['--mask', ...reason], ['--format', 'csv', ...reason]]) {
      assert.equal((await message('export', ...wrong)).code, exits.usage, wrong.join(' '));
    }
  });

  it('exports JSON lines with what is known of each exchange', async () => {
    const { stdout } = await message('export', '--format', 'ndjson', '--fault', 'GH-4002');
    const [line, ...more] = stdout.trimEnd().split('\n');
    const read = JSON.parse(line ?? '') as Record<string, string>;
    assert.deepEqual([more.length, read.controlId, read.fault], [0, 'DIGIT', 'GH-4002']);
    assert.match(read.message ?? '', /^MSH\|.*\nQPD\|•/);
  });

  it('list finds by type, sender and time, in every form', async () => {
    const ids = async (...args: string[]) => {
      const { stdout } = await message('list', ...args, '-o', 'csv');
      return stdout.trimEnd().split('\n').length - 1;
    };
    assert.equal(await ids('--type', 'QBP'), 2);
    assert.equal(await ids('--type', 'QBP^Q11'), 2);
    assert.equal(await ids('--type', 'QB'), 0);
    assert.equal(await ids('--sender', 'MILLENNIUM|R0A', '--type', 'QBP'), 2);
    assert.equal(await ids('--until', '2020-01-01'), 0);
    assert.match((await message('list', '-o', 'yaml')).stdout, /^kind: exchanges\nversion: 1\n/);
  });

  it('list --text finds what messages say, and shows where, covered', async () => {
    const args = ['message', 'list', '--text', '-', '-o', 'json', '--data', world.data];
    const { code, stdout } = await gatehouse(args, { input: 'wierzba\n' });
    assert.equal(code, exits.ok);
    assertNothingOf(stdout, 'message list --text');
    const { matches } = jsonOf<{ matches: { part: string; place: string }[] }>(
      stdout,
      'textMatches',
    );
    assert.ok(matches.some(({ part, place }) => part === 'received' && place === 'QPD-13'));
    assert.ok(matches.some(({ part, place }) => part === 'answer' && place === 'QPD-13'));
    const none = await message('list', '--text', 'Nobody', '--fault', 'GH-4002');
    assert.deepEqual([none.code, none.stderr], [exits.ok, 'none of 1 messages holds it\n']);
  });

  it('list --text says what it costs before it opens many messages', async () => {
    const { journal } = world.engine;
    const body = Buffer.from(query);
    const all = Array.from({ length: 1001 }, () => {
      const id = journal.mint();
      const entries = [{ kind: 'received' as const, at: id, body }];
      return journal.append(id, 'gp-record', entries, { controlId: 'MANY', state: 'answered' });
    });
    await Promise.all(all);
    const args = ['--text', 'tomasz', '--control-id', 'MANY'];
    const asked = await message('list', ...args);
    assert.deepEqual([asked.code, asked.stdout], [exits.usage, '']);
    assert.match(asked.stderr, /^1,001 messages, about \d+ KB, have to be opened: about \d+ s; /);
    assert.match(asked.stderr, /Each of them is to be opened.*\n +next: add --yes/);
    const none = await message('list', ...args, '--yes');
    assert.equal(none.stderr.split('\n').at(-2), 'none of 1001 messages holds it');
    const narrow = await message('list', '--text', 'WIERZBA', '--control-id', 'FIRST');
    assert.equal(narrow.code, exits.ok);
    assert.doesNotMatch(narrow.stderr, /have to be opened/);
  });

  it('leaves nothing of an export that is interrupted', async () => {
    const file = join(world.data, 'broken-off.ndjson');
    const many = [...Array(3000).keys()].map(() => {
      const id = world.engine.journal.mint();
      const entries = [{ kind: 'received' as const, at: id, body: Buffer.from(query) }];
      const keys = { controlId: 'LONG', state: 'answered' as const };
      return world.engine.journal.append(id, 'gp-record', entries, keys);
    });
    await Promise.all(many);
    const args = ['--format', 'ndjson', '--control-id', 'LONG', '-O', file];
    const child = start(['message', 'export', ...args, '--data', world.data]);
    const done = ended(child);
    const isPartial = (name: string) => name.startsWith('broken-off');
    while (!readdirSync(world.data).some(isPartial) && child.exitCode === null) {
      await new Promise((next) => setTimeout(next, 5));
    }
    child.kill('SIGINT');
    const { code, stderr } = await done;
    assert.equal(code, exits.partly, stderr);
    assert.match(stderr, /exporting was interrupted: [\d,]+ of 3,000 messages/);
    assert.match(stderr, /nothing was kept/);
    assert.ok(!readdirSync(world.data).some(isPartial));
  });
});
