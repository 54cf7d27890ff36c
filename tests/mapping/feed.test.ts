/** Feed mappings: what the rules do, what they leave alone, and what is refused. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ConfigError } from '../../engine/config/yaml.ts';
import { FaultError } from '../../engine/faults.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { type FeedMapping, feedNames, loadFeed } from '../../engine/mapping/feed/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-feed-'));
for (const name of ['feeds', 'tables']) mkdirSync(join(folder, name));
writeFileSync(join(folder, 'tables', 'wards.csv'), 'code,value,site\nW1,Ward 1,North\nW2,,\n');
writeFileSync(
  join(folder, 'feeds', 'functions.ts'),
  `export const upper = (values: (string | undefined)[]) => values[0]?.toUpperCase();
export const fails = () => { throw new RangeError('SECRET'); };
export const number = () => 5;
export const edit = (message: { set(p: string, v: string): void; remove(p: string): void }) => {
  message.set('PV1-2', 'E');
  message.remove('NK1');
};
`,
);
after(() => rmSync(folder, { recursive: true }));

writeFileSync(join(folder, 'feeds', 'broken.ts'), 'export const upper = ;\n');

const context = { exchange: 'HJ5POXU0W1', received: new Date('2026-06-04T10:15:00Z') };
const source = [
  'MSH|^~\\&|LAB|RXX|HUB^1.2^ISO|RXX|20260604||ADT^A08|M1|T|2.3|||AL|NE',
  'PID|1||111^^^NHS~222^^^R0A~333^^^RYY||Nel&x^Morris^^^^^|',
  'NK1|1|Nel^Ada',
  'NK1|2|Nel^Bo',
  'PV1|1|I|W1^BAY&4',
  'OBX|1|NM|K||6.1',
  'OBX|2|NM|NA||140|',
  '',
].join('\r');

function load(rules: string, name = 'one'): FeedMapping {
  const lines = rules.split('\n').map((line) => `  ${line}`);
  writeFileSync(
    join(folder, 'feeds', `${name}.yaml`),
    `feed: ${name}\nrules:\n${lines.join('\n')}\n`,
  );
  return loadFeed(folder, name);
}

/** The lines that a mapping changes: `[line, as it became]`, by place in the source. */
function changed(rules: string, text = source): string[] {
  const message = parseMessage(Buffer.from(text, 'utf8'));
  load(rules).apply(message, context);
  const before = text.split('\r');
  return message
    .toBytes()
    .toString('utf8')
    .split('\r')
    .filter((line) => !before.includes(line));
}

function failure(rules: string, text = source): string {
  const message = parseMessage(Buffer.from(text, 'utf8'));
  try {
    load(rules).apply(message, context);
  } catch (error) {
    assert.ok(error instanceof FaultError);
    assert.equal(error.fault.name, 'preparationFailed');
    return error.fault.detail ?? '';
  }
  assert.fail('the message was mapped');
}

describe('a feed mapping', () => {
  it('sets a place whole, whatever stood below it', () => {
    const [msh] = changed('- { set: MSH-5, value: EPR }');
    assert.equal(msh, 'MSH|^~\\&|LAB|RXX|EPR|RXX|20260604||ADT^A08|M1|T|2.3|||AL|NE');
    assert.match(changed('- { set: PID-3, value: "a^b" }')[0] ?? '', /^PID\|1\|\|a\\S\\b\|\|Nel&x/);
    assert.match(changed('- { set: "PID-3[2].1", value: X }')[0] ?? '', /~X\^\^\^R0A~333/);
    const header =
      '- { set: MSH-11, value: P }\n- { set: MSH-12, value: "2.4" }\n- { set: MSH-3, value: US }';
    assert.match(changed(header)[0] ?? '', /^MSH\|\^~\\&\|US\|.*\|M1\|P\|2\.4\|/);
  });

  it('takes values from elsewhere: the first that is valued, several joined, by a function', () => {
    assert.match(changed('- { set: PV1-18, from: [PV1-17, PV1-3.2] }')[0] ?? '', /\|BAY$/);
    assert.match(
      changed('- { set: PV1-18, from: [PID-5.2, PID-5.1], join: " " }')[0] ?? '',
      /\|Morris Nel$/,
    );
    assert.match(
      changed('- { set: PV1-18, from: PID-5.2, call: ./functions.ts#upper }')[0] ?? '',
      /\|MORRIS$/,
    );
    assert.match(changed('- { set: PV1-18, from: "%exchange" }')[0] ?? '', /\|HJ5POXU0W1$/);
    assert.match(
      changed('- { set: PV1-18, from: "%received" }')[0] ?? '',
      /\|20260604101500\+0000$/,
    );
  });

  it('says what becomes of a place without a value', () => {
    const rule = (absent: string) => `- { set: PV1-2, from: PV1-99${absent} }`;
    assert.deepEqual(changed(rule('')), ['PV1|1||W1^BAY&4']);
    assert.deepEqual(changed(rule(', absent: keep')), []);
    assert.deepEqual(changed(rule(', absent: default O')), ['PV1|1|O|W1^BAY&4']);
    assert.match(failure(rule(', absent: error')), /one\.yaml:3: PV1-99 holds no value$/);
  });

  it('goes through a code table, and says what becomes of a code that is not in it', () => {
    const rule = (from: string, more: string) =>
      `- { set: PV1-18, from: ${from}, table: wards, ${more} }`;
    assert.match(changed(rule('PV1-3.1', 'unknown: error'))[0] ?? '', /\|Ward 1$/);
    assert.match(changed(rule('PV1-3.1', 'unknown: error, column: site'))[0] ?? '', /\|North$/);
    assert.match(changed(rule('PV1-2', 'unknown: pass'))[0] ?? '', /\|I$/);
    assert.deepEqual(changed(rule('PV1-2', 'unknown: omit')), []);
    assert.match(changed(rule('PV1-2', 'unknown: default ?'))[0] ?? '', /\|\?$/);
    const said = failure(rule('PID-5.2', 'unknown: error'));
    assert.match(
      said,
      /^mappings\/feeds\/one\.yaml:3: PID-5\.2 holds a code that is not in tables\/wards\.csv$/,
    );
    assert.ok(!said.includes('Morris'));
  });

  it('copies what is written, with all that lies below it', () => {
    assert.deepEqual(changed('- { copy: PID-5, to: PID-9 }'), [
      'PID|1||111^^^NHS~222^^^R0A~333^^^RYY||Nel&x^Morris^^^^^||||Nel&x^Morris^^^^^',
    ]);
    assert.deepEqual(changed('- { copy: PID-99, to: PID-5 }')[0]?.endsWith('RYY|||'), true);
  });

  it('takes out segments, repetitions and the content of fields, and nothing else moves', () => {
    const message = parseMessage(Buffer.from(source));
    load('- { remove: [NK1, "PID-3[2]", PV1-3] }\n- { remove: "OBX[1]" }\n- { remove: ZZZ }').apply(
      message,
      context,
    );
    const wanted = source
      .replace(/NK1[^\r]*\r/g, '')
      .replace('~222^^^R0A', '')
      .replace('W1^BAY&4', '')
      .replace('OBX|1|NM|K||6.1\r', '');
    assert.equal(message.toBytes().toString(), wanted);
  });

  it('adds a segment behind another, behind the last of a name, or at the end', () => {
    const rule = (after: string) =>
      `- add: ZPI${after}\n  fields: { 1: MSH-10, 2.2: { value: x }, 3: { from: PV1-99 } }`;
    const at = (rules: string) => {
      const message = parseMessage(Buffer.from(source));
      load(rules).apply(message, context);
      return message.segmentNames().indexOf('ZPI');
    };
    assert.deepEqual(changed(rule('')), ['ZPI|M1|^x']);
    assert.equal(at(rule('')), 7);
    assert.equal(at(rule('\n  after: PID')), 2);
    assert.equal(at(rule('\n  after: NK1')), 4);
    assert.equal(at(rule('\n  after: "NK1[1]"')), 3);
    assert.match(failure(rule('\n  after: TXA')), /the message has no such segment/);
  });

  it('goes through segments and repetitions, the last first, and numbers them', () => {
    assert.deepEqual(changed('- { each: OBX, set: OBX-1, from: "%number", join: "" }'), []);
    assert.deepEqual(changed('- { each: OBX, set: OBX-3.2, from: OBX-5 }'), [
      'OBX|1|NM|K^6.1||6.1',
      'OBX|2|NM|NA^140||140|',
    ]);
    const kept = '- { each: PID-3, unless: { PID-3.4: [NHS] }, remove: PID-3 }';
    assert.deepEqual(changed(kept), ['PID|1||111^^^NHS||Nel&x^Morris^^^^^|']);
    const nested = '- each: OBX\n  rules:\n    - { each: OBX-3, set: OBX-3.9, value: z }';
    assert.equal(changed(nested).length, 2);
  });

  it('holds to its conditions: values, present, absent, unless', () => {
    const set = (when: string) => changed(`- { ${when}, set: PV1-18, value: X }`).length;
    assert.equal(set('when: { MSH-9.2: [A01, A08], PV1: present }'), 1);
    assert.equal(set('when: { MSH-9.2: [A01] }'), 0);
    assert.equal(set('when: { ZZZ: absent, PID-5.2: present }'), 1);
    assert.equal(set('unless: { MSH-9.2: [A08], PID-30: present }'), 1);
    assert.equal(set('unless: { MSH-9.2: [A08], PID-3: present }'), 0);
  });

  it('edits by a function, which can change nothing without a trace', () => {
    const told: string[] = [];
    const message = parseMessage(Buffer.from(source));
    load('- edit: ./functions.ts#edit').apply(message, context, ({ target, rule, source: from }) =>
      told.push(`${target} ${rule} ${from}`),
    );
    assert.deepEqual(told, [
      'PV1-2 mappings/feeds/one.yaml:3 ./functions.ts#edit',
      'NK1[2] mappings/feeds/one.yaml:3 ./functions.ts#edit',
      'NK1[1] mappings/feeds/one.yaml:3 ./functions.ts#edit',
    ]);
  });

  it('writes in the character set of the message, and fails where it lacks a character', () => {
    const latin = source.replace('|||AL|NE', '||||||8859/1');
    const message = parseMessage(Buffer.from(latin, 'latin1'));
    load('- { set: PID-5.1, value: "Núñez" }').apply(message, context);
    assert.ok(message.toBytes().includes(Buffer.from('Núñez', 'latin1')));
    assert.match(
      failure('- { set: PID-5.1, value: "Łukasz" }', latin),
      /PID-5\.1: the message's character set 8859\/1 \(MSH-18\) lacks a character/,
    );
  });

  it('fails with the rule and never with what the message holds', () => {
    assert.match(
      failure('- { set: ZZZ-1, value: x }'),
      /:3: ZZZ-1 cannot be set: the message has no such/,
    );
    const threw = failure('- { set: PV1-2, from: PID-5, call: ./functions.ts#fails }');
    assert.match(threw, /functions\.ts#fails threw RangeError$/);
    assert.match(
      failure('- { set: PV1-2, from: PID-5, call: ./functions.ts#number }'),
      /neither text/,
    );
    assert.match(failure('- edit: ./functions.ts#fails'), /threw RangeError$/);
  });

  it('leaves every byte alone that no rule touches, in any message', () => {
    const mapping = load('- { each: ZZ9, set: ZZ9-1, value: x }\n- { remove: ZZ8 }');
    const piece = fc.constantFrom(
      'PID|1',
      'OBX|1|\xe9',
      '\r',
      '\n',
      '~',
      '^',
      '\\F\\',
      '',
      ' ',
      '|',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const bytes = Buffer.from(`MSH|^~\\&|A\r${pieces.join('')}`, 'latin1');
        const message = parseMessage(bytes);
        mapping.apply(message, context);
        assert.ok(message.toBytes().equals(bytes));
      }),
    );
  });
});

describe('a feed mapping that cannot be meant', () => {
  const wrong: [what: string, rules: string, finding: RegExp][] = [
    [
      'two things at once',
      '- { set: PV1-2, value: x, remove: PV1 }',
      /:3:\d+ .*give one of set, copy/,
    ],
    ['nothing', '- { when: { PV1: present } }', /give one of set, copy/],
    ['a key nobody knows', '- { sett: PV1-2, value: x }', /unknown key "sett"; did you mean "set"/],
    [
      'no place',
      '- { set: PV1.2, value: x }',
      /"set": "PV1\.2" is not a path: the field follows a hyphen/,
    ],
    ['a segment to set', '- { set: PV1, value: x }', /"set": name the field too/],
    [
      'the delimiters',
      '- { set: MSH-2, value: x }',
      /the delimiters of a message cannot be changed/,
    ],
    ['the character set', '- { set: MSH-18, value: x }', /MSH-18 says what the bytes are in/],
    ['the header', '- { remove: MSH }', /a message has one MSH/],
    ['no source', '- { set: PV1-2 }', /give one of value and from/],
    [
      'a source nobody knows',
      '- { set: PV1-2, from: "%now" }',
      /write a place, or one of %exchange/,
    ],
    [
      'a table without a rule',
      '- { set: PV1-2, from: PV1-3, table: wards }',
      /a table needs "unknown"/,
    ],
    [
      'a table that is not there',
      '- { set: PV1-2, from: PV1-3, table: ward, unknown: pass }',
      /:3:\d+ there is no table "ward"; did you mean "wards"/,
    ],
    [
      'a column that is not there',
      '- { set: PV1-2, from: PV1-3, table: wards, unknown: pass, column: x }',
      /wards\.csv has no column "x"/,
    ],
    [
      'a function that is not there',
      '- edit: ./functions.ts#edti',
      /no function "edti"; did you mean "edit"/,
    ],
    [
      'a field into a component',
      '- { copy: PID-3, to: PID-4.1 }',
      /PID-3 holds more than fits into PID-4\.1/,
    ],
    [
      'each of a component',
      '- { each: PID-3.1, remove: PID-3 }',
      /"each" takes a segment or a field/,
    ],
    ['a number outside each', '- { set: OBX-1, from: "%number" }', /"%number" needs "each"/],
    ['rules for no reason', '- rules: [{ remove: PV1 }]', /"rules" needs each, when or unless/],
    ['a value of a segment', '- { when: { PV1: [x] }, remove: PV1 }', /a segment has no value/],
    [
      'a condition that is none',
      '- { when: { PV1: there }, remove: PV1 }',
      /write a list of values, or present/,
    ],
  ];
  for (const [what, rules, finding] of wrong) {
    it(`(${what}) is told with its place`, () => {
      assert.throws(
        () => load(rules),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.match(
            error.findings.map(({ where, says }) => `${where} ${says}`).join('\n'),
            finding,
          );
          for (const { where } of error.findings) assert.match(where, /one\.yaml:\d+:\d+$/);
          return true;
        },
      );
    });
  }

  it('(a file of functions that cannot be loaded) is told once, with what shows its line', () => {
    const rule = (place: string) => `- { set: ${place}, from: PID-5, call: ./broken.ts#upper }`;
    assert.throws(
      () => load(`${rule('PV1-2')}\n${rule('PV1-3')}`),
      ({ findings: [only, ...more] }: ConfigError) =>
        /^\.\/broken\.ts cannot be loaded: /.test(only?.says ?? '') &&
        /^node .*broken\.ts shows the line$/.test(only?.next ?? '') &&
        more.length === 0,
    );
  });

  it('is known by the name of its file', () => {
    writeFileSync(join(folder, 'feeds', 'two.yaml'), 'feed: one\nrules: [{ remove: NK1 }]\n');
    assert.throws(() => loadFeed(folder, 'two'), /the file is called two\.yaml, the mapping "one"/);
    assert.deepEqual(feedNames(folder), ['one', 'two']);
    assert.deepEqual(feedNames(tmpdir()), []);
  });
});
