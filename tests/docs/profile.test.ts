/** docs/profile.md against what the engine really answers. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCase } from '../../engine/cases/case.ts';
import { declaredDeviations } from '../../engine/hl7/definitions/declared.ts';
import { profileStructures } from '../../engine/hl7/definitions/profile.ts';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { type Finding, validateMessage } from '../../engine/hl7/validate.ts';
import { contentVersion } from '../../engine/hl7/version.ts';
import { queryKinds } from '../../engine/query/kinds.ts';
import { root } from '../world.ts';
import { isSent, sentFields } from './segments-page.ts';

const profile = readFileSync(join(root, 'docs/profile.md'), 'utf8');
const [, deviations = ''] = profile.split('## Where we leave the standard');

/** Every answer of every case, with the file it stands in. */
const answers = globSync('fixtures/**/*.case', { cwd: root }).flatMap((file) =>
  readCase(join(root, file)).exchanges.flatMap(({ out = '' }) =>
    out
      .split(/(?=^MSH)/m)
      .filter((text) => text !== '')
      .map((text) => ({ file, answer: parseMessage(Buffer.from(text.replaceAll('\n', '\r'))) })),
  ),
);

/** The kind of query this is the answer to; undefined for an acknowledgement. */
const kindOf = (answer: Message) =>
  queryKinds.find(
    ({ answer: { code, event } }) =>
      code === answer.get('MSH-9.1') && event === answer.get('MSH-9.2'),
  );

/** RSP_K11 and RSP_ZGS are for this profile to say; the others are the standard's. */
const ofStandard = (answer: Message): Finding[] => {
  const kind = kindOf(answer);
  const own = kind?.answer.profile === 'rsp' ? profileStructures[structureOf(answer)] : undefined;
  return validateMessage(answer, own && { structure: own });
};

const structureOf = (answer: Message) =>
  (kindOf(answer)?.answer.structure ?? '') as keyof typeof profileStructures;

describe('the profile', () => {
  it('declares the structure of every answer of every case', () => {
    const wrong = new Set<string>();
    const kinds = new Set<string>();
    for (const { file, answer } of answers) {
      const kind = kindOf(answer);
      if (!kind) continue;
      kinds.add(kind.type);
      const structure = profileStructures[structureOf(answer)];
      for (const { code, says } of validateMessage(answer, { structure })) {
        if (/^(segment|structure)\./.test(code)) wrong.add(`${file}: ${says}`);
      }
    }
    assert.deepEqual([...wrong], []);
    assert.deepEqual([...kinds].sort(), queryKinds.map(({ type }) => type).sort());
  });

  it('declares every way in which an answer leaves the standard, and no other', () => {
    const undeclared = new Set<string>();
    const met = new Set<RegExp>();
    for (const { file, answer } of answers) {
      for (const { says } of ofStandard(answer)) {
        const one = declaredDeviations.find(({ finding }) => finding.test(says));
        if (one) met.add(one.finding);
        if (!one || !deviations.includes(`| ${one.row}`)) undeclared.add(`${file}: ${says}`);
      }
    }
    assert.deepEqual([...undeclared], []);
    assert.deepEqual(
      declaredDeviations.filter(({ finding }) => !met.has(finding)).map(({ row }) => row),
      [],
    );
  });

  it('names every field that an answer holds, in its version', () => {
    const sent = sentFields();
    const unnamed = new Set<string>();
    for (const { file, answer } of answers) {
      const version = contentVersion(answer.get('MSH-12'));
      for (const line of answer.toBytes().toString().split('\r')) {
        const [segment = '', ...fields] = line.split('|');
        if (segment === '' || segment === 'MSH') continue;
        for (const [index, value] of fields.entries()) {
          if (value === '' || isSent(sent, segment, index + 1, version)) continue;
          unnamed.add(`${file}: ${segment}-${index + 1} in ${version}`);
        }
      }
    }
    assert.deepEqual([...unnamed], []);
  });

  it('has the sentence of every caution', () => {
    const source = readFileSync(join(root, 'engine/query/cautions.ts'), 'utf8');
    const sentences = [...source.matchAll(/(["'])(CAUTION: .*?)\1,$/gm)].map(([, , text]) => text);
    assert.ok(sentences.length > 8);
    for (const text of sentences) assert.ok(profile.includes(`| ${text} |`), text);
  });

  it('has every status of a dataset, and every warning of our own', () => {
    const folder = join(root, 'engine/mapping');
    const source = ['completeness.ts', 'gather.ts', 'tree.ts', 'view.ts']
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('\n');
    for (const [, letter, name] of source.matchAll(/^ {2}([CEDU]): '(.+)',$/gm)) {
      assert.ok(profile.includes(`\`${letter}^${name}^L\``), name);
    }
    const own = [...source.matchAll(/(?:code: |= )'([a-z]+-[a-z-]+)'/g)].map(([, code]) => code);
    own.push('in-parts');
    assert.ok(own.length >= 5);
    for (const code of own) assert.ok(profile.includes(`\`W^${code}^L\``), code);
  });

  it('has every field that a query is read from', () => {
    const source = ['query', 'kinds']
      .map((name) => readFileSync(join(root, `engine/query/${name}.ts`), 'utf8'))
      .join('\n');
    const fields = new Set(
      [...source.matchAll(/'(QPD|QRD|RCP|DSC)-(\d+)/g)].map(
        ([, name, field]) => `${name}-${field}`,
      ),
    );
    assert.ok(fields.size > 15);
    for (const field of fields) assert.match(profile, new RegExp(`^\\| ${field} \\|`, 'm'), field);
  });
});
