/** `gatehouse practice`: a list of practices into the table, of patients into the index, and look-ups. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import { silent } from '../../engine/events.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { mixed, odsRow } from '../practices/ods.ts';
import { type SmallSite, adtChannel, smallSite, until } from '../story/small-site.ts';
import { called, ended, gatehouse, jsonOf, start } from './process.ts';

const channel = adtChannel(
  'one',
  `ask: { practices: practices.csv }
destinations:
  legacy-gp: { kind: mllp, port: 1 }
  other-gp: { kind: mllp, port: 2 }
`,
);
const table = `# kept by hand
ods,name,kind,destination
B81616,Old Surgery,mllp,legacy-gp
Z99907,Ferry Landing,mllp,other-gp
`;
const nhs = '9465701459';

describe('gatehouse practice', function () {
  this.timeout(30_000);
  let site: SmallSite;
  let list: string;
  let file: string;
  beforeEach(() => {
    site = smallSite({ one: channel });
    file = join(site.folder, 'channels', 'practices.csv');
    list = join(site.folder, 'epraccur.csv');
    site.write('channels/practices.csv', table);
    site.write('epraccur.csv', mixed.join('\r\n'));
    site.write('ccgs.txt', '# north east London\n08M  NHS Newham\n');
  });
  afterEach(() => site.close());

  const importing = (...args: string[]) =>
    called(['practice', 'import', list, '--site', site.folder, '--to', 'legacy-gp', ...args]);
  const commissioner = () => ['--commissioner', `@${join(site.folder, 'ccgs.txt')}`];

  it('shows what an import would do, and changes nothing', async () => {
    const run = await importing(...commissioner());
    assert.equal(run.code, exits.findings, run.stderr);
    assert.match(run.stdout, /9 rows, 3 active GP practices of 1 commissioner\n/);
    assert.match(
      run.stdout,
      /skipped: 1 of other commissioners, 1 no GP practice, 2 closed, 1 dormant, 1 proposed\n/,
    );
    assert.match(run.stdout, /\+2 new {2}~0 changed {2}-0 gone/);
    assert.match(
      run.stdout,
      /! 1 practice asked elsewhere \(kept; .*\n +Z99907 .*other-gp .*practices\.csv:4/,
    );
    assert.match(run.stderr, /nothing was changed; --apply/);
    assert.equal(readFileSync(file, 'utf8'), table);
    const data = jsonOf<{ rows: number; skipped: object; changes: { change: string }[] }>(
      (await importing(...commissioner(), '-o', 'json')).stdout,
      'practiceImport',
    );
    assert.deepEqual(
      data.changes.map(({ change }) => change),
      ['elsewhere', 'new', 'new'],
    );
  });

  it('applies it, keeping what people wrote, and says in the table what it was', async () => {
    const run = await importing(...commissioner(), '--apply', '--yes', '--reason', 'CHG123');
    assert.equal(run.code, exits.partly, run.stderr);
    const lines = readFileSync(file, 'utf8').split('\n');
    assert.match(
      lines[1] ?? '',
      /^# \d{4}-\d\d-\d\d .*: epraccur\.csv \(sha256 [0-9a-f]{12}\) for 08M to legacy-gp, 2 new, 0 changed, 0 removed: CHG123$/,
    );
    assert.deepEqual(lines.toSpliced(1, 1), [
      '# kept by hand',
      'ods,name,kind,destination,address,asid,commissioner',
      'B81616,Old Surgery,mllp,legacy-gp,,,',
      'Z99907,Ferry Landing,mllp,other-gp,,,',
      'F84001,"ALBION ""STREET"" SURGERY",mllp,legacy-gp,,,08M',
      'F84006,SURGERY F84006,mllp,legacy-gp,,,08M',
      '',
    ]);
    const again = await importing(...commissioner(), '--apply', '--yes');
    assert.match(again.stderr, /there is nothing to change/);
    assert.equal(readFileSync(file, 'utf8'), lines.join('\n'));
    assert.equal((await called(['check', '--site', site.folder])).code, exits.ok);
  });

  it('removes and takes over what it is told to, and only that', async () => {
    await importing(...commissioner(), '--apply', '--yes');
    site.write(
      'epraccur.csv',
      [odsRow('F84006', { name: 'NEW NAME' }), odsRow('Z99907')].join('\n'),
    );
    const shown = await importing(...commissioner());
    assert.match(shown.stdout, /~1 changed {2}-1 gone/);
    assert.match(shown.stdout, /gone \(kept; --prune .*\n +F84001 .*not in the list/);
    const run = await importing(...commissioner(), '--prune', '--reroute', '--apply', '--yes');
    assert.equal(run.code, exits.ok, run.stderr);
    const listed = await called(['practice', 'list', '--site', site.folder, '-o', 'ndjson']);
    assert.deepEqual(
      listed.stdout
        .trim()
        .split('\n')
        .map((line) => {
          const { ods, name, destination } = JSON.parse(line) as Record<string, string>;
          return `${ods} ${name} ${destination}`;
        }),
      [
        'B81616 Old Surgery legacy-gp',
        'Z99907 SURGERY Z99907 legacy-gp',
        'F84006 NEW NAME legacy-gp',
      ],
    );
  });

  it('leaves the practices of other commissioners alone', async () => {
    await importing('--apply', '--yes');
    site.write('epraccur.csv', odsRow('F84001'));
    const { stdout } = await importing(...commissioner(), '-o', 'json');
    const { changes } = jsonOf<{ changes: { change: string; ods: string }[] }>(
      stdout,
      'practiceImport',
    );
    const gone = changes.filter(({ change }) => change === 'gone').map(({ ods }) => ods);
    assert.deepEqual(gone, ['F84006']);
  });

  it('asks before it changes, and refuses what it cannot know', async () => {
    const cases: [args: string[], code: number, says: RegExp][] = [
      [['--apply'], exits.usage, /Nobody can be asked here\n.*--yes/],
      [['--apply', '--dry-run'], exits.usage, /not both/],
      [['--commissioner', '@none.txt'], exits.notFound, /no file none\.txt/],
      [['--commissioner', 'a b'], exits.usage, /"a b" is no ODS code/],
      [['--to', 'legacy-gq'], exits.notFound, /did you mean "legacy-gp"/],
      [['--to', 'two/legacy-gp'], exits.notFound, /no channel "two"/],
    ];
    for (const [args, code, says] of cases) {
      const run = await importing(...args);
      assert.equal(run.code, code, args.join(' '));
      assert.match(run.stderr, says);
    }
    site.write('epraccur.csv', `${odsRow('F84001')}\n"F84006","cut`);
    const pruning = await importing('--prune', '--apply', '--yes');
    assert.equal(pruning.code, exits.failed);
    assert.match(pruning.stderr, /epraccur\.csv:2 this is not CSV/);
    site.write('epraccur.csv', '<html>403</html>');
    assert.match((await importing()).stderr, /is not epraccur\.csv: line 1/);
    assert.equal(readFileSync(file, 'utf8'), table);
  });

  it('changes nothing where the table cannot be changed line by line', async () => {
    site.write('channels/practices.csv', table.replace('Old Surgery', '"Old\nSurgery"'));
    const before = readFileSync(file, 'utf8');
    const run = await importing('--reroute', '--apply', '--yes');
    assert.equal(run.code, exits.failed);
    assert.match(run.stderr, /go over several lines/);
    assert.equal(readFileSync(file, 'utf8'), before);
  });

  it('lists what an import would change', async () => {
    const args = ['practice', 'diff', list, '--site', site.folder, '--to', 'other-gp', '-o', 'csv'];
    const run = await called([...args, '--commissioner', '08M']);
    assert.equal(run.code, exits.findings);
    assert.match(run.stdout, /^change,ods,name,commissioner,what(,where)?\n/);
    assert.match(
      run.stdout,
      /changed,Z99907,FERRY LANDING,08M,name Ferry Landing \u2192 FERRY LANDING; /,
    );
    site.write('epraccur.csv', odsRow('B81616', { status: 'C' }));
    const closed = await called(args);
    assert.equal(closed.code, exits.ok);
    assert.match(closed.stderr, /nothing to change: the list has no practice to be taken\n$/);
  });

  it('says so where nothing is to change, and what of the list it could not read', async () => {
    const args = ['practice', 'diff', list, '--site', site.folder, '--to', 'legacy-gp'];
    site.write('epraccur.csv', odsRow('F84001'));
    await importing('--apply', '--yes');
    const same = await called(args);
    assert.deepEqual([same.code, same.stdout.split('\n').length], [exits.ok, 2]);
    assert.equal(
      same.stderr,
      'there is nothing to change: 1 practice in the table is as the list has it\n',
    );
    const { stdout } = await called([...args, '-o', 'json']);
    const data = jsonOf<{ changes: object[]; same: number }>(stdout, 'practiceDiff');
    assert.deepEqual([data.changes, data.same], [[], 1]);
    assert.deepEqual((await called([...args, '-o', 'csv'])).stdout, '');
    site.write('epraccur.csv', `${odsRow('F84001')}\nF84006,cut`);
    const cut = await called([...args, '--commissioner', '08M', '08N']);
    assert.equal(cut.code, exits.findings);
    assert.match(cut.stderr, /malformed .*epraccur\.csv:2 {2}.*\nwithout a practice .*: 08N\n$/);
  });

  it('ends with 6 where something of the list cannot be taken, and with 5 without it', async () => {
    const lists: [rows: string[], commissioner: string][] = [
      [[odsRow('F84001'), 'F84006,cut'], '08M'],
      [[odsRow('F84001'), odsRow('Z99907')], '08M'],
      [[odsRow('F84001')], '08N'],
      [[odsRow('F84001')], '08M'],
    ];
    const ends = [];
    for (const [rows, code] of lists) {
      site.write('channels/practices.csv', table);
      site.write('epraccur.csv', rows.join('\n'));
      const codes = ['08M', code];
      const planned = await importing('--commissioner', ...codes, '--dry-run');
      const done = await importing('--commissioner', ...codes, '--apply', '--yes');
      const again = await importing('--commissioner', ...codes, '--apply', '--yes');
      assert.match(again.stderr, /nothing to change/);
      ends.push([planned.code, done.code, again.code]);
    }
    assert.deepEqual(ends, [...Array<number[]>(3).fill([6, 5, 5]), [0, 0, 0]]);
  });

  it('tells where a practice is asked, with its line', async () => {
    const looking = (code: string) => called(['practice', 'lookup', code, '--site', site.folder]);
    const found = await looking('z99907');
    assert.equal(found.code, exits.ok, found.stderr);
    assert.match(
      found.stdout,
      /one: Z99907 Ferry Landing \u2192 other-gp \(mllp\) {2}\(.*practices\.csv:4\)/,
    );
    const none = await looking('A81001');
    assert.equal(none.code, exits.notFound);
    assert.match(none.stdout, /not in the table: GH-4007/);
    const wrong = await looking('946570145X9');
    assert.deepEqual([wrong.code, wrong.stderr.includes('946570')], [exits.usage, false]);
  });

  describe('of patients', () => {
    const people = () => join(site.folder, 'patients.csv');
    const bringing = (...args: string[]) =>
      called(['practice', 'import', '--patients', people(), '--data', site.data, ...args]);

    beforeEach(async () => {
      const journal = await openJournal({ folder: site.data, emit: silent });
      await journal.close();
      site.write(
        'patients.csv',
        [
          'NHS number;practice;date',
          `946 570 1459;z99907;04/06/2026`,
          '9990000018;F84001;2026-06-04T10:15',
          '9990000026;F84001;20260604',
          '9990000027;F84001;20260604',
          '9990000034;;20260604',
          '9990000042;F84001;',
          '9990000050;F84001;2999-01-01',
        ].join('\r\n'),
      );
    });

    it('loses no row to a quote that is never closed, and takes what stands between quotes', async () => {
      const lines = ['"946 570 1459","z99907","04/06/2026"', '"9990000018,F84001,2026-06-04'];
      const after = ['9990000026,F84001,20260604,"Smith, John"', '9990000034,"F84001,20260604'];
      site.write('patients.csv', [...lines, ...after].join('\n'));
      const shown = await bringing();
      assert.match(shown.stdout, /4 rows, 2 patients\n/, shown.stderr);
      assert.match(shown.stdout, /patients\.csv:2 {2}no NHS number.*\n.*patients\.csv:4 {2}no ODS/);
    });

    it('brings them in, counts what it leaves by line, and shows none of them', async () => {
      const shown = await bringing();
      assert.equal(shown.code, exits.findings, shown.stderr);
      assert.match(shown.stdout, /7 rows, 3 patients\n/);
      assert.match(shown.stdout, /patients\.csv:5 {2}no NHS number, or one that fails/);
      const run = await bringing('--apply', '--yes', '--reason', 'first load');
      assert.equal(run.code, exits.partly, run.stderr);
      assert.match(run.stdout, /3 stored, 0 as they were\n/);
      assert.match(run.stdout, /1 with a date that is still to come/);
      assert.doesNotMatch(run.stdout + run.stderr, /\d{10}/);
      const again = await bringing('--apply', '--yes', '--as-of', '2026-01-01');
      assert.match(again.stdout, /1 stored, 3 as they were\n/);
      const record = readFileSync(join(site.data, 'imports.ndjson'), 'utf8').trim().split('\n');
      assert.equal(record.length, 2);
      assert.doesNotMatch(record.join(''), /9465701459/);
      assert.match(record[0] ?? '', /"rows":7,"stored":3,.*"reason":"first load"/);
      assert.equal(statSync(join(site.data, 'imports.ndjson')).mode & 0o777, 0o600);
      assert.ok(!readFileSync(join(site.data, 'keys.sqlite')).includes(nhs));
    });

    it('tells where a patient is registered, from which source', async () => {
      await bringing('--apply', '--yes');
      const args = ['practice', 'lookup', '-', '--site', site.folder, '--data', site.data];
      const run = await gatehouse(args, { input: '946 570 1459\n' });
      assert.equal(run.code, exits.ok, run.stderr);
      assert.match(run.stdout, /^Z99907 {2}from a list of patients of 2026-06-04\n/);
      assert.match(run.stdout, /one: Z99907 Ferry Landing \u2192 other-gp .*practices\.csv:4/);
      assert.doesNotMatch(run.stdout, /946/);
      const unknown = await called([...args.with(2, '9990000069')]);
      assert.equal(unknown.code, exits.notFound);
      const mistyped = await called([...args.with(2, '9990000068')]);
      assert.deepEqual([mistyped.code, /999000/.test(mistyped.stderr)], [exits.usage, false]);
    });

    it('may be interrupted: what is stored stays, and it is recorded that it was not all', async () => {
      const args = [
        'practice',
        'import',
        '--patients',
        '-',
        '--data',
        site.data,
        '--apply',
        '--yes',
      ];
      const child = start(args);
      const over = ended(child);
      child.stdin?.write('9990000018,F84001,20260604\n'.repeat(100));
      await until(() => existsSync(join(site.data, 'keys.sqlite-wal')), 'the index is open');
      await new Promise((next) => setTimeout(next, 200));
      child.kill('SIGINT');
      const run = await over;
      assert.equal(run.code, exits.partly, run.stderr);
      assert.match(run.stderr, /importing was interrupted/);
      const [record = ''] = readFileSync(join(site.data, 'imports.ndjson'), 'utf8').split('\n');
      assert.equal((JSON.parse(record) as { whole: boolean }).whole, false);
      const again = await bringing('--apply', '--yes');
      assert.match(again.stdout, /stored/);
    });

    it('is refused where there is no journal', async () => {
      rmSync(site.data, { recursive: true });
      const run = await bringing('--apply', '--yes');
      assert.equal(run.code, exits.notFound);
      assert.ok(!existsSync(site.data));
    });
  });
});
