/** What hangs on what: found by references forward and back, each once, and nothing of it lost. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ConfigError } from '../../engine/config/yaml.ts';
import { loadMappings } from '../../engine/mapping/load.ts';
import type { MappedRecord } from '../../engine/mapping/mapped.ts';
import { type Json, at, segmentsOf, texts } from './records.ts';
import { answer, comment, derivedFrom, hasMember, observation, shown, shownIds } from './trees.ts';

/** Terms with their OBX-4, in the order of the message. */
const outline = (record: MappedRecord) =>
  shown(record)
    .filter((segment) => segment.name === 'OBX' && !at(segment, 3).startsWith('GPREC.'))
    .map((segment) => `${at(segment, 4)} ${at(segment, 3, 2)}`);

describe('mapping: trees', () => {
  it('show members below their group, in its order, and say in OBX-4 where each stands', () => {
    const record = answer(
      'OBS',
      ['a', 'b', 'g'],
      [
        observation('b'),
        observation('c', { related: hasMember('d') }),
        observation('d'),
        observation('g', { related: hasMember('c', 'b') }),
        observation('a'),
      ],
    );
    assert.deepEqual(outline(record), [
      '1 Term a',
      '2 Term g',
      '2.1 Term c',
      '2.1.1 Term d',
      '2.2 Term b',
    ]);
    assert.deepEqual(shownIds(record).sort(), ['a', 'b', 'c', 'd', 'g']);
    assert.equal(record.datasets[0]?.items, 2, 'what hangs on an item counts with it');
    assert.deepEqual(record.datasets[0]?.status, [{ status: 'C' }]);
  });

  it('find by what refers back to them those that nothing refers to', () => {
    const resources = [
      comment('c', 'It was the left one', { related: derivedFrom('a') }),
      observation('a'),
    ];
    const record = answer('OBS', ['a'], resources);
    assert.deepEqual(outline(record), ['1 Term a', '1.1 Comment note']);
    const listed = answer('OBS', ['c', 'a'], resources);
    assert.deepEqual(outline(listed), ['1 Term a', '1.1 Comment note'], 'listed before it');
  });

  it('end in a circle, and begin one at the first that is listed', () => {
    const circle = [
      observation('a', { related: hasMember('b') }),
      observation('b', { related: hasMember('c') }),
      observation('c', { related: [...hasMember('a'), ...derivedFrom('c')] }),
    ];
    for (const ids of [['a'], ['b', 'a'], ['c', 'b', 'a']]) {
      assert.deepEqual(shownIds(answer('OBS', ids, circle)).sort(), ['a', 'b', 'c']);
    }
  });

  it('show a chain of any length without running out of anything', () => {
    const ids = Array.from({ length: 1500 }, (_, i) => `o${i}`);
    const chain = ids.map((id, i) =>
      observation(id, i + 1 < ids.length ? { related: hasMember(`o${i + 1}`) } : {}),
    );
    const record = answer('OBS', ['o0'], chain);
    assert.deepEqual(new Set(shownIds(record)), new Set(ids));
    assert.ok(shown(record).every((segment) => at(segment, 4).length < 200));
  });

  it('say what is referred to and is not there, and that the list is not complete', () => {
    const record = answer('OBS', ['a'], [observation('a', { related: hasMember('gone') })]);
    const said = segmentsOf(record).flatMap(texts);
    assert.ok(said.includes('Listed by the GP system but not supplied: Observation/gone'));
    assert.deepEqual(record.datasets[0]?.status, [{ status: 'W', warning: 'items-not-supplied' }]);
  });

  it('show both of two that go by one id', () => {
    const twice = [observation('m', { comment: 'first' }), observation('m', { comment: 'second' })];
    const record = answer('OBS', ['g'], [observation('g', { related: hasMember('m') }), ...twice]);
    const said = segmentsOf(record).flatMap(texts);
    assert.ok(said.includes('first') && said.includes('second'));
  });

  it('carry a resource of a kind no rule knows, element by element', () => {
    const odd: Json = {
      resourceType: 'QuestionnaireResponse',
      id: 'q',
      subject: { reference: 'Patient/p1' },
      item: [{ linkId: '1', text: 'Smokes?', answer: [{ valueBoolean: false }] }],
    };
    for (const record of [
      answer('OBS', ['QuestionnaireResponse/q'], [odd]),
      answer(
        'OBS',
        ['a'],
        [
          observation('a', {
            related: [{ type: 'has-member', target: { reference: 'QuestionnaireResponse/q' } }],
          }),
          odd,
        ],
      ),
    ]) {
      const said = segmentsOf(record).flatMap(texts);
      for (const word of ['item.text: Smokes?', 'item.answer.valueBoolean: false', 'q'])
        assert.ok(said.includes(word), `${word} in ${said.join(' ')}`);
      assert.deepEqual(record.warnings, []);
    }
  });

  it('warn of an entry below that is recorded under another patient', () => {
    const other = observation('b', { subject: { reference: 'Patient/p2' } });
    const record = answer('OBS', ['a'], [observation('a', { related: hasMember('b') }), other]);
    assert.deepEqual(record.datasets[0]?.status, [{ status: 'W', warning: 'subject-differs' }]);
  });

  it('show each listed entry once and lose none, however they refer to each other', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const id = fc.constantFrom(...ids, 'gone');
    const node = fc.record({
      members: fc.array(id, { maxLength: 3 }),
      from: fc.array(id, { maxLength: 2 }),
      isListed: fc.boolean(),
      isComment: fc.boolean(),
    });
    const graph = fc.array(node, { minLength: ids.length, maxLength: ids.length });
    const isA19 = fc.boolean();
    fc.assert(
      fc.property(graph, isA19, (nodes, rows) => {
        const resources = nodes.map(({ members, from, isComment }, i) => {
          const related = [...hasMember(...members), ...derivedFrom(...from)];
          const own = ids[i] ?? '';
          return isComment
            ? comment(own, `Words of ${own}`, { related })
            : observation(own, { related, comment: `Words of ${own}` });
        });
        const listed = ids.filter((_, i) => nodes[i]?.isListed);
        const record = answer('OBS', listed, resources, { profile: rows ? 'a19' : 'rsp' });
        const found = shownIds(record);
        const said = segmentsOf(record).flatMap(texts);
        for (const one of listed) {
          assert.equal(found.filter((other) => other === one).length, 1, `${one} once`);
          assert.ok(said.includes(`Words of ${one}`));
        }
        // What a listed one refers to as its member is there, too.
        for (const [i, { members, isListed }] of nodes.entries()) {
          if (!isListed) continue;
          for (const member of members.filter((one) => one !== 'gone' && one !== ids[i]))
            assert.ok(found.includes(member), `${member} of ${ids[i]}`);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('mapping: the language of trees', () => {
  const root = join(import.meta.dirname, '../../mappings');
  const file = 'gp-record/encounters.yaml';
  const original = readFileSync(join(root, file), 'utf8');
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'trees-'));
    cpSync(join(root, 'tables'), join(folder, 'tables'), { recursive: true });
    for (const name of ['datatypes', 'parts', 'investigations'])
      cpSync(join(root, `gp-record/${name}.yaml`), join(folder, `gp-record/${name}.yaml`));
    cpSync(join(root, 'gp-record/functions.ts'), join(folder, 'gp-record/functions.ts'));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Each mistake is found in the line of the text that makes it. */
  function assertFound(mistakes: [from: string, to: string, says: RegExp][]): void {
    let text = original;
    for (const [from, to] of mistakes) {
      assert.ok(text.includes(from), from);
      text = text.replace(from, to);
    }
    writeFileSync(join(folder, file), text);
    const found: string[] = [];
    try {
      loadMappings(join(folder, 'gp-record'));
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      found.push(...error.findings.map(({ where, says }) => `${where.split('/').at(-1)} ${says}`));
    }
    for (const [, to, says] of mistakes) {
      const line = text.slice(0, text.indexOf(to)).split('\n').length;
      const near = [-3, -2, -1, 0, 1].map((by) => line + by).join('|');
      const pattern = new RegExp(`^encounters\\.yaml:(${near}):\\d+ .*${says.source}`);
      assert.ok(
        found.some((one) => pattern.test(one)),
        `${pattern} in\n${found.join('\n')}`,
      );
    }
  }

  it('reports keys that do not go together, each where it stands', () => {
    assertFound([
      [
        'it, in order\n        follow: entry.item\n',
        'it, in order\n',
        /give one of follow and theirs/,
      ],
      ['theirs: encounter\n', 'follow: x\n        ours: y\n', /"ours" needs "theirs"/],
      [', column: name, unknown: shown', ', column: name', /a table needs "unknown"/],
      [
        '{ from: code.coding.code, table: consultation-lists, unknown: shown }',
        '{ from: id, column: name }',
        /"column" needs a table/,
      ],
    ]);
  });

  it('reports names that mean nothing, each where it stands', () => {
    assertFound([
      [
        'parts: [section, mention, result, anything]',
        'parts: [section, menton]',
        /there is no part "menton"; did you mean "mention"\?/,
      ],
      ['follow: entry.item', "follow: 'entry.(('", /"entry\.\(\(" is not FHIRPath/],
      [
        'named: [problem]',
        'named: [probelm]',
        /nothing joined here is called "probelm"; did you mean "problem"\?/,
      ],
      [
        '    for: encounter',
        '    part: sektion',
        /there is no part "sektion"; did you mean "section"\?/,
      ],
      ['date: [date]\n    part: section', 'date: [date]', /give one of part, segments and for/],
      [
        "when: '%elsewhere'\n",
        "when: '%elsewere'\n",
        /%elsewere is not known here; did you mean "elsewhere"\?/,
      ],
      [
        'theirs: encounter\n        parts: [section]',
        'theirs: encounter\n        parts: [anything]',
        /"anything" takes any resource: "theirs" needs parts of one type each/,
      ],
    ]);
  });

  it('reports a name that two parts have', () => {
    writeFileSync(join(folder, file), original.replace('  mention:\n', '  result:\n'));
    assert.throws(
      () => loadMappings(join(folder, 'gp-record')),
      (error: unknown) =>
        error instanceof ConfigError &&
        error.findings.some(({ says }) => says === 'there is another part "result"'),
    );
  });
});
