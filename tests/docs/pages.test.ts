/** What the documentation names is there: pages, files, commands, options, faults. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { allErrors } from '../../bin/cli/errors.ts';
import { exits } from '../../bin/cli/exits.ts';
import { faults } from '../../engine/faults.ts';
import { root } from '../world.ts';
import { helpOfAll } from './help.ts';
import { allPages, anchorsOf, blocksOf, linksOf, spansOf } from './pages.ts';

const pages = allPages();
const textOf = (path: string) => pages.find((page) => page.path === path)?.text ?? '';

describe('the documentation', () => {
  it('has no link that leads nowhere', () => {
    const broken = pages.flatMap(({ path, text }) =>
      linksOf(text)
        .filter((link) => !/^https?:/.test(link) && !leads(path, link))
        .map((link) => `${path}: ${link}`),
    );
    assert.deepEqual(broken, []);
  });

  it('names no file of the project that is not there', () => {
    const missing = pages.flatMap(({ path, text }) =>
      spansOf(text)
        .filter((span) =>
          /^(bin|channels|docs|engine|fixtures|mappings|tests)\/[\w./-]*\w$/.test(span),
        )
        .filter((span) => !/NAME/.test(span) && !existsSync(join(root, span)))
        .map((span) => `${path}: ${span}`),
    );
    assert.deepEqual(missing, []);
  });

  it('names no fault that does not exist, and no npm script either', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const codes = new Set([...Object.values(faults), ...allErrors()].map(({ code }) => code));
    for (const { path, text } of pages) {
      for (const [code] of text.matchAll(/GH-\d{4}/g)) assert.ok(codes.has(code), path + code);
      for (const [, name = ''] of text.matchAll(/npm run (\w+)/g)) {
        assert.ok(scripts[name], `${path}: npm run ${name}`);
      }
    }
    assert.ok(scripts.start && scripts.test);
  });

  it('names no command and no option that the command tree does not have', async () => {
    const help = await helpOfAll();
    const wrong = pages
      .filter(({ path }) => path !== 'docs/reference/cli.md')
      .flatMap(({ path, text }) =>
        commandsIn(text).flatMap((words) =>
          faultsOfCommand(words, help).map((w) => `${path}: ${w}`),
        ),
      );
    assert.deepEqual(wrong, []);
    assert.ok(help.size > 15);
    assert.ok(commandsIn(textOf('README.md')).length > 10);
  });

  it('the steps of a lifecycle stand in files that are there', () => {
    const rows = textOf('docs/lifecycle.md').matchAll(/^\| \d+ \| [^|]+ \| ([^|]+) \|/gm);
    const files = [...rows].flatMap(([, where = '']) => [...where.matchAll(/`([\w/-]+)`/g)]);
    const names = files
      .map(([, name = '']) => name)
      .filter((name) => !/^(finish|authorise)$/.test(name));
    assert.ok(names.length > 15);
    for (const name of names) assert.ok(existsSync(join(root, `engine/${name}.ts`)), name);
  });

  it('the README has the two commands, each on one line in a block of its own', () => {
    const blocks = blocksOf(textOf('README.md'), 'sh');
    assert.ok(blocks.includes('npm ci && npm start\n'));
    assert.ok(blocks.includes('npm ci && npm test\n'));
  });

  it('the README lists the exit codes the commands use, and no other', () => {
    const [, section = ''] = textOf('README.md').split('## Exit codes');
    const listed = [...section.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    const used = globSync('bin/cli/*.ts', { cwd: root }).flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/exits\.(\w+)/g)].map(([, name]) => name),
    );
    const codes = Object.entries(exits).filter(([name]) => used.includes(name));
    assert.deepEqual(
      listed,
      codes.map(([, code]) => code),
    );
  });

  it('decisions have numbers of their own and say why', () => {
    const decisions = pages.filter(({ path }) => path.startsWith('docs/decisions/'));
    const numbers = decisions.map(({ path }) => basename(path).slice(0, 4));
    assert.equal(new Set(numbers).size, numbers.length);
    for (const { path, text } of decisions) {
      assert.match(basename(path), /^\d{4}-[a-z0-9-]+\.md$/);
      assert.match(text, /why/i, path);
    }
  });
});

function leads(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? from : join(dirname(from), file);
  if (!existsSync(join(root, target))) return false;
  if (anchor === undefined) return true;
  return anchorsOf(readFileSync(join(root, target), 'utf8')).has(anchor);
}

/** Each `gatehouse …` of a page, as words: in code spans, in quotes, after the prompt of a transcript. */
function commandsIn(text: string): string[][] {
  const blocks = [...blocksOf(text, 'sh'), ...blocksOf(text, 'console')];
  const lines = blocks.flatMap((block) => block.split('\n'));
  const quoted = [...text.matchAll(/"(gatehouse [^"]+)"/g)].map(([, command]) => command ?? '');
  return [...spansOf(text), ...quoted, ...lines.map((line) => line.replace(/^\$ /, ''))]
    .map((line) => line.replace(/^npx /, ''))
    .filter((line) => /^gatehouse( |$)/.test(line) && !line.includes('…'))
    .map((line) => line.split(/\s+/));
}

function faultsOfCommand(words: string[], help: ReadonlyMap<string, string>): string[] {
  let name = 'gatehouse';
  for (const word of words.slice(1)) {
    if (!help.has(`${name} ${word}`)) break;
    name += ` ${word}`;
  }
  const page = help.get(name) ?? '';
  const shown = words.join(' ');
  if (/^Commands:/m.test(page) && words.length > name.split(' ').length) {
    return words.some((word) => word.startsWith('--')) ? [] : [`there is no ${shown}`];
  }
  const options = words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]);
  return options
    .filter((option) => !new RegExp(`${option}\\b`).test(page))
    .map((option) => `${name} has no ${option}`);
}
