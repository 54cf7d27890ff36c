/** The hazard log: each hazard is whole, and every test and case that is to hold a control exists. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/clinical-safety.md'), 'utf8');
const hazards = page
  .split(/^(?=#{2,3} )/m)
  .filter((part) => part.startsWith('### '))
  .map((part) => ({ title: part.slice(4, part.indexOf('\n')), text: part }));

/** Texts between quotes in a source, as they read when it runs; what `${…}` stands for is left out. */
function titlesIn(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const quoted = source.matchAll(
    /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g,
  );
  return [...quoted].map(([, one, two, three]) =>
    (one ?? two ?? three ?? '')
      .replace(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
      .replace(/\\(['"`])/g, '$1')
      .replace(/\$\{[^}]*\}/g, '…'),
  );
}

describe('the hazard log', () => {
  it('has hazards numbered one after the other', () => {
    assert.ok(hazards.length > 20);
    hazards.forEach(({ title }, i) => assert.match(title, new RegExp(`^H${i + 1} `)));
  });

  for (const { title, text } of hazards) {
    it(`${title}: says how bad, what follows, why, what is done, and what holds it`, () => {
      assert.match(
        text,
        /\*\*Severity:\*\* (catastrophic|major|considerable|significant|minor)\. \*\*Effect:\*\* \S/,
      );
      for (const name of ['Causes', 'Controls'])
        assert.match(text, new RegExp(`^- \\*\\*${name}:\\*\\* \\S`, 'm'));
      assert.match(text, /^- \*\*Tests:\*\*\n {2}- `/m);
    });
  }

  it('names no test that is not there', () => {
    const named = [...page.matchAll(/^ {2}- `(tests\/[\w/-]+\.test\.ts)`: (.+)$/gm)];
    assert.ok(named.length > 40);
    const missing = named
      .filter(
        ([, file = '', title = '']) =>
          !existsSync(join(root, file)) || !titlesIn(file).includes(title),
      )
      .map(([line]) => line.trim());
    assert.deepEqual(missing, []);
  });

  it('names no case that is not there, and nothing else in the place of a test', () => {
    const [tests, cases, lines] = [
      /^ {2}- `tests\/[^`]+`: /gm,
      /^ {2}- `(fixtures\/[^`]+\.case)`$/gm,
      /^ {2}- /gm,
    ].map((pattern) => [...page.matchAll(pattern)]);
    for (const [, file = ''] of cases ?? []) assert.ok(existsSync(join(root, file)), file);
    assert.equal((tests?.length ?? 0) + (cases?.length ?? 0), lines?.length);
  });
});
