/** Errors of commands: each with a stable code, what is wrong, and one next step. */
import assert from 'node:assert/strict';
import { allErrors, commandErrors, errorOfExit } from '../../bin/cli/errors.ts';
import { exits } from '../../bin/cli/exits.ts';
import { CommandError } from '../../bin/cli/output.ts';
import { faults } from '../../engine/faults.ts';
import { called, jsonOf } from './process.ts';

describe('errors of commands', () => {
  it('have codes of their own, which tell the exit code', () => {
    const codes = [...allErrors(), ...Object.values(faults)].map(({ code }) => code);
    assert.equal(new Set(codes).size, codes.length);
    for (const { code, exit, says, next } of allErrors()) {
      assert.equal(Number(/^GH-0(\d\d)\d$/.exec(code)?.[1]), exit, code);
      assert.ok(says.length > 10 && next.length > 10, code);
    }
  });

  it('have a code for every exit code there is, also where no more is known than that', () => {
    for (const exit of Object.values(exits).filter((one) => one !== exits.ok)) {
      assert.equal(commandErrors[errorOfExit(exit)].exit, exit);
      const error = new CommandError('so it is', undefined, exit);
      assert.equal(Number(error.code.slice(4, 6)), exit);
      assert.ok(error.next);
    }
  });

  it('are all explained, as text and as JSON', async () => {
    for (const { code, says, next } of allErrors()) {
      const told = await called(['explain', code.toLowerCase()]);
      assert.equal(told.code, exits.ok);
      assert.ok(told.stdout.includes(says) && told.stdout.includes(next), code);
    }
    const { stdout } = await called(['explain', 'GH-0692', '-o', 'json']);
    assert.equal(jsonOf<{ exit: number }>(stdout, 'commandError').exit, exits.unavailable);
  });

  /** What is called, the code, and what is said of it. */
  type Call = [args: string[], code: string, says: RegExp, next: RegExp];
  const calls: Call[] = [
    [['chanel', 'list'], 'GH-0022', /'chanel'; did you mean channel\?/, /^gatehouse --help$/],
    [
      ['channel', 'list', '--sit', '.'],
      'GH-0023',
      /'--sit'; did you mean --site\?/,
      /channel list/,
    ],
    [['message', 'show'], 'GH-0024', /'id'/, /^gatehouse message show --help$/],
    [['send', 'x.hl7'], 'GH-0024', /--to <host:port>/, /^gatehouse send --help$/],
    [['message', 'list', '-o', 'xml'], 'GH-0025', /table, wide, json/, /message list --help/],
    [['channel', 'list', 'surplus'], 'GH-0021', /too many arguments/, /channel list --help/],
    [['message', 'list', '--data', 'none'], 'GH-0033', /no journal in none/, /--data/],
    [['queue', 'list', '--data', 'none'], 'GH-0692', /no engine runs/, /gatehouse serve/],
    [['send', 'none.hl7', '--to', '1'], 'GH-0032', /none\.hl7/, /name/],
    [['message', 'list', '--since', 'now'], 'GH-0025', /no time/, /15m/],
    [['mapping', 'try', 'package.json'], 'GH-0028', /no FHIR Bundle/, /Bundle as JSON/],
    [['serve', '--site', 'none'], 'GH-0032', /no folder none/, /--site/],
    [['serve', '--site', 'docs'], 'GH-0781', /no Gatehouse site/, /--site/],
    [
      ['route', 'graph', 'gp-recrod'],
      'GH-0031',
      /"gp-recrod"/,
      /^gatehouse route graph gp-record$/,
    ],
    // The operating system refuses a folder without saying which.
    ...[
      ['send', 'docs', '--to', '127.0.0.1:1'],
      ['mapping', 'try', 'docs'],
      ['mapping', 'try', 'docs', '--feed', 'epr', '--site', 'docs/examples/feeds'],
      ['mapping', 'audit', 'docs'],
      ['cert', 'check', 'docs'],
      ['message', 'diff', 'docs', 'docs'],
      ['message', 'edit', 'X', '--file', 'docs', '--reason', 'test'],
      ['practice', 'import', 'docs', '--commissioner', 'Z01', '--to', 'legacy-gp'],
      ['practice', 'import', 'x.csv', '--commissioner', '@docs', '--to', 'legacy-gp'],
    ].map((args): Call => [args, 'GH-0028', /^docs is a folder/, /name a file in it/]),
    [['mapping', 'try', 'x', '--mapping', 'gp-recrod'], 'GH-0031', /mean "gp-record"/, /one of/],
    [['mapping', 'audit', 'x', '--mapping', 'none'], 'GH-0031', /no mapping "none"/, /one of/],
    [
      ['mapping', 'try', 'x', '--feed', 'none'],
      'GH-0031',
      /feeds\/none/,
      /^gatehouse mapping list$/,
    ],
    [['channel', 'test', 'fixtures/adt/a01.hl7'], 'GH-0021', /no case/, /channel test CHANNEL/],
    [
      ['practice', 'import', 'x.csv', '--to', 'legacy-gp', '--commissioner', ''],
      'GH-0021',
      /"" is no ODS code/,
      /08M/,
    ],
    [['sim', 'gp', '--port', '70000'], 'GH-0025', /"70000" is no TCP port/, /65535/],
    [['sim', 'receiver', '--port', '70000'], 'GH-0025', /"70000" is no TCP port/, /65535/],
    [['status', '--data', 'package.json'], 'GH-0692', /no engine runs/, /gatehouse serve/],
    [['config', 'history', '--data', 'package.json'], 'GH-0033', /no folder/, /--data/],
    [['message', 'show', 'X', '--reveal'], 'GH-0027', /--reason/, /--reason/],
  ];
  it('say their code, what is wrong and one next step, each on a line, on stderr', async () => {
    for (const [args, code, says, next] of calls) {
      const { stdout, stderr, code: exit } = await called(args);
      assert.equal(stdout, '', args.join(' '));
      const [, first, sentence = '', step = '', ...more] =
        /^error (GH-\d{4}) {2}(.+)\n {6}next: (.+)\n([^]+)?$/.exec(stderr) ?? [];
      assert.equal(first, code, stderr);
      assert.match(sentence, says);
      assert.match(step, next);
      assert.deepEqual(more, [undefined]);
      assert.equal(exit, Number(code.slice(4, 6)));
    }
  });

  it('a defect names the place in the code, and never passes for a mistake of the caller', async () => {
    const { complain } = await import('../../bin/cli/output.ts');
    const { write } = process.stderr;
    let said = '';
    process.stderr.write = ((text: string) => (said += text)) as never;
    try {
      assert.equal(complain(new TypeError('x is not a function')), exits.failed);
      assert.equal(complain(Object.assign(new Error('EACCES: no'), { code: 'EACCES' })), 1);
    } finally {
      process.stderr.write = write;
    }
    assert.match(said, /error GH-0012 {2}x is not a function\n.*report it.*errors\.test\.ts/);
    assert.match(said, /error GH-0013 {2}EACCES/);
  });
});
