/** The form a case is written in: what is read, what is refused and where, how it is compared. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readCase, updatedCase } from '../../engine/cases/case.ts';
import { compareSection } from '../../engine/cases/compare.ts';
import { coverageOf } from '../../engine/cases/coverage.ts';
import { ConfigError } from '../../engine/config/yaml.ts';
import { compileRoute } from '../../engine/route.ts';

const head = '# A story\nchannel: gp-record\nat: 2026-06-04T10:15:00Z\n';
const read = (text: string) => readCase('a.case', text);

/** The findings of a case that cannot be read, each in one line. */
function refused(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.findings.map(({ where, says, next }) => `${where} ${says} → ${next ?? ''}`);
  }
  assert.fail('the case was read');
}

describe('the form of a case', () => {
  it('holds a story, settings, and exchanges that may be on other channels', () => {
    const story = read(
      `${head}# more of it\npatience: 300ms\naccepts: QRY^R02\nask: documents=content\nscenario: 9990000018 unavailable at=pds first=2\n` +
        `scenario: 9465701459 ACCESS DENIED\nscenario: 9990000220 slow at=mllp ms=5\n\n` +
        `== in adt-feed\nMSH|1\nPID|1\n\n== asked\n\n== in\nMSH|2\n== out\nMSA|AA\n`,
    );
    assert.equal(story.title, 'A story');
    assert.equal(story.patience, 300);
    assert.deepEqual(story.accepts, ['QRY^R02']);
    assert.deepEqual(story.ask, { documents: 'content' });
    assert.equal(story.at.toISOString(), '2026-06-04T10:15:00.000Z');
    assert.deepEqual(
      story.exchanges.map((e) => [e.channel, e.in, e.asked, e.out, e.journal]),
      [
        ['adt-feed', 'MSH|1\nPID|1\n', '', undefined, undefined],
        ['gp-record', 'MSH|2\n', undefined, 'MSA|AA\n', undefined],
      ],
    );
    assert.deepEqual(
      story.scenarios.map(({ nhsNumber, at, scenario }) => ({ nhsNumber, at, ...scenario })),
      [
        // `at` of a scenario names the place; that of the entry, which simulator plays it.
        { nhsNumber: '9990000018', at: 'pds', name: 'unavailable', first: 2 },
        { nhsNumber: '9465701459', at: 'http', name: 'ACCESS DENIED' },
        { nhsNumber: '9990000220', at: 'mllp', name: 'slow', ms: 5, first: undefined },
      ],
    );
  });

  const wrong: [why: string, text: string, ...findings: RegExp[]][] = [
    ['an unknown section', `${head}== in\nM\n== jurnal\n`, /^a\.case:6 .*"jurnal".*"journal"\?/],
    ['an unknown setting', `${head}patients: x\n== in\nM\n`, /^a\.case:4 .*"patients".*"patience"/],
    [
      'a setting without a colon',
      `${head}SECRET\n== in\nM\n`,
      /^a\.case:4 this line is no setting/,
    ],
    ['an expectation before the message', `${head}== out\n== in\nM\n`, /^a\.case:4 .*before/],
    ['no message', head, /nothing comes in → add a section "== in"/],
    ['no channel', '# S\nat: 2026-06-04\n== in\nM\n', /no channel → add a line "channel: NAME"/],
    ['no time', '# S\nchannel: c\n== in\nM\n', /no time → add a line "at: /],
    ['no story', 'channel: c\nat: 2026-06-04\n== in\nM\n', /tells no story → start the file/],
    [
      'a query that is none',
      `${head}accepts: QRY^R01\n== in\nM\n`,
      /^a\.case:4 .*"QRY\^R01".*QRY\^R02/,
    ],
    [
      'something asked that nothing asks',
      `${head}ask: paper=yes\n== in\nM\n`,
      /^a\.case:4 ask: .*"paper".*documents=content/,
    ],
    ['a patience without a unit', `${head}patience: 5\n== in\nM\n`, /^a\.case:4 patience: .*15s/],
    ['a scenario of nobody', `${head}scenario: slow\n== in\nM\n`, /:4 a scenario is an NHS number/],
    [
      'an unknown scenario',
      `${head}scenario: 9990000018 unavailible\n== in\nM\n`,
      /^a\.case:4 there is no scenario "unavailible"; did you mean "unavailable"\?/,
    ],
    [
      'an unknown place',
      `${head}scenario: 9990000018 slow at=moon\n== in\nM\n`,
      /^a\.case:4 .*at at → write it as/,
    ],
    [
      'a figure the HL7 v2 system has not',
      `${head}scenario: 9990000220 slow at=mllp bytes=9\n== in\nM\n`,
      /^a\.case:4 .*"bytes" → write it as/,
    ],
    [
      'a receiver of nothing',
      `${head}receiver: epr\n== in\nM\n`,
      /^a\.case:4 a receiver is a destination and what it does → write it as epr AE first=2/,
    ],
    [
      'a receiver that does nothing known',
      `${head}receiver: epr dwon\n== in\nM\n`,
      /^a\.case:4 no receiver does "dwon"; did you mean "down"\?/,
    ],
    [
      'several at once',
      'wat\n== im\n',
      /:1 .*no setting/,
      /:2 .*"im".*"in"/,
      /story/,
      /time/,
      /in/,
    ],
  ];
  for (const [why, text, ...findings] of wrong) {
    it(`with ${why} is refused with the line`, () => {
      const found = refused(text);
      assert.equal(found.length, findings.length, found.join('\n'));
      for (const [i, pattern] of findings.entries()) assert.match(found[i] ?? '', pattern);
      // The line may be a message in a file that is no case.
      assert.ok(!found.join().includes('SECRET'));
    });
  }
});

describe('--update', () => {
  const results = [{ asked: 'a\n', out: 'O|1\n', delivered: '', journal: 'j\n' }];
  const updated = (text: string) => updatedCase(text, read(text), results);

  it('keeps the head, and writes every section where none is stated', () => {
    const text = `${head}# why this matters\n\n\n== in\nM\n`;
    assert.equal(
      updated(text),
      `${head}# why this matters\n\n== in\nM\n\n== asked\na\n\n== out\nO|1\n\n== journal\nj\n`,
    );
  });

  it('writes what was delivered only where something was', () => {
    const came = [{ asked: '', out: 'O|1\n', delivered: 'epr delivered\nO|1\n', journal: '' }];
    const text = `${head}\n== in\nM\n`;
    const section = '== delivered\nepr delivered\nO|1\n';
    assert.ok(updatedCase(text, read(text), came).includes(section));
    assert.ok(!updated(text).includes('== delivered'));
  });

  it('writes only the sections a case states', () => {
    const text = `${head}\n== in adt-feed\nM\n\n== out\nold\n`;
    assert.equal(updated(text), `${head}\n== in adt-feed\nM\n\n== out\nO|1\n`);
  });

  it('done twice is the same as done once', () => {
    const line = fc.stringMatching(/^[A-Za-z0-9|^]{1,8}$/);
    const section = fc
      .array(line, { maxLength: 3 })
      .map((all) => all.map((l) => `${l}\n`).join(''));
    const names = fc.subarray(['asked', 'out', 'delivered', 'journal']);
    fc.assert(
      fc.property(section, names, section, (content, stated, out) => {
        const text = `${head}\n== in\nM\n${stated.map((n) => `== ${n}\n${content}`).join('')}`;
        const came = [{ asked: out, out, delivered: out, journal: out }];
        const once = updatedCase(text, read(text), came);
        assert.equal(updatedCase(once, read(once), came), once);
        const [exchange] = read(once).exchanges;
        for (const name of stated) assert.equal(exchange?.[name as 'out'], out);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a comparison', () => {
  const out = 'MSH|^~\\&|A|B\nMSA|AA|1\nOBX|1|CE|a\nNTE|1||x\nOBX|2|CE|b\n';

  it('counts MSH from its separator', () => {
    assert.deepEqual(compareSection('out', out, out.replace('|A|B', '|A|C')), [
      { at: 'MSH-4', expected: 'B', got: 'C' },
    ]);
  });

  it('uses the separator of the message', () => {
    const other = out.replaceAll('|', '#');
    assert.deepEqual(compareSection('out', other, other.replace('#AA#', '#AE#')), [
      { at: 'MSA-1', expected: 'AA', got: 'AE' },
    ]);
  });

  it('tells an added segment, a missing one and a changed one apart', () => {
    const got = out.replace('NTE|1||x\n', '').replace('|b', '|c') + 'ZZZ|1\n';
    assert.deepEqual(compareSection('out', out, got), [
      { at: 'NTE', expected: 'NTE|1||x', got: 'nothing' },
      { at: 'OBX[2]-3', expected: 'b', got: 'c' },
      { at: 'ZZZ', expected: 'nothing', got: 'ZZZ|1' },
    ]);
  });

  it('tells a field that is not there as empty', () => {
    const [difference] = compareSection('out', 'PID|1||x\n', 'PID|1\n');
    assert.deepEqual(difference, { at: 'PID-3', expected: 'x', got: '' });
  });

  it('takes a line between messages as it is', () => {
    const [found] = compareSection('delivered', 'epr delivered\nM|1\n', 'epr parked\nM|1\n');
    assert.deepEqual(found, { at: 'epr delivered', expected: 'epr delivered', got: 'epr parked' });
  });

  it('takes other sections line by line', () => {
    assert.deepEqual(compareSection('journal', 'a\nb\n', 'a\nc\n'), [
      { at: 'b', expected: 'b', got: 'nothing' },
      { at: 'c', expected: 'nothing', got: 'c' },
    ]);
  });

  it('finds nothing in equal texts, and exactly the one field that was changed', () => {
    const field = fc.stringMatching(/^[A-Za-z0-9^]{0,5}$/);
    const segment = fc.tuple(
      fc.constantFrom('PID', 'OBX', 'NTE'),
      fc.array(field, { minLength: 1 }),
    );
    const message = fc.array(segment, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(), (segments, s, f) => {
        const text = (all: typeof segments) =>
          all.map(([name, fields]) => `${[name, ...fields].join('|')}\n`).join('');
        assert.deepEqual(compareSection('out', text(segments), text(segments)), []);
        const at = s % segments.length;
        const [name = 'PID', fields = []] = segments[at] ?? [];
        const changed = segments.with(at, [name, fields.with(f % fields.length, 'CHANGED')]);
        const found = compareSection('out', text(segments), text(changed));
        assert.ok(found.some(({ got }) => got.includes('CHANGED')));
      }),
      { numRuns: 100 },
    );
  });
});

describe('the coverage of a route', () => {
  it('counts each outcome of each state once, however often it is tried again', () => {
    const route = compileRoute({
      route: 'r',
      version: '1',
      start: 'ask',
      states: {
        ask: {
          do: 'second',
          on: { found: 'done', notFound: [{ retry: 2, after: 5 }, 'done'] },
        },
        done: { end: 'record' },
      },
    });
    const step = (state: string, outcome: string) => ({ route: 'r', state, outcome });
    assert.deepEqual(coverageOf([route, route], []), [
      {
        route: 'r',
        walked: 0,
        of: 3,
        missing: ['ask found', 'ask notFound', 'ask (waiting 5 ms) elapsed'],
      },
    ]);
    const walked = [step('ask', 'notFound'), step('ask (waiting 5 ms)', 'elapsed')];
    const [half] = coverageOf([route], [...walked, step('ask', 'notFound')]);
    assert.deepEqual([half?.walked, half?.missing], [2, ['ask found']]);
  });
});
