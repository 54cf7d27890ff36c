/** The language of mappings: what a rule can say, and how a wrong one is reported. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, type Finding } from '../../engine/config/yaml.ts';
import { FaultError } from '../../engine/faults.ts';
import { mapRecord } from '../../engine/mapping/apply.ts';
import { loadMappings } from '../../engine/mapping/load.ts';
import { allergy, at, bundle, codes, list, named, now, patient } from './records.ts';

const root = join(import.meta.dirname, '../..');

/** A dataset file around these segments. */
const dataset = (segments: string, more = '') => `dataset: ALL
title: Test
lists:
  - { list: active, code: '${codes.active}', parameter: includeAllergies, status: ALL }
items:
  - item: Allergy
    resource: AllergyIntolerance
    lists: active
${more}    segments:
${segments.replace(/^/gm, '      ')}
`;

describe('mapping: the language', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mapping-'));
    cpSync(join(root, 'mappings/tables'), join(folder, 'tables'), { recursive: true });
    cpSync(join(root, 'mappings/gp-record/datatypes.yaml'), join(folder, 'm/datatypes.yaml'));
    const types = readFileSync(join(folder, 'm/datatypes.yaml'), 'utf8');
    writeFileSync(join(folder, 'm/datatypes.yaml'), types.replaceAll('./functions.ts', './own.js'));
    writeFileSync(
      join(folder, 'm/own.js'),
      `export const universalType = () => [];
export const shout = (values) => values.map((one) => String(one).toUpperCase());
export const fail = () => { throw new Error('no'); };`,
    );
    writeFileSync(join(folder, 'm/package.json'), '{"type":"module"}');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const load = (text: string) => {
    writeFileSync(join(folder, 'm/allergies.yaml'), text);
    return loadMappings(join(folder, 'm'));
  };
  const findings = (text: string): Finding[] => {
    try {
      load(text);
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return error.findings;
    }
    throw new assert.AssertionError({ message: 'nothing was found wrong' });
  };
  /** Fields of the first AL1 that these segment rules make of an allergy. */
  const al1 = (segments: string, more = {}, extra = '') => {
    const compiled = load(dataset(segments, extra));
    const record = mapRecord(
      compiled,
      bundle(patient, list(codes.active, ['AllergyIntolerance/a']), allergy('a', more)),
      { datasets: ['ALL'], profile: 'rsp', version: '2.4', now },
    );
    return {
      segments: record.datasets[0]?.segments ?? [],
      first: named(record.datasets[0]?.segments ?? [], 'AL1')[0],
      warnings: record.warnings,
    };
  };

  it('keeps codes as they were written: 01, 5E1 and no are text', () => {
    const { first } = al1(`- segment: AL1
  fields:
    AL1-1: { value: 01 }
    AL1-2.1: { value: 5E1 }
    AL1-3.1: { value: no }`);
    assert.deepEqual([at(first, 1), at(first, 2), at(first, 3)], ['01', '5E1', 'no']);
  });

  it('says for an unknown code: pass, omit, default or error, as the rule beside the table decides', () => {
    const rule = (unknown: string) => `- segment: AL1
  fields:
    AL1-1: { value: x }
    AL1-2.1: { from: category, table: allergy-category, unknown: ${unknown} }`;
    const more = { category: ['biologic'] };
    assert.equal(at(al1(rule('pass'), more).first, 2), 'biologic');
    for (const [unknown, expected] of [
      ['omit', ''],
      ['default MA', 'MA'],
    ] as const) {
      const { first, segments, warnings } = al1(rule(unknown), more);
      assert.equal(at(first, 2), expected);
      const notes = named(segments, 'NTE').map((one) => one.fields[3]);
      assert.ok(
        notes.includes('Also in the GP record: category = biologic'),
        'the code is not dropped in silence',
      );
      assert.match(
        warnings[0] ?? '',
        /allergies\.yaml:13: a code of category is not in the table allergy-category$/,
      );
    }
    assert.throws(
      () => al1(rule('error'), more),
      (error: unknown) =>
        error instanceof FaultError &&
        error.fault.name === 'codeUnknown' &&
        !error.fault.detail?.includes('biologic'),
    );
    assert.equal(
      at(al1(rule('error'), { category: undefined }).first, 2),
      '',
      'nothing is no unknown code',
    );
  });

  it('demands that rule wherever a table is used', () => {
    const [finding] = findings(
      dataset(`- segment: AL1
  fields:
    AL1-2: { from: category, table: allergy-category }`),
    );
    assert.match(finding?.where ?? '', /allergies\.yaml:12:18$/);
    assert.match(finding?.says ?? '', /a table needs "unknown"/);
  });

  it('reports every mistake with its place and what may have been meant', () => {
    const found = findings(`dataset: ALL
title: Test
lists:
  - { list: active, code: '1', parameter: includeAllergies, status: ALL }
items:
  - item: Allergy
    resource: AllergyIntolerance
    lists: activ
    with: { recorder: recorder }
    segments:
      - segment: AL1
        fields:
          AL1-1: { number: yes }
          IAM-2: category
          AL1-3: { from: '%recoder.name', as: XCM }
          AL1-4: { from: 'code.((' }
          AL1-5: { from: category, table: alergy-category, unknown: pass }
          AL1-6: { from: category, call: './own.js#shot' }
      - segment: ZZZ
        fields:
          ZZZ-1: id
`).map(({ where, says }) => `${where.split('/').at(-1)} ${says}`);
    const expected = [
      /^allergies\.yaml:8:12 this file has no list "activ"; did you mean "active"\?$/,
      /^allergies\.yaml:14:18 "IAM-2" is no field of AL1$/,
      /^allergies\.yaml:15:26 %recoder is not known here; did you mean "recorder"\?$/,
      /^allergies\.yaml:15:47 there is no type "XCM" in datatypes\.yaml; did you mean "XCN"\?$/,
      /^allergies\.yaml:16:26 "code\.\(\(" is not FHIRPath: /,
      /^allergies\.yaml:17:43 there is no table "alergy-category"; did you mean "allergy-category"\?$/,
      /^allergies\.yaml:18:42 \.\/own\.js exports no function "shot"; did you mean "shout"\?$/,
      /^allergies\.yaml:21:18 ZZZ-1 has no row in the table a19-rows: answers without ZZZ would lose it$/,
    ];
    for (const pattern of expected)
      assert.ok(
        found.some((one) => pattern.test(one)),
        `${pattern} in\n${found.join('\n')}`,
      );
    assert.equal(found.length, expected.length, found.join('\n'));
  });

  it('reports what a view may not be, with its place and what may have been meant', () => {
    const view = (rest: string) => {
      const own = dataset('- note: note.text')
        .replace(/^lists:.*\n.*\n/m, '')
        .replace('lists: active', 'lists: ALL.activ');
      writeFileSync(
        join(folder, 'm/view.yaml'),
        own.replace('dataset: ALL', 'dataset: RSK') + rest,
      );
      return findings(dataset('- note: note.text')).map(({ where, says }) => {
        assert.match(where, /view\.yaml:\d+:\d+$/);
        return says;
      });
    };
    const says = 'view: { says: Drawn from others }\n';
    assert.deepEqual(view(says), [
      'no dataset has the list "ALL.activ"; did you mean "ALL.active"?',
    ]);
    assert.deepEqual(view(`${says}lists: [{ list: a, code: '1', parameter: p, status: S }]\n`), [
      'a view has no lists of its own',
      'no dataset has the list "ALL.activ"; did you mean "ALL.active"?',
    ]);
    assert.deepEqual(view(''), ['this file has no list "ALL.activ"']);
  });

  it('takes only what has a code of the table, where a rule says among', () => {
    writeFileSync(join(folder, 'tables/some.csv'), 'code,value\n91936005,Kind of it\n');
    const among = (code: string) =>
      `    among: { codes: code.coding.code, table: some }\n    when: "code.coding.code = '${code}'"\n`;
    const rule =
      "- segment: AL1\n  fields:\n    AL1-5: { from: '%matched', table: some, unknown: error }";
    assert.equal(at(al1(rule, {}, among('91936005')).first, 5), 'Kind of it');
    const other = { code: { coding: [{ code: '7' }] } };
    assert.equal(al1(rule, other, among('7')).first, undefined);
    const wrong = '    among: { codes: code.coding.code, table: sone }\n';
    const [finding] = findings(dataset(rule, wrong));
    assert.match(finding?.says ?? '', /there is no table "sone"; did you mean "some"\?/);
  });

  it('reports unknown keys, wrong shapes and broken YAML', () => {
    const one = (text: string) =>
      findings(text).map(({ where, says }) => `${where.split('/').at(-1)} ${says}`)[0] ?? '';
    const field = (rule: string) => dataset(`- segment: AL1\n  fields:\n    AL1-2: ${rule}`);
    assert.match(
      one(field('{ form: category }')),
      /^allergies\.yaml:12:20 unknown key "form"; did you mean "from"\?$/,
    );
    assert.match(
      one(field('{ from: a, value: b }')),
      /^allergies\.yaml:12:18 .*one of from, coded, value, number and first/,
    );
    assert.match(one(field('{ from: a, format: dat }')), /^allergies\.yaml:12:37 /);
    assert.match(
      one(dataset('- { note: { from: id }, obx: X^Y }')),
      /give one of segment, obx, note, terms and segments/,
    );
    assert.match(one('dataset: ALL\n title: x'), /^allergies\.yaml:\d+:\d+ this is not YAML/);
    assert.match(
      one(dataset('- { segment: AL1, fields: { AL1-1: id } }').replace('ALL', 'ALG')),
      /^allergies\.yaml:1:10 "dataset"/,
    );
  });

  it('reports a table with a code twice, by its line', () => {
    writeFileSync(join(folder, 'tables/gender.csv'), '# remark\ncode,value\nmale,1\nmale,2\n');
    const [finding] = findings(dataset('- { segment: AL1, fields: { AL1-1: id } }'));
    assert.match(finding?.where ?? '', /tables\/gender\.csv:4:1$/);
    assert.match(finding?.says ?? '', /"male" is in the table twice/);
  });

  it('runs functions, and fails with the rule where one throws', () => {
    const rule = (name: string) =>
      `- segment: AL1\n  fields:\n    AL1-3.2: { from: code.coding.display, call: './own.js#${name}' }`;
    assert.equal(at(al1(rule('shout')).first, 3, 2), 'TERM A');
    assert.throws(
      () => al1(rule('fail')),
      (error: unknown) =>
        error instanceof FaultError &&
        error.fault.name === 'mappingFailed' &&
        /allergies\.yaml:12/.test(error.fault.detail ?? ''),
    );
  });

  it('carries values that a field has no room for as notes', () => {
    const { segments, first } = al1(
      `- segment: AL1
  fields:
    AL1-2.1: category
    AL1-4: { from: onsetDateTime, format: date }
    AL1-6: { from: note, absent: none }`,
      {
        category: ['food', 'medication'],
        onsetDateTime: '2010-01-01T10:00:00Z',
        note: [{ odd: 1 }],
      },
    );
    assert.deepEqual([at(first, 2), at(first, 4)], ['food', '20100101']);
    const said = named(segments, 'NTE').map((one) =>
      String(one.fields[3]).replace('Also in the GP record: ', ''),
    );
    assert.deepEqual(said.slice(0, 3), [
      'category = medication',
      'onsetDateTime = 2010-01-01T10:00:00Z',
      'note = {"odd":1}',
    ]);
    // And what no rule reads at all.
    assert.ok(said.includes('AllergyIntolerance.clinicalStatus = active'));
  });

  it('says so where a list names what no rule of the dataset takes', () => {
    const basic = { resourceType: 'Basic', id: 'b' };
    const one = bundle(patient, list(codes.active, ['Basic/b']), basic);
    const options = { datasets: ['ALL'], profile: 'rsp', version: '2.4', now } as const;
    const record = mapRecord(load(dataset('- note: { from: status }')), one, options);
    const [all] = record.datasets;
    assert.deepEqual(all?.status, [{ status: 'W', warning: 'items-not-supplied' }]);
    assert.deepEqual(
      named(all.segments, 'NTE').map((note) => note.fields[3]),
      ['Listed by the GP system but not of a kind that is carried here: Basic/b'],
    );
  });

  it('takes conditions beyond the compiled ones to the fhirpath package', () => {
    const rule = `- segment: AL1
  when: code.coding.count() = 1 and code.coding.display.startsWith('Term') and %recorder.empty()
  fields:
    AL1-3.2: code.coding.display.substring(0, 4)`;
    assert.equal(at(al1(rule, {}, '    with: { recorder: recorder }\n').first, 3, 2), 'Term');
  });

  it('refuses, naming the rule, where a condition meets several values and means one', () => {
    const rule = `- segment: AL1
  when: note and true
  fields: { AL1-1: id }`;
    assert.throws(
      () => al1(rule, { note: [{ text: 'a' }, { text: 'b' }] }),
      (error: unknown) =>
        error instanceof FaultError &&
        error.fault.name === 'mappingFailed' &&
        /allergies\.yaml:11: "note and true"/.test(error.fault.detail ?? ''),
    );
  });

  it('loads what the project ships without a finding', () => {
    const files = readdirSync(join(root, 'mappings/gp-record')).filter((name) =>
      /^(?!datatypes|parts).*\.yaml$/.test(name),
    );
    assert.equal(loadMappings(join(root, 'mappings/gp-record')).datasets.size, files.length);
  });
});
